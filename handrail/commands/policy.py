"""`handrail policy`: what a bundle does, known before anybody is served by it."""

from __future__ import annotations

import click

from handrail.lazy_group import Entry, LazyGroup


class _Commands(LazyGroup):
    """One module and one line here for each."""

    entries = (
        Entry("lint", "handrail.commands.policy_lint:lint", "Report what is wrong or questionable in a bundle."),
        Entry("test", "handrail.commands.policy_test:test", "Run the policy tests beside the policies."),
        Entry("coverage", "handrail.commands.policy_coverage:coverage", "Say what no policy test exercises."),
        Entry("prove", "handrail.commands.policy_prove:prove", "Prove the invariants over all inputs."),
        Entry("diff", "handrail.commands.policy_diff:diff", "Say what changes between two bundles."),
        Entry("replay", "handrail.commands.policy_replay:replay", "Replay recorded turns against a bundle."),
        Entry("experiments", "handrail.commands.policy_experiments:experiments", "Report shadow rules and holdouts."),
        Entry("mutate", "handrail.commands.policy_mutate:mutate", "Say how many mistakes would go unnoticed."),
        Entry("schema", "handrail.commands.policy_schema:schema", "Write the JSON Schema that editors check with."),
    )


@click.group(cls=_Commands)
def policy() -> None:
    """Check, test, prove and compare policy bundles."""
