"""One step of a flow: what each kind of step does with each kind of answer."""

from __future__ import annotations

import pytest

from handrail.guardrails.flows.answers import ANSWER_NO, ANSWER_YES, RESOLVED, STILL_UNRESOLVED
from handrail.guardrails.flows.place import FlowEvent, FlowPlace
from handrail.guardrails.flows.reasons import FlowReason
from handrail.guardrails.vocabulary import Obligation, ToolOutcome
from tests.unit.flows.flowing import Talk, written

REPLIES = "replies: [{en: 'Yes, done'}, {en: 'No, not done'}]"
STEPS = f"""
offer_person_after: 1
entry: first
steps:
  - {{id: first, kind: instruct, text: {{en: Do this.}}, items: [{{en: a}}, {{en: b}}], check: {{en: 'Done?'}},
      topic: how to do this, tried: this, {REPLIES}, yes: works, no: second}}
  - {{id: works, kind: verify, question: {{en: 'Works?'}}, tried: this, {REPLIES}, yes: end, no: second}}
  - {{id: second, kind: instruct, text: {{en: Do that.}}, check: {{en: 'Done?'}}, tried: that, {REPLIES},
      yes: works_now, no: person}}
  - {{id: works_now, kind: verify, question: {{en: 'Works now?'}}, tried: that, {REPLIES}, yes: end, no: person}}
  - {{id: end, kind: done, text: {{en: Good.}}}}
  - {{id: person, kind: hand_off, reason: FLOW_TO_PERSON, text: {{en: A person.}}}}
"""


@pytest.fixture
def talk() -> Talk:
    """A flow of two checklist steps, each with its outcome question, begun."""
    begun = Talk(written(STEPS))
    begun.say("I need help")
    return begun


def test_a_flow_starts_at_its_entry_with_the_whole_step(talk: Talk) -> None:
    """The first message gets text, checklist, question, quick replies and the topic for passages."""
    step = talk.steps[0]
    assert (step.event, step.reasons) == (FlowEvent.CONTINUE, (FlowReason.STARTED, FlowReason.STEP_GIVEN))
    assert (step.say, step.checklist) == (("Do this.", "Done?"), ("a", "b"))
    assert step.text == "Do this.\n\n- a\n- b\n\nDone?"
    assert step.quick_replies == ("Yes, done", "No, not done")
    assert step.topic == "how to do this"
    assert step.place == FlowPlace(flow="sample", version="1.0.0", step="first", asks=1)


def test_yes_and_yes_ends_as_solved(talk: Talk) -> None:
    """The flow asks for the outcome before it ends, and says what has helped."""
    asked = talk.yes()
    assert (asked.say, asked.reasons) == (("Works?",), (FlowReason.OUTCOME_ASKED,))
    done = talk.yes()
    assert (done.event, done.place, done.say) == (FlowEvent.DONE, None, ("Good.",))
    assert done.reasons == (FlowReason.OUTCOME_VERIFIED, FlowReason.SOLVED)
    assert done.tried == ("this: solved",)


def test_a_step_that_was_not_possible_is_no_failed_attempt(talk: Talk) -> None:
    """No to a checklist step leads to its branch and costs nothing."""
    step = talk.no()
    assert step.place is not None
    assert (step.place.step, step.place.attempts, step.obligations) == ("second", 0, ())


def test_a_failed_attempt_counts_and_offers_a_person(talk: Talk) -> None:
    """No to the outcome question counts; from the first one on every step offers a person."""
    talk.yes()
    step = talk.no()
    assert step.place is not None
    assert (step.place.step, step.place.attempts) == ("second", 1)
    assert step.reasons == (FlowReason.ATTEMPT_FAILED, FlowReason.STEP_GIVEN)
    assert step.obligations == (Obligation.OFFER_HUMAN,)
    assert step.tried == ("this: not solved",)


def test_the_last_failed_attempt_brings_a_person(talk: Talk) -> None:
    """After as many failed attempts as the flow allows, no branch is taken any more."""
    talk.yes()
    talk.no()
    talk.yes()
    step = talk.no()
    assert (step.event, step.place, step.say) == (FlowEvent.HAND_OFF, None, ("A person takes over.",))
    assert step.reasons == (FlowReason.ATTEMPT_FAILED, FlowReason.ATTEMPTS_EXHAUSTED)


def test_an_unclear_answer_is_asked_once_more_and_then_counts(talk: Talk) -> None:
    """The question comes again without the checklist; a second unclear answer is a failed attempt."""
    again = talk.say("what do you mean")
    assert (again.say, again.checklist, again.topic) == (("Sorry?", "Done?"), (), None)
    assert again.reasons == (FlowReason.ANSWER_UNCLEAR, FlowReason.STEP_GIVEN)
    failed = talk.say("hm")
    assert failed.place is not None
    assert (failed.place.step, failed.place.attempts) == ("second", 1)


