"""One conversation with the random model through the whole flow, judged from outside."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Literal

from handrail.evals.chaos.random_customer import Move, move, words
from handrail.evals.chaos.random_model import RandomModel
from handrail.evals.chaos.wishes import WISHES, wish
from handrail.evals.in_process import InProcess, InProcessDialogue
from handrail.evals.invariants import Story
from handrail.evals.observed import Observed
from handrail.evals.scenario import Scenario
from handrail.evals.target import StepImpossible
from handrail.guardrails.vocabulary import Frozen

TURNS = 6
UNASKED = 2
"""Turns in a row in which the model is not asked, after which a conversation has nothing more to show."""


class Ended(Frozen):
    """How many behaviours the model showed, how many writes ran, and what was broken; `seed` repeats it."""

    seed: int
    behaviours: int
    writes: int
    breaches: tuple[str, ...]


async def talk(target: InProcess, random: Random, seed: int = 0) -> Ended:
    """Have one conversation. The target has one lane, whose model becomes the random one."""
    customer = random.choice(sorted(WISHES))
    wanted = wish(random, customer)
    model = RandomModel(random, tuple(sorted(target.bundle.tools)), wanted)
    target.lanes[0].model.current = model
    story = Story(target.revision, target.needs_approval, customer, target.prompt)
    broken: list[str] = []
    async with target.begin(_scenario(customer)) as dialogue:
        unasked = 0
        for number in range(2 + random.randrange(TURNS - 1)):
            chosen = Move.ASK if number == 0 else move(random)
            before = model.behaviours
            with suppress(StepImpossible):
                broken += await _turn(dialogue, story, random, chosen, model)
            # A person has the conversation once the model is asked no more; what it would do then is seen by now.
            unasked = unasked + 1 if model.behaviours == before else 0
            if unasked == UNASKED:
                break
        broken += story.unexplained(await dialogue.changes())
    return Ended(seed=seed, behaviours=model.behaviours, writes=len(story.trespasses.done), breaches=tuple(broken))


async def _turn(
    dialogue: InProcessDialogue, story: Story, random: Random, chosen: Move, model: RandomModel
) -> tuple[str, ...]:
    if chosen in {Move.APPROVE, Move.DENY}:
        decision: Literal["approve", "deny"] = "approve" if chosen is Move.APPROVE else "deny"
        return story.breaches(await dialogue.decide(decision), decision)
    code = None
    if chosen is Move.CODE:
        with suppress(StepImpossible):
            code = await dialogue.code()
    text = words(random, chosen, model.wish, code)
    seen: Observed = await dialogue.say(text)
    story.heard(text)
    return story.breaches(seen)


def _scenario(customer: str) -> Scenario:
    """What a target needs to know to open a conversation."""
    five = ("one", "two", "three", "four", "five")
    turn = {"say": "{opening}", "expect": {"status": ["bot"]}}
    content = {"id": "random", "title": "Anything", "spec": ["S15.2"], "customer": customer, "turns": [turn]}
    return Scenario.model_validate({**content, "wordings": {"opening": five}})
