"""The command line: a table of subcommands, each imported only when it is called."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import click

from handrail import __version__
from handrail.guardrails.errors import HandrailError

# Exit codes: 0 all is well, 1 something wrong was found, 2 wrong use or configuration.
EXIT_WRONG_USE = 2


class Entry(NamedTuple):
    """One subcommand: its name, where its click command is (``module:attribute``) and one line of help."""

    name: str
    target: str
    help: str


# A command is one module in handrail/commands and one line here, in the order in which --help shows them.
COMMANDS: tuple[Entry, ...] = (
    Entry("serve", "handrail.commands.serve:serve", "Serve the API on localhost."),
    Entry("chat", "handrail.commands.chat:chat", "Talk to the assistant in the terminal."),
    Entry("token", "handrail.commands.token:token", "Make a customer token for trying things out."),
    Entry("queue", "handrail.commands.queue:queue", "Work on conversations that wait for a person."),
    Entry("operator", "handrail.commands.operator:operator", "Manage the people who take handoffs."),
    Entry("eval", "handrail.commands.eval:evaluate", "Run the scenario suites."),
    Entry("explain", "handrail.commands.explain:explain", "Say why a turn went as it did, from the log alone."),
    Entry("audit", "handrail.commands.audit:audit", "Verify and anchor the audit log."),
    Entry("classify", "handrail.commands.classify:classify", "Read messages: need state, risk and signals."),
    Entry("kb", "handrail.commands.kb:kb", "Ingest and search the knowledge base."),
    Entry("model", "handrail.commands.model:model", "Install the sentence encoder."),
    Entry("policy", "handrail.commands.policy:policy", "Check the policy bundle."),
    Entry("bench", "handrail.commands.bench:bench", "Measure the guarded turn beside its floor."),
)


class LazyGroup(click.Group):
    """A click group that knows its subcommands by name and imports one only to run it."""

    entries: tuple[Entry, ...] = COMMANDS

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


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="handrail")
def root() -> None:
    """Guardrails and a chat backend for support agents: whatever the model tries, policy decides."""


def run(command: Callable[[], object]) -> int:
    """Call ``command`` and return the exit code; an expected error becomes one message on standard error."""
    try:
        result = command()
    except HandrailError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_WRONG_USE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(lambda: root.main(prog_name="handrail", standalone_mode=False)))
