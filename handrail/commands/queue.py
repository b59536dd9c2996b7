"""`handrail queue`: the operators' side in the terminal, over the HTTP API of a running server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    import httpx
    from pydantic import BaseModel

    from handrail.agent.server.case_views import CaseView
    from handrail.agent.server.operator_client import OperatorClient
    from handrail.agent.server.views import DecidedView
    from handrail.agent.settings import Settings

ResultT = TypeVar("ResultT")
STATUSES = ("bot", "queued", "accepted", "human", "returned_to_bot", "resolved")


@dataclass(frozen=True, slots=True)
class Asked:
    """How a command is called: where the server is, who acts, and how the outcome is shown."""

    url: str
    name: str | None
    as_json: bool
    settings: Settings

    def show(self, view: BaseModel, lines: list[str]) -> None:
        """Print an outcome."""
        click.echo(view.model_dump_json(indent=2) if self.as_json else "\n".join(lines))


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command."""
    options = (
        click.option("--url", help="The server's address.  [default: host and port of the settings]"),
        click.option("--as", "name", help="The operator to act as.  [default: who signed in last]"),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def queue() -> None:
    """Work on conversations that wait for a person. Beginnings of ids are enough where they are unique."""


@queue.command("list")
@click.option("--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Repeatable.")
@click.option("--queue", "name_of_queue", help="Only this queue.")
@click.option("--mine", is_flag=True, help="Only those that you have.")
@_shared
def list_cases(statuses: tuple[str, ...], name_of_queue: str | None, mine: bool, **shared: object) -> None:
    """List conversations, most urgent first, and what waits for approval."""
    from handrail.agent.conversation import ApprovalState
    from handrail.commands.queue_text import QueueView, queue_lines
    from handrail.guardrails.vocabulary import ConversationStatus

    asked = _asked(shared)
    chosen = [ConversationStatus(each) for each in statuses]

    def work(client: OperatorClient) -> QueueView:
        cases = client.queue(chosen, name_of_queue, mine=mine)
        return QueueView(conversations=cases, approvals=client.approvals(ApprovalState.PENDING))

    found = _acting(asked, work)
    asked.show(found, queue_lines(found, datetime.now(UTC)))


@queue.command()
@click.argument("conversation")
@_shared
def show(conversation: str, **shared: object) -> None:
    """Show CONVERSATION: packet, messages, what waits for approval, reasons."""
    _case(shared, conversation, lambda client, found: client.case(found))


@queue.command()
@click.argument("conversation")
@_shared
def claim(conversation: str, **shared: object) -> None:
    """Take CONVERSATION."""
    _case(shared, conversation, lambda client, found: client.claim(found))


@queue.command()
@click.argument("conversation")
@click.argument("text", required=False)
@_shared
def reply(conversation: str, text: str | None, **shared: object) -> None:
    """Write TEXT to the customer of CONVERSATION; without TEXT, what is piped in."""
    from handrail.commands.queue_ids import conversation_named
    from handrail.commands.queue_text import plain

    asked = _asked(shared)
    said = text if text is not None else sys.stdin.read().strip()
    if not said:
        raise click.UsageError("Say what to write, as an argument or by a pipe.")
    sent = _acting(asked, lambda client: client.reply(conversation_named(client, conversation), said))
    asked.show(sent, [f"sent: {plain(sent.text)}"])


@queue.command()
@click.argument("approval")
@click.option("--digest", help="The beginning of the digest of the call as you saw it, once a colleague changed it.")
@_shared
def approve(approval: str, digest: str | None, **shared: object) -> None:
    """Approve the call of APPROVAL, exactly as it is. Policy may want another person's approval as well."""
    from handrail.commands.queue_ids import approval_named, digest_named

    def work(client: OperatorClient) -> DecidedView:
        found = approval_named(client, approval)
        return client.approve(found.approval_id, digest_named(found, digest))

    _decided(shared, work)


@queue.command()
@click.argument("approval")
@click.argument("changes", nargs=-1, required=True, metavar="NAME=CONTENT...")
@_shared
def edit(approval: str, changes: tuple[str, ...], **shared: object) -> None:
    """Approve the call of APPROVAL with other arguments, such as amount=20.00."""
    from handrail.commands.queue_ids import approval_named, contents

    changed = {}
    for each in changes:
        name, equals, content = each.partition("=")
        if not name or not equals:
            raise click.UsageError(f"{each!r} is not NAME=CONTENT, such as amount=20.00.")
        changed[name] = content

    def work(client: OperatorClient) -> DecidedView:
        found = approval_named(client, approval)
        return client.edit(found.approval_id, contents(changed, found.call.arguments))

    _decided(shared, work)


@queue.command()
@click.argument("approval")
@_shared
def deny(approval: str, **shared: object) -> None:
    """Deny the call of APPROVAL; the customer is told."""
    from handrail.commands.queue_ids import approval_named

    _decided(shared, lambda client: client.deny(approval_named(client, approval).approval_id))


@queue.command()
@click.argument("conversation")
@click.option("--to", type=click.Choice(["bot", "queue"]), default="queue", show_default=True, help="Who goes on.")
@_shared
def release(conversation: str, to: str, **shared: object) -> None:
    """Give CONVERSATION back."""
    _case(shared, conversation, lambda client, found: client.release(found, to))


@queue.command()
@click.argument("conversation")
@click.option("--note", help="Why, for colleagues.")
@_shared
def resolve(conversation: str, note: str | None, **shared: object) -> None:
    """Close the matter of CONVERSATION; the customer is asked for a rating."""
    _case(shared, conversation, lambda client, found: client.resolve(found, note))


def _asked(shared: Mapping[str, object]) -> Asked:
    from handrail.agent.settings import load_settings

    config, url, name = shared["config"], shared["url"], shared["name"]
    settings = load_settings(config if isinstance(config, Path) else None)
    if url is None and settings.port == 0:
        raise click.UsageError("The settings take any free port: say where the server is with --url.")
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    there = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    return Asked(
        url=(url if isinstance(url, str) else there).rstrip("/"),
        name=name if isinstance(name, str) else None,
        as_json=bool(shared["as_json"]),
        settings=settings,
    )


@contextmanager
def _client(url: str) -> Iterator[httpx.Client]:
    from httpx import Client

    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"{url} is not an address: give it with http:// or https://.")
    with Client(base_url=url, trust_env=False) as client:
        yield client


