"""Compares what was expected of a turn with what was seen, and says the difference in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from handrail.evals.observed import Observed
from handrail.evals.scenario import Expect, HandoffExpect
from handrail.guardrails.vocabulary import Handoff


def differences(expect: Expect, seen: Observed, ran_before: AbstractSet[str]) -> tuple[str, ...]:
    """What differs, one sentence each; empty when everything is as expected.

    `ran_before` are the write tools that succeeded in earlier turns of the conversation.
    """
    return (
        *_outcome(expect, seen),
        *_route(expect, seen),
        *_codes(expect, seen),
        *_sources(expect, seen),
        *_words(expect, seen),
        *_tools(expect, seen, ran_before),
        *_handoff(expect, seen),
    )


def _outcome(expect: Expect, seen: Observed) -> Iterator[str]:
    if expect.status and seen.status not in expect.status:
        yield f"the conversation is {seen.status.value}, not {_or(status.value for status in expect.status)}"
    for stage, effect in expect.effects.items():
        found = seen.effect(stage)
        if found is not effect:
            was = "made no decision" if found is None else f"decided {found.value}"
            yield f"{stage.value} {was}, not {effect.value}"
    if expect.risk_at_least is not None and seen.risk is not None and seen.risk < expect.risk_at_least:
        yield f"the risk is {seen.risk.value}, lower than {expect.risk_at_least.value}"


def _route(expect: Expect, seen: Observed) -> Iterator[str]:
    route = expect.route
    if route is None:
        return
    if None not in (route.queue, seen.queue) and seen.queue != route.queue:
        yield f"policy chose the queue {seen.queue}, not {route.queue}"
    if route.priority is not None and seen.priority is not None and seen.priority is not route.priority:
        yield f"policy chose the priority {seen.priority.value}, not {route.priority.value}"


def _codes(expect: Expect, seen: Observed) -> Iterator[str]:
    reasons, segments = set(seen.reasons), set(seen.segments)
    for code in expect.reasons_include:
        if code not in reasons:
            yield f"the reason {code} is missing"
    if expect.reasons_any and not reasons & set(expect.reasons_any):
        yield f"none of the reasons {_or(expect.reasons_any)} was given"
    for code in expect.reasons_exclude:
        if code in reasons:
            yield f"the reason {code} was given and must not be"
    for name in expect.segments_include:
        if name not in segments:
            yield f"the conversation is not in the segment {name}"
    for name in expect.segments_exclude:
        if name in segments:
            yield f"the conversation is in the segment {name} and must not be"


def _sources(expect: Expect, seen: Observed) -> Iterator[str]:
    cited = _list(seen.sources)
    if expect.cites == "none" and seen.sources:
        yield f"the reply cites {cited}, and no source is expected"
    if expect.cites == "some" and not seen.sources:
        yield "the reply cites no source"
    for name in expect.sources_include:
        if name not in seen.sources:
            yield f"the source {name} is missing (cited: {cited})"
    if expect.sources_any and not set(expect.sources_any) & set(seen.sources):
        yield f"none of the sources {_or(expect.sources_any)} was cited (cited: {cited})"
    for name in expect.sources_exclude:
        if name in seen.sources:
            yield f"the source {name} was cited and must not be"


def _words(expect: Expect, seen: Observed) -> Iterator[str]:
    reply = folded(seen.reply)
    for phrase in expect.reply_contains:
        if folded(phrase) not in reply:
            yield f"the reply does not say “{phrase}”"
    if expect.reply_contains_any and not any(folded(phrase) in reply for phrase in expect.reply_contains_any):
        yield f"the reply says none of {_or(f'“{phrase}”' for phrase in expect.reply_contains_any)}"
    for phrase in expect.reply_excludes:
        if folded(phrase) in reply:
            yield f"the reply says “{phrase}” and must not"
    for phrase in expect.quick:
        if not any(folded(phrase) in folded(quick) for quick in seen.quick_replies):
            yield f"no quick reply says “{phrase}” (offered: {_list(seen.quick_replies)})"


def _tools(expect: Expect, seen: Observed, ran_before: AbstractSet[str]) -> Iterator[str]:
    done = set(seen.ran) | set(seen.executed)
    for tool in expect.tools_ran:
        if tool not in done:
            yield f"the tool {tool} did not run"
    for tool in expect.tools_not_ran:
        if tool in done | set(seen.permitted) | ran_before:
            yield f"the tool {tool} ran and must not"
    asked = "none" if seen.confirmation is None else seen.confirmation.tool
    if expect.confirmation is not None and asked != expect.confirmation:
        yield f"the confirmation asked for is of {asked}, not {expect.confirmation}"


def _handoff(expect: Expect, seen: Observed) -> Iterator[str]:
    if expect.handoff is None:
        return
    if expect.handoff == "none":
        if seen.handoff is not None:
            yield f"the case was handed to the queue {seen.handoff.queue}, and no handoff is expected"
    elif seen.handoff is None:
        yield "the case was not handed to a person"
    else:
        yield from _packet(expect.handoff, seen.handoff)


def _packet(expect: HandoffExpect, packet: Handoff) -> Iterator[str]:
    if expect.queue is not None and packet.queue != expect.queue:
        yield f"the handoff went to the queue {packet.queue}, not {expect.queue}"
    least = expect.priority_at_least
    if least is not None and packet.priority < least:
        yield f"the priority of the handoff is {packet.priority.value}, lower than {least.value}"
    if expect.risk_at_least is not None and packet.risk < expect.risk_at_least:
        yield f"the risk in the handoff is {packet.risk.value}, lower than {expect.risk_at_least.value}"
    yield from _contents(expect, packet)


def _contents(expect: HandoffExpect, packet: Handoff) -> Iterator[str]:
    collected = {fact.name for fact in packet.collected}
    for name in expect.collected:
        if name not in collected:
            yield f"the handoff lacks {name} (collected: {_list(sorted(collected))})"
    for code in expect.reasons_include:
        if code not in packet.reasons:
            yield f"the handoff lacks the reason {code}"
    # A packet explains each segment: "trial: plan is trial".
    segments = {line.partition(":")[0] for line in packet.segments}
    for name in expect.segments_include:
        if name not in segments:
            yield f"the handoff lacks the segment {name}"
    if len(packet.tried) < expect.tried_at_least:
        yield f"the handoff tells {len(packet.tried)} things that were tried, fewer than {expect.tried_at_least}"
    wants = folded(packet.wants)
    if expect.wants_contains and not any(folded(phrase) in wants for phrase in expect.wants_contains):
        yield f"what the customer wants is put as “{packet.wants}”, without {_or(expect.wants_contains)}"


def folded(text: str) -> str:
    """`text` without differences of case, white space and typographic quotes."""
    return " ".join(text.casefold().replace("’", "'").split())


def _or(words: Iterator[str] | Sequence[str]) -> str:
    return " or ".join(words)


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
