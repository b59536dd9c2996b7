"""A second opinion in whole turns: when it is asked for, what it may do, and that no failure reads a message."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from handrail.agent.audit.explain import ReasonTitle, explain
from handrail.agent.audit.explain_text import as_text
from handrail.agent.conversation import ASSISTANCE
from handrail.agent.models.second_opinion import OpenAISecondOpinion
from handrail.agent.ports import Opinion
from handrail.agent.room import Patience
from handrail.agent.store.audit_log import AuditLog
from handrail.evals.standins.conduct import Conduct
from handrail.evals.standins.openai_server import MODEL, StandIn
from handrail.guardrails.vocabulary import Detection, NeedState, RiskTier, Signal, Stage, TurnResult
from tests.flow.ports import Fault
from tests.flow.stand import SITE, UNREAD, Opinionated, Stand, store_url

VAGUE = "It went sideways with the other one"
HOW_TO = Opinion(need_state=NeedState.HOW_TO, intent=None)
QUICK = replace(Patience(), second_opinion=0.35)

Stands = Callable[..., Awaitable[Stand]]


def unread(*signals: str, **changed: object) -> Detection:
    """A reading of a message that detection could not place, with signals found in it."""
    found = tuple(Signal(code=code, detector="test", score=0.9) for code in signals)
    return UNREAD.model_copy(update={"signals": (*UNREAD.signals, *found), **changed})


async def said(stand: Stand, reading: Detection = UNREAD, text: str = VAGUE) -> TurnResult:
    """The turn of a message that detection reads so."""
    stand.detectors.replaced["detect"] = lambda *_, **__: reading
    return await stand.say(text)


def risk(result: TurnResult) -> RiskTier:
    """The tier that the gate gave."""
    return next(one.dimensions.risk for one in result.decisions if one.stage is Stage.GATE_RISK)


def need(result: TurnResult) -> object:
    """The need state that policy saw, and who it is from."""
    facts = (fact for one in result.decisions for fact in one.facts if fact.name == "need_state")
    return next((fact.content, fact.source) for fact in facts)


async def test_an_opinion_fills_an_unknown_need_and_stays_at_medium_risk(stands: Stands) -> None:
    """The need state is served, marked as a second opinion's, and no less risky than a message nobody could place."""
    opinion = Opinionated(HOW_TO)
    stand = await stands(opinion=opinion)
    result = await said(stand)
    assert need(result) == ("how_to", "second_opinion")
    assert risk(result) is RiskTier.MEDIUM
    assert {"SECOND_OPINION_USED", "INTENT_UNKNOWN", "POLICY_NEED_SERVED"} <= set(result.reasons)
    assert "INTENT_READ" not in result.reasons
    assert len(opinion.asked) == 1


async def test_nobody_is_asked_unless_a_model_is_named(stands: Stands) -> None:
    """Without the port a message that cannot be placed stays so, with no word of a second opinion."""
    result = await said(await stands())
    assert need(result) == ("unknown", "detection")
    assert not any(code.startswith("SECOND_OPINION") for code in result.reasons)


async def test_the_model_sees_no_personal_data_and_no_more_than_the_message(stands: Stands) -> None:
    """The text is masked and cut, the system text is the template, and the choices are those of the bundle."""
    opinion = Opinionated()
    stand = await stands(opinion=opinion)
    await said(
        stand, text="I am at jo.doe@example.com, card 4111 1111 1111 1111, and it went sideways. " + "so " * 2_500
    )
    (asked,) = opinion.asked
    assert "jo.doe" not in asked.text
    assert "4111" not in asked.text
    assert "went sideways" in asked.text
    assert len(asked.text) <= 4_000
    assert "sideways" not in asked.system
    assert asked.template == "second_opinion@1.0.0"
    assert asked.choices[NeedState.INCIDENT]


SURE = unread(need_state=NeedState.HOW_TO, need_states=(NeedState.HOW_TO,), confidence=0.9)


@pytest.mark.parametrize(
    "reading",
    [
        SURE,
        unread("HUMAN_REQUESTED"),
        unread("INJECTION_SUSPECTED"),
        unread("CHITCHAT"),
        unread("RESOLVED"),
        unread(language="fr"),
        unread(need_state=NeedState.HUMAN_REQUEST, need_states=(NeedState.HUMAN_REQUEST,)),
    ],
    ids=["sure", "person", "injection", "chitchat", "resolved", "foreign", "person_need"],
)
async def test_nobody_is_asked_where_the_message_is_clear_or_must_not_be_sent(
    stands: Stands, reading: Detection
) -> None:
    """A confident reading, a request for a person, small talk, instructions to a model, an uncovered language."""
    opinion = Opinionated(HOW_TO)
    await said(await stands(opinion=opinion), reading)
    assert opinion.asked == []


