"""The output policy as loaded: checked against itself once, compiled once, the same for every reply."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import or_
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.output.lexicon import VALUE_CLASSES, Lexicon, Marks
from handrail.guardrails.output.pieces import Pieces
from handrail.guardrails.output.policy import (
    ActionsFile,
    ActionWords,
    CommitmentPattern,
    CommitmentsFile,
    DisclosureFile,
    FeedbackFile,
    FormFile,
    NamesFile,
    Pattern,
    PeopleFile,
    RecordsFile,
    WordsFile,
)
from handrail.guardrails.yamlsource import Problem, read

ModelT = TypeVar("ModelT", bound=BaseModel)
CODES = (
    "OUT_COMMITMENT",
    "OUT_UNBACKED_ACTION",
    "OUT_UNSOURCED_NUMBER",
    "OUT_UNSOURCED_DATE",
    "OUT_UNSOURCED_LINK",
    "OUT_UNSOURCED_ADDRESS",
    "OUT_UNSOURCED_IDENTIFIER",
    "OUT_UNSOURCED_NAME",
    "OUT_FOREIGN_PERSONAL_DATA",
    "OUT_SECRET",
    "OUT_PROMPT_LEAK",
    "OUT_REPEATED_PASSAGE",
    "OUT_DENIES_PERSON",
    "OUT_EMPTY",
    "OUT_TOO_LONG",
    "OUT_MARKUP",
)
"""Every code the checks can report; `policies/reasons/output.yaml` describes each."""

_NESTED = re.compile(r"[*+}]\)[*+{]")
_EXCUSE_CLASSES = (
    "negation",
    "condition",
    "hedge",
    "hedge_near",
    "wish",
    "wished_helper",
    "hypothesis",
    "attribution",
    "reported",
    "relative",
    "offered",
    "consent",
    "first_person",
    "self",
    "abstain",
    "contrast",
    "duty",
    "by_others",
)


ActionOrder: TypeAlias = tuple[Pattern, tuple[str, ...], int]
"""A pattern of having done something, its order for one action, and the classes of it as bits."""


class Topic(IntEnum):
    """What patterns are about."""

    PROMISE = 5
    REFUSAL = 0
    DELAY = 1
    DISCLOSURE = 2
    CONFIDENCE = 3
    DEED = 4


class Candidate(NamedTuple):
    """A pattern: all its classes as bits, the last of them, and its number among all."""

    classes: int
    last: str
    number: int
    topic: Topic
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Candidates:
    """Patterns by the class that the fewest patterns have, so that a sentence without that class costs nothing."""

    by_rarest: dict[int, list[Candidate]]
    rarest: int


class Possible(NamedTuple):
    """The patterns that can hold in a sentence, by topic: it has all their classes."""

    promises: Sequence[CommitmentPattern]
    by_topic: Mapping[Topic, Sequence[Pattern]]


_NONE_POSSIBLE = Possible((), dict.fromkeys(Topic, ()))


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything the checks read. `done` and `doing` name the classes that stand for the words of each action."""

    lexicon: Lexicon
    commitments: CommitmentsFile
    actions: ActionsFile
    people: PeopleFile
    disclosure: DisclosureFile
    records: RecordsFile
    names: NamesFile
    form: FormFile
    guidance: dict[str, str]
    secrets: tuple[re.Pattern[str], ...]
    html: re.Pattern[str]
    _candidates: Candidates
    _orders: dict[str, tuple[ActionOrder, ...]]
    _secret_hints: Pieces[int]
    _acting: int
    _actions: dict[str, ActionWords]

    def promising(self, marks: Marks) -> Sequence[CommitmentPattern]:
        """The commitment patterns that can hold in a sentence: it has all their classes."""
        return self._possible(marks).promises

    def refusing(self, marks: Marks) -> Sequence[Pattern]:
        """The patterns about people that can hold in a sentence."""
        return self._possible(marks).by_topic[Topic.REFUSAL]

    def delaying(self, marks: Marks) -> Sequence[Pattern]:
        """The patterns about people that count where one was asked for and can hold in a sentence."""
        return self._possible(marks).by_topic[Topic.DELAY]

    def revealing(self, marks: Marks) -> Sequence[Pattern]:
        """The patterns about the prompt that can hold in a sentence."""
        return self._possible(marks).by_topic[Topic.DISCLOSURE]

    def confiding(self, marks: Marks) -> Sequence[Pattern]:
        """The patterns about passwords and internal notes that can hold in a sentence."""
        return self._possible(marks).by_topic[Topic.CONFIDENCE]

    def claiming(self, marks: Marks) -> Sequence[Pattern]:
        """The patterns of having done anything that can hold in a sentence."""
        return self._possible(marks).by_topic[Topic.DEED]

    def orders(self, action: ActionWords, marks: Marks) -> Iterator[tuple[Pattern, tuple[str, ...]]]:
        """The patterns of having done something that can hold in a sentence, each with its order for `action`."""
        for pattern, order, classes in self._orders[action.id]:
            if classes & marks.present == classes:
                yield pattern, order

    def secret_shapes(self, pieces: Iterable[str]) -> int:
        """The shapes of credentials, as bits by their place in the policy, of which a sentence may have a hint."""
        return reduce(or_, map(self._secret_hints.__getitem__, pieces), 0)

    def _possible(self, marks: Marks) -> Possible:
        """All patterns that can hold in a sentence, worked out once for it; in the order of its words."""
        known = marks.possible
        if isinstance(known, Possible):
            return known
        found: list[Candidate] = []
        present, by_rarest = marks.present, self._candidates.by_rarest
        left = present & self._candidates.rarest
        while left:
            lowest = left & -left
            left ^= lowest
            for one in by_rarest[lowest]:
                if one[0] & present == one[0]:
                    found.append(one)  # noqa: PERF401 - faster than what builds a list at every turn
        possible = self._certain(found, marks) if found else _NONE_POSSIBLE
        marks.possible = possible
        return possible

    @staticmethod
    def _certain(found: list[Candidate], marks: Marks) -> Possible:
        """Those of `found` that can hold also when it is certain where values stand, in order."""
        for one in found:
            marks.settle(one.classes)
        left = [one for one in found if one.classes & marks.present == one.classes]
        if len(left) > 1:
            left.sort(key=lambda one: (marks.rank(one.last), one.number))
        return _possible(left)

    def acting(self, marks: Marks) -> tuple[ActionWords, ...]:
        """The actions of which a sentence has a word."""
        if not marks.present & self._acting:
            return ()
        found = sorted((name for name in self._actions if name in marks), key=marks.rank)
        return tuple({self._actions[name].id: self._actions[name] for name in found}.values())


