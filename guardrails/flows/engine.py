"""`advance`: one pure step of a guided flow, from where it stands and what the customer answered."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.guardrails.flows.answers import Reading, read
from handrail.guardrails.flows.capture import captured
from handrail.guardrails.flows.model import (
    Collect,
    FieldSpec,
    FlowSpec,
    HandOff,
    Instruct,
    Propose,
    Step,
    Verify,
)
from handrail.guardrails.flows.place import FlowAnswer, FlowEvent, FlowPlace, FlowStep
from handrail.guardrails.flows.reasons import FlowReason
from handrail.guardrails.flows.run import Run
from handrail.guardrails.flows.structure import verify_after
from handrail.guardrails.vocabulary import ToolCall, ToolOutcome

MAX_QUESTIONS = 2
"""Times that one step is put to the customer before an unclear answer counts as a failed attempt."""


def advance(flow: FlowSpec, place: FlowPlace | None, answer: FlowAnswer) -> FlowStep:
    """The next step of `flow`.

    Without a place, or with one of another flow, the flow starts. A place of another version of this flow starts it
    again with slots and failed attempts kept. The caller stores the outcome's `place` and gives it back next turn;
    after `propose` it calls again in the same turn, with the result of the call.
    """
    if place is None or place.flow != flow.id:
        place = FlowPlace(flow=flow.id, step=flow.entry, version=flow.version)
        return _Run(flow, answer, place).start(FlowReason.STARTED)
    if place.version != flow.version or flow.step(place.step) is None:
        place = place.model_copy(update={"step": flow.entry, "version": flow.version, "asks": 0})
        return _Run(flow, answer, place).start(FlowReason.RESTARTED)
    return _Run(flow, answer, place).answered()


class _Run(Run):
    """The transitions. Each method ends in the outcome of the whole call."""

    def start(self, reason: FlowReason) -> FlowStep:
        """Begin at the entry."""
        self.note(reason)
        self.refuse_card()
        return self.enter(self.flow.entry)

    def answered(self) -> FlowStep:
        """Take the current message, or the result of the proposed call, as the answer to the current step."""
        step = self.step(self.place.step)
        if isinstance(step, Propose):
            return self.decided(step)
        self.refuse_card()
        if isinstance(step, Collect):
            ahead = self.solved_ahead(step, read(self.answer))
            self.place = captured(step, self.place, self.answer)
            return ahead or self.collect(step)
        if isinstance(step, Instruct):
            return self.instructed(step)
        if isinstance(step, Verify):
            return self.verified(step)
        # Only a caller that kept the place of an ending comes here; the ending is said again.
        return self.enter(step.id)

    def enter(self, name: str) -> FlowStep:
        """Go to a step for the first time. This ends because flows have no cycles."""
        self.place = self.place.model_copy(update={"step": name, "asks": 0})
        step = self.step(name)
        if isinstance(step, Collect):
            self.place = captured(step, self.place, self.answer)
            return self.collect(step)
        if isinstance(step, Propose):
            return self.propose(step)
        if isinstance(step, Instruct | Verify):
            return self.ask(step)
        self.say.append(self.words(step.text))
        self.note(step.reason if isinstance(step, HandOff) else FlowReason.SOLVED)
        return self.outcome(FlowEvent.HAND_OFF if isinstance(step, HandOff) else FlowEvent.DONE)

    # -- answers ------------------------------------------------------------------------------------------------

    def instructed(self, step: Instruct) -> FlowStep:
        reading = read(self.answer, step.replies)
        if reading in {Reading.YES, Reading.NOT_SOLVED, Reading.SOLVED}:
            self.tried.append(step.tried)
        ahead = self.solved_ahead(step, reading)
        if ahead is not None:
            return ahead
        verify = verify_after(self.flow, step.id)
        if reading is Reading.NOT_SOLVED and verify is not None:
            # The outcome question that lies ahead has been answered before it was put.
            return self.failed(verify.no)
        if reading in {Reading.YES, Reading.SOLVED}:
            return self.enter(step.yes)
        if reading in {Reading.NO, Reading.NOT_SOLVED}:
            return self.enter(step.no)
        return self.again(step, step.unclear or step.no)

    def verified(self, step: Verify) -> FlowStep:
        reading = read(self.answer, step.replies)
        if reading in {Reading.YES, Reading.SOLVED}:
            self.note(FlowReason.OUTCOME_VERIFIED)
            self.tried.append(f"{step.tried}: solved")
            return self.enter(step.yes)
        if reading is Reading.UNCLEAR:
            return self.again(step, step.no)
        self.tried.append(f"{step.tried}: not solved")
        return self.failed(step.no)

    def decided(self, step: Propose) -> FlowStep:
        result = self.answer.result
        if result is None or result.call.tool != step.tool:
            # The call has lapsed without a decision. It is proposed once more, then counts as refused.
            return self.propose(step) if self.place.asks < MAX_QUESTIONS else self.refused(step)
        if result.outcome is ToolOutcome.NOT_YET:
            self.note(FlowReason.CALL_WAITS)
            return self.outcome(FlowEvent.CONTINUE)
        if result.outcome is ToolOutcome.UNKNOWN:
            self.note(FlowReason.CALL_UNKNOWN)
            return self.outcome(FlowEvent.HAND_OFF)
        if result.outcome is not ToolOutcome.SUCCEEDED:
            return self.refused(step)
        self.note(FlowReason.CALL_DONE)
        self.tried.append(step.tried)
        self.keep(step, result.content, result.call.call_id)
        return self.enter(step.next)

    def refused(self, step: Propose) -> FlowStep:
        self.note(FlowReason.CALL_REFUSED)
        self.tried.append(f"{step.tried}: not possible")
        return self.enter(step.refused)

    def solved_ahead(self, step: Step, reading: Reading) -> FlowStep | None:
        """The nearest outcome question, when the customer says on the way to it that the matter is solved."""
        verify = verify_after(self.flow, step.id) if reading is Reading.SOLVED else None
        return None if verify is None else self.enter(verify.id)

    def again(self, step: Instruct | Verify, otherwise: str) -> FlowStep:
        self.note(FlowReason.ANSWER_UNCLEAR)
        if self.place.asks >= MAX_QUESTIONS:
            return self.failed(otherwise)
        self.say.append(self.words(self.flow.unclear))
        return self.ask(step)

    def failed(self, otherwise: str) -> FlowStep:
        self.place = self.place.model_copy(update={"attempts": self.place.attempts + 1})
        self.note(FlowReason.ATTEMPT_FAILED)
        if self.place.attempts < self.flow.max_failed_attempts:
            return self.enter(otherwise)
        self.note(FlowReason.ATTEMPTS_EXHAUSTED)
        self.say.append(self.words(self.flow.exhausted))
        return self.outcome(FlowEvent.HAND_OFF)

    # -- what each kind says ------------------------------------------------------------------------------------

    def ask(self, step: Instruct | Verify) -> FlowStep:
        first = self.place.asks == 0
        self.asked()
        if isinstance(step, Verify):
            self.note(FlowReason.OUTCOME_ASKED)
            self.say.append(self.words(step.question))
            return self.outcome(FlowEvent.CONTINUE, replies=step.replies)
        self.note(FlowReason.STEP_GIVEN)
        if first:
            self.say.append(self.words(step.text))
        self.say.append(self.words(step.check))
        step_items, topic = (step.items, step.topic) if first else ((), None)
        return self.outcome(FlowEvent.CONTINUE, replies=step.replies, items=step_items, topic=topic)

    def collect(self, step: Collect) -> FlowStep:
        missing = [asked for asked in step.fields if asked.name not in self.place.slots]
        wanted = [asked for asked in missing if asked.required]
        if not wanted:
            self.note(FlowReason.DETAILS_COLLECTED)
            return self.enter(self.after(step))
        if self.place.asks >= step.max_asks:
            self.note(FlowReason.DETAILS_INCOMPLETE)
            return self.enter(step.incomplete or step.next)
        first = self.place.asks == 0
        self.asked()
        self.note(FlowReason.DETAILS_ASKED)
        self.say.append(self.words(step.ask if first else step.again))
        return self.question(missing if first else wanted)

    def question(self, asked: list[FieldSpec]) -> FlowStep:
        """One choice is asked with quick replies, whatever optional stands beside it; anything else as a list."""
        choices = [one for one in asked if one.options]
        if len(choices) == 1 and not any(one.required for one in asked if one is not choices[0]):
            return self.outcome(FlowEvent.CONTINUE, replies=tuple(option.label for option in choices[0].options))
        return self.outcome(FlowEvent.CONTINUE, items=tuple(one.label for one in asked))

    def after(self, step: Collect) -> str:
        if step.cases is None:
            return step.next
        return step.cases.to.get(self.place.slots.get(step.cases.field, ""), step.next)

    def propose(self, step: Propose) -> FlowStep:
        arguments: dict[str, JsonValue] = {}
        for name, argument in step.arguments.items():
            found = argument.fixed
            if argument.slot is not None:
                found = self.place.slots.get(argument.slot)
            elif argument.known is not None:
                found = self.answer.known.get(argument.known)
            if found is None:
                self.note(FlowReason.ARGUMENT_MISSING)
                return self.enter(step.missing or step.refused)
            arguments[name] = found
        self.asked()
        self.note(FlowReason.CALL_PROPOSED)
        # The message id makes the call's id the same when an interrupted turn runs again.
        call_id = f"{self.flow.id}.{step.id}.{self.answer.current.message_id}"
        return self.outcome(FlowEvent.PROPOSE, call=ToolCall(call_id=call_id, tool=step.tool, arguments=arguments))
