"""Retrieval scope: who a document is for, what a customer may see, and the one rule that compares the two."""

from __future__ import annotations

from datetime import UTC, date
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, field_validator, model_validator

from handrail.guardrails.vocabulary import Frozen, Passage

ALL = "all"
"""The class of documents that are for everyone within a family."""

PASSAGES_FOUND = "RETRIEVAL_PASSAGES_FOUND"
NOTHING_GOOD = "RETRIEVAL_NOTHING_GOOD"
SCOPE_EMPTY = "RETRIEVAL_SCOPE_EMPTY"
SCOPE_EXCLUDED = "RETRIEVAL_SCOPE_EXCLUDED"
QUARANTINED = "RETRIEVAL_QUARANTINED"

Word = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Classes = Annotated[tuple[Word, ...], Field(min_length=1)]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]{2})?$")]


class Family(StrEnum):
    """The families of document classes, in the order in which a document is asked."""

    ROLE = "role"
    REGION = "region"
    PLAN = "plan"
    STACK = "stack"
    AUTHORITY = "authority"
    LANGUAGE = "language"
    NEED_STATE = "need_state"


class Cause(StrEnum):
    """Why a document is kept out. A document counts under its first cause in this order, so counts never overlap."""

    ROLE = "role"
    REGION = "region"
    PLAN = "plan"
    STACK = "stack"
    AUTHORITY = "authority"
    LANGUAGE = "language"
    NEED_STATE = "need_state"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    QUARANTINED = "quarantined"


class Authority(StrEnum):
    """How far a document can be relied on, from the most to the least."""

    AUTHORITATIVE = "authoritative"
    STANDARD = "standard"
    COMMUNITY = "community"


class Validity(Frozen):
    """The days (UTC) on which a document may be used, both ends included; no end means until further notice."""

    first: date
    last: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Validity:
        if self.last is not None and self.last < self.first:
            raise ValueError("the last day of validity lies before the first")
        return self

    def cause(self, day: date) -> Cause | None:
        """Why the document cannot be used on `day`; None when it can."""
        if self.last is not None and day > self.last:
            return Cause.EXPIRED
        return Cause.NOT_YET_VALID if day < self.first else None


class Audience(Frozen):
    """Who a document is for: its classes in every family. Authority and language hold one class, never `all`."""

    role: Classes
    region: Classes
    plan: Classes
    stack: Classes
    authority: Authority
    language: LanguageCode
    need_state: Classes

    @field_validator("role", "region", "plan", "stack", "need_state")
    @classmethod
    def _all_stands_alone(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if ALL in classes and len(classes) > 1:
            raise ValueError("`all` stands alone: remove it or the other classes")
        return tuple(sorted(set(classes)))

    def classes(self, family: Family) -> tuple[str, ...]:
        """The classes of the document in `family`."""
        match family:
            case Family.ROLE:
                return self.role
            case Family.REGION:
                return self.region
            case Family.PLAN:
                return self.plan
            case Family.STACK:
                return self.stack
            case Family.AUTHORITY:
                return (self.authority.value,)
            case Family.LANGUAGE:
                return (self.language,)
            case Family.NEED_STATE:
                return self.need_state


class ScopePlan(Frozen):
    """Which documents a customer may see: granted classes per family, and the moment that validity is asked for.

    A document passes a family when its classes hold `all` or share one with the grant. A family without grants
    admits only `all`. `need_state` is open: without a grant it does not restrict.
    """

    families: dict[str, tuple[str, ...]]
    on: AwareDatetime

    @field_validator("families")
    @classmethod
    def _known(cls, families: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        unknown = sorted(set(families) - set(Family))
        if unknown:
            raise ValueError(f"unknown families {', '.join(unknown)}; known are {', '.join(Family)}")
        return families

    @property
    def day(self) -> date:
        """The day of `on` in UTC."""
        return self.on.astimezone(UTC).date()

    def cause(self, audience: Audience) -> Cause | None:
        """The first family that keeps a document for `audience` out; None when all admit it."""
        for family in Family:
            granted = self.families.get(family.value, ())
            if family is Family.NEED_STATE and not granted:
                continue
            classes = audience.classes(family)
            if ALL not in classes and not any(found in granted for found in classes):
                return Cause(family.value)
        return None


class Retrieved(Frozen):
    """What a search gave: eligible passages, best first, and what the scope kept out, counted by cause.

    `good` is how many of the passages are good enough to answer from; the threshold belongs to the base, and the good
    ones come first. `excluded` counts documents, each once, by `Cause`.
    """

    passages: tuple[Passage, ...]
    good: int
    eligible_documents: int
    excluded: dict[str, int]
    revision: str


def retrieval_reasons(retrieved: Retrieved) -> tuple[str, ...]:
    """The reason codes of a search, the determining one first; never empty."""
    nothing = NOTHING_GOOD if retrieved.eligible_documents else SCOPE_EMPTY
    main = PASSAGES_FOUND if retrieved.good else nothing
    causes = {cause for cause, count in retrieved.excluded.items() if count}
    scoped = (SCOPE_EXCLUDED,) if causes - {Cause.QUARANTINED} else ()
    shut = (QUARANTINED,) if Cause.QUARANTINED in causes else ()
    return (main, *scoped, *shut)
