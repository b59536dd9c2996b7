"""Mutations: the mistakes that a policy owner could make in a bundle, made one at a time.

A mutation changes one place of one file. They are generated from what the file says, in a fixed order, so a run with the
same seed makes the same ones.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.vocabulary import Automation, Depth, Effect, Priority, RiskTier, Stage, Tone
from handrail.guardrails.yamlsource import PathKey


class Kind(StrEnum):
    """What kind of mistake a mutation is."""

    MISSPELT_FACT = "misspelt fact"
    MISSPELT_VALUE = "misspelt value"
    FLIPPED_COMPARISON = "flipped comparison"
    MOVED_BOUND = "moved bound"
    NEGATION = "negation"
    COMBINATOR = "all, any or k of n"
    DROPPED_PART = "dropped part of a condition"
    WIDENED = "widened membership"
    NARROWED = "narrowed membership"
    DROPPED_CONDITION = "dropped condition"
    DROPPED_RULE = "dropped rule"
    DROPPED_TRIGGER = "dropped escalation trigger"
    DROPPED_SEGMENT = "dropped segment"
    SWAPPED_EFFECT = "swapped effect"
    CHANGED_VALUE = "changed dimension"
    DROPPED_VALUE = "dropped dimension"
    CHANGED_PRECEDENCE = "changed precedence"
    CHANGED_REASON = "changed reason"
    CHANGED_TOOLS = "changed tools"
    REMOVED_PURPOSE = "removed purpose"
    UNKNOWN_IGNORED = "changed on_unknown"
    CHANGED_WINDOW = "changed window"
    CHANGED_AGE = "changed age"
    CHANGED_HOLD = "changed hold"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake: in which file, at which path, and what the file says with it."""

    kind: Kind
    file: str
    path: PathKey
    says: str
    content: JsonValue

    @property
    def name(self) -> str:
        """How a report calls it."""
        return f"{self.file} {'.'.join(str(part) for part in self.path)}: {self.says}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change at one path: `new` in place of what stands there, or (`gone`) nothing."""

    kind: Kind
    path: PathKey
    says: str
    new: JsonValue = None
    gone: bool = False


def mutations(file: str, content: JsonValue, bundle: Bundle) -> Iterator[Mutation]:
    """Every mutation of one file of a bundle; none for files that are no policy."""
    makers: Mapping[str, Callable[[JsonValue, Bundle], Iterable[Edit]]] = {
        "rules/": _of_rules,
        "segments/": _of_segment,
        "attributes.yaml": _of_attributes,
    }
    for prefix, maker in makers.items():
        if file.startswith(prefix):
            for edit in maker(content, bundle):
                yield Mutation(edit.kind, file, edit.path, edit.says, _edited(content, edit))


def _edited(content: JsonValue, edit: Edit) -> JsonValue:
    whole: list[JsonValue] = [copy.deepcopy(content)]
    holder: JsonValue = list(whole)
    key: str | int = 0
    for part in edit.path:
        holder, key = _at(holder, key), part
    if isinstance(holder, list) and isinstance(key, int):
        if edit.gone:
            del holder[key]
        else:
            holder[key] = edit.new
    elif isinstance(holder, dict) and isinstance(key, str):
        if edit.gone:
            del holder[key]
        else:
            holder[key] = edit.new
    return whole[0]


def _at(holder: JsonValue, key: str | int) -> JsonValue:
    if isinstance(holder, list) and isinstance(key, int):
        return holder[key]
    if isinstance(holder, dict) and isinstance(key, str):
        return holder[key]
    raise LookupError(f"there is nothing at {key!r}")


def _items(content: JsonValue, *path: str | int) -> Iterator[tuple[PathKey, JsonValue]]:
    found = content
    for part in path:
        if isinstance(found, dict) and part not in found:
            return
        found = _at(found, part)
    if isinstance(found, list):
        yield from (((*path, index), item) for index, item in enumerate(found))
    elif isinstance(found, dict):
        yield from (((*path, key), item) for key, item in found.items())