def done_class(action: ActionWords) -> str:
    """The class of the words that claim `action` as done."""
    return f"done:{action.id}"


def doing_class(action: ActionWords) -> str:
    """The class of the words that claim `action` as going on."""
    return f"doing:{action.id}"


def report_class(action: ActionWords) -> str:
    """The class of the phrases that report `action` as done."""
    return f"reports:{action.id}"


def load_wording(folder: Path) -> Wording:
    """Read the output policy in `folder`. Raises ConfigError with file and line of everything wrong."""
    problems: list[Problem] = []
    words = _parse(folder, "words.yaml", WordsFile, problems)
    commitments = _parse(folder, "commitments.yaml", CommitmentsFile, problems)
    actions = _parse(folder, "actions.yaml", ActionsFile, problems)
    people = _parse(folder, "people.yaml", PeopleFile, problems)
    disclosure = _parse(folder, "disclosure.yaml", DisclosureFile, problems)
    records = _parse(folder, "records.yaml", RecordsFile, problems)
    names = _parse(folder, "names.yaml", NamesFile, problems)
    form = _parse(folder, "form.yaml", FormFile, problems)
    feedback = _parse(folder, "feedback.yaml", FeedbackFile, problems)
    if not (words and commitments and actions and people and disclosure and records and names and form and feedback):
        raise ConfigError([str(problem) for problem in sorted(problems)])
    classes = _classes(words, actions)
    found = [
        *_dangling("commitments.yaml", commitments.patterns, classes),
        *_dangling("actions.yaml", actions.patterns, {*classes, "done", "doing", "reports"}),
        *_dangling("actions.yaml", actions.general, classes),
        *_dangling("people.yaml", (*people.patterns, *people.asked), classes),
        *_dangling("disclosure.yaml", (*disclosure.prompt_patterns, *disclosure.secret_patterns), classes),
        *_missing_classes(classes),
        *_bad_guidance(feedback),
        *_bad_expressions(disclosure),
    ]
    if found:
        raise ConfigError(found)
    lexicon = Lexicon.of(classes)
    return Wording(
        lexicon=lexicon,
        commitments=commitments,
        actions=actions,
        people=people,
        disclosure=disclosure,
        records=records,
        names=names,
        form=form,
        guidance=dict(feedback.guidance),
        secrets=tuple(re.compile(shape.expression) for shape in disclosure.secrets),
        _candidates=_candidates(
            lexicon.bits,
            (
                (Topic.PROMISE, commitments.patterns),
                (Topic.REFUSAL, people.patterns),
                (Topic.DELAY, people.asked),
                (Topic.DISCLOSURE, disclosure.prompt_patterns),
                (Topic.CONFIDENCE, disclosure.secret_patterns),
                (Topic.DEED, actions.general),
            ),
        ),
        _orders=_orders(actions, lexicon.bits),
        _secret_hints=_hints(disclosure),
        _acting=reduce(
            or_,
            (
                lexicon.bits.get(name, 0)
                for action in actions.actions
                for name in (done_class(action), doing_class(action), report_class(action))
            ),
        ),
        _actions={
            name: action
            for action in actions.actions
            for name in (done_class(action), doing_class(action), report_class(action))
        },
        html=re.compile(
            rf"</?(?:{'|'.join(form.html_tags)})(?=[\s/>])|<!--|<[a-z][\w-]*\s[^<>]{{0,200}}=", re.IGNORECASE
        ),
    )


