"""A turn as it is explained from the log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import JsonValue

from handrail.agent.audit.explain import ReasonTitle
from handrail.agent.conversation import AuditEvent, EventKind
from handrail.agent.feed import MessageDelta
from handrail.agent.store_port import StoreError
from handrail.commands.explain import explain, explained, shipped_catalogue
from handrail.guardrails.vocabulary import (
    Automation,
    Decision,
    Detection,
    Dimensions,
    Effect,
    FactUsed,
    NeedState,
    Obligation,
    RiskTier,
    Signal,
    Span,
    Stage,
    Turn,
)
from tests.unit.store.building import ANNA, SITE, START, conversation, finished, opened

CATALOGUE = {
    "RISK_FRAUD": ReasonTitle(title="Possible fraud", operator="Words of fraud stand in the message."),
    "TOOL_OWNERSHIP": ReasonTitle(title="Not the owner"),
}
DETECTION = Detection(
    need_state=NeedState.BILLING_CHARGES,
    intent="dispute_charge",
    confidence=0.93,
    need_states=(NeedState.BILLING_CHARGES, NeedState.HOW_TO),
    alternatives=(),
    signals=(Signal(code="RISK_FRAUD", detector="lexicon", score=0.98, span=Span(start=3, end=17)),),
    language="en",
)
DECISION = Decision(
    stage=Stage.GATE_RISK,
    subject="risk",
    effect=Effect.ESCALATE,
    reasons=("RISK_FRAUD", "CODE_WITHOUT_WORDS"),
    rules=("fraud_words",),
    obligations=(Obligation.OFFER_HUMAN,),
    dimensions=Dimensions(
        risk=RiskTier.CRITICAL, automation=Automation.HUMAN_FIRST, determined_by={"risk": ("fraud_words",)}
    ),
    facts=(
        FactUsed(name="account.plan", content="team", source="billing", age_seconds=7_200),
        FactUsed(name="account.owner", content=ANNA, source="crm"),
        FactUsed(name="account.region", content=None, source="crm", why="ATTRIBUTE_STALE"),
    ),
    revision="rev-1",
)


def story(turn: Turn) -> tuple[AuditEvent, ...]:
    """One event of every kind that a turn writes."""
    payloads: tuple[tuple[EventKind, dict[str, JsonValue]], ...] = (
        (EventKind.DECISION, DECISION.model_dump(mode="json")),
        (
            EventKind.RETRIEVAL,
            {
                "scope": {"families": {"role": ["admin"]}},
                "passages": [{"passage_id": "refunds#2", "doc_id": "refunds", "score": 0.81}],
                "excluded": {"role": 12},
                "eligible": 40,
                "revision": "kb-7",
            },
        ),
        (
            EventKind.MODEL_CALL,
            {
                "model": "quoting",
                "template": "support@3",
                "calls": [{"tool": "refund", "digest": "ab" * 8}],
                "seconds": 0.4,
            },
        ),
        (EventKind.TOOL_INTENT, {"tool": "refund", "digest": "ab" * 8, "key": "k-1"}),
        (
            EventKind.TOOL_OUTCOME,
            {"tool": "refund", "digest": "ab" * 8, "key": "k-1", "outcome": "refused", "reasons": ["TOOL_OWNERSHIP"]},
        ),
        (
            EventKind.HANDOFF,
            {
                "queue": "fraud",
                "priority": "urgent",
                "risk": "critical",
                "reasons": ["RISK_FRAUD"],
                "segments": ["billing_dispute"],
                "next_step": "Call the customer back.",
            },
        ),
        (
            EventKind.RELEASE,
            {
                "sentences": ["A person will look at this."],
                "checks": ["no_commitment"],
                "author": "text:fraud",
                "status": "closed",
            },
        ),
        (
            EventKind.TURN_FINISHED,
            {
                "revisions": {"bundle": "rev-1", "model": "quoting", "prompt": "support@3", "kb": "kb-7"},
                "status": "queued",
                "reasons": ["RISK_FRAUD"],
                "detection": DETECTION.model_dump(mode="json"),
                "segments": [{"segment": "billing_dispute", "because": "billing charges with RISK_FRAUD"}],
            },
        ),
    )
    return tuple(AuditEvent(kind=kind, turn_id=turn.turn_id, at=START, payload=payload) for kind, payload in payloads)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of the log."""
    return f"sqlite:///{tmp_path / 'handrail.db'}"


@pytest.fixture
async def turn(url: str) -> Turn:
    """A turn that did everything that turns do."""
    async with opened(url) as store:
        received = await store.receive(SITE, await conversation(store), ANNA, "k1", "Is this fraud?", START)
        done = finished(received)
        await store.finish(done.model_copy(update={"events": story(received.turn)}))
        return received.turn


EXPECTED = (
    "by web",
    "Need state billing_charges, intent dispute_charge, confidence 0.93",
    "how_to",
    "Signal RISK_FRAUD (Possible fraud): 0.98 by lexicon, characters 3 to 17",
    "billing_dispute: billing charges with RISK_FRAUD",
    "gate_risk: risk -> escalate",
    "RISK_FRAUD (Possible fraud) Words of fraud stand in the message.",
    "CODE_WITHOUT_WORDS",
    "rules: fraud_words",
    "obligations: offer_human",
    "automation = human_first",
    "risk = critical (by fraud_words)",
    "fact account.plan = team (billing, 2 h old)",
    "fact account.region unknown (ATTRIBUTE_STALE)",
    "scope: families role admin",
    "eligible documents: 40; excluded: role 12; index kb-7",
    "source refunds, passage refunds#2, score 0.81",
    "model quoting, template support@3, 0.40 s",
    "proposed refund",
    "tool refund about to run",
    "tool refund refused",
    "TOOL_OWNERSHIP (Not the owner)",
    "handed off to fraud, priority urgent, risk critical",
    "next step: Call the customer back.",
    "> A person will look at this.",
    "check: no_commitment",
    "Conversation is now: queued",
    "bundle rev-1, kb kb-7, model quoting, prompt support@3",
)