async def test_nobody_is_asked_about_an_answer(stands: Stands) -> None:
    """While a call waits for its next step, what names no need is an answer to that."""
    opinion = Opinionated(HOW_TO)
    stand = await stands(opinion=opinion)
    await stand.reach("code")
    await said(stand)
    assert opinion.asked == []


async def test_nobody_is_asked_once_a_person_has_the_conversation(stands: Stands) -> None:
    """Words to a person go to no model."""
    opinion = Opinionated(HOW_TO)
    stand = await stands(opinion=opinion)
    await stand.button()
    await said(stand)
    assert opinion.asked == []


async def test_nobody_is_asked_for_who_refuses_a_machine(stands: Stands) -> None:
    """A customer who does not want to be answered by a machine is not read by a model either."""
    opinion = Opinionated(HOW_TO)
    stand = await stands(opinion=opinion)
    await stand.service.consent(SITE, stand.conversation, stand.customer, ASSISTANCE, given=False)
    await said(stand)
    assert opinion.asked == []


HOSTILE = [Opinion(need_state=state, intent=None) for state in NeedState] + [
    Opinion(need_state=NeedState.OUT_OF_SCOPE, intent="off_topic")
]


@pytest.mark.parametrize("signal", ["", "RISK_FRAUD", "RISK_CHARGE_DISPUTE", "RISK_IRREVERSIBLE", "VULNERABILITY"])
@pytest.mark.parametrize("opinion", HOSTILE, ids=lambda one: f"{one.need_state}-{one.intent}")
async def test_no_opinion_lowers_risk_or_takes_a_signal(stands: Stands, opinion: Opinion, signal: str) -> None:
    """Whatever a hostile model says, the tier is at least that of the message without it, and signals stay."""
    reading = unread(*([signal] if signal else []))
    alone = await said(await stands(), reading)
    stand = await stands(opinion=Opinionated(opinion))
    asked = await said(stand, reading)
    assert stand.second_opinion.calls["ask"] == 1
    assert risk(asked) >= risk(alone) >= RiskTier.MEDIUM
    assert {code for code in alone.reasons if code.startswith(("RISK_F", "RISK_C", "RISK_I", "VULN"))} <= {
        *asked.reasons
    }
    if alone.handoff is not None:
        assert asked.handoff is not None


async def test_an_opinion_cannot_take_a_dispute_away(stands: Stands) -> None:
    """A doubtful reading that policy holds for a dispute stays, because the opinion would make it less risky."""
    reading = unread(
        need_state=NeedState.BILLING_CHARGES, intent="duplicate_charge", need_states=(NeedState.BILLING_CHARGES,)
    )
    result = await said(await stands(opinion=Opinionated(HOW_TO)), reading)
    assert risk(result) is RiskTier.HIGH
    assert "SECOND_OPINION_NONE" in result.reasons
    assert "SECOND_OPINION_USED" not in result.reasons


async def test_a_doubtful_need_is_kept_beside_that_of_the_opinion(stands: Stands) -> None:
    """The main need becomes that of the opinion; what was found is still among the needs that risk is judged on."""
    reading = unread(need_state=NeedState.INCIDENT, need_states=(NeedState.INCIDENT,))
    stand = await stands(opinion=Opinionated(Opinion(need_state=NeedState.BILLING_CHARGES, intent=None)))
    result = await said(stand, reading)
    assert need(result) == ("billing_charges", "second_opinion")
    kept = next(fact.content for one in result.decisions for fact in one.facts if fact.name == "need_states")
    assert kept == ("billing_charges", "incident")


async def test_a_second_opinion_does_not_end_a_dispute(stands: Stands) -> None:
    """Risk and segment of the matter stay when the next message is placed elsewhere by a model."""
    stand = await stands(opinion=Opinionated(HOW_TO))
    dispute = unread(
        "RISK_CHARGE_DISPUTE",
        need_state=NeedState.BILLING_CHARGES,
        intent="duplicate_charge",
        need_states=(NeedState.BILLING_CHARGES,),
        confidence=0.9,
    )
    await said(stand, dispute, "I was charged twice for invoice INV-2041")
    result = await said(stand)
    assert risk(result) is RiskTier.HIGH
    assert "SEG_BILLING_DISPUTE" in result.reasons


