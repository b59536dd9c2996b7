"""Which tools write."""

from __future__ import annotations

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.toolspec import Access


def write_tools(bundle: Bundle) -> frozenset[str]:
    """The ids of the tools that change something."""
    return frozenset(tool.id for tool in bundle.tools.values() if tool.access is Access.WRITE)
