"""The mistakes that can be made in a bundle, by kind of file, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from handrail.evals.policy.mistaken_attributes import in_attributes
from handrail.evals.policy.mistaken_conditions import in_condition
from handrail.evals.policy.mutation import Edit, Kind, Mutation, items, mutated
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.vocabulary import Automation, Depth, Effect, Priority, RiskTier, Stage, Tone
from handrail.guardrails.yamlsource import PathKey


def mutations(file: str, content: JsonValue, bundle: Bundle) -> Iterator[Mutation]:
    """Every mutation of one file of a bundle; none for files that are no policy."""
    if file.startswith("rules/"):
        edits = in_rules(content, bundle)
    elif file.startswith("segments/"):
        edits = in_segment_file(content, bundle)
    elif file == "attributes.yaml":
        edits = in_attributes(content)
    else:
        return
    for edit in edits:
        yield mutated(file, content, edit)


def in_rules(content: JsonValue, bundle: Bundle) -> Iterator[Edit]:
    """Mistakes in a file of rules."""
    for path, rule in items(content, "rules"):
        if not isinstance(rule, dict) or rule.get("status") == "shadow":
            continue
        yield Edit(Kind.DROPPED_RULE, path, f"{rule['id']} is gone", gone=True)
        stage = Stage(str(rule["stage"]))
        if "when" in rule:
            yield Edit(Kind.DROPPED_CONDITION, (*path, "when"), f"{rule['id']} always applies", gone=True)
            yield from in_condition(rule["when"], (*path, "when"), bundle)
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


def in_segment_file(content: JsonValue, bundle: Bundle) -> Iterator[Edit]:
    """Mistakes in the file of a segment that is in use."""
    if not isinstance(content, dict) or content.get("status") != "active":
        return
    yield Edit(Kind.DROPPED_SEGMENT, ("status",), "the segment is not used", "ready")
    for side in ("entry", "exit"):
        yield from in_condition(content[side], (side,), bundle)
    yield from _reason(content, (), bundle)
    decisions = content["decisions"]
    if isinstance(decisions, dict):
        yield from _of_outcome(decisions, ("decisions",), bundle)
    yield from _of_actions(content, bundle)
    for strength in ("hard", "soft"):
        for path, trigger in items(content, "escalation", strength):
            if isinstance(trigger, dict):
                yield from _of_trigger(trigger, path, bundle)
    if content.get("hold_minutes"):
        yield Edit(Kind.CHANGED_HOLD, ("hold_minutes",), "nobody is held", 0)


def _of_actions(content: JsonValue, bundle: Bundle) -> Iterator[Edit]:
    for verb in ("allow", "deny"):
        held = list(items(content, "actions", verb))
        for path, tool in held:
            yield Edit(Kind.CHANGED_TOOLS, path, f"{tool} is no longer in {verb}", gone=True)
        if held:
            tools = [tool for _, tool in held]
            for added in [tool for tool in sorted(bundle.tools) if tool not in tools][:1]:
                yield Edit(Kind.CHANGED_TOOLS, ("actions", verb), f"{verb} with {added}", [*tools, added])


def _of_trigger(trigger: dict[str, JsonValue], path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    yield Edit(Kind.DROPPED_TRIGGER, path, "the trigger is gone", gone=True)
    if "when" in trigger:
        yield Edit(Kind.DROPPED_CONDITION, (*path, "when"), "the trigger always applies", gone=True)
        yield from in_condition(trigger["when"], (*path, "when"), bundle)
    yield from _reason(trigger, path, bundle)


_SCALES = {"risk": RiskTier, "automation": Automation, "priority": Priority}


def _of_outcome(held: dict[str, JsonValue], path: PathKey, bundle: Bundle) -> Iterator[Edit]:
    """Changes of what a rule or segment says of each dimension."""
    for name, scale in _SCALES.items():
        for member in scale if name in held else ():
            if member.value != held[name]:
                says = f"{held[name]} becomes {member.value}"
                yield Edit(Kind.CHANGED_VALUE, (*path, name), says, member.value)
    for name in ("obligations", *ADDING):
        for place, word in items(held, name):
            yield Edit(Kind.DROPPED_VALUE, (*path, *place), f"{word} is gone", gone=True)
    for name in ("queue", "tone", "depth", "flow"):
        if name in held:
            yield from _of_choice(name, held[name], (*path, name), bundle)
    minutes = held.get("first_response_minutes")
    if isinstance(minutes, int):
        yield Edit(Kind.CHANGED_VALUE, (*path, "first_response_minutes"), "one minute more", minutes + 1)
    yield from _of_scope(held, path)


def _of_scope(held: dict[str, JsonValue], path: PathKey) -> Iterator[Edit]:
    for place, classes in items(held, "scope"):
        for at, name in items(held, *place):
            yield Edit(Kind.DROPPED_VALUE, (*path, *at), f"{name} is gone", gone=True)
        if isinstance(classes, list) and place[-1] == "authority":
            for added in [word for word in ("community", "standard", "authoritative") if word not in classes][:1]:
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
    for other in [word for word in known[name] if word != choice["value"]][:1]:
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
