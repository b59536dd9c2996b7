"""Documents, ingest and segment-scoped search of the knowledge base."""
