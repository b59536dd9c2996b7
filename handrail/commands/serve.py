"""`handrail serve`: the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket

    from handrail.agent.settings import Settings


@click.command()
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port to listen on; 0 takes a free one.  [default: 8321]")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings.  [default: handrail.toml]")
def serve(host: str | None, port: int | None, config: Path | None) -> None:
    """Serve the HTTP API until it is stopped."""
    import asyncio

    from handrail.agent.server.run import claim
    from handrail.agent.settings import load_settings

    settings = load_settings(config, {"host": host, "port": port})
    with claim(settings.host, settings.port) as taken:
        settings.make_data_dir()
        asyncio.run(_serve(settings, taken))


async def _serve(settings: Settings, taken: socket.socket) -> None:
    """Build everything on the claimed address, answer, and close in the opposite order."""
    from handrail.agent.composition import running, settled
    from handrail.agent.server.app import create_app
    from handrail.agent.server.demo_operator import ensure_demo_operator
    from handrail.agent.server.logs import start_logging
    from handrail.agent.server.run import address_of
    from handrail.agent.server.run import serve as answer

    start_logging(settings.log_level)
    address = address_of(taken)
    async with running(settings) as service:
        await ensure_demo_operator(service.operators, settings)
        app = create_app(service, settings)
        with settled():
            await answer(app, taken, lambda: click.echo(greeting(address, settings)), settings.proxies)


def greeting(address: str, settings: Settings) -> str:
    """What is printed once the server answers: where it is, and a first message to paste into a shell."""
    from handrail.agent.settings import Company

    conversations = f"{address}/v1/conversations"
    parts = r"""sed -E 's/.*"conversation_id":"([^"]+)".*"visitor_key":"([^"]+)".*/\1 \2/'"""
    sample = settings.company is Company.SAMPLE
    demo = f"  demo    {address}/demo\n" if sample else ""
    account = "you are signed in as the sample's operator" if sample else "after `handrail operator add NAME`"
    people = f"""
Act as an operator, in another terminal ({account}):

  handrail queue list --url {address}
"""
    return f"""\
Handrail answers on {address}
{demo}  API     {address}/openapi.json
  ready   {address}/readyz
  site {settings.site}, model {settings.model}, state in {settings.data_dir.absolute()}

Try it as an anonymous visitor (`handrail token CUSTOMER` makes a token for a known one):

  set -- $(curl -s -X POST {conversations} | {parts})
  curl -s {conversations}/$1/messages -H "X-Visitor-Key: $2" -H 'Content-Type: application/json' \\
    -d '{{"text": "The sign-in code does not arrive on my phone."}}'
{people}
Ctrl-C stops it; turns that run are finished first."""
