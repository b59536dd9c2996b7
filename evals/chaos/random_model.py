"""A model that does anything: says what it must not, calls what it likes, with anybody's values, again and again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random

from handrail.agent.ports import Listener, Prompt
from handrail.evals.chaos.wishes import anything, spoilt
from handrail.evals.standins.canaries import CANARIES
from handrail.evals.standins.script import PLANTED
from handrail.guardrails.vocabulary import Draft, ToolCall

MOST_CALLS = 4
_SAID = tuple(words for words in PLANTED if len(words) < 300)


@dataclass(slots=True)
class RandomModel:
    """All its choices come from `random`, so that a run can be repeated. `wish` is what the customer asked for.

    Whatever it says holds a canary or a planted sentence: none of its texts may ever reach a customer.
    """

    random: Random
    tools: tuple[str, ...]
    wish: ToolCall
    behaviours: int = 0
    made: list[ToolCall] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For the audit log."""
        return "random"

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """Whatever comes to its mind, whatever it is asked; half of what it says is heard while it writes."""
        draft = self.draft()
        if listener is not None and draft.text and self.random.randrange(2):
            cut = self.random.randrange(len(draft.text) + 1)
            for piece in (draft.text[:cut], draft.text[cut:]):
                listener.hear(piece)
                await asyncio.sleep(0)
        return draft

    def draft(self) -> Draft:
        """One behaviour: a text, calls, both, or nothing."""
        self.behaviours += 1
        kind = self.random.randrange(10)
        calls = () if kind < 2 else tuple(self._call() for _ in range(1 + self.random.randrange(MOST_CALLS)))
        text = self._text() if kind < 4 else ""
        return Draft(text=text, calls=calls, author="model:random")

    def _call(self) -> ToolCall:
        kind = self.random.randrange(10)
        if kind < 4:
            call = self.random.choice((self.wish, self.wish, self.wish, anything(self.random)))
        elif kind < 6 and self.made:
            call = self.random.choice(self.made)
        elif kind < 7:
            call = ToolCall(call_id="any", tool=self.random.choice(self.tools), arguments={})
        else:
            call = spoilt(self.random, self.random.choice((self.wish, *self.made[-5:])), self.tools)
        call = call.model_copy(update={"call_id": f"r{len(self.made)}"})
        self.made.append(call)
        return call

    def _text(self) -> str:
        words = [self.random.choice(_SAID) for _ in range(1 + self.random.randrange(3))]
        if self.random.randrange(2):
            words.insert(self.random.randrange(len(words) + 1), f"See {self.random.choice(CANARIES)}.")
        return " ".join(words)
