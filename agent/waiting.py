"""What a customer who waits for a person is told: where they stand, and when somebody is there (S9.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from handrail.agent.channels import DETECTION, TURN, View
from handrail.agent.conversation import QueuedHandoff
from handrail.agent.feed import HandoffQueued
from handrail.agent.hours import is_open, next_opening
from handrail.agent.room import Room, bounded, faults_as
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import Queue
from handrail.guardrails.vocabulary import Handoff, Priority


def minutes_in_words(minutes: int) -> str:
    """A duration as people say it."""
    if minutes < 60:
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return "an hour" if hours == 1 else f"{hours} hours"


def opening_in_words(queue: Queue, now: datetime) -> str:
    """When the queue opens next, in its own time zone."""
    opening = next_opening(queue.hours, now)
    if opening is None:
        return "later"
    return f"{opening:%A} at {opening:%H:%M} ({ZoneInfo(queue.hours.time_zone).key.rsplit('/', 1)[-1]} time)"


def handoff_text(bundle: Bundle, queue: Queue, now: datetime, position: int, minutes: int, language: str | None) -> str:
    """The announcement of a handoff: queue position and usual time, or honestly that nobody is there."""
    team = team_of(bundle, queue, language)
    if is_open(queue.hours, now):
        words = minutes_in_words(minutes)
        return bundle.text("handoff_open", language, team=team, position=str(position), minutes=words)
    return bundle.text("handoff_closed", language, team=team, opens=opening_in_words(queue, now))


def in_line(bundle: Bundle, handoff: Handoff, position: int, now: datetime, language: str | None) -> HandoffQueued:
    """Where a conversation stands, as clients are told."""
    queue = queue_of(bundle, handoff)
    opening = None if is_open(queue.hours, now) else next_opening(queue.hours, now)
    return HandoffQueued(
        team=team_of(bundle, queue, language),
        position=position,
        due_at=handoff.due_at,
        opens_at=None if opening is None else opening.astimezone(UTC),
    )


def place_of(waiting: Sequence[QueuedHandoff], conversation_id: str, priority: Priority, since: datetime) -> int:
    """The place in line, counted from 1, of a conversation that has waited since `since` with `priority`."""
    others = [one for one in waiting if one.conversation_id != conversation_id]
    return 1 + sum(
        one.handoff.priority > priority or (one.handoff.priority == priority and one.at <= since) for one in others
    )


def queue_of(bundle: Bundle, handoff: Handoff | None) -> Queue:
    """The queue that a packet is for; the default one without a packet, or when that queue is no longer declared."""
    default = bundle.queues[bundle.manifest.default_queue]
    return default if handoff is None else bundle.queues.get(handoff.queue, default)


def team_of(bundle: Bundle, queue: Queue, language: str | None) -> str:
    """The public name of a queue."""
    return queue.title.get(language or "", queue.title[bundle.manifest.languages[0]])


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a customer who waits is told: in words, and as an item. The item is missing when nothing is in the queue."""

    text: str
    queued: HandoffQueued | None


async def waiting_now(view: View, room: Room) -> Waiting:
    """Where a conversation in the queue stands."""
    turn, bundle = view[TURN], room.bundle
    language = view[DETECTION].language
    with faults_as("SYS_STORE"):
        waiting = await bounded(room.store.handoffs(turn.site), room.patience.store)
    own = next((one for one in waiting if one.conversation_id == turn.conversation_id), None)
    queue, queued, position = queue_of(bundle, None if own is None else own.handoff), None, 1
    if own is not None:
        position = place_of(waiting, turn.conversation_id, own.handoff.priority, own.at)
        queued = in_line(bundle, own.handoff, position, turn.at, language)
    team = team_of(bundle, queue, language)
    if is_open(queue.hours, turn.at):
        return Waiting(bundle.text("waiting_open", language, team=team, position=str(position)), queued)
    return Waiting(bundle.text("waiting_closed", language, team=team, opens=opening_in_words(queue, turn.at)), queued)