def test_yes_and_no_at_once_is_unclear(talk: Talk) -> None:
    """Contradicting signals are no answer."""
    assert FlowReason.ANSWER_UNCLEAR in talk.say("yes, no", ANSWER_YES, ANSWER_NO).reasons
    assert FlowReason.ANSWER_UNCLEAR in talk.say("solved? not", RESOLVED, STILL_UNRESOLVED, ANSWER_YES).reasons


def test_a_quick_reply_needs_no_signal(talk: Talk) -> None:
    """The words of the button are an answer, whatever detectors made of them."""
    step = talk.say("yes, done.", RESOLVED)
    assert step.place is not None
    assert step.place.step == "works"


def test_who_says_solved_on_the_way_is_asked_for_the_outcome(talk: Talk) -> None:
    """The nearest outcome question is put; nothing is closed on a signal alone."""
    step = talk.say("oh, it works again", RESOLVED)
    assert (step.event, step.say) == (FlowEvent.CONTINUE, ("Works?",))


def test_who_says_not_solved_on_the_way_has_answered_the_outcome(talk: Talk) -> None:
    """Still unresolved after a checklist step is a failed attempt."""
    step = talk.say("did that, still the same", STILL_UNRESOLVED, ANSWER_YES)
    assert step.place is not None
    assert (step.place.step, step.place.attempts) == ("second", 1)


def test_a_new_version_starts_again_and_keeps_what_it_has(talk: Talk) -> None:
    """Slots and failed attempts outlive a change of the flow; the step does not."""
    talk.yes()
    talk.no()
    assert talk.place is not None
    talk.place = talk.place.model_copy(update={"slots": {"a": "1"}, "version": "0.9.0"})
    step = talk.say("yes", ANSWER_YES)
    assert step.place == FlowPlace(flow="sample", version="1.0.0", step="first", attempts=1, asks=1, slots={"a": "1"})
    assert step.reasons[0] == FlowReason.RESTARTED


def test_the_place_of_another_flow_is_no_place(talk: Talk) -> None:
    """Another flow's place starts this one afresh."""
    talk.place = FlowPlace(flow="other", version="1.0.0", step="first", attempts=1)
    assert talk.say("hello").reasons[0] == FlowReason.STARTED


COLLECT = """
entry: details
steps:
  - id: details
    kind: collect
    ask: {en: Please send}
    again: {en: Still missing}
    fields:
      - {name: invoice_id, label: {en: the invoice number}, extract: invoice_id}
      - {name: amount, label: {en: the amount}, extract: amount}
      - {name: note, label: {en: a note}, extract: free_text, required: false}
    next: person
    incomplete: gaps
  - {id: person, kind: hand_off, reason: FLOW_TO_PERSON, text: {en: 'Thank you for {invoice_id}. A note says {note}.'}}
  - {id: gaps, kind: hand_off, reason: FLOW_GAPS, text: {en: Thank you.}}
"""


def test_details_that_were_given_before_are_not_asked_for() -> None:
    """Values come from earlier messages too, each with its message, and nothing complete is asked for."""
    talk = Talk(written(COLLECT))
    talk.said.extend(Talk(talk.flow).said)
    first = talk.say("I was charged €49.00 twice")
    assert (first.say, first.checklist) == (("Please send",), ("the invoice number", "a note"))
    step = talk.say("INV-4821")
    assert step.event is FlowEvent.HAND_OFF
    assert [(fact.name, fact.value, fact.source) for fact in step.collected] == [
        ("amount", "€49.00", "m1"),
        ("invoice_id", "INV-4821", "m2"),
    ]


def test_an_empty_placeholder_takes_its_sentence_with_it() -> None:
    """A text says only what is known."""
    talk = Talk(written(COLLECT))
    assert talk.say("INV-4821, €49.00").say == ("Thank you for INV-4821.",)


def test_what_stays_missing_is_asked_for_twice() -> None:
    """The second question names only what is required; then the flow goes on without."""
    talk = Talk(written(COLLECT))
    talk.say("I was charged twice")
    again = talk.say("it was €49.00")
    assert (again.say, again.checklist) == (("Still missing",), ("the invoice number",))
    step = talk.say("I do not have it")
    assert (step.event, step.reasons) == (FlowEvent.HAND_OFF, (FlowReason.DETAILS_INCOMPLETE, "FLOW_GAPS"))


