"""What the web side needs of the operators' side of the service: their cases, and their sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from pydantic import JsonValue

from handrail.agent.case import Case, CaseSummary
from handrail.agent.casework import ReleasedTo
from handrail.agent.files import FileContent
from handrail.agent.operators import Operator, Session
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.vocabulary import ConversationStatus, Message, TurnResult


class Cases(Protocol):
    """What people do with conversations; `Casework` has the details and the errors."""

    async def queue(
        self,
        site: str,
        *,
        statuses: Collection[ConversationStatus] = WITH_PEOPLE,
        queue: str | None = None,
        holder: str | None = None,
    ) -> tuple[CaseSummary, ...]:
        """Conversations that people look after, most urgent first."""
        ...

    async def case(self, site: str, conversation_id: str) -> Case:
        """One conversation, whole."""
        ...

    async def file(self, site: str, conversation_id: str, file_id: str) -> FileContent | None:
        """One attached file."""
        ...

    async def claim(self, site: str, conversation_id: str, operator: Operator) -> Case:
        """Take a conversation."""
        ...

    async def reply(self, site: str, conversation_id: str, operator: Operator, text: str, key: str) -> Message:
        """Write to the customer."""
        ...

    async def release(self, site: str, conversation_id: str, operator: Operator, to: ReleasedTo) -> Case:
        """Give a conversation back."""
        ...

    async def resolve(self, site: str, conversation_id: str, operator: Operator, note: str | None = None) -> Case:
        """Close the matter."""
        ...

    async def approve(self, site: str, approval_id: str, operator: Operator, digest: str | None = None) -> TurnResult:
        """Approve the exact call."""
        ...

    async def deny(self, site: str, approval_id: str, operator: Operator) -> TurnResult:
        """Deny the call."""
        ...

    async def edit(
        self, site: str, approval_id: str, arguments: Mapping[str, JsonValue], operator: Operator
    ) -> TurnResult:
        """Approve the call with other arguments."""
        ...


class Sessions(Protocol):
    """Who is signed in; `Operators` has the details."""

    async def sign_in(self, name: str, password: str) -> Session | None:
        """A fresh session, None for a wrong name or password."""
        ...

    async def who(self, token: str) -> Operator | None:
        """Whose session a token is."""
        ...

    async def sign_out(self, token: str) -> None:
        """End a session."""
        ...
