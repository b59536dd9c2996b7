"""Alembic's environment: run the migrations on the connection, and in the transaction, that the store hands over."""

from alembic import context

from handrail.agent.store.opening import VERSION_TABLE
from handrail.agent.store.schema import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SCHEMA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
