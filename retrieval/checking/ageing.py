"""Documents whose validity is over, ends soon, or has not begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from handrail.guardrails.scope import Cause
from handrail.retrieval.checking.findings import Code, Finding, Severity, place_of
from handrail.retrieval.documents import DocumentCard


def ageing(cards: Iterable[DocumentCard], day: date, soon: timedelta) -> Iterator[Finding]:
    """A finding for each document that cannot be used on `day`, or not any more after `soon`."""
    for card in cards:
        first, last = card.validity.first, card.validity.last
        cause = card.validity.cause(day)
        if cause is Cause.EXPIRED:
            yield Finding(
                code=Code.EXPIRED,
                severity=Severity.WARNING,
                places=(place_of(card),),
                found=f"Valid until {last}: nobody is shown it any more.",
                to_do="Remove it, or review it and move valid_until.",
            )
        elif cause is Cause.NOT_YET_VALID:
            yield Finding(
                code=Code.NOT_YET_VALID,
                severity=Severity.NOTE,
                places=(place_of(card),),
                found=f"Valid from {first}: nobody is shown it before.",
                to_do="Nothing if that is meant; otherwise correct valid_from.",
            )
        elif last is not None and last - day <= soon:
            yield Finding(
                code=Code.EXPIRES_SOON,
                severity=Severity.NOTE,
                places=(place_of(card),),
                found=f"Valid until {last}, {_in_days((last - day).days)}.",
                to_do="Review it and move valid_until, or have its successor ready.",
            )


def _in_days(days: int) -> str:
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} from now"
