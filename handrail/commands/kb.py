"""`handrail kb`: the knowledge base, from articles to what customers are shown."""

from __future__ import annotations

import click

from handrail.lazy_group import Entry, LazyGroup


class _Commands(LazyGroup):
    """One module and one line here for each."""

    entries = (
        Entry("ingest", "handrail.commands.kb_ingest:ingest", "Make a folder of articles the knowledge base."),
        Entry("diff", "handrail.commands.kb_diff:diff", "Say what an ingest of a folder would change."),
        Entry("check", "handrail.commands.kb_check:check", "Find what is contradictory, out of date or out of reach."),
        Entry("search", "handrail.commands.kb_search:search", "Search as a customer would."),
        Entry("status", "handrail.commands.kb_status:status", "Say what the live knowledge base holds."),
    )


@click.group(cls=_Commands)
def kb() -> None:
    """Ingest, check and search the knowledge base."""
