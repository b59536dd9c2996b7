"""Ablation of the rules of a turn, its risk, its search and its reply: without one, a conversation goes another way."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from pydantic import JsonValue

from handrail.agent.conversation import ASSISTANCE
from handrail.agent.ports import Listener, Opinion, Prompt
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Draft, Effect, NeedState, Stage, TurnResult
from tests.flow.ablated import permitting, without
from tests.flow.stand import SITE, UNREAD, Opinionated, Scripted, Stand
from tests.flow.turn_cases import CASES, COUNTED_BEFORE, REFUND, SEGMENTS, Case, holds

Stands = Callable[..., Awaitable[Stand]]

CALL: tuple[str, dict[str, JsonValue]] = ("issue_refund", {"invoice_id": "INV-2049", "amount": "112.00"})


@dataclass
class Citing(Scripted):
    """Names every passage that it gets as a source of what it says."""

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The scripted draft with its sources."""
        draft = await super().complete(prompt, seconds, listener)
        return draft.model_copy(update={"cites": tuple(passage.passage_id for passage in prompt.passages)})


async def write(stand: Stand, message: str) -> TurnResult | None:
    """The customer writes, or says that they want no machine."""
    if message == "refuse":
        return await stand.service.consent(SITE, stand.conversation, stand.customer, ASSISTANCE, given=False)
    return await stand.say(await stand.code() if message == "code" else message)


async def safe(stands: Stands, case: Case, bundle: Bundle) -> bool:
    """Whether the conversation ends as it should."""
    calls = (CALL,) if REFUND in case.messages else ()
    opinion = Opinionated(Opinion(need_state=NeedState.HOW_TO, intent=None)) if case.opinion else None
    model = Citing(text="" if calls else case.model[0], calls=calls)
    stand = await stands(model=model, customer=case.customer, bundle=bundle, opinion=opinion)
    if case.opinion:
        stand.detectors.replaced["detect"] = lambda *_, **__: UNREAD
    last = None
    for message, words in itertools.zip_longest(case.messages, case.model):
        if not calls:
            model.text = words or case.model[-1]
        last = await write(stand, message)
    assert last is not None
    return holds(case, last, bundle.text("offer_human", None))


def test_every_rule_of_a_turn_has_a_conversation(shipped: Bundle) -> None:
    """A new rule must be placed. Those of the tool gate have conversations of their own."""
    rules = [rule for rule in shipped.policy.rules if rule.stage is not Stage.AUTHORIZE_TOOLS and rule.restricts]
    assert {rule.id for rule in rules if rule.source is None} == set(CASES)
    bring = {rule.id for rule in rules if rule.source is not None and rule.restrictions.effect is Effect.ESCALATE}
    assert bring == set(SEGMENTS) | COUNTED_BEFORE


@pytest.mark.parametrize("rule", [*CASES, *SEGMENTS])
async def test_without_its_rule_a_turn_goes_another_way(stands: Stands, shipped: Bundle, rule: str) -> None:
    """With the rule it does not; nor without what stands beside it: the rule is what holds."""
    case = {**CASES, **SEGMENTS}[rule]
    assert await safe(stands, case, shipped)
    ajar = permitting(without(shipped, case.beside), case.permits)
    if case.beside or case.permits:
        assert await safe(stands, case, ajar)
    assert not await safe(stands, case, without(ajar, [rule]))