def _parse(folder: Path, name: str, model: type[ModelT], problems: list[Problem]) -> ModelT | None:
    document = read(folder / name, f"{folder.name}/{name}", problems)
    return document.parse(model, problems) if document is not None else None


def _candidates(bits: Mapping[str, int], patterns: Sequence[tuple[Topic, Sequence[Pattern]]]) -> Candidates:
    use = Counter(name for _, some in patterns for pattern in some for name in {*pattern.order})
    by_rarest: dict[int, list[Candidate]] = {}
    number = 0
    for topic, some in patterns:
        for pattern in some:
            rarest = min(reversed(pattern.order), key=use.__getitem__)
            classes = reduce(or_, (bits[name] for name in pattern.order))
            candidate = Candidate(classes, pattern.order[-1], number, topic, pattern)
            by_rarest.setdefault(bits[rarest], []).append(candidate)
            number += 1
    return Candidates(by_rarest, reduce(or_, by_rarest, 0))


def _possible(found: Iterable[Candidate]) -> Possible:
    promises: list[CommitmentPattern] = []
    by_topic: dict[Topic, list[Pattern]] = {topic: [] for topic in Topic}
    for one in found:
        if isinstance(one.pattern, CommitmentPattern):
            promises.append(one.pattern)
        else:
            by_topic[one.topic].append(one.pattern)
    return Possible(promises, by_topic)


def _orders(actions: ActionsFile, bits: Mapping[str, int]) -> dict[str, tuple[ActionOrder, ...]]:
    found: dict[str, tuple[ActionOrder, ...]] = {}
    for action in actions.actions:
        names = {"done": done_class(action), "doing": doing_class(action), "reports": report_class(action)}
        orders = ((pattern, tuple(names.get(name, name) for name in pattern.order)) for pattern in actions.patterns)
        found[action.id] = tuple(
            (pattern, order, reduce(or_, (bits[name] for name in order)))
            for pattern, order in orders
            if all(name in bits for name in order)
        )
    return found


def _hints(disclosure: DisclosureFile) -> Pieces[int]:
    """Which shapes a piece of a sentence may hint at; a hint of several words by the first of them."""
    beginnings = {hint.partition(" ")[0] for shape in disclosure.secrets for hint in shape.hints}
    any_hint = re.compile("|".join(map(re.escape, sorted(beginnings))))

    def read(piece: str) -> int:
        found = 0
        if any_hint.search(piece) is None:
            return found
        for place, shape in enumerate(disclosure.secrets):
            for hint in shape.hints:
                first, gap, _ = hint.partition(" ")
                if piece.endswith(first) if gap else hint in piece:
                    found |= 1 << place
        return found

    return Pieces(read)


def _classes(words: WordsFile, actions: ActionsFile) -> dict[str, tuple[str, ...]]:
    classes = dict(words.classes)
    for action in actions.actions:
        classes[done_class(action)] = action.done
        if action.doing:
            classes[doing_class(action)] = action.doing
        if action.reports:
            classes[report_class(action)] = action.reports
    return classes


def _dangling(file: str, patterns: Iterable[Pattern], classes: Iterable[str]) -> Iterator[str]:
    known = {*classes, *VALUE_CLASSES.values()}
    seen: set[str] = set()
    for pattern in patterns:
        if pattern.id in seen:
            yield f"output/{file}: the pattern id {pattern.id} stands there twice"
        seen.add(pattern.id)
        for name in (*pattern.order, *pattern.not_between, *pattern.harmless):
            if name not in known:
                yield f"output/{file}: pattern {pattern.id} names the class {name}, which words.yaml does not have"


def _missing_classes(classes: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for name in _EXCUSE_CLASSES:
        if name not in classes:
            yield f"output/words.yaml: the class {name} is needed by the checks; add it"


def _bad_guidance(feedback: FeedbackFile) -> Iterator[str]:
    for code in CODES:
        if code not in feedback.guidance:
            yield f"output/feedback.yaml: there is no guidance for {code}; add an entry"
    for code in feedback.guidance:
        if code not in CODES:
            yield f"output/feedback.yaml: {code} is no code of an output check; remove it or check the spelling"


def _bad_expressions(disclosure: DisclosureFile) -> Iterator[str]:
    for shape in disclosure.secrets:
        try:
            re.compile(shape.expression)
        except re.error as error:
            yield f"output/disclosure.yaml: the expression of {shape.id} cannot be compiled: {error}"
        if _NESTED.search(shape.expression):
            yield f"output/disclosure.yaml: the expression of {shape.id} repeats a repetition; it could take forever"
