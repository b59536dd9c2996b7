"""`handrail check`: what the output checks and policy say of replies that somebody else wrote, line by line."""

from __future__ import annotations

from functools import lru_cache

import click
from pydantic import JsonValue

from handrail.agent.given_reply import GivenReply
from handrail.agent.reply_check import AsksForPerson, ReplyCheck
from handrail.commands.classify import HUMAN_REQUESTED, Classifier, build_classifier
from handrail.commands.json_lines import LineWork

REMEMBERED = 10_000  # last messages of customers: corpora hold many replies to one message
LINE = '{"id": ..., "reply": ..., "passages": [...], "tool_results": [...], "history": [...], "facts": {...}}'
EPILOG = """\b
A line:
  id, reply     what would be said to the customer
  passages      strings, or objects with text, title, heading
  tool_results  objects with tool, outcome, arguments, content; anything else is
                the content of a read
  history       strings, or objects with role (customer, assistant, operator)
                and text, the newest last
  facts         today, language, tools_succeeded, allowed_commitments,
                system_prompt, person (not_asked, asked, handed_off), risk; all
                other fields are verified facts about the customer

\b
Example:
  echo '{"id": "1", "reply": "Your refund of 49.00 EUR arrives tomorrow."}' | handrail check - -
"""


@click.command(epilog=EPILOG)
@click.argument("source", metavar="IN.jsonl", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("target", metavar="OUT.jsonl", type=click.Path(dir_okay=False, allow_dash=True))
@click.pass_context
def check(ctx: click.Context, source: str, target: str) -> None:
    """Check replies against what they may rest on, one JSON object per line; - is standard input or output.

    What is in passages, tool results, history and facts backs a reply; all else counts as made up. Writes decision
    (allow, refuse or escalate), reasons, rules, revision and spans, in the order of the input. Lines that cannot be
    read are reported on standard error and written as {"id", "error"}; the exit code is then 1.
    """
    checker = ctx.obj if isinstance(ctx.obj, ReplyCheck) else build_check()
    if line_work(checker).run(source, target):
        ctx.exit(1)


def line_work(checker: ReplyCheck) -> LineWork[GivenReply]:
    """What is done with every line."""

    def answer(given: GivenReply) -> dict[str, JsonValue]:
        verdict = checker.verdict(given)
        codes = dict.fromkeys(finding.code for finding in verdict.findings)
        return {
            "id": given.id,
            "decision": verdict.decision.effect.value,
            "reasons": [*codes, *(reason for reason in verdict.decision.reasons if reason not in codes)],
            "rules": list(verdict.decision.rules),
            "revision": verdict.decision.revision,
            "spans": [
                {
                    "code": finding.code,
                    "start": finding.span.start,
                    "end": finding.span.end,
                    "sentence": finding.sentence,
                    "detail": finding.detail,
                }
                for finding in verdict.findings
            ],
        }

    return LineWork(GivenReply, answer, LINE)


def build_check() -> ReplyCheck:
    """The checks of the bundle that the settings name, or of the shipped one."""
    from datetime import UTC, datetime

    from handrail.agent.composition import bundle_of
    from handrail.agent.settings import load_settings

    settings = load_settings()
    bundle = bundle_of(settings)
    return ReplyCheck(bundle, datetime.now(UTC).date(), _asker())


def _asker() -> AsksForPerson:
    """Detection, loaded when the first history is looked at: replies without one need no encoder."""

    @lru_cache(maxsize=1)
    def detectors() -> Classifier:
        return build_classifier()

    @lru_cache(maxsize=REMEMBERED)
    def asks(text: str) -> bool:
        return any(signal.code == HUMAN_REQUESTED for signal in detectors().detectors.detect(text).signals)

    return asks