def _of_rules(content: JsonValue, bundle: Bundle) -> Iterator[Edit]:
    for path, rule in _items(content, "rules"):
        if not isinstance(rule, dict) or rule.get("status") == "shadow":
            continue
        yield Edit(Kind.DROPPED_RULE, path, f"{rule['id']} is gone", gone=True)
        stage = Stage(str(rule["stage"]))
        if "when" in rule:
            yield Edit(Kind.DROPPED_CONDITION, (*path, "when"), f"{rule['id']} always applies", gone=True)
            yield from _of_condition(rule["when"], (*path, "when"), bundle)
        if "effect" in rule:
            yield from _effects(rule, path)
        if stage is Stage.AUTHORIZE_TOOLS and isinstance(rule.get("tools"), list):
            yield from _of_tools(rule["tools"], (*path, "tools"), bundle)
        yield from _reason(rule, path, bundle)
        yield from _of_outcome(rule, path, bundle)


def _effects(rule: dict[str, JsonValue], path: PathKey) -> Iterator[Edit]:
    for effect in Effect:
        wanted = effect.value
        if wanted != rule["effect"] and (effect is not Effect.NOT_YET or rule.get("obligations")):
            yield Edit(Kind.SWAPPED_EFFECT, (*path, "effect"), f"{rule['effect']} becomes {wanted}", wanted)