NONSENSE: list[object] = [
    Opinion.model_construct(need_state="refunds", intent=None),
    Opinion.model_construct(need_state=["how_to"], intent=None),
    Opinion(need_state=NeedState.HOW_TO, intent="duplicate_charge"),
    Opinion(need_state=NeedState.HOW_TO, intent="nothing_of_the_kind"),
    {"need_state": "how_to", "intent": None},
]


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_failing_port_leaves_the_message_unread(stands: Stands, fault: Fault) -> None:
    """Raises, hangs, answers nothing or something else: one attempt, unknown as before, and the reason says so."""
    stand = await stands(opinion=Opinionated(HOW_TO), patience=QUICK)
    stand.second_opinion.fail("ask", fault)
    result = await said(stand)
    await assert_unread(stand, result)


@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
async def test_nonsense_leaves_the_message_unread(stands: Stands, nonsense: object) -> None:
    """Names that there are not, and intents of another need, count as failed."""
    stand = await stands(opinion=Opinionated(nonsense))  # type: ignore[arg-type]  # that is the point
    await assert_unread(stand, await said(stand))


@pytest.mark.parametrize(
    "conduct", [Conduct.SERVER_ERROR, Conduct.STALLING, Conduct.GOOD, Conduct.MALFORMED, Conduct.LEAKER]
)
async def test_a_broken_endpoint_leaves_the_message_unread(stands: Stands, conduct: Conduct) -> None:
    """The same over a real socket: an error, silence beyond the limit, prose, and the prompt itself."""
    async with StandIn(conduct) as server:
        opinion = OpenAISecondOpinion(model=MODEL, base_url=server.base_url, key=SecretStr("of-no-use"))
        stand = await stands(opinion=opinion, patience=replace(QUICK, second_opinion=1.0))
        result = await said(stand)
        await opinion.close()
        assert len(server.seen) == 1
    await assert_unread(stand, result)


async def assert_unread(stand: Stand, result: TurnResult) -> None:
    """The reading of detection stands, the turn goes on, and one attempt was made."""
    assert need(result) == ("unknown", "detection")
    assert risk(result) is RiskTier.MEDIUM
    assert "SECOND_OPINION_FAILED" in result.reasons
    assert "SECOND_OPINION_USED" not in result.reasons
    assert not any(code.startswith("SYS_") for code in result.reasons)
    assert result.reply.strip()
    assert stand.second_opinion.calls["ask"] == 1
    assert stand.audit_breaks() == ()


async def test_a_deadline_of_the_turn_counts_the_opinion(stands: Stands) -> None:
    """A turn that has no time for it ends by its own deadline, with a person."""
    stand = await stands(
        opinion=Opinionated(HOW_TO), turn_seconds=4.0, patience=replace(Patience(), second_opinion=9.0)
    )
    stand.second_opinion.fail("ask", Fault.HANGS)
    result = await said(stand)
    assert "SYS_DEADLINE" in result.reasons
    assert result.handoff is not None


async def test_the_log_tells_of_it(stands: Stands) -> None:
    """`explain` shows who was asked by which template, what was said, what detection had said, and the model call."""
    says = json.dumps({"need_state": "incident", "intent": "none"})
    async with StandIn(says=says) as server:
        opinion = OpenAISecondOpinion(model=MODEL, base_url=server.base_url)
        stand = await stands(opinion=opinion)
        result = await said(stand)
        await opinion.close()
    text = explained(stand, result.turn_id)
    assert "second opinion of openai:standin, template second_opinion@1.0.0: used" in text
    assert "it said: need state incident, intent none" in text
    assert "detection said: need state unknown, intent none, confidence 0.3" in text
    assert "Signal SECOND_OPINION_USED (Need state from a second opinion): 0.50 by second_opinion" in text
    assert "model openai:standin, template second_opinion@1.0.0" in text
    assert "fact need_state = incident (second_opinion)" in text
    assert "went sideways" not in text


async def test_the_log_tells_of_a_failure(stands: Stands) -> None:
    """The type of the error stands in the log, and nothing of what the port said."""
    stand = await stands(opinion=Opinionated(HOW_TO))
    stand.second_opinion.fail("ask", Fault.BUG)
    result = await said(stand)
    text = explained(stand, result.turn_id)
    assert "second opinion of opinionated, template second_opinion@1.0.0: failed (ZeroDivisionError)" in text
    assert "a bug in an adapter" not in text


def explained(stand: Stand, turn_id: str) -> str:
    """What `handrail explain` prints of the turn."""
    reasons = stand.room.bundle.reasons
    catalogue = {code: ReasonTitle(title=entry.title, operator=entry.operator) for code, entry in reasons.items()}
    log = AuditLog(store_url(stand.folder))
    try:
        return as_text(explain(log.trail(turn_id), catalogue))
    finally:
        log.close()
