"""Collects the facts of the turn and assigns segments, each with its one-line reason."""

from __future__ import annotations

from handrail.agent.audit.basis import written
from handrail.agent.channels import DETECTION, FACTS, MEMBERS, SNAPSHOT, TURN, Step, View
from handrail.agent.conversation import Membership
from handrail.agent.facts import events_since, gather
from handrail.agent.room import Room, bounded, seconds_between
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX
from handrail.guardrails.segments import assign
from handrail.guardrails.vocabulary import Report, Stage

NO_SEGMENT = "SEG_NONE"


async def assign_segments(view: View, room: Room) -> Step:
    """Attributes and events are read once; what is stale or missing counts as unknown (S3.3)."""
    turn, snapshot = view[TURN], view[SNAPSHOT]
    who = turn.customer_id or visitor(snapshot.conversation_id)
    since = events_since(room.bundle, snapshot.opened_at, turn.at)
    attributes = await bounded(room.context.attributes(turn.site, who), room.patience.context)
    events = await bounded(room.context.events(turn.site, who, since), room.patience.context)
    gathered = gather(room.bundle, turn, snapshot, view[DETECTION], attributes, events)
    known = gathered.facts.with_facts(room.draws.facts(room.bundle.holdouts, turn.site, snapshot.conversation_id))
    earlier = {member.segment: member for member in snapshot.state.segments}
    ages = {name: seconds_between(member.since, turn.at) for name, member in earlier.items()}
    found = assign(room.bundle.segments, known, ages)
    members = tuple(
        Membership(
            segment=name,
            # A membership that a fast clock dated ahead would be held until then: it began now at the latest.
            since=min(earlier[name].since, turn.at) if name in earlier else turn.at,
            because=because,
        )
        for name, because in found.members.items()
    )
    facts = known.with_facts(found.facts)
    declared = (*room.bundle.facts, *(f"{HOLDOUT_PREFIX}{one.id}" for one in room.bundle.holdouts))
    place = snapshot.state.flow
    report = Report(
        stage=Stage.ASSIGN_SEGMENTS,
        reasons=(*(found.reasons or (NO_SEGMENT,)), *gathered.reasons),
        # The log keeps the basis of the turn whole: a candidate bundle may ask for what no rule of today reads (S11.1).
        details={
            "segments": dict(found.members),
            "open": list(found.open),
            **written(known.used.values(), declared, ages, None if place is None else place.flow),
        },
    )
    return Step(
        (report,),
        (
            FACTS.put(tuple(facts.used.values())),
            MEMBERS.put(members),
        ),
    )


def visitor(conversation_id: str) -> str:
    """The name under which events of somebody who is not signed in are kept."""
    return f"visitor:{conversation_id}"
