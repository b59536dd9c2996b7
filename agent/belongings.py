"""What belongs to a conversation beside its messages: rating, consent, attached files, and its erasure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import uuid4

from handrail.agent.case import Case, CaseMove
from handrail.agent.conversation import ASSISTANCE, AuditEvent, EventKind
from handrail.agent.feed import FileAttached, HandoffEnded, RatingGiven, StatusChanged
from handrail.agent.files import LARGEST_FILE, FileContent, StoredFile, Upload
from handrail.agent.media import ENDINGS, clean_name, media_type_of
from handrail.agent.refusals import FileRefused, PurposeUnknown, RatingRefused
from handrail.agent.room import Room
from handrail.agent.standing import WITH_PEOPLE
from handrail.agent.store_port import CaseTaken, WrongStatus
from handrail.agent.turning import done, stored
from handrail.guardrails.vocabulary import ConversationStatus

if TYPE_CHECKING:
    from pydantic import JsonValue

    from handrail.agent.conversation import Snapshot

PURPOSES = (ASSISTANCE,)
HIGHEST_SCORE = 5
COMMENT_LENGTH = 1000
REFUSED = "CONSENT_REFUSED"


class Belongings:
    """Stores what customers give to a conversation that is theirs; each with its audit event, never with the words."""

    def __init__(self, room: Room) -> None:
        """Store in the store of `room`."""
        self._room = room

    async def rate(self, snapshot: Snapshot, score: int, comment: str | None) -> None:
        """Store a rating; the latest counts."""
        if isinstance(score, bool) or not 1 <= score <= HIGHEST_SCORE:
            raise RatingRefused(f"a rating is a whole number from 1 to {HIGHEST_SCORE}")
        comment = (comment or "").strip() or None
        if comment is not None and len(comment) > COMMENT_LENGTH:
            raise RatingRefused(
                f"the comment has {len(comment)} characters; at most {COMMENT_LENGTH} are kept: shorten it"
            )
        if not snapshot.history:
            raise RatingRefused("nothing was said in this conversation yet, so there is nothing to rate")
        event = self._event("rate", "RATING_GIVEN", score=score, comment_characters=len(comment or ""))
        item = RatingGiven(score=score)
        store, site, conversation_id = self._room.store, snapshot.site, snapshot.conversation_id
        await done(self._room, store.put_rating(site, conversation_id, score, comment, item, [event]))

    async def consent(self, snapshot: Snapshot, purpose: str, given: bool) -> str | None:
        """Store what the customer agrees to or refuses; the key of the turn that has to bring a person, or None."""
        if purpose not in PURPOSES:
            raise PurposeUnknown(f"the purpose must be one of: {', '.join(PURPOSES)}")
        site, conversation_id, at = snapshot.site, snapshot.conversation_id, self._room.clock.now()
        event = self._event("consent", "CONSENT_GIVEN" if given else REFUSED, purpose=purpose)
        await done(self._room, self._room.store.put_consent(site, conversation_id, purpose, given, [event], at))
        if given:
            await self._back_to_bot(snapshot)
            return None
        if snapshot.state.status in WITH_PEOPLE:
            return None
        # Stable until a turn has taken notice of it, so that the same request again is the same turn.
        return f"consent:{snapshot.state.turns}"

    async def _back_to_bot(self, snapshot: Snapshot) -> None:
        """Who waits only because of the refusal need not wait any longer."""
        if snapshot.state.status is not ConversationStatus.QUEUED:
            return
        store, site, conversation_id = self._room.store, snapshot.site, snapshot.conversation_id
        case = await stored(self._room, store.case(site, conversation_id), Case)
        if case.packet is None or REFUSED not in case.packet.reasons[:1]:
            return
        returned = ConversationStatus.RETURNED_TO_BOT
        move = CaseMove(
            from_statuses=frozenset({ConversationStatus.QUEUED}),
            to_status=returned,
            holder=None,
            must_be_free=True,
            closes_handoff=True,
            feed=(HandoffEnded(outcome="returned_to_bot"), StatusChanged(status=returned)),
            events=(self._event("release", "HANDOFF_RELEASED", status=returned.value),),
        )
        try:
            await done(self._room, store.move_case(site, conversation_id, move, self._room.clock.now()))
        except (CaseTaken, WrongStatus):
            # Somebody has claimed it meanwhile: that person decides who goes on.
            return

    async def attach(self, snapshot: Snapshot, upload: Upload) -> FileAttached:
        """Store a file; what it is, its bytes say."""
        if not upload.content:
            raise FileRefused("the file is empty")
        if len(upload.content) > LARGEST_FILE:
            raise FileRefused(f"the file has more than {LARGEST_FILE} bytes: send a smaller one")
        media_type = media_type_of(upload.content)
        if media_type is None:
            raise FileRefused(f"this kind of file is not taken; send one of: {', '.join(ENDINGS)}")
        kept = StoredFile(
            file_id=f"f_{uuid4().hex}",
            name=clean_name(upload.name, media_type),
            media_type=media_type,
            size=len(upload.content),
            sha256=hashlib.sha256(upload.content).hexdigest(),
            at=self._room.clock.now(),
        )
        item = FileAttached(file_id=kept.file_id, name=kept.name, media_type=media_type, size=kept.size)
        facts: dict[str, JsonValue] = {"file_id": kept.file_id, "media_type": media_type, "size": kept.size}
        event = self._event("attach", "FILE_ATTACHED", **facts)
        content = FileContent(stored=kept, content=upload.content)
        store, site, conversation_id = self._room.store, snapshot.site, snapshot.conversation_id
        await done(self._room, store.put_file(site, conversation_id, content, item, [event]))
        return item

    async def erase(self, snapshot: Snapshot) -> None:
        """Erase the conversation; the site's own chain notes that it was."""
        await done(self._room, self._room.store.erase_conversation(snapshot.site, snapshot.conversation_id))
        event = self._event("erase", "CONVERSATION_ERASED", conversation=snapshot.conversation_id)
        await done(self._room, self._room.store.record(snapshot.site, None, [event]))

    def _event(self, action: str, reason: str, **facts: JsonValue) -> AuditEvent:
        return AuditEvent(
            kind=EventKind.CUSTOMER_ACTION,
            turn_id="",
            at=self._room.clock.now(),
            payload={"action": action, "reasons": [reason], **facts},
        )
