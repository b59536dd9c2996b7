"""The command line: a table of subcommands, each imported only when it is called."""

import sys
from collections.abc import Callable

import click

from handrail import __version__
from handrail.guardrails.errors import HandrailError
from handrail.lazy_group import Entry, LazyGroup

# Exit codes: 0 all is well, 1 something wrong was found, 2 wrong use or configuration.
EXIT_WRONG_USE = 2


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
    Entry("gate", "handrail.commands.gate:gate", "Decide proposed tool calls by the pack of a company."),
    Entry("classify", "handrail.commands.classify:classify", "Read messages: need state, risk and signals."),
    Entry("check", "handrail.commands.check:check", "Check replies: commitments, claims, sources, leaks."),
    Entry("train", "handrail.commands.train:train", "Learn the detection model from labelled messages."),
    Entry("kb", "handrail.commands.kb:kb", "Ingest and search the knowledge base."),
    Entry("model", "handrail.commands.model:model", "Install the sentence encoder."),
    Entry("policy", "handrail.commands.policy:policy", "Check, test, prove and compare policy bundles."),
    Entry("bench", "handrail.commands.bench:bench", "Measure turns and decisions."),
)


class _Root(LazyGroup):
    """The subcommands of `handrail`."""

    entries = COMMANDS


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
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
