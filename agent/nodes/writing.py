"""Lets a model write, and what passes its checks leave meanwhile, sentence by sentence (S8.2)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from handrail.agent.channels import RESULTS, SNAPSHOT, TURN, View
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.nodes.dressing import opening
from handrail.agent.nodes.guard_output import decide, evidence_of, going_on, is_write
from handrail.agent.ports import Prompt
from handrail.agent.releasing import GAP, RELEASING, Releasing
from handrail.agent.room import Room, bounded, faults_as, sensible
from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.gate import ReleaseGate
from handrail.guardrails.output.review import Review
from handrail.guardrails.output.sentences import Sentence
from handrail.guardrails.vocabulary import Decision, Draft, ToolOutcome


async def written(prompt: Prompt, view: View, room: Room) -> Draft | None:
    """The model's draft. None when it was called off, because a person wants the conversation.

    Raises what the model raises, and PortFault when what it wrote could not be checked or recorded.
    """
    way = RELEASING.get()
    seconds = room.patience.model
    if way is None:
        return sensible(await bounded(room.model.complete(prompt, seconds), seconds + 1), Draft, "the model")
    sluice = Sluice(view, room, way)
    model = asyncio.ensure_future(bounded(room.model.complete(prompt, seconds, sluice), seconds + 1))
    letting = asyncio.ensure_future(sluice.run())
    waiting: list[asyncio.Future[Draft] | asyncio.Future[None]] = [model, letting]
    if not _owes_an_account(view, room):
        waiting.append(asyncio.ensure_future(way.called_off()))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if letting.done():
            letting.result()
        if not model.done():
            return None
        draft = sensible(model.result(), Draft, "the model")
        if draft.calls:
            # What the model says before it looks something up is read while it does.
            sluice.end()
            await letting
        return draft
    finally:
        for each in waiting:
            each.cancel()
        # What is being recorded is waited for: whoever speaks next has to know what has left.
        await asyncio.gather(*waiting, return_exceptions=True)


def _owes_an_account(view: View, room: Room) -> bool:
    """Whether something was changed in this turn: then the model says so, whoever waits for the conversation."""
    return any(result.outcome is ToolOutcome.SUCCEEDED and is_write(result, room) for result in view.get(RESULTS, ()))


@dataclass(slots=True)
class _Attempt:
    """One try of the model at the text. `taken` characters of what was heard have been offered to the gate.

    `text` is all that the gate has got, what had left before included; `out` characters of it have left.
    """

    heard: str = ""
    taken: int = 0
    gate: ReleaseGate | None = None
    text: str = ""
    out: int = 0


@dataclass(slots=True)
class Sluice:
    """Hears a model, and lets out what the gate frees. For one call of the model; implements `Listener`.

    Pieces are taken as they have gathered while the last ones were checked and recorded, so that a model that drips
    costs no more than one that does not.
    """

    view: View
    room: Room
    way: Releasing
    _attempt: _Attempt = field(default_factory=_Attempt)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False
    _leaving: bool = False
    _decision: Decision | None = None

    @property
    def author(self) -> str:
        """Who writes."""
        return f"model:{self.room.model.name}"

    def hear(self, text: str) -> None:
        """Take note of the next piece."""
        self._attempt.heard += text
        self._news.set()

    def forget(self) -> bool:
        """Drop what was heard, as far as nothing of it has left or is about to."""
        if self._leaving:
            return False
        self._attempt = _Attempt()
        return True

    def end(self) -> None:
        """Take what has been heard as the whole: its last sentence may leave too, and `run` returns."""
        self._ended = True
        self._news.set()

    async def run(self) -> None:
        """Work until the end, or until it is cancelled. Raises PortFault."""
        await self._news.wait()
        if not self._attempt.heard:
            return
        with faults_as("SYS_OUTPUT"):
            before = opening(Draft(text="", author=self.author), self.view, self.room)
            evidence, front = evidence_of(self.view, self.room, around=before), GAP.join(before)
        while True:
            self._news.clear()
            attempt, ended = self._attempt, self._ended
            with faults_as("SYS_OUTPUT"):
                offer = partial(self._offer, attempt, evidence, front)
                freed = await self.room.compute(offer, self.room.patience.detection)
                if ended and attempt.gate is not None:
                    freed += (await self.room.compute(attempt.gate.close, self.room.patience.detection))[0]
            if freed and attempt is self._attempt:
                await self._let_out(attempt, freed)
            if ended:
                return
            await self._news.wait()

    def _offer(self, attempt: _Attempt, evidence: Evidence, front: str) -> tuple[Sentence, ...]:
        """Give the gate what has been heard since the last time. Costs CPU."""
        heard = attempt.heard
        if attempt.gate is None:
            said, text = self.way.said, heard.lstrip()
            begun = GAP.join(part for part in (front, text) if part)
            if not text or (len(begun) < len(said) and said.startswith(begun)):
                # It may be about to say again what has left, word for word: that is no continuation.
                return ()
            if begun.startswith(said):
                attempt.text, more = said, begun[len(said) :]
            else:
                evidence = going_on(evidence, said)
                attempt.text, more = said + GAP, text
            attempt.out = len(said)
            attempt.gate = ReleaseGate(evidence, self.room.bundle.wording, attempt.text)
        else:
            more = heard[attempt.taken :]
        attempt.taken = len(heard)
        attempt.text += more
        return attempt.gate.offer(more)

    async def _let_out(self, attempt: _Attempt, freed: tuple[Sentence, ...]) -> None:
        if self._decision is None:
            # The facts do not change while one draft is written: what holds for the first sentence holds for all.
            found = Review(findings=(), released=freed)
            self._decision = decide(found, Draft(text="", author=self.author), self.view, self.room)
        if not self._decision.allowed:
            return
        self._leaving = True
        end = freed[-1].span.end
        event = AuditEvent(
            kind=EventKind.RELEASE,
            turn_id=self.view[TURN].turn_id,
            at=self.room.clock.now(),
            # The decision stands in here, and not as an event: the log tells a turn's decisions in the order of its
            # steps, when the turn is over.
            payload={
                "sentences": [sentence.text for sentence in freed],
                "author": self.author,
                "status": self.view[SNAPSHOT].state.status.value,
                "reasons": list(self._decision.reasons),
                "rules": list(self._decision.rules),
                "revision": self._decision.revision,
            },
        )
        with faults_as("SYS_STORE"):
            await self.way.let_out(attempt.text[attempt.out : end], [event])
        attempt.out = end