def _reason(held: dict[str, JsonValue], path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    codes = sorted({rule.reason for rule in bundle.policy.rules})
    other = next((code for code in codes if code > str(held["reason"])), codes[0])
    yield Edit(Kind.CHANGED_REASON, (*path, "reason"), f"{held['reason']} becomes {other}", other)


def _of_tools(tools: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    if not isinstance(tools, list):
        return
    for index, tool in enumerate(tools):
        left = [*tools[:index], *tools[index + 1 :]]
        yield Edit(Kind.CHANGED_TOOLS, path, f"without {tool}", left)
    for tool in sorted(bundle.tools):
        if tool not in tools:
            yield Edit(Kind.CHANGED_TOOLS, path, f"with {tool}", [*tools, tool])


def _of_segment(content: JsonValue, bundle: Bundle) -> Iterator[Edit]:
    if not isinstance(content, dict) or content.get("status") != "active":
        return
    yield Edit(Kind.DROPPED_SEGMENT, ("status",), "the segment is not used", "ready")
    for side in ("entry", "exit"):
        yield from _of_condition(content[side], (side,), bundle)
    yield from _reason(content, (), bundle)
    decisions = content["decisions"]
    if isinstance(decisions, dict):
        yield from _of_outcome(decisions, ("decisions",), bundle)
    for verb in ("allow", "deny"):
        for path, _ in _items(content, "actions", verb):
            yield Edit(Kind.CHANGED_TOOLS, path, f"no longer in {verb}", gone=True)
        held = [tool for _, tool in _items(content, "actions", verb)]
        if held:
            added = next(tool for tool in sorted(bundle.tools) if tool not in held)
            yield Edit(Kind.CHANGED_TOOLS, ("actions", verb), f"with {added}", [*held, added])
    for strength in ("hard", "soft"):
        for path, trigger in _items(content, "escalation", strength):
            yield Edit(Kind.DROPPED_TRIGGER, path, "the trigger is gone", gone=True)
            if isinstance(trigger, dict):
                if "when" in trigger:
                    yield Edit(Kind.DROPPED_CONDITION, (*path, "when"), "the trigger always applies", gone=True)
                    yield from _of_condition(trigger["when"], (*path, "when"), bundle)
                yield from _reason(trigger, path, bundle)
    if content.get("hold_minutes"):
        yield Edit(Kind.CHANGED_HOLD, ("hold_minutes",), "nobody is held", 0)


def _of_outcome(held: dict[str, JsonValue], path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    """Changes of what a rule or segment says of each dimension."""
    scales = {"risk": RiskTier, "automation": Automation, "priority": Priority}
    for name, scale in scales.items():
        if name in held:
            words = [member.value for member in scale]
            for word in words:
                if word != held[name]:
                    yield Edit(Kind.CHANGED_VALUE, (*path, name), f"{held[name]} becomes {word}", word)
    for name in ("obligations", "skills", "tags"):
        some = held.get(name)
        for index, held_word in enumerate(some if isinstance(some, list) else ()):
            yield Edit(Kind.DROPPED_VALUE, (*path, name, index), f"{held_word} is gone", gone=True)
    for name in ("queue", "tone", "depth", "flow"):
        if name in held:
            yield from _of_choice(name, held[name], (*path, name), bundle)
    if "first_response_minutes" in held:
        minutes = held["first_response_minutes"]
        if isinstance(minutes, int):
            yield Edit(Kind.CHANGED_VALUE, (*path, "first_response_minutes"), "one minute more", minutes + 1)
    for place, classes in _items(held, "scope"):
        for index, name_of in enumerate(classes if isinstance(classes, list) else ()):
            yield Edit(Kind.DROPPED_VALUE, (*path, *place, index), f"{name_of} is gone", gone=True)
        if isinstance(classes, list) and place[-1] == "authority":
            added = next(word for word in ("community", "standard", "authoritative") if word not in classes)
            yield Edit(Kind.CHANGED_VALUE, (*path, *place), f"{added} is added", [*classes, added])


def _of_choice(name: str, choice: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    known: Mapping[str, Iterable[str]] = {
        "queue": bundle.queues,
        "flow": bundle.flows,
        "tone": [tone.value for tone in Tone],
        "depth": [depth.value for depth in Depth],
    }
    yield Edit(Kind.DROPPED_VALUE, path, f"{name} is gone", gone=True)
    if not isinstance(choice, dict):
        return
    other = next(word for word in known[name] if word != choice["value"])
    yield Edit(Kind.CHANGED_VALUE, (*path, "value"), f"{choice['value']} becomes {other}", other)
    taken = sorted(
        {
            one.precedence
            for rule in bundle.policy.rules
            for dimension, one in rule.selections.choices
            if dimension == name
        }
    )
    held = choice["precedence"]
    if isinstance(held, int):
        at = taken.index(held)
        if at + 1 < len(taken):
            higher = taken[at + 1] + 1
            yield Edit(Kind.CHANGED_PRECEDENCE, (*path, "precedence"), f"{held} becomes {higher}", higher)
        if at > 0:
            lower = taken[at - 1] - 1
            yield Edit(Kind.CHANGED_PRECEDENCE, (*path, "precedence"), f"{held} becomes {lower}", lower)


def _of_attributes(content: JsonValue, _: Bundle) -> Iterator[Edit]:
    for path, attribute in _items(content, "attributes"):
        if not isinstance(attribute, dict):
            continue
        purposes = attribute["purposes"]
        for index, purpose in enumerate(purposes if isinstance(purposes, list) else ()):
            yield Edit(Kind.REMOVED_PURPOSE, (*path, "purposes", index), f"{attribute['name']}: {purpose}", gone=True)
        how = attribute.get("on_unknown", "restrict")
        other = "ignore" if how == "restrict" else "restrict"
        yield Edit(Kind.UNKNOWN_IGNORED, (*path, "on_unknown"), f"{attribute['name']}: {how} becomes {other}", other)
        days = attribute["max_age_days"]
        if isinstance(days, int):
            yield Edit(Kind.CHANGED_AGE, (*path, "max_age_days"), f"{attribute['name']}: ten times as old", days * 10)
    for path, window in _items(content, "windows"):
        if isinstance(window, dict):
            yield from _of_window(window, path, content)


def _of_window(window: dict[str, JsonValue], path: PathKey, content: JsonValue) -> Iterator[Edit]:
    minutes = window["within_minutes"]
    if isinstance(minutes, int):
        yield Edit(Kind.CHANGED_WINDOW, (*path, "within_minutes"), "half as long", max(1, minutes // 2))
        yield Edit(Kind.CHANGED_WINDOW, (*path, "within_minutes"), "twice as long", minutes * 2)
    kinds = [str(one["kind"]) for _, one in _items(content, "events") if isinstance(one, dict)]
    other = next(kind for kind in kinds if kind != window["count"])
    yield Edit(Kind.CHANGED_WINDOW, (*path, "count"), f"{window['count']} becomes {other}", other)
    yield Edit(Kind.MISSPELT_FACT, (*path, "count"), "misspelt", f"{window['count']}s")
    same = bool(window.get("same_intent", False))
    yield Edit(Kind.CHANGED_WINDOW, (*path, "same_intent"), f"{same} becomes {not same}".lower(), not same)
    if "ending" in window:
        yield Edit(Kind.CHANGED_WINDOW, (*path, "ending"), "it ends now", gone=True)


def _of_condition(condition: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    """Mistakes in a condition, at any depth."""
    if not isinstance(condition, dict):
        return
    yield Edit(Kind.NEGATION, path, "negated", {"not": copy.deepcopy(condition)})
    if len(condition) > 1:
        yield Edit(Kind.COMBINATOR, path, "any of its keys", {"any": [{key: one} for key, one in condition.items()]})
    for key, content in condition.items():
        place = (*path, key)
        if key == "not":
            yield from _of_condition(content, place, bundle)
        elif key in ("all", "any"):
            yield from _of_parts(key, content, path, bundle)
        elif key == "at_least" and isinstance(content, dict):
            yield from _of_count(content, place, bundle)
        elif key != "segment":
            yield from _of_leaf(key, content, path, bundle)


def _of_parts(key: str, parts: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    if not isinstance(parts, list):
        return
    if len(parts) > 1:
        other = "any" if key == "all" else "all"
        yield Edit(Kind.COMBINATOR, path, f"{key} becomes {other}", {other: copy.deepcopy(parts)})
        for index in range(len(parts)):
            yield Edit(Kind.DROPPED_PART, (*path, key, index), "a part is gone", gone=True)
    for index, part in enumerate(parts):
        yield from _of_condition(part, (*path, key, index), bundle)


def _of_count(content: dict[str, JsonValue], path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    parts, count = content["of"], content["count"]
    if isinstance(parts, list) and isinstance(count, int):
        for other in (count - 1, count + 1):
            if 1 <= other <= len(parts):
                yield Edit(Kind.COMBINATOR, (*path, "count"), f"{count} becomes {other}", other)
        for index, part in enumerate(parts):
            yield from _of_condition(part, (*path, "of", index), bundle)


_OPPOSITE = {"at_least": "below", "below": "at_least", "at_most": "above", "above": "at_most"}


def _of_leaf(name: str, content: JsonValue, path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    yield Edit(Kind.MISSPELT_FACT, path, f"{name} is misspelt", {f"{name}s": content})
    place = (*path, name)
    spec = bundle.facts[name]
    values = sorted(spec.values or ())
    if not isinstance(content, dict):
        yield from _of_value(content, place, values, spec.kind)
        return
    for operator, operand in content.items():
        at = (*place, operator)
        if operator == "known":
            yield Edit(Kind.NEGATION, at, "known the other way round", not operand)
        elif operator in _OPPOSITE:
            yield Edit(Kind.FLIPPED_COMPARISON, place, f"{operator} becomes {_OPPOSITE[operator]}",
                       {_OPPOSITE[operator]: operand})  # fmt: skip
            if isinstance(operand, int | float):
                yield Edit(Kind.MOVED_BOUND, at, f"{operand} becomes {operand + 1}", operand + 1)
                yield Edit(Kind.MOVED_BOUND, at, f"{operand} becomes {operand - 1}", operand - 1)
        elif isinstance(operand, list):
            yield from _of_list(operand, at, values)
        else:
            yield from _of_value(operand, at, values, spec.kind)


def _of_value(content: JsonValue, path: PathKey, values: list[str], kind: FactKind) -> Iterator[Edit]:
    if isinstance(content, bool):
        yield Edit(Kind.FLIPPED_COMPARISON, path, f"{content} becomes {not content}".lower(), not content)
    elif isinstance(content, str):
        yield Edit(Kind.MISSPELT_VALUE, path, f"{content} is misspelt", f"{content}x")
        other = next((value for value in values if value != content), None)
        if other is not None:
            says = f"{content} becomes {other}"
            yield Edit(Kind.FLIPPED_COMPARISON, path, says, other)
            if kind is FactKind.WORD and isinstance(path[-1], str):
                yield Edit(Kind.WIDENED, path, f"{content} or {other}", {"in": [content, other]})
    elif isinstance(content, int | float):
        yield Edit(Kind.MOVED_BOUND, path, f"{content} becomes {content + 1}", content + 1)


def _of_list(operand: list[JsonValue], path: PathKey, values: list[str]) -> Iterator[Edit]:
    for index, word in enumerate(operand):
        if len(operand) > 1:
            yield Edit(Kind.NARROWED, (*path, index), f"{word} is gone", gone=True)
    yield Edit(Kind.MISSPELT_VALUE, (*path, 0), f"{operand[0]} is misspelt", f"{operand[0]}x")
    for value in values:
        if value not in operand:
            yield Edit(Kind.WIDENED, path, f"{value} is added", [*operand, value])
            break
