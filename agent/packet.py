"""The handoff packet: what a person needs to go on without asking the customer again (spec S9.1)."""

from __future__ import annotations

from datetime import datetime

from handrail.agent.channels import (
    COLLECTED,
    DETECTION,
    FACTS,
    GATE,
    MEMBERS,
    PENDING,
    POLICY,
    RESULTS,
    SNAPSHOT,
    TRIED,
    TURN,
    TurnState,
    View,
)
from handrail.agent.conversation import Snapshot
from handrail.agent.facts import identity_now
from handrail.agent.hours import due
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.masking import mask
from handrail.guardrails.vocabulary import CollectedFact, Dimensions, Handoff, Priority, RiskTier, Role, Turn

WANTS_LENGTH = 160
NOTHING = Dimensions()


def packet(view: View, bundle: Bundle, handoff_id: str, reasons: tuple[str, ...], now: datetime) -> Handoff:
    """The packet of this turn. Works with whatever the turn got to: every channel may be missing."""
    turn, state = view[TURN], view[SNAPSHOT].state
    policy = view[POLICY].dimensions if view.has(POLICY) else NOTHING
    gate = view[GATE].dimensions if view.has(GATE) else NOTHING
    queue = policy.queue or gate.queue or bundle.manifest.default_queue
    minutes = policy.first_response_minutes or bundle.queues[queue].first_response_minutes
    segments = tuple(
        f"{member.segment}: {member.because}" for member in (view[MEMBERS] if view.has(MEMBERS) else state.segments)
    )
    return Handoff(
        handoff_id=handoff_id,
        wants=wants(view),
        collected=merged(state.collected, view.get(COLLECTED, ())),
        tried=view.get(TRIED, state.tried),
        tools=_tools(view),
        at_stake=_at_stake(view, bundle),
        promises=state.promises,
        segments=segments,
        risk=gate.risk if view.has(GATE) else RiskTier.MEDIUM,
        reasons=reasons,
        next_step=_next_step(view, bundle, reasons),
        queue=queue,
        skills=tuple(sorted({*policy.skills, *bundle.queues[queue].skills})),
        priority=max(policy.priority, gate.priority, _by_risk(gate.risk)),
        due_at=due(bundle.queues[queue].hours, now, minutes),
        identity=identity_now(turn, state),
    )


def taken_over(snapshot: Snapshot, bundle: Bundle, handoff_id: str, reasons: tuple[str, ...], now: datetime) -> Handoff:
    """The packet of a conversation that a person takes over between two turns."""
    turn = Turn(
        turn_id="",
        site=snapshot.site,
        conversation_id=snapshot.conversation_id,
        customer_id=snapshot.customer_id,
        identity=snapshot.identity,
        channel=snapshot.channel,
        text="",
        at=now,
        sender=Role.OPERATOR,
    )
    state: TurnState = {"turn": TURN.put(turn).content, "snapshot": SNAPSHOT.put(snapshot).content}
    made = packet(View(state), bundle, handoff_id, reasons, now)
    return made.model_copy(update={"risk": snapshot.state.risk, "priority": Priority.NORMAL})


def wants(view: View) -> str:
    """What the customer wants in one line: the message that opened the matter, masked and cut."""
    turn, state = view[TURN], view[SNAPSHOT].state
    first = state.wants
    if first is None:
        earlier = [message.text for message in view[SNAPSHOT].history if message.role is Role.CUSTOMER]
        first = turn.text or (earlier[-1] if earlier else "asked for a person")
    line = " ".join(mask(first).split())
    return line if len(line) <= WANTS_LENGTH else f"{line[: WANTS_LENGTH - 1]}…"


def merged(held: tuple[CollectedFact, ...], new: tuple[CollectedFact, ...]) -> tuple[CollectedFact, ...]:
    """Both, by name; what was collected later replaces what was collected before."""
    return tuple({one.name: one for one in (*held, *new)}.values())


def _tools(view: View) -> tuple[str, ...]:
    lines = [f"{result.call.tool}: {result.outcome.value}" for result in view.get(RESULTS, ())]
    pending = view.get(PENDING, view[SNAPSHOT].state.pending)
    if pending is not None:
        lines.append(f"{pending.call.tool}: waits for {pending.awaiting.value}")
    return tuple(dict.fromkeys(lines))


def _at_stake(view: View, bundle: Bundle) -> tuple[str, ...]:
    """The rules that raised the risk, in the words of the catalogue."""
    if not view.has(GATE):
        return ()
    raising = set(view[GATE].dimensions.determined_by.get("risk", ()))
    codes = [rule.reason for rule in bundle.policy.rules if rule.id in raising]
    titles = [bundle.reasons[code].title for code in codes]
    facts = {one.name: one.content for one in view.get(FACTS, ())}
    if facts.get("renewal_days") is not None:
        titles.append(f"renews in {facts['renewal_days']} days")
    return tuple(dict.fromkeys(titles))


def _next_step(view: View, bundle: Bundle, reasons: tuple[str, ...]) -> str:
    """What the person would do first, from the strongest reason."""
    for code in reasons:
        if code in bundle.next_steps:
            return bundle.next_steps[code]
    need = view[DETECTION].need_state if view.has(DETECTION) else None
    return bundle.next_steps.get(need.value if need is not None else "", bundle.next_steps["default"])


def _by_risk(risk: RiskTier) -> Priority:
    return {
        RiskTier.LOW: Priority.LOW,
        RiskTier.MEDIUM: Priority.NORMAL,
        RiskTier.HIGH: Priority.HIGH,
        RiskTier.CRITICAL: Priority.URGENT,
    }[risk]
