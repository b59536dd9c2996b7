"""The decisions of a turn as a server's audit log has them: a witness that does not depend on what the API shows."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from handrail.agent.audit.explain import explain
from handrail.agent.store.audit_log import AuditLog
from handrail.guardrails.vocabulary import Decision


class TurnLog:
    """Reads the log of one site in the database at `url`, which is opened when the first turn is asked for."""

    def __init__(self, site: str, url: str) -> None:
        self._site = site
        self._url = url
        self._log: AuditLog | None = None

    async def decisions(self, turn_id: str) -> tuple[Decision, ...]:
        """Every decision of the turn, in order. Raises StoreError when the log has no such turn."""
        return await asyncio.to_thread(self._decisions, turn_id)

    def _decisions(self, turn_id: str) -> tuple[Decision, ...]:
        if self._log is None:
            self._log = AuditLog(self._url)
        steps = explain(self._log.trail(turn_id, self._site), {}).steps
        return tuple(step.content for step in steps if isinstance(step.content, Decision))

    def __enter__(self) -> Self:
        """The log itself; nothing is opened yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the database."""
        if self._log is not None:
            self._log.close()
