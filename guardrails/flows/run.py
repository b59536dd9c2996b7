"""One call of `advance`: the place of a flow as it changes, and what gathers to be said."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import JsonValue

from handrail.guardrails.flows.cards import holds_card_number
from handrail.guardrails.flows.model import FlowSpec, Propose, Step, Texts, said_in
from handrail.guardrails.flows.place import FlowAnswer, FlowEvent, FlowPlace, FlowStep
from handrail.guardrails.flows.reasons import FlowReason
from handrail.guardrails.flows.wording import filled
from handrail.guardrails.vocabulary import CollectedFact, Obligation, ToolCall


@dataclass(slots=True)
class Run:
    """The mutable inside of one step; nothing of it outlives the call."""

    flow: FlowSpec
    answer: FlowAnswer
    place: FlowPlace
    reasons: list[str] = field(default_factory=list)
    say: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def step(self, name: str) -> Step:
        """The step called `name`; LookupError when the bundle was not validated."""
        found = self.flow.step(name)
        if found is None:
            raise LookupError(f"the flow {self.flow.id} has no step {name!r}; the bundle was not validated")
        return found

    def words(self, texts: Texts) -> str:
        """The text in the customer's language, its placeholders filled."""
        return filled(said_in(texts, self.answer.language), self.place.slots)

    def note(self, reason: str) -> None:
        """Add a reason once."""
        if reason not in self.reasons:
            self.reasons.append(reason)

    def asked(self) -> None:
        """Count one question of the current step."""
        self.place = self.place.model_copy(update={"asks": self.place.asks + 1})

    def refuse_card(self) -> None:
        """Tell the customer when the current message holds a whole card number."""
        if holds_card_number(self.answer.current.text):
            self.note(FlowReason.CARD_NUMBER_REFUSED)
            self.say.append(self.words(self.flow.card_refused))

    def keep(self, step: Propose, content: JsonValue, source: str) -> None:
        """Take the named atomic fields of a result into slots."""
        atoms = {slot: _at(content, path.split(".")) for slot, path in step.keep.items()}
        kept = {slot: str(atom) for slot, atom in atoms.items() if isinstance(atom, str | int | float)}
        slots = {**self.place.slots, **kept}
        sources = {**self.place.sources, **dict.fromkeys(kept, source)}
        self.place = self.place.model_copy(update={"slots": slots, "sources": sources})

    def outcome(
        self,
        event: FlowEvent,
        *,
        replies: tuple[Texts, ...] = (),
        items: tuple[Texts, ...] = (),
        topic: str | None = None,
        call: ToolCall | None = None,
    ) -> FlowStep:
        """What this call of `advance` came to."""
        place, threshold = self.place, self.flow.offer_person_after
        offers = threshold is not None and place.attempts >= threshold
        return FlowStep(
            flow=self.flow.id,
            place=place if event in {FlowEvent.CONTINUE, FlowEvent.PROPOSE} else None,
            event=event,
            reasons=tuple(self.reasons),
            say=tuple(text for text in self.say if text),
            checklist=tuple(self.words(item) for item in items),
            quick_replies=tuple(self.words(reply) for reply in replies),
            call=call,
            collected=tuple(
                CollectedFact(name=n, value=v, source=place.sources.get(n, "")) for n, v in place.slots.items()
            ),
            tried=tuple(self.tried),
            topic=filled(topic, place.slots) if topic else None,
            obligations=(Obligation.OFFER_HUMAN,) if offers else (),
        )


def _at(content: JsonValue, path: list[str]) -> JsonValue:
    """What stands at `path`, or None."""
    for part in path:
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return content
