"""Commitments that policy allows: said, kept with their turn, told to the model, listed for the person (S8, S9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from handrail.agent.ports import Listener, Prompt
from handrail.guardrails.vocabulary import Draft
from tests.flow.stand import Stand

OUTAGE = "The boards are down for our whole team, nothing loads, it is broken since this morning."
PROMISE = "We will update the status page."
DENIAL = "We will not update the status page."


@dataclass
class Saying:
    """A model that says the same whatever it is asked."""

    text: str
    name: str = "saying"
    prompts: list[Prompt] = field(default_factory=list)

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """The text."""
        self.prompts.append(prompt)
        return Draft(text=self.text, cites=(), author="model:saying")


async def test_an_allowed_promise_is_kept_told_and_handed_over(stands: Callable[..., Awaitable[Stand]]) -> None:
    """The first turn may promise it; later turns know it; a contradiction stays inside; a person reads it."""
    model = Saying(PROMISE)
    stand = await stands(model=model)
    first = await stand.say(OUTAGE)
    assert PROMISE in first.reply
    assert model.prompts[0].allowed == ("we will update the status page",)
    assert model.prompts[0].promised == ()

    model.text = DENIAL
    second = await stand.say("The boards are still broken and nothing loads.")
    assert model.prompts[-1].promised == (PROMISE,)
    assert DENIAL not in second.reply

    packet = (await stand.say("I want to talk to a person now.")).handoff
    assert packet is not None
    ((text, turn_id),) = {(promise.text, promise.turn_id) for promise in packet.promises}
    assert (text, turn_id) == (PROMISE, first.turn_id)


async def test_nothing_is_allowed_where_no_segment_allows_it(stands: Callable[..., Awaitable[Stand]]) -> None:
    """The same sentence in another matter is a commitment that policy does not allow."""
    model = Saying(PROMISE)
    stand = await stands(model=model)
    result = await stand.say("How do I add a member to a project?")
    assert model.prompts[0].allowed == ()
    assert PROMISE not in result.reply
