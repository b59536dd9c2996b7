"""Holdouts: which conversations are served without some rules, drawn by keyed hash (spec S11.2)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from hashlib import sha256

from handrail.guardrails.bundle.sections import HoldoutEntry
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX, fact
from handrail.guardrails.vocabulary import FactUsed

_BITS = 53
"""As many as a float holds exactly."""


class Draws:
    """Draws a number for every conversation and holdout, always the same; without the secret nobody can predict it."""

    def __init__(self, secret: bytes) -> None:
        """Draw with `secret`, which all workers of an installation share."""
        self._secret = secret

    def number(self, site: str, conversation_id: str, holdout: str) -> float:
        """From 0 to below 1, evenly: the first 53 bits of an HMAC-SHA256.

        It does not depend on the holdout's share, so a conversation that is held out stays so when the share grows, and
        the draws of two holdouts are independent.
        """
        parts = (site, conversation_id, holdout)
        message = "".join(f"{len(part)}:{part}" for part in ("holdout", *parts)).encode("utf-8", "surrogatepass")
        digest = hmac.new(self._secret, message, sha256).digest()
        return (int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / (1 << _BITS)

    def facts(self, holdouts: Iterable[HoldoutEntry], site: str, conversation_id: str) -> Iterator[FactUsed]:
        """One fact for each holdout: whether the conversation is in it. One that stands ready holds nobody out."""
        for one in holdouts:
            held = one.status == "active" and self.number(site, conversation_id, one.id) < one.share
            yield fact(f"{HOLDOUT_PREFIX}{one.id}", held, "draw")
