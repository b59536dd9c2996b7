"""A text that fails its checks is mended once by the model, with what was wrong, and never more often (spec S8.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from handrail.agent.ports import Listener, Prompt
from handrail.guardrails.vocabulary import Draft
from tests.flow.stand import Stand

HOW_TO = "How do I add a member to a project?"
PROMISE = "I promise you a full refund of 500.00 EUR by tomorrow."
HARMLESS = "Open the project and choose Members."


@dataclass
class Learning:
    """A model that says one thing first and another when it is told what was wrong."""

    first: str
    then: str
    name: str = "learning"
    prompts: list[Prompt] = field(default_factory=list)

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The first text, or the mended one."""
        self.prompts.append(prompt)
        cites = tuple(passage.passage_id for passage in prompt.passages[:1])
        return Draft(text=self.then if prompt.guidance else self.first, cites=cites, author="model:learning")


async def test_a_mended_text_leaves(stands: Callable[..., Awaitable[Stand]]) -> None:
    """The second draft is checked anew and released; nothing of the first one leaves."""
    model = Learning(PROMISE, HARMLESS)
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert [bool(prompt.guidance) for prompt in model.prompts] == [False, True]
    assert HARMLESS in result.reply
    assert "500.00" not in result.reply
    assert "OUTPUT_REPAIR" in result.reasons
    assert "OUTPUT_CLEAN" in result.reasons


@pytest.mark.parametrize("then", [PROMISE, "We guarantee that your money is back tomorrow, 500.00 EUR."])
async def test_a_text_is_mended_once_only(stands: Callable[..., Awaitable[Stand]], then: str) -> None:
    """A second failure ends in fixed words or with a person; the model is not asked a third time."""
    model = Learning(PROMISE, then)
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert len(model.prompts) == 2
    assert "500.00" not in result.reply
    assert result.reply
    assert "OUTPUT_WITHHELD" in result.reasons or result.handoff is not None


async def test_a_clean_text_is_not_mended(stands: Callable[..., Awaitable[Stand]]) -> None:
    """One call of the model is enough."""
    model = Learning(HARMLESS, PROMISE)
    stand = await stands(model=model)
    result = await stand.say(HOW_TO)
    assert len(model.prompts) == 1
    assert HARMLESS in result.reply
