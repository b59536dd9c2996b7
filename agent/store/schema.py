"""The whole schema. Importing this declares every table, which importing one of their modules does not."""

from __future__ import annotations

from sqlalchemy import MetaData

from handrail.agent.store import audit_tables, people_tables, tables

SCHEMA: MetaData = tables.conversations.metadata
DECLARED = (tables, people_tables, audit_tables)
"""The modules that declare tables."""
