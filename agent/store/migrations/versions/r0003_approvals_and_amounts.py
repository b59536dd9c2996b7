"""Who approved a call, who proposed it, who wrote a message, and what amounts a journalled call had.

Requests that are approved already keep their one approval. Of calls that ran before, the amounts are not known.
"""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_approvals = sa.table(
    "approvals",
    sa.column("site"),
    sa.column("approval_id"),
    sa.column("digest"),
    sa.column("state"),
    sa.column("decided_by"),
    sa.column("decided_at"),
    sa.column("assents"),
)


def upgrade() -> None:
    """Add the columns, then note the approvals that there are."""
    for column in ("assents", "proposers"):
        op.add_column("approvals", sa.Column(column, sa.Text, nullable=False, server_default="[]"))
    op.add_column("journal", sa.Column("amounts", sa.Text, nullable=False, server_default="[]"))
    op.add_column("moves", sa.Column("author", sa.String(400)))
    _note_approvals()


def _note_approvals() -> None:
    connection = op.get_bind()
    given = sa.select(_approvals).where(
        _approvals.c.state.in_(("approved", "used")),
        _approvals.c.decided_by.is_not(None),
        _approvals.c.decided_at.is_not(None),
    )
    for row in connection.execute(given).all():
        at = (EPOCH + timedelta(microseconds=row.decided_at)).isoformat().replace("+00:00", "Z")
        assent = {"by": row.decided_by, "digest": row.digest, "at": at, "edited": False}
        connection.execute(
            sa.update(_approvals)
            .where(_approvals.c.site == row.site, _approvals.c.approval_id == row.approval_id)
            .values(assents=json.dumps([assent]))
        )
