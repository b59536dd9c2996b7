"""The shipped flows do what their templates say (spec S4.4), and cannot be driven anywhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.guardrails.flows.answers import ANSWER_NO, ANSWER_YES, RESOLVED, STILL_UNRESOLVED
from handrail.guardrails.flows.model import Collect, Done, HandOff, Instruct, Verify
from handrail.guardrails.flows.place import FlowEvent
from handrail.guardrails.flows.reasons import FlowReason
from handrail.guardrails.vocabulary import Obligation, ToolOutcome
from tests.unit.flows.flowing import NAMES, Talk, shipped

PROMISE = re.compile(
    r"\b(will refund|guarantee|we promise|I promise|definitely|will be refunded|credit you)\b", re.IGNORECASE
)


def said(part: object) -> str:
    """Every English text in `part` of a flow."""
    if isinstance(part, dict):
        return " ".join(str(text) if key == "en" else said(text) for key, text in part.items())
    return " ".join(said(item) for item in part) if isinstance(part, list | tuple) else ""


def test_a_dispute_is_collected_in_one_message_and_handed_over() -> None:
    """Invoice, date, amount, last four digits and screenshots; then process and usual times; then a person."""
    talk = Talk(shipped("billing_dispute_details"))
    asked = talk.say("We were charged twice")
    assert len(asked.checklist) == 5
    step = talk.say("INV-4821, 12 March, €49.00, card ending 4242, screenshot attached")
    assert step.event is FlowEvent.HAND_OFF
    assert step.reasons == (FlowReason.DETAILS_COLLECTED, "FLOW_DISPUTE_TO_PERSON")
    assert {fact.name: fact.value for fact in step.collected} == {
        "invoice_id": "INV-4821",
        "charge_date": "12 March",
        "amount": "€49.00",
        "last_four": "4242",
        "screenshots": "attached",
    }
    assert "usually" in step.text
    assert "cannot say that in advance" in step.text


def test_a_dispute_without_details_is_handed_over_all_the_same() -> None:
    """After two questions a person goes on with what is there; screenshots are never insisted on."""
    talk = Talk(shipped("billing_dispute_details"))
    talk.say("We were charged twice")
    again = talk.say("INV-4821")
    assert len(again.checklist) == 3
    assert talk.say("I do not have the rest").reasons[-1] == "FLOW_DISPUTE_INCOMPLETE"


def test_access_restore_walks_through_device_time_and_code() -> None:
    """The decision tree of the template, up to the verified success."""
    talk = Talk(shipped("access_restore"))
    places = [talk.say("My authenticator code is not accepted").place]
    places += [talk.yes().place for _ in range(3)]
    assert [place.step for place in places if place] == ["device", "clock", "app_code", "verify_code"]
    assert talk.steps[-1].say == ("Are you able to log in now?",)
    done = talk.yes()
    assert (done.event, done.reasons[0]) == (FlowEvent.DONE, FlowReason.OUTCOME_VERIFIED)


def test_access_restore_ends_with_a_person_after_two_failed_attempts() -> None:
    """Authenticator code and recovery code both tried in vain."""
    talk = Talk(shipped("access_restore"))
    talk.say("My authenticator code is not accepted")
    for _ in range(3):
        talk.yes()
    assert talk.no().event is FlowEvent.CONTINUE
    talk.yes()
    step = talk.no()
    assert step.event is FlowEvent.HAND_OFF
    assert FlowReason.ATTEMPTS_EXHAUSTED in step.reasons
    assert step.tried == ("recovery code: not solved",)


def test_a_missing_text_message_is_sent_again_at_once() -> None:
    """Who names the way is not asked for it; the call goes through the gate like any other."""
    talk = Talk(shipped("access_restore"))
    step = talk.say("the code by SMS does not arrive")
    assert step.event is FlowEvent.PROPOSE
    assert step.call is not None
    assert (step.call.tool, step.call.arguments) == ("resend_code", {"channel": "sms"})
    sent = talk.decided(ToolOutcome.SUCCEEDED)
    assert sent.place is not None
    assert sent.place.step == "sent_first"


def test_access_restore_asks_where_it_stops_only_when_that_is_open() -> None:
    """A vague message gets one question with quick replies, and a button answers it."""
    talk = Talk(shipped("access_restore"))
    asked = talk.say("I cannot get in")
    assert len(asked.quick_replies) == 4
    step = talk.say(asked.quick_replies[3])
    assert step.place is not None
    assert step.place.step == "recovery"


def test_self_serve_failed_asks_twice_then_gives_a_checklist_and_offers_a_person() -> None:
    """Two clarifying questions at most, then steps; after one failed attempt every step offers a person."""
    talk = Talk(shipped("self_serve_failed"))
    talk.say("still not working, I read the articles")
    talk.say("The import stops at row 200 with fw-1234")
    step = talk.say("I exported it again and tried another file")
    assert len(step.checklist) == 3
    assert step.topic == "The import stops at row 200 with fw-1234"
    assert step.obligations == ()
    talk.yes()
    assert talk.no().obligations == (Obligation.OFFER_HUMAN,)
    talk.yes()
    assert FlowReason.ATTEMPTS_EXHAUSTED in talk.no().reasons


def test_cancelling_reads_the_subscription_and_proposes_the_call() -> None:
    """Id and date come from the record; consent and approval are the gate's."""
    talk = Talk(shipped("account_change"))
    first = talk.say("Please cancel our plan")
    assert first.call is not None
    assert first.call.tool == "get_subscription"
    step = talk.decided(ToolOutcome.SUCCEEDED, {"subscription_id": "SUB-1007", "renews_on": "2026-12-01"})
    assert step.call is not None
    assert step.call.tool == "cancel_subscription"
    assert step.call.arguments == {"subscription_id": "SUB-1007", "effective_on": "2026-12-01"}
    assert talk.decided(ToolOutcome.SUCCEEDED).reasons[-1] == FlowReason.OUTCOME_ASKED
    assert talk.yes().event is FlowEvent.DONE


