"""Cases and queues as the terminal shows them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue

from handrail.agent.case import CaseSummary
from handrail.agent.conversation import Approval, ApprovalState
from handrail.agent.server.case_views import CaseView
from handrail.agent.server.views import DecidedView
from handrail.guardrails.vocabulary import Frozen, Handoff

SHORTEST_ID = 10
"""Characters of an id that are shown at least."""
_WANTS = 60
_OUTCOMES = {
    ApprovalState.PENDING: "still waits",
    ApprovalState.APPROVED: "approved",
    ApprovalState.USED: "approved and carried out",
    ApprovalState.DENIED: "denied",
    ApprovalState.EXPIRED: "expired",
}
_AGREED = (ApprovalState.APPROVED, ApprovalState.USED)
_HEADINGS = ("CONVERSATION", "STATUS", "PRIORITY", "DUE", "QUEUE", "HOLDER", "APPROVAL", "WANTS")


def plain(text: str) -> str:
    """Text that a customer may have written, without what would steer a terminal or turn words around."""
    kept = (char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"})
    return "".join(kept)


def shortened(ids: Sequence[str]) -> dict[str, str]:
    """Each id with its shortest beginning that is unique among them, and long enough to look at."""
    length = SHORTEST_ID
    while len({each[:length] for each in ids}) < len(set(ids)):
        length += 1
    return {each: each[:length] for each in ids}


class QueueView(Frozen):
    """What `handrail queue list` shows."""

    conversations: tuple[CaseSummary, ...]
    approvals: tuple[Approval, ...]


def queue_lines(found: QueueView, now: datetime) -> list[str]:
    """The queue as a table, and what waits for approval, whoever has the conversation."""
    short = shortened([each.conversation_id for each in found.conversations])
    rows = [
        (
            short[each.conversation_id],
            each.status.value,
            each.priority.value,
            when(each.due_at, now),
            each.queue or "-",
            each.holder or "-",
            "waits" if each.awaits_approval else "-",
            _cut(" ".join(plain(each.wants).split())),
        )
        for each in found.conversations
    ]
    lines = _table([_HEADINGS, *rows]) if rows else ["Nobody waits for a person."]
    if found.approvals:
        lines += ["", "Waiting for approval"]
        lines += [line for each in found.approvals for line in approval_lines(each, now)]
    return lines


def case_lines(case: CaseView, now: datetime) -> list[str]:
    """One conversation, whole."""
    who = "an anonymous visitor" if case.customer_id is None else plain(case.customer_id)
    lines = [
        f"{case.conversation_id}: {case.status.value}, {_held(case.holder)}",
        f"  customer   {who} ({case.identity.value}), by {case.channel}, since {case.opened_at:%Y-%m-%d %H:%M} UTC",
    ]
    lines += _packet(case.packet, now) if case.packet is not None else ["  no person has been asked for"]
    lines += ["", "Messages"]
    lines += [line for each in case.messages for line in _said(f"{each.at:%H:%M} {each.role.value}", each.text)]
    lines += [] if case.messages else ["  none"]
    if case.approvals:
        lines += ["", "Approvals", *(line for each in case.approvals for line in approval_lines(each, now))]
    if case.files:
        lines += ["", "Files"]
        lines += [f"  {each.file_id}  {plain(each.name)} ({each.media_type}, {each.size} bytes)" for each in case.files]
    if case.turns:
        lines += ["", "Reasons of each turn", *(f"  {each.turn_id}  {' '.join(each.reasons)}" for each in case.turns)]
    return lines


def approval_lines(approval: Approval, now: datetime) -> list[str]:
    """A request for approval with its exact arguments, and what can be done with it."""
    lines = [f"  {approval.approval_id}  {call_text(approval.call.tool, approval.call.arguments)}"]
    if approval.state is not ApprovalState.PENDING:
        return [*lines, f"    {_outcome(approval)}"]
    short = approval.approval_id[:SHORTEST_ID]
    seen = f" --digest {approval.digest[:SHORTEST_ID]}" if approval.edited else ""
    name = next(iter(approval.call.arguments), "name")
    waits = _partly(approval) if _waits_for_another(approval) else "waits for a decision"
    barred = f"; not for {_people(approval.proposers)}, who wrote what it came of" if approval.proposers else ""
    commands = (f"approve {short}{seen}", f"edit {short} {name}=...", f"deny {short}")
    return [
        *lines,
        f"    {waits}; expires {when(approval.expires_at, now)}{barred}",
        f"    {' | '.join(f'handrail queue {each}' for each in commands)}",
    ]


def decided_lines(decided: DecidedView) -> list[str]:
    """What became of a decision."""
    approval = decided.approval
    state = _partly(approval) if _waits_for_another(approval) else _OUTCOMES[approval.state]
    lines = [f"{state}: {call_text(approval.call.tool, approval.call.arguments)}"]
    lines += (
        _said("told the customer", decided.turn.reply) if decided.turn.reply else ["  the customer was told nothing"]
    )
    return [*lines, f"  the conversation is now {decided.turn.status.value}"]


def _outcome(approval: Approval) -> str:
    people = approval.approvers if approval.state in _AGREED else ()
    by = _people(people) if people else approval.decided_by
    return f"{_OUTCOMES[approval.state]} by {by}" if by else _OUTCOMES[approval.state]


def _waits_for_another(approval: Approval) -> bool:
    return approval.state is ApprovalState.PENDING and bool(approval.approvers)


def _partly(approval: Approval) -> str:
    changed = ", who changed it" if approval.edited and len(approval.approvers) == 1 else ""
    return f"approved by {_people(approval.approvers)}{changed}; waits for another person"


def _people(names: Sequence[str]) -> str:
    return " and ".join(plain(name) for name in names)


def call_text(tool: str, arguments: Mapping[str, JsonValue]) -> str:
    """A call with its exact arguments."""
    return f"{tool}({', '.join(f'{name}={plain(json.dumps(content))}' for name, content in arguments.items())})"


def when(at: datetime | None, now: datetime) -> str:
    """An instant, as it is from now."""
    if at is None:
        return "-"
    minutes = abs(at - now) // timedelta(minutes=1)
    if minutes < 60:
        far = f"{minutes} min"
    elif minutes < 24 * 60:
        far = f"{minutes // 60} h {minutes % 60:02} min"
    else:
        far = f"{minutes // (24 * 60)} d"
    return f"in {far}" if at >= now else f"{far} ago"


def _packet(packet: Handoff, now: datetime) -> list[str]:
    collected = [f"{each.name} = {each.value} ({each.source})" for each in packet.collected]
    facts: tuple[tuple[str, Iterable[str]], ...] = (
        ("wants", [packet.wants]),
        ("queue", [f"{packet.queue}, {packet.priority.value}, due {when(packet.due_at, now)}"]),
        ("next step", [packet.next_step]),
        ("collected", collected),
        ("tried", packet.tried),
        ("tools", packet.tools),
        ("at stake", packet.at_stake),
        ("promised", [f"{each.text} ({when(each.at, now)})" for each in packet.promises]),
        ("risk", [packet.risk.value]),
        ("segments", [" ".join(packet.segments)] if packet.segments else []),
        ("reasons", [" ".join(packet.reasons)]),
    )
    return [line for name, said in facts for line in _fact(name, said)]


def _fact(name: str, said: Iterable[str]) -> list[str]:
    return [f"  {name if n == 0 else '':10} {' '.join(plain(each).split())}" for n, each in enumerate(said)]


def _said(who: str, text: str) -> list[str]:
    first, *rest = plain(text).splitlines() or [""]
    return [f"  {who}: {first}", *(f"    {line}".rstrip() for line in rest)]


def _held(holder: str | None) -> str:
    return "nobody has it" if holder is None else f"{holder} has it"


def _cut(text: str) -> str:
    return text if len(text) <= _WANTS else f"{text[: _WANTS - 1]}…"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
