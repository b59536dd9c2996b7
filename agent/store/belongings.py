"""What a customer thinks of a conversation, and agrees to in it: ratings and consents, the latest of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from handrail.agent.export import Consent, Rating
from handrail.agent.store.conversations import LONGEST_NAME, Place, checked, storable
from handrail.agent.store.tables import consents, ratings


def rate(connection: Connection, place: Place, rating: Rating) -> None:
    """Store the rating of a locked conversation in place of an earlier one."""
    connection.execute(
        delete(ratings).where(ratings.c.site == place.site, ratings.c.conversation_id == place.conversation_id)
    )
    connection.execute(
        insert(ratings).values(
            **place._asdict(),
            score=rating.score,
            comment=None if rating.comment is None else storable(rating.comment),
            at=rating.at,
        )
    )


def rating(connection: Connection, place: Place) -> Rating | None:
    """The rating of a conversation."""
    row = connection.execute(
        select(ratings.c.score, ratings.c.comment, ratings.c.at).where(
            ratings.c.site == place.site, ratings.c.conversation_id == place.conversation_id
        )
    ).one_or_none()
    return None if row is None else Rating(score=row.score, comment=row.comment, at=row.at)


def consent(connection: Connection, place: Place, purpose: str, given: bool, at: datetime) -> None:
    """Store a consent or refusal in a locked conversation in place of an earlier one for the same purpose."""
    checked("purpose", purpose, LONGEST_NAME)
    connection.execute(
        delete(consents).where(
            consents.c.site == place.site,
            consents.c.conversation_id == place.conversation_id,
            consents.c.purpose == purpose,
        )
    )
    connection.execute(insert(consents).values(**place._asdict(), purpose=purpose, given=int(given), at=at))


def consented(connection: Connection, place: Place) -> tuple[Consent, ...]:
    """What the customer agreed to or refused in a conversation, by purpose."""
    rows = connection.execute(
        select(consents.c.purpose, consents.c.given, consents.c.at)
        .where(consents.c.site == place.site, consents.c.conversation_id == place.conversation_id)
        .order_by(consents.c.purpose)
    )
    return tuple(Consent(purpose=row.purpose, given=bool(row.given), at=row.at) for row in rows)
