"""Writing the audit chain: masking, sealing and appending, inside the transaction of what the events are about."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence

from pydantic import JsonValue
from sqlalchemy import Connection, bindparam, insert, select, update

from handrail.agent.audit.canonical import canonical
from handrail.agent.audit.chain import GENESIS, Chain, Entry, Head, SealedPayload
from handrail.agent.audit.pseudonyms import Pseudonyms
from handrail.agent.conversation import AuditEvent
from handrail.agent.store.audit_tables import audit_events, audit_payloads, chains
from handrail.agent.store.columns import micros
from handrail.agent.store_port import StoreError

SALT_BYTES = 16

Mask = Callable[[JsonValue], JsonValue]
"""Removes personal data from one payload (always an object, never a list of them); it must return the same shape."""

_THIS_CHAIN = (chains.c.site == bindparam("of_site")) & (chains.c.conversation_id == bindparam("of_conversation"))
# Built once: putting a statement together costs more than running it.
_END = select(chains.c.last_seq, chains.c.last_hash).where(_THIS_CHAIN).with_for_update()
_BEGIN_CHAIN = insert(chains)
_MOVE_END = update(chains).where(_THIS_CHAIN)
_ADD_EVENTS = insert(audit_events)
_ADD_PAYLOADS = insert(audit_payloads)


class Scribe:
    """Turns events into sealed entries: masked, without identifiers, salted. Costs CPU, so it works before the lock."""

    def __init__(self, mask: Mask, pseudonyms: Pseudonyms) -> None:
        self._mask = mask
        self._pseudonyms = pseudonyms

    def pseudonym(self, site: str, identifier: str | None) -> str | None:
        """What stands for `identifier` in the log."""
        return None if identifier is None else self._pseudonyms.of(site, identifier)

    def seal(self, site: str, customer_id: str | None, events: Iterable[AuditEvent]) -> tuple[Entry, ...]:
        """The events, ready to be chained. Raises StoreError when masking fails: then nothing may be written."""
        identifiers = () if customer_id is None else (customer_id,)
        return tuple(self._entry(site, identifiers, event) for event in events)

    def _entry(self, site: str, identifiers: Sequence[str], event: AuditEvent) -> Entry:
        try:
            # Identifiers first: a mask may change them beyond recognition, and then the pseudonym is lost.
            masked = self._mask(self._pseudonyms.replace(site, identifiers, dict(event.payload)))
        except Exception as error:
            raise StoreError(f"the audit event {event.kind} could not be masked ({type(error).__name__})") from error
        if not isinstance(masked, dict):
            raise StoreError(f"the mask changed the shape of the audit event {event.kind}")
        payload = SealedPayload(salt=secrets.token_hex(SALT_BYTES), text=canonical(masked))
        return Entry(kind=event.kind.value, turn_id=event.turn_id, at=micros(event.at), payload=payload)


def append(connection: Connection, site: str, conversation_id: str, entries: Sequence[Entry]) -> None:
    """Chain `entries` to the end of a conversation's chain, within the caller's transaction."""
    if not entries:
        return
    head = _locked_head(connection, site, conversation_id)
    if head is None:
        begun = {"last_seq": 0, "last_hash": GENESIS, "anchored": 0}
        connection.execute(_BEGIN_CHAIN, {"site": site, "conversation_id": conversation_id, **begun})
    chain = Chain(site, conversation_id, head or Head())
    links = [chain.append(entry) for entry in entries]
    connection.execute(
        _ADD_EVENTS,
        [
            {
                "site": site,
                "conversation_id": conversation_id,
                "seq": link.seq,
                "kind": link.kind,
                "turn_id": link.turn_id,
                "at": link.at,
                "payload_digest": link.payload_digest,
                "previous_hash": link.previous_hash,
                "hash": link.hash,
            }
            for link in links
        ],
    )
    connection.execute(
        _ADD_PAYLOADS,
        [
            {
                "site": site,
                "conversation_id": conversation_id,
                "seq": link.seq,
                "salt": entry.payload.salt,
                "payload": entry.payload.text,
            }
            for link, entry in zip(links, entries, strict=True)
        ],
    )
    connection.execute(
        _MOVE_END,
        {
            "of_site": site,
            "of_conversation": conversation_id,
            "last_seq": chain.head.seq,
            "last_hash": chain.head.digest,
            "anchored": 0,
        },
    )


def _locked_head(connection: Connection, site: str, conversation_id: str) -> Head | None:
    # The lock makes two workers that append to one chain take turns; SQLite has its single writer for that.
    row = connection.execute(_END, {"of_site": site, "of_conversation": conversation_id}).one_or_none()
    return None if row is None else Head(row.last_seq, row.last_hash)
