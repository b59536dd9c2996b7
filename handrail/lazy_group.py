"""A click group whose subcommands are a table, each imported only when it is called."""

from importlib import import_module
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """One subcommand: its name, where its click command is (``module:attribute``) and one line of help."""

    name: str
    target: str
    help: str


class LazyGroup(click.Group):
    """A click group that knows its subcommands by name and imports one only to run it."""

    entries: tuple[Entry, ...] = ()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return [entry.name for entry in self.entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command called ``cmd_name``; None when the table has none."""
        for entry in self.entries:
            if entry.name == cmd_name:
                module, _, attribute = entry.target.partition(":")
                command = getattr(import_module(module), attribute)
                if not isinstance(command, click.Command):
                    raise TypeError(f"{entry.target} is not a click command")
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in self.entries])
