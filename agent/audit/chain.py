"""The hash chain of one conversation: how an event is linked to the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from handrail.agent.audit.canonical import canonical

GENESIS = "0" * 64
"""What stands for "the hash before the first event"."""

SITE_CHAIN = "@site"
"""The conversation id under which a site's own events (a freeze, a new bundle) are chained."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: number and hash of its last event. Number 0 is a chain without events."""

    seq: int = 0
    digest: str = GENESIS


@dataclass(frozen=True, slots=True)
class Link:
    """One event of a chain without its payload. `at` counts microseconds since 1970, UTC; `seq` counts from 1."""

    site: str
    conversation_id: str
    seq: int
    kind: str
    turn_id: str
    at: int
    payload_digest: str
    previous_hash: str
    hash: str

    def computed(self) -> str:
        """The hash that the other fields give: sha256 over the canonical JSON of the header."""
        header = canonical(
            {
                "v": 1,
                "site": self.site,
                "conversation": self.conversation_id,
                "seq": self.seq,
                "kind": self.kind,
                "turn": self.turn_id,
                "at": self.at,
                "payload": self.payload_digest,
                "previous": self.previous_hash,
            }
        )
        return sha256(header.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class SealedPayload:
    """A payload as it is stored: canonical JSON and the random salt its digest was taken with (hexadecimal).

    The salt goes with the payload when it is erased; without it, the digest that stays in the chain cannot be
    matched against guesses.
    """

    salt: str
    text: str

    @property
    def digest(self) -> str:
        """sha256 over salt and payload: what the chain holds of the payload."""
        return sha256(bytes.fromhex(self.salt) + self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that is ready to be chained."""

    kind: str
    turn_id: str
    at: int
    payload: SealedPayload


class Chain:
    """The growing end of one conversation's chain."""

    def __init__(self, site: str, conversation_id: str, head: Head) -> None:
        self._site = site
        self._conversation_id = conversation_id
        self._head = head

    @property
    def head(self) -> Head:
        """Where the chain ends now."""
        return self._head

    def append(self, entry: Entry) -> Link:
        """Link `entry` to the end of the chain and move the end."""
        draft = Link(
            site=self._site,
            conversation_id=self._conversation_id,
            seq=self._head.seq + 1,
            kind=entry.kind,
            turn_id=entry.turn_id,
            at=entry.at,
            payload_digest=entry.payload.digest,
            previous_hash=self._head.digest,
            hash="",
        )
        link = sealed(draft)
        self._head = Head(link.seq, link.hash)
        return link


def sealed(link: Link) -> Link:
    """`link` with the hash that belongs to it."""
    return Link(
        link.site,
        link.conversation_id,
        link.seq,
        link.kind,
        link.turn_id,
        link.at,
        link.payload_digest,
        link.previous_hash,
        link.computed(),
    )