def test_changing_the_plan_asks_which_and_enterprise_goes_to_a_person() -> None:
    """The plan is the customer's word; Enterprise is sold by people."""
    talk = Talk(shipped("account_change"))
    assert talk.say("We want to upgrade").quick_replies == ("Team", "Business", "Enterprise")
    assert talk.say("Enterprise").reasons[-1] == "FLOW_CHANGE_TO_PERSON"
    other = Talk(shipped("account_change"))
    other.say("Upgrade us to business")
    step = other.decided(ToolOutcome.SUCCEEDED, {"subscription_id": "SUB-1007"})
    assert step.call is not None
    assert step.call.arguments == {"subscription_id": "SUB-1007", "plan": "business"}


def test_a_workspace_is_deleted_only_by_its_id() -> None:
    """Without an id nothing is proposed."""
    talk = Talk(shipped("account_change"))
    talk.say("Delete our data")
    talk.say("the old one")
    assert talk.say("you know which").reasons[-1] == "FLOW_CHANGE_TO_PERSON"


def test_nothing_is_closed_for_the_reopen_prone_without_a_yes() -> None:
    """No leads to one open question and a person."""
    talk = Talk(shipped("verify_before_close"))
    assert talk.say("thanks, bye", RESOLVED).event is FlowEvent.CONTINUE
    talk.no()
    assert talk.say("the second workspace").reasons[-1] == "FLOW_REOPEN_TO_PERSON"
    assert Talk(shipped("verify_before_close")).say("ok").event is FlowEvent.CONTINUE


@pytest.mark.parametrize("name", NAMES)
def test_no_flow_promises_or_asks_for_secrets(name: str) -> None:
    """The wording makes no commitment, and no field asks for a password or a code."""
    flow = shipped(name)
    words = said(flow.model_dump())
    assert len(words) > 300
    assert not PROMISE.search(words)
    for step in flow.steps:
        if isinstance(step, Collect):
            labels = " ".join(field.label["en"] for field in step.fields)
            assert not re.search(r"password|security code|recovery code|whole card", labels)


SIGNALS = st.sets(st.sampled_from([ANSWER_YES, ANSWER_NO, RESOLVED, STILL_UNRESOLVED]), max_size=2)
TEXTS = st.sampled_from(
    [
        "yes",
        "no",
        "what?",
        "INV-4821",
        "cancel",
        "to business",
        "WS-3004",
        "sms",
        "my authenticator app",
        "I lost my phone",
        "€49.00 on 12 March, card ending 4242",
        "4242 4242 4242 4242",
        "",
    ]
)
OUTCOMES = st.sampled_from(list(ToolOutcome))


@given(name=st.sampled_from(NAMES), turns=st.lists(st.tuples(TEXTS, SIGNALS, OUTCOMES), min_size=60, max_size=60))
def test_every_conversation_ends_and_none_as_solved_without_a_yes(
    name: str, turns: list[tuple[str, set[str], ToolOutcome]]
) -> None:
    """Whatever is answered, a flow ends within bounds; solved only behind a yes; no failed attempt beyond the limit."""
    flow = shipped(name)
    talk = Talk(flow)
    for text, signals, outcome in turns:
        step = talk.steps[-1] if talk.steps and talk.steps[-1].event is FlowEvent.PROPOSE else None
        step = talk.decided(outcome, {"subscription_id": "SUB-1"}) if step else talk.say(text, *sorted(signals))
        assert step.reasons
        assert (
            step.event is FlowEvent.PROPOSE
            or step.text
            or FlowReason.CALL_WAITS in step.reasons
            or (FlowReason.CALL_UNKNOWN in step.reasons)
        )
        assert "4242 4242" not in str(step.model_dump())
        if step.place is not None:
            assert step.place.attempts < flow.max_failed_attempts
            continue
        if step.event is FlowEvent.DONE:
            assert FlowReason.OUTCOME_VERIFIED in step.reasons
            assert RESOLVED in signals or ANSWER_YES in signals or text == "yes"
        return
    pytest.fail("the flow did not end")


@pytest.mark.parametrize("name", NAMES)
def test_every_flow_has_a_person_at_its_end(name: str) -> None:
    """Each flow can hand over, and checks before it ends as solved."""
    kinds = {type(step) for step in shipped(name).steps}
    assert HandOff in kinds
    assert Done not in kinds or Verify in kinds
    assert Collect in kinds or Instruct in kinds
