"""Anchors: one hash per site that binds the ends of its chains, so that cutting off a tail is found too.

An anchor names the chains that grew since the anchor before it, and carries that anchor's hash; so the newest hash
binds every chain, and an anchor costs what has changed, not what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field

from handrail.agent.audit.canonical import canonical
from handrail.agent.audit.chain import GENESIS
from handrail.guardrails.vocabulary import Frozen

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AnchoredHead(Frozen):
    """Where the chain of one conversation ended when an anchor was made."""

    conversation_id: str
    seq: Annotated[int, Field(ge=1)]
    hash: Digest


class Anchor(Frozen):
    """One anchor of a site. `at` counts microseconds since 1970, UTC; `count` is the number of chains it names.

    `root` is sha256 over the named heads in order of conversation id; `previous_hash` is the hash of the anchor
    numbered one less.
    """

    site: str
    number: Annotated[int, Field(ge=1)]
    at: int
    count: Annotated[int, Field(ge=0)]
    root: Digest
    previous_hash: Digest
    hash: Digest

    def computed(self) -> str:
        """The hash that the other fields give."""
        header = canonical({"v": 1, **self.model_dump(exclude={"hash"})})
        return sha256(header.encode("ascii")).hexdigest()


class ExportedAnchor(Frozen):
    """An anchor as a file that is kept elsewhere, with the end of every chain of the site at that moment.

    `heads_root` is the root over all `heads`, so that a damaged file is told from a damaged database.
    """

    format: Literal["handrail-anchor-1"] = "handrail-anchor-1"
    anchor: Anchor
    heads: tuple[AnchoredHead, ...]
    heads_root: Digest


class AnchorFile(Frozen):
    """The newest anchor of each site, as `handrail audit anchor` writes them."""

    format: Literal["handrail-anchors-1"] = "handrail-anchors-1"
    anchors: tuple[ExportedAnchor, ...]


def root_of(heads: Sequence[AnchoredHead]) -> str:
    """Sha256 over conversation, number and hash of each head, in order of conversation id."""
    digest = sha256()
    for head in sorted(heads, key=lambda head: head.conversation_id):
        line = canonical({"conversation": head.conversation_id, "seq": head.seq, "hash": head.hash})
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()


def next_anchor(site: str, previous: Anchor | None, at: int, heads: Sequence[AnchoredHead]) -> Anchor:
    """The anchor that follows `previous` and names `heads`."""
    draft = Anchor(
        site=site,
        number=1 if previous is None else previous.number + 1,
        at=at,
        count=len(heads),
        root=root_of(heads),
        previous_hash=GENESIS if previous is None else previous.hash,
        hash=GENESIS,
    )
    return draft.model_copy(update={"hash": draft.computed()})


def exported(anchor: Anchor, heads: Sequence[AnchoredHead]) -> ExportedAnchor:
    """`anchor` with the ends of all chains as of then."""
    ordered = tuple(sorted(heads, key=lambda head: head.conversation_id))
    return ExportedAnchor(anchor=anchor, heads=ordered, heads_root=root_of(ordered))
