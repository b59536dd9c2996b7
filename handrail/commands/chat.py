"""`handrail chat`: a conversation in the terminal, in this process or with a server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from handrail.agent.server.talk import Talk
    from handrail.agent.server.views import TurnView, Waiting
    from handrail.agent.settings import Settings

COMMANDS = "/person asks for a person, /code shows the sample company's last code for you, /quit ends."


@dataclass(frozen=True, slots=True)
class Manner:
    """How the conversation is shown. `interactive` when a person types, and not a script."""

    reasons: bool
    as_json: bool
    interactive: bool


@click.command()
@click.option("--customer", help="Talk as this customer; without it, as an anonymous visitor.")
@click.option("--url", help="Talk to a server there instead of in this process.")
@click.option("--token", help="With --url: the customer's token; without it, one is signed with the local keys.")
@click.option("--server-key", help="With --url and --reasons: a server's key; without it, the local one.")
@click.option("--reasons", is_flag=True, help="Show the reason codes of each stage.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a turn.")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings.  [default: handrail.toml]")
def chat(
    customer: str | None,
    url: str | None,
    token: str | None,
    server_key: str | None,
    reasons: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Talk with the support agent. Messages may be piped in, one a line."""
    from handrail.agent.settings import load_settings

    if url is None and (token or server_key):
        raise click.UsageError("--token and --server-key belong to --url.")
    settings = load_settings(config)
    settings.make_data_dir()
    manner = Manner(reasons=reasons, as_json=as_json, interactive=sys.stdin.isatty() and not as_json)

    async def talk() -> None:
        opened = (
            _local(settings, customer, debug=reasons)
            if url is None
            else _remote(settings, url, customer, token, server_key if reasons else None, debug=reasons)
        )
        async with opened as conversation:
            await _converse(conversation, settings, customer, manner)

    asyncio.run(talk())


@asynccontextmanager
async def _local(settings: Settings, customer: str | None, *, debug: bool) -> AsyncIterator[Talk]:
    from handrail.agent.composition import running
    from handrail.agent.server.app import desk_for
    from handrail.agent.server.talk import LocalTalk

    async with running(settings) as service:
        yield await LocalTalk.open(desk_for(service, settings), customer, debug=debug)


@asynccontextmanager
async def _remote(
    settings: Settings, url: str, customer: str | None, token: str | None, server_key: str | None, *, debug: bool
) -> AsyncIterator[Talk]:
    import httpx

    from handrail.agent.server.identity import Gate
    from handrail.agent.server.keys import keys_of
    from handrail.agent.server.talk import RemoteTalk

    headers: dict[str, str] = {}
    if customer is not None and token is None:
        token = Gate(keys_of(settings), settings.site).sign(customer, 3600)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if debug:
        headers["X-Server-Key"] = server_key or next(iter(keys_of(settings).server.values())).get_secret_value()
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        yield await RemoteTalk.open(client, debug=debug)


async def _converse(talk: Talk, settings: Settings, customer: str | None, manner: Manner) -> None:
    if manner.interactive:
        click.echo(f"You talk with a machine. {COMMANDS}")
    while True:
        line = await asyncio.to_thread(_line, manner)
        if line is None or line == "/quit":
            return
        if line == "/code":
            click.echo(await _code(settings, customer), err=manner.as_json)
        elif line.startswith("/") and line != "/person":
            click.echo(f"There is no command {line.split()[0]}. {COMMANDS}", err=True)
        elif line:
            await _turn(talk, line, manner)


async def _turn(talk: Talk, line: str, manner: Manner) -> None:
    """One message; what is wrong with it is said, and the conversation goes on."""
    from handrail.agent.server.refusals import of_domain
    from handrail.agent.server.remote import TalkError
    from handrail.guardrails.errors import HandrailError

    try:
        view = await (talk.ask_for_person() if line == "/person" else talk.say(line))
    except TalkError:
        raise
    except HandrailError as error:
        wrong = of_domain(error).view
        shown = json.dumps({"error": wrong.model_dump()}) if manner.as_json else f"[{wrong.message} {wrong.hint}]"
        click.echo(shown)
    else:
        click.echo(view.model_dump_json() if manner.as_json else "\n".join(lines_of(view, manner)))


def _line(manner: Manner) -> str | None:
    """The next line, None at the end. Read in a thread, so that the service keeps working meanwhile."""
    if manner.interactive:
        click.echo("\nyou> ", nl=False)
    line = sys.stdin.readline()
    return line.strip() if line else None


def lines_of(view: TurnView, manner: Manner) -> list[str]:
    """A turn as the terminal shows it."""
    shown = [view.reply or "[no reply: a person has the conversation]"]
    shown += [f"  source: {each.title} ({each.doc_id})" for each in view.citations]
    if view.confirmation is not None:
        exact = ", ".join(f"{name}={json.dumps(content)}" for name, content in view.confirmation.arguments.items())
        shown.append(f"  to confirm: {view.confirmation.tool}({exact})")
    if view.quick_replies:
        shown.append(f"  quick replies: {' | '.join(view.quick_replies)}")
    if view.handoff is not None:
        shown.append(f"  {_queue(view.handoff)}")
    shown.append(f"  status: {view.status.value}")
    if manner.reasons and view.debug is not None:
        shown += [
            f"  {each.stage.value:16} {each.subject}: {each.effect.value}  {' '.join(each.reasons)}"
            for each in view.debug.decisions
        ]
        shown.append(f"  {'all reasons':16} {' '.join(view.debug.reasons)}")
    return shown


def _queue(waiting: Waiting) -> str:
    place = "taken by a person" if waiting.position is None else f"place {waiting.position} in the queue"
    closed = "" if waiting.opens_at is None else f", which opens {waiting.opens_at:%A %H:%M %Z}"
    return f"with {waiting.team}{closed}: {place}"


async def _code(settings: Settings, customer: str | None) -> str:
    """The step-up code that the sample company sent last to this customer."""
    from handrail.agent.company.database import CompanyDatabase, open_engine
    from handrail.agent.company.outbox import Outbox

    path = settings.data_dir / "company.db"
    if customer is None:
        return "Codes go to known customers: start with --customer."
    if not path.exists():
        return f"There is no sample company in {settings.data_dir}."
    database = CompanyDatabase(open_engine(path))
    try:
        code = await Outbox(database).latest_code(customer)
    finally:
        await database.close()
    return code or "No code has been sent to this customer yet."
