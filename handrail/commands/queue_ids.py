"""What a person at the terminal means: ids by their beginnings, and new arguments as they were typed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click
from pydantic import JsonValue

from handrail.agent.conversation import Approval, ApprovalState
from handrail.agent.server.operator_client import OperatorClient
from handrail.guardrails.vocabulary import ConversationStatus


def conversation_named(client: OperatorClient, given: str) -> str:
    """The id of the one conversation that begins as given; what is given, when none of the latest does."""
    known = [each.conversation_id for each in client.queue(tuple(ConversationStatus))]
    return given if given in known else _only(given, [each for each in known if each.startswith(given)]) or given


def approval_named(client: OperatorClient, given: str) -> Approval:
    """The request with this id, else the one that waits and begins so, or waits in a conversation that begins so."""
    known = client.approvals()
    waiting = [each for each in known if each.state is ApprovalState.PENDING]
    fitting = (
        [each for each in known if each.approval_id == given]
        or [each for each in waiting if each.approval_id.startswith(given)]
        or [each for each in waiting if each.conversation_id.startswith(given)]
    )
    only = _only(given, [each.approval_id for each in fitting])
    if only is None:
        raise click.UsageError(
            f"No request for approval that waits begins with {given!r}; `handrail queue list` has all."
        )
    return next(each for each in fitting if each.approval_id == only)


def digest_named(approval: Approval, given: str | None) -> str | None:
    """The digest of a request that begins as given; what is given, when it is of another call: the server says so."""
    return approval.digest if given and approval.digest.startswith(given) else given


def contents(typed: Mapping[str, str], now: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """New arguments of the kind that they have now: texts as they were typed, anything else as JSON."""
    return {name: each if isinstance(now.get(name, ""), str) else _json(name, each) for name, each in typed.items()}


def _only(given: str, fitting: Sequence[str]) -> str | None:
    if len(fitting) > 1:
        raise click.UsageError(f"{given!r} is the beginning of several: {', '.join(fitting)}.")
    return fitting[0] if fitting else None


def _json(name: str, typed: str) -> JsonValue:
    try:
        found: JsonValue = json.loads(typed)
    except json.JSONDecodeError:
        raise click.UsageError(f'{name}: {typed!r} is not JSON, such as 3, true or ["a"].') from None
    return found
