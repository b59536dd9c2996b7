"""Adapters that write drafts: any OpenAI-compatible endpoint, and an embedded model that only quotes."""