def test_a_correction_replaces_a_value() -> None:
    """The newest message wins, and its id becomes the source."""
    talk = Talk(written(COLLECT))
    talk.say("INV-4821")
    step = talk.say("sorry, INV-4822, €49.00")
    assert [(fact.value, fact.source) for fact in step.collected if fact.name == "invoice_id"] == [("INV-4822", "m2")]


def test_a_whole_card_number_is_refused_aloud() -> None:
    """The customer is told, and no slot holds it."""
    talk = Talk(written(COLLECT))
    talk.say("charged twice")
    step = talk.say("my card is 4242 4242 4242 4242")
    assert step.say[0] == "No card numbers, please."
    assert FlowReason.CARD_NUMBER_REFUSED in step.reasons
    assert "4242" not in str(step.collected)


PROPOSE = """
entry: look
steps:
  - {id: look, kind: propose, tool: lookup, keep: {number: found.0.number, whole: found}, tried: looked, next: act,
      refused: person}
  - {id: act, kind: propose, tool: change, tried: changed, next: person, refused: person, missing: gaps,
      arguments: {number: {slot: number}, plan: {known: plan}, now: {fixed: false}}}
  - {id: person, kind: hand_off, reason: FLOW_TO_PERSON, text: {en: A person.}}
  - {id: gaps, kind: hand_off, reason: FLOW_GAPS, text: {en: Gaps.}}
"""


def test_calls_are_proposed_with_slots_records_and_fixed_values() -> None:
    """The result of one call feeds the arguments of the next."""
    talk = Talk(written(PROPOSE), {"plan": "team"})
    first = talk.say("do it")
    assert first.event is FlowEvent.PROPOSE
    assert first.call is not None
    assert (first.call.tool, first.call.arguments, first.call.call_id) == ("lookup", {}, "sample.look.m1")
    second = talk.decided(ToolOutcome.SUCCEEDED, {"found": [{"number": 7}]})
    assert second.call is not None
    assert second.call.arguments == {"number": "7", "plan": "team", "now": False}
    assert [(fact.name, fact.source) for fact in second.collected] == [("number", "sample.look.m1")]
    done = talk.decided(ToolOutcome.SUCCEEDED)
    assert (done.event, done.tried) == (FlowEvent.HAND_OFF, ("changed",))


def test_a_missing_argument_takes_its_branch() -> None:
    """Nothing is proposed with a gap."""
    talk = Talk(written(PROPOSE))
    talk.say("do it")
    step = talk.decided(ToolOutcome.SUCCEEDED, {"found": []})
    assert (step.call, step.reasons[-2:]) == (None, (FlowReason.ARGUMENT_MISSING, "FLOW_GAPS"))


@pytest.mark.parametrize("outcome", [ToolOutcome.REFUSED, ToolOutcome.FAILED])
def test_a_refused_call_takes_its_branch(outcome: ToolOutcome) -> None:
    """A refusal and a failure are told apart in the log of the gate, not by the flow."""
    talk = Talk(written(PROPOSE))
    talk.say("do it")
    step = talk.decided(outcome)
    assert (step.event, step.reasons) == (FlowEvent.HAND_OFF, (FlowReason.CALL_REFUSED, "FLOW_TO_PERSON"))
    assert step.tried == ("looked: not possible",)


def test_a_call_that_waits_keeps_the_place() -> None:
    """Not yet says nothing and stays; the outcome of a later turn goes on from there."""
    talk = Talk(written(PROPOSE), {"plan": "team"})
    proposed = talk.say("do it")
    waiting = talk.decided(ToolOutcome.NOT_YET)
    assert (waiting.event, waiting.say, waiting.reasons) == (FlowEvent.CONTINUE, (), (FlowReason.CALL_WAITS,))
    assert waiting.place == proposed.place
    talk.steps.append(proposed)
    assert talk.decided(ToolOutcome.SUCCEEDED, {"found": [{"number": 7}]}).event is FlowEvent.PROPOSE


def test_a_lapsed_call_is_proposed_once_more() -> None:
    """Without a decision the call comes again, and then counts as refused."""
    talk = Talk(written(PROPOSE))
    talk.say("do it")
    assert talk.say("hello?").event is FlowEvent.PROPOSE
    assert FlowReason.CALL_REFUSED in talk.say("hello??").reasons


def test_an_unknown_outcome_goes_to_a_person() -> None:
    """The flow ends, and what is said about it is the caller's fixed text."""
    talk = Talk(written(PROPOSE))
    talk.say("do it")
    step = talk.decided(ToolOutcome.UNKNOWN)
    assert (step.event, step.place, step.say, step.reasons) == (
        FlowEvent.HAND_OFF,
        None,
        (),
        (FlowReason.CALL_UNKNOWN,),
    )
