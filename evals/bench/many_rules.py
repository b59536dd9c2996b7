"""Writes a bundle with very many rules: the shipped one and generated rules as a large support organisation has them.

Every generated rule is written for one drawn turn, in which it holds: none is dead. The result is loaded like any
bundle, so references, purposes and precedence of the generated rules are checked as those of written ones are.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from pydantic import JsonValue

from handrail.evals.bench.drawn_turns import ALWAYS_ASKED, Question, draw
from handrail.evals.bench.rule_kinds import OF_CALLS, OF_TURNS, RuleKind, Written
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.builtin import UNKNOWN_NEED
from handrail.guardrails.policy.facts import SEGMENT_PREFIX, FactKind, Facts, FactSpec
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.vocabulary import FactContent, Stage

ASKED = 1000
"""So many rules are asked at each of the enlarged stages."""

ENLARGED = ((Stage.APPLY_POLICY, TURN), (Stage.AUTHORIZE_TOOLS, ALWAYS_ASKED))
"""The stages and subjects with that many rules."""

_WRITTEN_FOR = 300
"""Turns that rules are written for; other ones than those that are measured."""

_COMPETING = ("queue", "tone", "depth")
"""Dimensions where one value wins: each rule has a precedence of its own, because a tie is a load error."""

_NARROW = ("intent", "intent", "intent", "intent", "signals", "need_states")
"""What most rules begin with, as often as they stand here: they are about one kind of message."""


def enlarged(folder: Path, shipped: Bundle, seed: int) -> Bundle:
    """The bundle in `folder` with generated rules, so that ASKED are asked at each of the enlarged stages."""
    rules: list[JsonValue] = []
    for stage, subject in ENLARGED:
        rules += written(shipped, stage, subject, ASKED - len(shipped.policy.asked(stage, subject)), seed)
    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / "bundle"
        shutil.copytree(folder, copy)
        # JSON is YAML.
        (copy / "rules" / "generated.yaml").write_text(json.dumps({"rules": rules}, indent=1), encoding="utf-8")
        return load(copy)


def written(bundle: Bundle, stage: Stage, subject: str, count: int, seed: int) -> list[Written]:
    """So many generated rules, as they stand in YAML; the same for the same bundle and seed."""
    turns = draw(bundle, _WRITTEN_FOR, seed + 1)
    asked = [
        one
        for turn in turns
        for one in turn
        if (one.stage, one.subject) == (stage, subject) and one.facts.content("intent") not in (None, UNKNOWN_NEED)
    ]
    writer = _Writer(bundle, asked, Random(seed))  # noqa: S311 - draws what is measured, guards nothing
    return [writer.rule(number) for number in range(count)]


@dataclass(slots=True)
class _Writer:
    """Writes rules about the drawn questions of one stage and subject."""

    bundle: Bundle
    asked: Sequence[Question]
    random: Random

    def rule(self, number: int) -> Written:
        """One rule, which holds for one of the questions."""
        about = self.random.choice(self.asked)
        kinds = OF_TURNS if about.stage is Stage.APPLY_POLICY else OF_CALLS
        kind = self.random.choices(kinds, [one.weight for one in kinds])[0]
        said: Written = dict(self.random.choice(kind.says))
        for name in _COMPETING:
            if name in said:
                said[name] = {"value": said[name], "precedence": 1000 + number}
        codes = sorted(code for code, entry in self.bundle.reasons.items() if entry.stage is about.stage)
        rule: Written = {
            "id": f"generated.{about.stage.value}_{number:04}",
            "stage": about.stage.value,
            "reason": self.random.choice(codes),
            "why": "Generated, to measure how cost grows with the number of rules.",
            "when": self._condition(about, kind),
            **said,
        }
        if about.stage is Stage.AUTHORIZE_TOOLS:
            rule["tools"] = [about.subject]
        return rule

    def _condition(self, about: Question, kind: RuleKind) -> Written:
        """One of the shapes that conditions have in practice, over facts that may be used for it."""
        names = self._usable(about, kind)
        numbers = [name for name in names if self._is_number(name)]
        if not kind.exception and self.random.random() < 0.05:  # thresholds alone: nothing that an index could look up
            return {"all": [self._leaf(name, about.facts) for name in self.random.sample(numbers, 3)]}
        parts: list[JsonValue] = [self._narrow(about.facts, exactly=kind.exception)]
        telling = [name for name in names if not _outside(name, about.facts)]
        one, two, *more = [self._leaf(name, about.facts) for name in self.random.sample(telling, 5)]
        if kind.exception:
            parts += more
        other, shape = self._elsewhere(names), self.random.randrange(6)
        if shape == 0:
            parts.append(one)
        elif shape == 1:
            parts += [one, two]
        elif shape == 2:
            parts.append({"any": [one, other]})
        elif shape == 3:
            parts += [one, self._untrue(names, about.facts)]
        elif shape == 4:
            parts.append({"at_least": {"count": 2, "of": [one, two, other]}})
        else:
            parts.append(self._leaf(self.random.choice(numbers), about.facts))
        return {"all": parts}

    def _narrow(self, facts: Facts, *, exactly: bool) -> Written:
        """What the message is about: one of a few kinds of message, or `exactly` one."""
        if exactly:
            return {"intent": str(facts.content("intent"))}
        for name in (self.random.choice(_NARROW), "intent"):
            if facts.content(name):
                return self._leaf(name, facts)
        raise ValueError("rules are written for messages with an intent")

    def _elsewhere(self, names: Sequence[str]) -> Written:
        """A comparison that holds in some other turn."""
        while True:
            facts, name = self.random.choice(self.asked).facts, self.random.choice(names)
            if _tells(facts.content(name)) and not _outside(name, facts):
                return self._leaf(name, facts)

    def _untrue(self, names: Sequence[str], facts: Facts) -> Written:
        """A negation that holds for `facts`: of a segment they are not in, or of another word."""
        outside = [name for name in names if _outside(name, facts)]
        if outside and self.random.random() < 0.7:
            return {"not": {"segment": self.random.choice(outside).removeprefix(SEGMENT_PREFIX)}}
        words = [name for name in names if self._kind(name) is FactKind.WORD and facts.content(name) is not None]
        name = self.random.choice(words)
        others = sorted(self.bundle.facts[name].values or ())
        return {"not": {name: self.random.choice([word for word in others if word != facts.content(name)])}}

    def _leaf(self, name: str, facts: Facts) -> Written:
        """A comparison with `name` that holds for `facts`."""
        content = facts.content(name)
        if name.startswith(SEGMENT_PREFIX):
            return {"segment": name.removeprefix(SEGMENT_PREFIX)}
        words = sorted(self.bundle.facts[name].values or ())
        if isinstance(content, tuple):
            chosen = self.random.choice(content)
            more = sorted({chosen, self.random.choice(words)})
            return {name: {"has": chosen} if self.random.random() < 0.6 else {"has_any": list(more)}}
        if isinstance(content, bool):
            return {name: content}
        if isinstance(content, str):
            some = sorted({content, self.random.choice(words)})
            return {name: content if self.random.random() < 0.6 else {"in": list(some)}}
        if content is None:
            raise ValueError(f"{name} is unknown in the turn that the rule is written for")
        return {name: {self.random.choice(("at_least", "at_most")): content}}

    def _usable(self, about: Question, kind: RuleKind) -> list[str]:
        """The facts that a rule of this kind may ask for, and that are known in the question."""
        names = [name for name, spec in self.bundle.facts.items() if self._readable(spec, about)]
        read = {f"{SEGMENT_PREFIX}{one.id}": one.entry.names() | one.exit.names() for one in self.bundle.segments}
        found = {name: frozenset({name}) for name in names} | read
        return [
            name
            for name, sources in found.items()
            if _tells(about.facts.content(name)) and all(self._allowed(source, kind) for source in sources)
        ]

    def _readable(self, spec: FactSpec, about: Question) -> bool:
        closed = spec.kind in (FactKind.BOOLEAN, FactKind.NUMBER) or spec.values is not None
        here = spec.tools is None or about.subject in spec.tools
        return closed and here and spec.exists_at(about.stage) and spec.name not in _NARROW

    def _allowed(self, name: str, kind: RuleKind) -> bool:
        attribute = self.bundle.attributes.get(name)
        return attribute is None or not kind.purposes.isdisjoint(attribute.purposes)

    def _kind(self, name: str) -> FactKind:
        spec: Mapping[str, FactSpec] = self.bundle.facts
        return spec[name].kind if name in spec else FactKind.BOOLEAN

    def _is_number(self, name: str) -> bool:
        return self._kind(name) is FactKind.NUMBER


def _tells(content: FactContent | None) -> bool:
    """Whether a comparison with the content can be written: it is known, and no empty set."""
    return content is not None and content != ()


def _outside(name: str, facts: Facts) -> bool:
    """Whether this is a segment that the turn is not in: nobody writes a rule for that alone."""
    return name.startswith(SEGMENT_PREFIX) and facts.content(name) is not True
