"""Verifying chains: every way in which a stored log can differ from what was written, found and named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handrail.agent.audit.chain import GENESIS, Head, Link, SealedPayload
from handrail.agent.conversation import EventKind
from handrail.guardrails.vocabulary import Frozen


class Problem(StrEnum):
    """What is wrong at one place of the log."""

    CHANGED = "changed"
    GAP = "gap"
    ORDER = "order"
    PAYLOAD_CHANGED = "payload_changed"
    PAYLOAD_MISSING = "payload_missing"
    PAYLOAD_STRAY = "payload_stray"
    TAIL_CUT = "tail_cut"
    HEAD_WRONG = "head_wrong"
    CHAIN_UNKNOWN = "chain_unknown"
    CHAIN_MISSING = "chain_missing"
    ANCHOR_CHANGED = "anchor_changed"
    ANCHOR_MISSING = "anchor_missing"
    ANCHOR_TAIL = "anchor_tail"
    ANCHOR_MISMATCH = "anchor_mismatch"


MEANINGS: Mapping[Problem, str] = {
    Problem.CHANGED: "the event was changed or moved after it was written: its hash does not fit its content",
    Problem.GAP: "events were deleted: numbers are missing before this event",
    Problem.ORDER: "the event does not continue the one before it: events were reordered, replaced or rewritten",
    Problem.PAYLOAD_CHANGED: "the payload was changed after it was written",
    Problem.PAYLOAD_MISSING: "the payload was deleted without an erasure event that says so",
    Problem.PAYLOAD_STRAY: "a payload is stored for an event that does not exist",
    Problem.TAIL_CUT: "the newest events were deleted: the chain is shorter than its recorded end",
    Problem.HEAD_WRONG: "the recorded end of the chain is not its last event",
    Problem.CHAIN_UNKNOWN: "events are stored for a chain that has no recorded end",
    Problem.CHAIN_MISSING: "the whole chain of this conversation was deleted",
    Problem.ANCHOR_CHANGED: "the anchor was changed after it was written: root, count or hash does not fit",
    Problem.ANCHOR_MISSING: "an anchor is missing",
    Problem.ANCHOR_TAIL: "the newest events were deleted: an anchor names a later event than the chain has",
    Problem.ANCHOR_MISMATCH: "the chain was rewritten: an anchor names another hash for this event",
}


class Break(Frozen):
    """One thing that is wrong, where, and what it means. `seq` None is the chain as a whole.

    For problems with anchors, `seq` is the event that the anchor names, or None; `anchor` is the anchor's number.
    """

    site: str
    conversation_id: str | None
    seq: int | None
    problem: Problem
    anchor: int | None = None
    source: str = "database"

    @property
    def meaning(self) -> str:
        """The sentence for the person who reads the report."""
        return MEANINGS[self.problem]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the log as it is read back; the payload is None when there is none."""

    link: Link
    payload: SealedPayload | None


@dataclass(slots=True)
class ChainReport:
    """What the verification of one chain came to; `hashes` are those of the events that were asked for by number."""

    events: int = 0
    erased: int = 0
    head: Head = field(default_factory=Head)
    hashes: dict[int, str] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)


def verify_chain(events: Iterable[StoredEvent], recorded: Head | None, wanted: Iterable[int] = ()) -> ChainReport:
    """Check the events of one chain, in order of their numbers, against each other and against the recorded end.

    An event is judged against the stored hash of the one before it, so that one change is reported once and not
    for everything after it.
    """
    report, asked = ChainReport(), frozenset(wanted)
    missing: list[Link] = []
    last: Link | None = None
    for event in events:
        link = event.link
        _check_place(link, last, report)
        if event.payload is None:
            missing.append(link)
        elif event.payload.digest != link.payload_digest:
            report.breaks.append(_at(link, Problem.PAYLOAD_CHANGED))
        if link.kind == EventKind.ERASURE:
            # INVARIANT: an erasure covers what stands before it in its own chain, nothing later.
            report.erased += len(missing)
            missing.clear()
        if link.seq in asked:
            report.hashes[link.seq] = link.hash
        report.events += 1
        last = link
    report.breaks.extend(_at(link, Problem.PAYLOAD_MISSING) for link in missing)
    if last is not None:
        report.head = Head(last.seq, last.hash)
        _check_end(last, recorded, report)
    return report


def _check_place(link: Link, last: Link | None, report: ChainReport) -> None:
    expected, previous = (1, GENESIS) if last is None else (last.seq + 1, last.hash)
    if link.seq > expected:
        report.breaks.append(_at(link, Problem.GAP))
    elif link.hash != link.computed():
        report.breaks.append(_at(link, Problem.CHANGED))
    elif link.seq != expected or link.previous_hash != previous:
        report.breaks.append(_at(link, Problem.ORDER))


def _check_end(last: Link, recorded: Head | None, report: ChainReport) -> None:
    if recorded is None:
        report.breaks.append(_at(last, Problem.CHAIN_UNKNOWN))
    elif recorded.seq > last.seq:
        report.breaks.append(_at(last, Problem.TAIL_CUT))
    elif recorded != report.head:
        report.breaks.append(_at(last, Problem.HEAD_WRONG))


def _at(link: Link, problem: Problem) -> Break:
    return Break(site=link.site, conversation_id=link.conversation_id, seq=link.seq, problem=problem)
