"""`handrail operator`: accounts of the people who take handoffs, kept in the database of the settings."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from handrail.agent.operators import Operator, Operators

ResultT = TypeVar("ResultT")

_config = click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings.")


@click.group()
def operator() -> None:
    """Manage the people who take handoffs. A password is asked for, or piped in; never given as an argument."""


@operator.command()
@click.argument("name")
@click.option("--display", help="What customers see.  [default: the name, capitalised]")
@click.option("--queue", "queues", multiple=True, help="A queue that this person looks after; repeatable.")
@_config
def add(name: str, display: str | None, queues: tuple[str, ...], config: Path | None) -> None:
    """Make an account NAME, which signs in and stands in the audit log."""
    password = _password(name)
    shown = display or name.capitalize()
    _with(config, lambda accounts: accounts.add(name, shown, password, queues))
    click.echo(f"{name} can sign in now; customers see {shown}.")


@operator.command("list")
@_config
def list_operators(config: Path | None) -> None:
    """List the accounts."""
    found: tuple[Operator, ...] = _with(config, lambda accounts: accounts.list())
    if not found:
        click.echo("There are no accounts. `handrail operator add NAME` makes one.")
    for each in found:
        queues = f", queues {' '.join(each.queues)}" if each.queues else ""
        click.echo(f"{each.name}  shown as {each.display}{queues}{'  (disabled)' if each.disabled else ''}")


@operator.command()
@click.argument("name")
@_config
def disable(name: str, config: Path | None) -> None:
    """Close the account NAME and end its sessions. What it did stays in the audit log."""
    _with(config, lambda accounts: accounts.disable(name))
    click.echo(f"{name} cannot sign in any more. A new password opens the account again.")


@operator.command()
@click.argument("name")
@_config
def password(name: str, config: Path | None) -> None:
    """Give the account NAME another password and end its sessions; a disabled one is open again."""
    chosen = _password(name)
    _with(config, lambda accounts: accounts.set_password(name, chosen))
    click.echo(f"{name} has a new password.")


def _with(config: Path | None, work: Callable[[Operators], Awaitable[ResultT]]) -> ResultT:
    """Do something with the accounts. Raises ConfigError, StoreError, OperatorRefused."""
    from handrail.agent.composition import staff
    from handrail.agent.settings import load_settings

    async def working() -> ResultT:
        async with staff(load_settings(config)) as accounts:
            return await work(accounts)

    return asyncio.run(working())


def _password(name: str) -> str:
    """The password, from the terminal or a pipe: arguments stand in the shell's history and the list of processes."""
    if sys.stdin.isatty():
        chosen: str = click.prompt(f"New password of {name}", hide_input=True, confirmation_prompt=True, err=True)
        return chosen
    return sys.stdin.readline().rstrip("\r\n")
