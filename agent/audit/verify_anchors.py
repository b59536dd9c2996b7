"""Verifying anchors: that they form a chain of their own, and that the log still holds what they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from handrail.agent.audit.anchor import Anchor, AnchoredHead, ExportedAnchor, root_of
from handrail.agent.audit.chain import GENESIS
from handrail.agent.audit.verify import Break, ChainReport, Problem


def verify_anchor_records(site: str, anchors: Iterable[tuple[Anchor, Sequence[AnchoredHead]]]) -> list[Break]:
    """Check the anchors of one site, in order of their numbers, with the heads that each names."""
    breaks: list[Break] = []
    number, previous = 0, GENESIS
    for anchor, heads in anchors:
        sound = (
            anchor.hash == anchor.computed()
            and anchor.root == root_of(heads)
            and anchor.count == len(heads)
            and (anchor.number != number + 1 or anchor.previous_hash == previous)
        )
        if anchor.number != number + 1:
            breaks.append(_anchor_break(site, anchor.number - 1, Problem.ANCHOR_MISSING))
        if not sound:
            breaks.append(_anchor_break(site, anchor.number, Problem.ANCHOR_CHANGED))
        number, previous = anchor.number, anchor.hash
    return breaks


def verify_heads(
    site: str, number: int, heads: Iterable[AnchoredHead], chains: Mapping[str, ChainReport], source: str = "database"
) -> list[Break]:
    """Check that every chain which an anchor names still reaches the named event with the named hash.

    The reports must have been made with the named numbers asked for.
    """
    breaks = []
    for head in heads:
        report = chains.get(head.conversation_id)
        problem = _compare(head, report)
        if problem is not None:
            breaks.append(
                Break(
                    site=site,
                    conversation_id=head.conversation_id,
                    seq=head.seq,
                    problem=problem,
                    anchor=number,
                    source=source,
                )
            )
    return breaks


def _compare(head: AnchoredHead, report: ChainReport | None) -> Problem | None:
    if report is None or not report.events:
        return Problem.CHAIN_MISSING
    if report.head.seq < head.seq:
        return Problem.ANCHOR_TAIL
    # A hash that is not there is a gap; the chain's own check has named it, the anchor confirms it.
    return None if report.hashes.get(head.seq) == head.hash else Problem.ANCHOR_MISMATCH


def verify_exported(
    exported: ExportedAnchor, stored: Anchor | None, chains: Mapping[str, ChainReport], source: str
) -> list[Break]:
    """Check the database against an anchor kept elsewhere; `stored` is the database's anchor of the same number."""
    anchor = exported.anchor
    if anchor.hash != anchor.computed() or exported.heads_root != root_of(exported.heads):
        return [_anchor_break(anchor.site, anchor.number, Problem.ANCHOR_CHANGED, source)]
    breaks = []
    if stored is None:
        breaks.append(_anchor_break(anchor.site, anchor.number, Problem.ANCHOR_MISSING))
    elif stored.hash != anchor.hash:
        breaks.append(_anchor_break(anchor.site, anchor.number, Problem.ANCHOR_CHANGED))
    return breaks + verify_heads(anchor.site, anchor.number, exported.heads, chains, source)


def _anchor_break(site: str, number: int, problem: Problem, source: str = "database") -> Break:
    return Break(site=site, conversation_id=None, seq=None, problem=problem, anchor=number, source=source)
