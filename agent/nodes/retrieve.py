"""Searches the knowledge base inside the scope that policy granted, and asks policy whether it is enough."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.agent.channels import (
    DETECTION,
    FACTS,
    FOUND,
    GATE,
    POLICY,
    RETRIEVED,
    SNAPSHOT,
    TURN,
    Step,
    View,
)
from handrail.agent.conversation import AuditEvent, EventKind, Snapshot
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.room import Room, bounded, faults_as, sensible
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.grants import families
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.scope import Retrieved, ScopePlan, retrieval_reasons
from handrail.guardrails.vocabulary import Detection, NeedState, Passage, Report, RiskTier, Role, Stage

WITHHELD = "RETRIEVAL_WITHHELD"
"""Says that a passage was found whose text addresses the model."""

TURNED = 0.85
ANSWERS = ("ANSWER_YES", "ANSWER_NO", "RESOLVED", "STILL_UNRESOLVED")
SERVED = (
    NeedState.ACCESS_RESTORE,
    NeedState.BILLING_CHARGES,
    NeedState.INCIDENT,
    NeedState.HOW_TO,
    NeedState.POLICY_COMPLIANCE,
    NeedState.ACCOUNT_CHANGES,
)
SURE = 0.6
"""Confidence from which the base's own words for an intent are searched with."""

VAGUE_WORDS = 4
"""A message of so few words is searched together with what the customer wanted before."""


async def retrieve(view: View, room: Room) -> Step:
    """Out-of-scope text never comes back from the port, and what does is logged with what was kept out (S6.2)."""
    turn, snapshot = view[TURN], view[SNAPSHOT]
    wanted = view[POLICY].dimensions
    granted = families(wanted.scope, room.bundle.attributes.values(), facts_of(view))
    plan = ScopePlan(families=granted, on=turn.at)
    query = question(turn.text, snapshot, view[DETECTION], room.bundle.detection.search_of)
    limit = room.bundle.manifest.limits.passages.of(wanted.depth)
    answer = await bounded(room.retriever.search(query, plan, limit), room.patience.retrieval)
    found, withheld = await _screened(_checked(sensible(answer, Retrieved, "the retriever"), limit), room)
    good = found.passages[: found.good]
    fresh = [passage for passage in good if passage.passage_id not in snapshot.state.shown_passages]
    flow = chosen_flow(view, room)
    facts = (
        fact("passages_good", len(good), "retrieval"),
        fact("passages_fresh", len(fresh), "retrieval"),
        fact("flow", flow or "none", "policy"),
    )
    decision = room.bundle.policy.decide(Stage.RETRIEVE, facts_of(view).with_facts(facts))
    usable = Retrieved(
        passages=tuple(fresh),
        good=len(fresh),
        eligible_documents=found.eligible_documents,
        excluded=found.excluded,
        revision=found.revision,
    )
    reasons = (*retrieval_reasons(found), *((WITHHELD,) if withheld else ()))
    report = Report(stage=Stage.RETRIEVE, reasons=reasons)
    event = AuditEvent(
        kind=EventKind.RETRIEVAL,
        turn_id=turn.turn_id,
        at=room.clock.now(),
        payload={
            "scope": {family: list(classes) for family, classes in plan.families.items()},
            "passages": [
                {"passage_id": one.passage_id, "doc_id": one.doc_id, "score": one.score} for one in found.passages
            ],
            "withheld": [one.passage_id for one in withheld],
            "good": found.good,
            "excluded": dict(found.excluded),
            "eligible": found.eligible_documents,
            "revision": found.revision,
        },
    )
    writes = (RETRIEVED.put(usable), FOUND.put(decision), FACTS.put((*view[FACTS], *facts)))
    return Step((report, decision), writes, (event,))


def chosen_flow(view: View, room: Room) -> str | None:
    """The guided flow of this turn."""
    place = view[SNAPSHOT].state.flow
    under_way = None if place is None else room.bundle.flows.get(place.flow)
    return flow_of_turn(under_way, view[POLICY].dimensions.flow, view[GATE].dimensions.risk, facts_of(view))


def flow_of_turn(under_way: FlowSpec | None, wanted: str | None, risk: RiskTier, facts: Facts) -> str | None:
    """The flow under way, unless the customer has clearly turned to something else; otherwise the one that is wanted.

    A matter of high risk always takes over. Otherwise a flow is left (and waits) only for a need that it is not about,
    read with much confidence in a message that answers no question. A replay asks this too, about recorded facts.
    """
    if under_way is None or wanted == under_way.id or (wanted is not None and risk >= RiskTier.HIGH):
        return wanted
    need, confidence, codes = facts.content("need_state"), facts.content("confidence"), facts.content("signals")
    answers = isinstance(codes, tuple) and any(code in ANSWERS for code in codes)
    sure = isinstance(confidence, int | float) and confidence >= TURNED
    turned = need in SERVED and need not in under_way.need_states and sure
    return wanted if turned and not answers else under_way.id


def question(text: str, snapshot: Snapshot, detection: Detection, words: Mapping[str, str]) -> str:
    """What to search for: the message, with the base's own words for a need that was read with confidence.

    A message that says little by itself is searched together with what the customer wanted before.
    """
    if detection.intent is not None and detection.intent in words and detection.confidence >= SURE:
        return f"{text}\n{words[detection.intent]}"
    vague = len(text.split()) <= VAGUE_WORDS or detection.need_state is None
    before = snapshot.state.wants
    if not vague or not before or not any(message.role is Role.CUSTOMER for message in snapshot.history):
        return text
    return f"{before}\n{text}"


async def _screened(found: Retrieved, room: Room) -> tuple[Retrieved, tuple[Passage, ...]]:
    """`found` without passages that address the model, and those passages: they are as if they had not been found.

    What passed the same screen at ingest is not read again.
    """
    current = sensible(room.detectors.passage_screen, str, "the detectors")
    unread = tuple(one for one in found.passages if not one.screened_by or one.screened_by != current)
    if not unread:
        return found, ()

    def addressing() -> frozenset[str]:
        """The ids of those that address the model."""
        texts = ((one.passage_id, f"{one.title}\n{one.heading}\n{one.text}") for one in unread)
        return frozenset(
            name for name, text in texts if sensible(room.detectors.screen_passage(text), tuple, "the detectors")
        )

    with faults_as("SYS_DETECTION"):
        suspicious = await room.compute(addressing, room.patience.detection)
    kept = tuple(one for one in found.passages if one.passage_id not in suspicious)
    good = sum(one.passage_id not in suspicious for one in found.passages[: found.good])
    withheld = tuple(one for one in found.passages if one.passage_id in suspicious)
    return found.model_copy(update={"passages": kept, "good": good}), withheld


def _checked(found: Retrieved, limit: int) -> Retrieved:
    if len(found.passages) > limit or not 0 <= found.good <= len(found.passages):
        raise ValueError("the retriever returned more passages than it may")
    if any(passage.flagged for passage in found.passages):
        raise ValueError("the retriever returned a quarantined passage")
    return found
