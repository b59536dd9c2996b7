"""OUT_UNBACKED_ACTION: a reply says that something was done, and no call that succeeded did it."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.commitments import facts_of, is_backed_by
from handrail.guardrails.output.dates import nearest_day
from handrail.guardrails.output.evidence import Finding, PersonState
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.lexicon import Place
from handrail.guardrails.output.policy import ActionWords, Pattern
from handrail.guardrails.output.quotation import claimed_stems
from handrail.guardrails.output.reading import View
from handrail.guardrails.output.sources import action_lines
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.output.values import Kind
from handrail.guardrails.vocabulary import ToolOutcome, ToolResult

_BEGUN = 4
"""Letters that a field's name and the deed it dates have in common (shipped on, was shipped)."""

_BEGINNING = 5
"""Letters that a word shares with the name of a call that is about it (activate, active)."""

CODE = "OUT_UNBACKED_ACTION"


def check(view: View) -> Iterator[Finding]:
    """The first claim of each action that nothing backs, or else a claim of having done anything."""
    if view.sources.fixed and view.sources.is_fixed(view.line.squashed):
        return
    is_found = False
    for action in view.wording.acting(view.line.marks):
        place, pattern = _claimed(view, action)
        if pattern is not None and not (
            _is_backed(view, action, place)
            or _is_announced(view, action, pattern)
            or (action.by_words and "we" not in pattern.order and _is_history(view, place))
        ):
            is_found = True
            yield view.line.finding_at(CODE, place, f"{action.id}: {pattern.id}")
    if not is_found:
        yield from _general(view)


def _general(view: View) -> Iterator[Finding]:
    if view.sources.evidence.person is PersonState.HANDED_OFF:
        return
    for pattern in view.wording.claiming(view.line.marks):
        for place in claims(view, pattern):
            if _is_told(view):
                return
            yield view.line.finding_at(CODE, place, f"anything: {pattern.id}")
            return


def _is_told(view: View) -> bool:
    """Whether a write call that succeeded is about what the sentence says: they share a word, or an identifier."""
    return any(_is_about(view, result) for result in view.sources.evidence.succeeded())


def _is_about(view: View, result: ToolResult) -> bool:
    if _told(result) & view.line.stems:
        return True
    begun = _begun(content_stems(_name(result)))
    return any(word[:_BEGINNING] in begun for word in view.line.stems)


def _did(view: View, result: ToolResult, place: Place) -> bool:
    """Whether a call that succeeded has the very verb of the claim in its name, or in what it was asked and answered.

    Another word in common proves nothing: the wish for a plumber in a ticket sends no plumber.
    """
    verbs = claimed_stems(view.line, place)
    told = _told(result)
    return bool(verbs & told or _begun(verbs) & _begun(told))


def _told(result: ToolResult) -> frozenset[str]:
    """The words of the name of a call that succeeded, of what it was asked and of what it answered."""
    return content_stems(" ".join((_name(result), *action_lines(result))))


def _begun(words: frozenset[str]) -> set[str]:
    return {word[:_BEGINNING] for word in words if len(word) >= _BEGINNING}


def _name(result: ToolResult) -> str:
    return result.call.tool.replace("_", " ").replace("-", " ")


def _is_announced(view: View, action: ActionWords, pattern: Pattern) -> bool:
    """Whether the sentence hands over to a person who was asked for, which the flow carries out."""
    return action.by_handoff and "doing" in pattern.order and view.sources.evidence.person is not PersonState.NOT_ASKED


def _is_history(view: View, place: Place) -> bool:
    """Whether a field of a record, named for the deed, has the past day on which the sentence says it was done.

    Never asked of money, contracts and data, of which a day alone proves nothing.
    """
    if "first_person" in view.line.marks:
        return False
    now = view.sources.evidence.now
    deed = {word[:_BEGUN] for word in claimed_stems(view.line, place)}
    fields = [
        ValueIndex.of(line)
        for line in view.sources.tool_text.split("\n")
        if deed & {word[:_BEGUN] for word in content_stems(line)}
    ]
    days = [value for value in view.line.values if value.kind is Kind.DATE]
    return bool(days) and all(
        any(field.holds(value) for field in fields)
        and all(day <= now for key in value.keys if (day := nearest_day(key, now)) is not None)
        for value in days
    )


def _claimed(view: View, action: ActionWords) -> tuple[Place, Pattern | None]:
    for pattern, order in view.wording.orders(action, view.line.marks):
        for place in claims(view, pattern, order):
            return place, pattern
    return (0, 0), None


def _is_backed(view: View, action: ActionWords, place: Place) -> bool:
    evidence = view.sources.evidence
    if action.by_handoff and evidence.person is PersonState.HANDED_OFF:
        return True
    if action.any_result and any(result.outcome is ToolOutcome.SUCCEEDED for result in evidence.tool_results):
        return True
    backing = tuple(
        result
        for result in evidence.succeeded()
        if is_backed_by(result, action.tools) or (action.by_words and _did(view, result, place))
    )
    if backing:
        facts = facts_of(backing)
        named = (value for value in view.line.values if value.kind in {Kind.IDENTIFIER, Kind.MONEY, Kind.EMAIL})
        told = any(result.call.arguments or result.content for result in backing)
        return all(facts.holds(value) or (not told and view.sources.hold(value)) for value in named)
    return False
