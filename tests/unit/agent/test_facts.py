"""Facts of a turn: who writes, what is known of them, how often it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handrail.agent.conversation import ConversationState, Snapshot
from handrail.agent.facts import gather, identity_now
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Detection, IdentityLevel, NeedState, Turn

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
HOW_TO = Detection(
    need_state=NeedState.HOW_TO, intent="set_up_sso", confidence=0.9, need_states=(NeedState.HOW_TO,),
    alternatives=(), signals=(), language="en",
)  # fmt: skip


def turn(customer: str | None = "anna", identity: IdentityLevel = IdentityLevel.IDENTIFIED) -> Turn:
    """A message at NOW."""
    return Turn(
        turn_id="t1", site="s", conversation_id="c1", customer_id=customer, identity=identity, channel="web",
        text="hello", at=NOW,
    )  # fmt: skip


def snapshot(opened: timedelta = timedelta()) -> Snapshot:
    """A conversation that was opened a while ago."""
    return Snapshot(
        site="s", conversation_id="c1", customer_id="anna", identity=IdentityLevel.IDENTIFIED, channel="web",
        opened_at=NOW - opened, state=ConversationState(), history=(),
    )  # fmt: skip


def happened(kind: str, minutes_ago: float, number: int = 0, **details: str) -> CustomerEvent:
    """An event before NOW."""
    return CustomerEvent(
        event_id=f"{kind}-{minutes_ago}-{number}", kind=kind, at=NOW - timedelta(minutes=minutes_ago), source="web",
        details=details,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("customer", "verified", "expected"),
    [
        ("anna", None, IdentityLevel.IDENTIFIED),
        ("anna", timedelta(minutes=1), IdentityLevel.VERIFIED),
        ("anna", timedelta(), IdentityLevel.IDENTIFIED),
        (None, timedelta(minutes=1), IdentityLevel.ANONYMOUS),
    ],
)
def test_a_step_up_holds_for_a_while_and_for_nobody_anonymous(
    customer: str | None, verified: timedelta | None, expected: IdentityLevel
) -> None:
    """The level is what holds at the moment of the message."""
    state = ConversationState(verified_until=None if verified is None else NOW + verified)
    assert identity_now(turn(customer), state) is expected


def test_a_stale_attribute_counts_as_unknown(bundle: Bundle) -> None:
    """One day older than declared is too old; the reason says so."""
    plan = bundle.attributes["plan"]
    old = AttributeValue(
        name="plan",
        content="enterprise",
        source="billing",
        observed_at=NOW - timedelta(days=plan.max_age_days, minutes=1),
    )
    gathered = gather(bundle, turn(), snapshot(), HOW_TO, [old], [])
    assert gathered.facts.content("plan") is None
    assert "ATTRIBUTE_STALE" in gathered.reasons
    young = old.model_copy(update={"observed_at": NOW - timedelta(days=plan.max_age_days)})
    assert gather(bundle, turn(), snapshot(), HOW_TO, [young], []).facts.content("plan") == "enterprise"


def test_a_missing_attribute_counts_as_unknown(bundle: Bundle) -> None:
    """Nothing is assumed of a customer nobody knows."""
    gathered = gather(bundle, turn(), snapshot(), HOW_TO, [], [])
    assert all(gathered.facts.content(name) is None for name in bundle.attributes)
    assert "ATTRIBUTE_MISSING" in gathered.reasons


@pytest.mark.parametrize("content", ["platinum", 3, True, ("enterprise",)])
def test_a_value_that_is_not_declared_counts_as_unknown(
    bundle: Bundle, content: str | int | bool | tuple[str, ...]
) -> None:
    """A source system that says something new is not believed."""
    odd = AttributeValue(name="plan", content=content, source="billing", observed_at=NOW)
    gathered = gather(bundle, turn(), snapshot(), HOW_TO, [odd], [])
    assert gathered.facts.content("plan") is None
    assert "ATTRIBUTE_INVALID" in gathered.reasons


def test_the_newest_observation_wins_whatever_its_place(bundle: Bundle) -> None:
    """The order in which values arrive decides nothing."""
    new = AttributeValue(name="plan", content="team", source="billing", observed_at=NOW - timedelta(hours=1))
    old = new.model_copy(update={"content": "trial", "observed_at": NOW - timedelta(hours=2)})
    for values in ([new, old], [old, new]):
        assert gather(bundle, turn(), snapshot(), HOW_TO, values, []).facts.content("plan") == "team"


def test_articles_before_the_chat_are_counted_up_to_its_opening(bundle: Bundle) -> None:
    """Pages read long before, or while talking, are not what led here."""
    opened = timedelta(minutes=5)
    window = next(one for one in bundle.windows if one.fact == "articles_before_chat")
    fresh = [happened(window.count, 6, 1), happened(window.count, 8, 2)]
    during = [happened(window.count, 1)]
    ago = [happened(window.count, 60 * 24 * 3)]
    found = gather(bundle, turn(), snapshot(opened), HOW_TO, [], [*ago, *fresh, *during])
    assert found.facts.content("articles_before_chat") == 2
    assert gather(bundle, turn(), snapshot(opened), HOW_TO, [], during).facts.content("articles_before_chat") == 0
    assert gather(bundle, turn(), snapshot(opened), HOW_TO, [], ago).facts.content("articles_before_chat") == 0


def test_the_same_intent_counts_with_this_message(bundle: Bundle) -> None:
    """One earlier question of the same kind makes two; another kind, an old one and a future one do not count."""
    same = happened("intent_detected", 60 * 24, intent="set_up_sso")
    other = happened("intent_detected", 60, intent="export_tasks")
    old = happened("intent_detected", 60 * 24 * 8, intent="set_up_sso")
    future = happened("intent_detected", -60, intent="set_up_sso")
    found = gather(bundle, turn(), snapshot(), HOW_TO, [], [same, other, old, future])
    assert found.facts.content("same_intent_7d") == 2
    assert gather(bundle, turn(), snapshot(), HOW_TO, [], []).facts.content("same_intent_7d") == 1