def _acting(asked: Asked, work: Callable[[OperatorClient], ResultT]) -> ResultT:
    """Do `work` as the operator; a kept session that the server does not know any more is renewed once."""
    from handrail.agent.server.faults import Fault
    from handrail.agent.server.operator_client import OperatorClient
    from handrail.commands.operator_sessions import SavedSessions, new_token, token_for

    sessions = SavedSessions()
    with _client(asked.url) as client:
        token = token_for(client, asked.url, asked.name, asked.settings, sessions)
        try:
            return work(OperatorClient(client, token))
        except Fault as fault:
            saved = sessions.of_token(asked.url, token)
            if fault.view.code != "operator_token_invalid" or saved is None:
                raise
        sessions.forget(saved)
        token = new_token(client, asked.url, asked.name or saved.name, asked.settings, sessions)
        return work(OperatorClient(client, token))


def _case(shared: Mapping[str, object], given: str, work: Callable[[OperatorClient, str], CaseView]) -> None:
    from handrail.commands.queue_ids import conversation_named
    from handrail.commands.queue_text import case_lines

    asked = _asked(shared)
    case = _acting(asked, lambda client: work(client, conversation_named(client, given)))
    asked.show(case, case_lines(case, datetime.now(UTC)))


def _decided(shared: Mapping[str, object], work: Callable[[OperatorClient], DecidedView]) -> None:
    from handrail.commands.queue_text import decided_lines

    asked = _asked(shared)
    decided = _acting(asked, work)
    asked.show(decided, decided_lines(decided))
