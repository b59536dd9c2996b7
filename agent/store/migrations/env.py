"""Alembic's environment: run the migrations on the connection, and in the transaction, that the store hands over."""

from alembic import context

from handrail.agent.store.opening import VERSION_TABLE
from handrail.agent.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