def test_the_text_tells_everything_in_order(url: str, turn: Turn) -> None:
    """What was detected comes first, then each step as it happened, then the outcome; 100 columns at most."""
    text = explained(turn.turn_id, None, url, CATALOGUE, as_json=False)
    places = [text.find(words) for words in EXPECTED]
    assert [words for words, place in zip(EXPECTED, places, strict=True) if place < 0] == []
    assert places == sorted(places)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_customers_are_pseudonyms(url: str, turn: Turn) -> None:
    """The customer's identifier is nowhere in the log, not even as the value of a fact."""
    for as_json in (False, True):
        text = explained(turn.turn_id, None, url, CATALOGUE, as_json=as_json)
        assert ANNA not in text
        assert "p_" in text


def test_json_holds_decisions_as_they_were_made(url: str, turn: Turn) -> None:
    """A program reads the same decision that policy wrote, up to the pseudonym."""
    content = json.loads(explained(turn.turn_id, None, url, CATALOGUE, as_json=True))
    (made,) = [step["content"] for step in content["steps"] if step["kind"] == "decision"]
    read = Decision.model_validate(made)
    assert read.model_copy(update={"facts": ()}) == DECISION.model_copy(update={"facts": ()})
    assert (read.facts[0], read.facts[2]) == (DECISION.facts[0], DECISION.facts[2])
    assert content["titles"]["RISK_FRAUD"]["title"] == "Possible fraud"


async def test_the_beginning_of_an_id_is_enough(url: str, turn: Turn) -> None:
    """A unique prefix names the turn; an ambiguous or unknown one is an error that says so."""
    assert turn.turn_id in explained(turn.turn_id[:8], SITE, url, CATALOGUE, as_json=False)
    async with opened(url) as store:
        await store.finish(finished(await store.receive(SITE, await conversation(store), ANNA, "k1", "Hi", START)))
    with pytest.raises(StoreError, match="several turns"):
        explained("t_", None, url, CATALOGUE, as_json=False)
    for prefix, site in (("t_zz", None), ("%", None), ("", None), (turn.turn_id, "other")):
        with pytest.raises(StoreError):
            explained(prefix, site, url, CATALOGUE, as_json=False)


async def test_an_unfinished_turn_is_explained_as_far_as_it_got(url: str) -> None:
    """What was interrupted says so instead of failing."""
    async with opened(url) as store:
        received = await store.receive(SITE, await conversation(store), ANNA, "k1", "Hello", START)
    text = explained(received.turn.turn_id, None, url, CATALOGUE, as_json=False)
    assert "the log holds no end of this turn" in text.lower()


async def test_what_left_while_a_model_wrote_names_its_decision(url: str) -> None:
    """Such a release stands before the turn's other decisions, so it says by which rules it left."""
    async with opened(url) as store:
        turn = (await store.receive(SITE, await conversation(store), ANNA, "k1", "Hello", START)).turn
        left = {"sentences": ["Open it."], "author": "model:m", "reasons": ["RISK_FRAUD"], "rules": ["output.clean"]}
        event = AuditEvent.model_validate({"kind": "release", "turn_id": turn.turn_id, "at": START, "payload": left})
        await store.release(turn, MessageDelta(message_id="m", text="Open it.", turn_id=turn.turn_id), [event])
    text = explained(turn.turn_id, None, url, CATALOGUE, as_json=False)
    assert "> Open it." in text
    assert "while the model wrote, by output.clean" in text
    assert "RISK_FRAUD (Possible fraud)" in text


async def test_erased_and_unknown_payloads_do_not_stop_the_rest(url: str) -> None:
    """A payload of another version is named; after erasure the steps are still there, without content."""
    async with opened(url) as store:
        received = await store.receive(SITE, await conversation(store), ANNA, "k1", "Hello", START)
        odd = AuditEvent(kind=EventKind.DECISION, turn_id=received.turn.turn_id, at=START, payload={"stage": "later"})
        await store.finish(finished(received).model_copy(update={"events": (odd, *story(received.turn))}))
        text = explained(received.turn.turn_id, None, url, CATALOGUE, as_json=False)
        assert "written by another version" in text
        assert "Conversation is now: queued" in text
        await store.erase_customer(SITE, ANNA)
    assert "its content was erased" in explained(received.turn.turn_id, None, url, CATALOGUE, as_json=False)


def test_the_command_prints_the_explanation(url: str, turn: Turn) -> None:
    """The command reads the shipped catalogue and writes text or JSON."""
    result = CliRunner().invoke(explain, [turn.turn_id, "--database", url])
    assert result.exit_code == 0, result.output
    assert "gate_risk: risk -> escalate" in result.output
    assert json.loads(CliRunner().invoke(explain, [turn.turn_id, "--database", url, "--json"]).output)


def test_the_shipped_catalogue_has_words_for_its_codes() -> None:
    """Every entry of the bundle has a title for operators."""
    catalogue = shipped_catalogue()
    assert catalogue
    assert all(words.title for words in catalogue.values())
