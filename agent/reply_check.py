"""Checks a given reply against what it may rest on, by the output checks and the policy of a bundle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from handrail.agent.given_reply import (
    BOT_ROLES,
    CUSTOMER_ROLES,
    GivenMessage,
    GivenPassage,
    GivenReply,
    GivenResult,
)
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.output.evidence import AllowedCommitment, CommitmentKind, Evidence, Finding, PersonState
from handrail.guardrails.output.review import review
from handrail.guardrails.output.sources import lines_of
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Decision, Frozen, Passage, Stage, ToolCall, ToolOutcome, ToolResult

READING = re.compile(r"(get|list|search|find|look|lookup|read|fetch|show|check|query|view|count|calculate)(_|$)")
"""Names of tools that the bundle does not declare and that change nothing; any other one acts."""

AsksForPerson = Callable[[str], bool]
"""Whether a customer's message asks for a person."""


class Verdict(Frozen):
    """What the checks found in a reply, and what policy makes of it when nothing can be repaired any more."""

    findings: tuple[Finding, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class ReplyCheck:
    """The output checks of one bundle; `today` is the day of a reply that names none."""

    bundle: Bundle
    today: date
    asks_for_person: AsksForPerson

    def verdict(self, given: GivenReply) -> Verdict:
        """Check one reply."""
        found = review(given.reply, self.evidence(given), self.bundle.wording)
        facts = Facts.of([*found.facts(0, "model"), fact("risk", given.facts.risk.value, "given")])
        return Verdict(findings=found.findings, decision=self.bundle.policy.decide(Stage.GUARD_OUTPUT, facts))

    def evidence(self, given: GivenReply) -> Evidence:
        """Everything that the reply may rest on."""
        passages = tuple(_passage(number, item) for number, item in enumerate(given.passages))
        results = tuple(_result(number, item) for number, item in enumerate(given.tool_results))
        unseen = tuple(_named(name) for name in given.facts.tools_succeeded if not _has_run(name, results))
        messages = [GivenMessage(text=item) if isinstance(item, str) else item for item in given.history]
        customer = tuple(message.text for message in messages if message.role in CUSTOMER_ROLES)
        return Evidence(
            passages=passages,
            tool_results=(*results, *unseen),
            actions=tuple(result for result in (*results, *unseen) if self._acts(result.call.tool)),
            customer_texts=customer,
            allowed=tuple(_allowed(given)),
            own=tuple(lines_of(dict(given.facts.model_extra or {}))),
            shown=tuple(
                passage.passage_id
                for passage, item in zip(passages, given.passages, strict=True)
                if isinstance(item, GivenPassage) and item.shown
            ),
            earlier_replies=tuple(message.text for message in messages if message.role in BOT_ROLES),
            system_prompt="\n\n".join(
                (given.facts.system_prompt, *(template.system for template in self.bundle.prompts.values()))
            ).strip(),
            person=given.facts.person or self._person(customer),
            now=given.facts.today or self.today,
        )

    def _person(self, customer: tuple[str, ...]) -> PersonState:
        asked = bool(customer) and self.asks_for_person(customer[-1])
        return PersonState.ASKED if asked else PersonState.NOT_ASKED

    def _acts(self, tool: str) -> bool:
        spec = self.bundle.tools.get(tool)
        return spec.access is Access.WRITE if spec is not None else READING.match(tool.lower()) is None


def _passage(number: int, item: str | GivenPassage) -> Passage:
    given = GivenPassage(text=item) if isinstance(item, str) else item
    return Passage(
        passage_id=f"given#{number}",
        doc_id="given",
        title=given.title,
        heading=given.heading,
        text=given.text,
        score=1.0,
        authority=given.authority,
        product_area="",
    )


def _result(number: int, given: GivenResult) -> ToolResult:
    call = ToolCall(call_id=f"given{number}", tool=given.tool, arguments=given.arguments)
    return ToolResult(call=call, outcome=given.outcome, content=given.content)


def _named(tool: str) -> ToolResult:
    call = ToolCall(call_id=f"named:{tool}", tool=tool, arguments={})
    return ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED)


def _has_run(tool: str, results: tuple[ToolResult, ...]) -> bool:
    return any(result.call.tool == tool for result in results)


def _allowed(given: GivenReply) -> Iterator[AllowedCommitment]:
    """Bare words stand for a commitment of any kind: they say what, and the sentence may say no figure more."""
    for item in given.facts.allowed_commitments:
        if isinstance(item, AllowedCommitment):
            yield item
        elif len(item.strip()) >= 3:
            yield from (AllowedCommitment(kind=kind, text=item) for kind in CommitmentKind)
