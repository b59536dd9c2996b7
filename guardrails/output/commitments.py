"""OUT_COMMITMENT: money, waivers, guarantees, deadlines, personal promises and legal conclusions."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.claims import claims
from handrail.guardrails.output.evidence import AllowedCommitment, CommitmentKind, Evidence, Finding
from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.index import ValueIndex
from handrail.guardrails.output.ledger import repeats
from handrail.guardrails.output.policy import CommitmentPattern, Speaker
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.output.sources import Sources, action_lines
from handrail.guardrails.output.stems import content_stems
from handrail.guardrails.output.wording import Wording, done_class
from handrail.guardrails.vocabulary import Obligation, ToolResult

CODE = "OUT_COMMITMENT"


def check(view: View) -> Iterator[Finding]:
    """At most one finding per kind of commitment in the sentence."""
    seen: set[CommitmentKind] = set()
    for pattern in view.wording.promising(view.line.marks):
        if pattern.kind in seen:
            continue
        for place in claims(view, pattern):
            if not _is_allowed(view, pattern):
                seen.add(pattern.kind)
                yield view.line.finding_at(CODE, place, f"{pattern.kind.value}: {pattern.id}")
            break


def promises(text: str, wording: Wording, evidence: Evidence) -> tuple[str, ...]:
    """The sentences of a released text that bind the company, as they stand, for the ledger and the handoff packet.

    Allowed commitments are promises too, so nothing is excused here but questions, negations and quotations.
    """
    sources = Sources.of(evidence, wording.disclosure.person_keys, wording.records)
    found: list[str] = []
    for sentence in sentences(text):
        view = View((Line.of(sentence, wording.lexicon),), sources, wording)
        if any(True for pattern in wording.promising(view.line.marks) for _ in claims(view, pattern)):
            found.append(sentence.text)
    return tuple(found)


def _is_allowed(view: View, pattern: CommitmentPattern) -> bool:
    if view.sources.is_fixed(view.line.squashed):
        return True
    evidence = view.sources.evidence
    if Obligation.NO_COMMITMENTS not in evidence.obligations and (
        repeats(view)
        or any(
            _covers(view.line, allowed)
            for allowed in evidence.allowed
            if pattern.kind in {allowed.kind, CommitmentKind.ACTION}
        )
    ):
        return True
    return pattern.kind is CommitmentKind.MONEY and pattern.speaker is Speaker.NOBODY and _has_happened(view)


def _covers(line: Line, allowed: AllowedCommitment) -> bool:
    """Whether the sentence says what policy allows, and no figure more."""
    stated = extract(allowed.text)
    words = allowed.text
    for value in reversed(stated):
        words = words[: value.start] + words[value.end :]
    if not content_stems(words) <= line.stems:
        return False
    sentence, index = ValueIndex(), ValueIndex.of(allowed.text)
    sentence.add(line.values)
    return all(index.holds(value) for value in line.values) and all(sentence.holds(value) for value in stated)


def _has_happened(view: View) -> bool:
    """Whether the sentence explains what follows from a write call that succeeded (a refund that is under way)."""
    return any(
        done_class(action) in view.line.marks or _speaks_of(view.line, action.tools)
        for action in view.wording.actions.actions
        for result in view.sources.evidence.succeeded()
        if is_backed_by(result, action.tools)
    ) and all(view.sources.hold(value) for value in view.line.values)


def _speaks_of(line: Line, stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stem) for word in line.tokens for stem in stems)


def is_backed_by(result: ToolResult, stems: tuple[str, ...]) -> bool:
    """Whether the name of the tool that ran has a word beginning with one of `stems`."""
    name = result.call.tool.lower().replace("-", "_").split("_")
    return any(part.startswith(stem) for part in name for stem in stems)


def facts_of(results: tuple[ToolResult, ...]) -> ValueIndex:
    """The values in arguments and outcomes of `results`."""
    return ValueIndex.of("\n".join(line for result in results for line in action_lines(result)))
