"""What a customer who waits for a person is told: where they stand, and when somebody is there (S9.2)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from handrail.agent.channels import DETECTION, TURN, View
from handrail.agent.hours import is_open, next_opening
from handrail.agent.room import Room, bounded, faults_as
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import Queue


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
    team = queue.title.get(language or "", queue.title[bundle.manifest.languages[0]])
    if is_open(queue.hours, now):
        words = minutes_in_words(minutes)
        return bundle.text("handoff_open", language, team=team, position=str(position), minutes=words)
    return bundle.text("handoff_closed", language, team=team, opens=opening_in_words(queue, now))


async def waiting_text(view: View, room: Room) -> str:
    """The status of a conversation that is with people."""
    turn = view[TURN]
    language = view[DETECTION].language
    with faults_as("SYS_STORE"):
        waiting = await bounded(room.store.handoffs(turn.site), room.patience.store)
    queue = room.bundle.queues[room.bundle.manifest.default_queue]
    position = 1
    for index, queued in enumerate(waiting, start=1):
        if queued.conversation_id == turn.conversation_id:
            queue = room.bundle.queues.get(queued.handoff.queue, queue)
            position = index
    team = queue.title.get(language or "", queue.title[room.bundle.manifest.languages[0]])
    if is_open(queue.hours, turn.at):
        return room.bundle.text("waiting_open", language, team=team, position=str(position))
    return room.bundle.text("waiting_closed", language, team=team, opens=opening_in_words(queue, turn.at))
