"""Facts of a turn: who writes, what is known of them, how often it happened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handrail.agent.conversation import ConversationState, Snapshot
from handrail.agent.facts import attribute_facts, events_since, gather, identity_now, window_facts
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.sections import LONGEST_WINDOW, OPENED, Attribute, Ending, Family, Purpose, Window
from handrail.guardrails.policy.facts import FactKind, OnUnknown
from handrail.guardrails.vocabulary import Detection, FactContent, IdentityLevel, NeedState, Turn

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


# ------------------------------------------------------------------------------------------------ ages of attributes


def declared(kind: FactKind = FactKind.WORD, how: OnUnknown = OnUnknown.RESTRICT) -> Attribute:
    """An attribute that is good for two days."""
    return Attribute(
        name="plan", meaning="x", kind=kind, family=Family.BEHAVIOURAL, source="crm", purposes=(Purpose.STYLE,),
        max_age_days=2, inferred=False, on_unknown=how,
    )  # fmt: skip


def observed(age: timedelta, content: FactContent = "team") -> AttributeValue:
    """A value that was observed before NOW."""
    return AttributeValue(name="plan", content=content, source="crm", observed_at=NOW - age)


@pytest.mark.parametrize(
    ("age", "content", "seconds"),
    [
        (timedelta(days=2), "team", 172_800.0),
        (timedelta(days=2, microseconds=1), None, 172_800.000001),
        (timedelta(), "team", 0.0),
        (timedelta(seconds=-30), "team", 0.0),
    ],
)
def test_an_attribute_is_good_up_to_the_end_of_its_last_day(
    age: timedelta, content: str | None, seconds: float
) -> None:
    """Exactly as old as declared is not older; what another clock dates ahead is new."""
    (found,), reasons = attribute_facts([declared()], [observed(age)], NOW)
    assert (found.content, found.age_seconds) == (content, seconds)
    assert reasons == (() if content else ("ATTRIBUTE_STALE",))


def test_a_clock_that_jumps_back_makes_a_stale_value_no_worse() -> None:
    """The age follows the clock it is given, and nothing else."""
    value = observed(timedelta())
    later, earlier = NOW + timedelta(days=3), NOW - timedelta(days=3)
    ages = [attribute_facts([declared()], [value], now)[0][0].age_seconds for now in (later, NOW, earlier)]
    assert ages == [3 * 86_400.0, 0.0, 0.0]


@pytest.mark.parametrize("how", list(OnUnknown))
@pytest.mark.parametrize("age", [timedelta(days=3), None])
def test_an_unusable_attribute_says_what_its_being_unknown_does(how: OnUnknown, age: timedelta | None) -> None:
    """Stale and missing ones alike; a known one restricts nobody by being unknown."""
    (found,), _ = attribute_facts([declared(how=how)], [] if age is None else [observed(age)], NOW)
    assert (found.content, found.on_unknown) == (None, how.value)
    (known,), _ = attribute_facts([declared(how=how)], [observed(timedelta())], NOW)
    assert known.on_unknown == "restrict"


@pytest.mark.parametrize("content", [math.nan, math.inf, 10**400, True, "3"])
def test_what_is_no_number_is_invalid(content: FactContent) -> None:
    """Policy could not compare it, so it is unknown, with the reason."""
    (found,), reasons = attribute_facts([declared(FactKind.NUMBER)], [observed(timedelta(), content)], NOW)
    assert found.content is None
    assert reasons == ("ATTRIBUTE_INVALID",)


# ----------------------------------------------------------------------------------------------------------- windows

SECOND = 1 / 60
"""In minutes."""


def counted(
    window: Window, events: Sequence[CustomerEvent], intent: str | None = "sso_setup", opened: float = 0.0
) -> FactContent | None:
    """What the window counts at NOW, in a conversation that was opened so many minutes ago."""
    (found,) = window_facts([window], intent, NOW - timedelta(minutes=opened), events, NOW)
    return found.content


PLAIN = Window(fact="n", meaning="x", count="article_viewed", within_minutes=15)
BEFORE_CHAT = PLAIN.model_copy(update={"ending": Ending(within_minutes=10, of=OPENED)})
BEFORE_TICKET = PLAIN.model_copy(update={"ending": Ending(within_minutes=10, of="ticket_reopened")})
SAME = Window(fact="n", meaning="x", count="intent_detected", same_intent=True, within_minutes=15)


@pytest.mark.parametrize(
    ("minutes_ago", "count"),
    [(0, 1), (15, 1), (15 + SECOND, 0), (-SECOND, 0), (-1000, 0)],
)
def test_a_window_has_its_start_and_no_future(minutes_ago: float, count: int) -> None:
    """An event exactly at the start counts, as does one of this instant; what is yet to come does not."""
    assert counted(PLAIN, [happened("article_viewed", minutes_ago)]) == count


def test_only_the_kind_counts() -> None:
    """Other events, however many, are not of the window."""
    assert counted(PLAIN, [happened("ticket_reopened", 1), happened("article_viewed", 2)]) == 1


@pytest.mark.parametrize(
    ("minutes_before", "count"),
    [((10,), 1), ((10 + SECOND,), 0), ((0,), 1), ((-SECOND,), 0), ((), 0), ((10, 25), 2), ((10, 25 + SECOND), 1)],
)
def test_a_run_ends_shortly_before_the_opening(minutes_before: tuple[float, ...], count: int) -> None:
    """At most ten minutes before, to the instant; fifteen minutes are looked back from its last event, not from now."""
    events = [happened("article_viewed", 120 + minutes) for minutes in minutes_before]
    assert counted(BEFORE_CHAT, events, opened=120) == count


def test_what_is_viewed_while_talking_changes_nothing_of_the_run() -> None:
    """The run is what led to the conversation: later events neither count nor move its end."""
    led = [happened("article_viewed", 125), happened("article_viewed", 128)]
    during = [happened("article_viewed", 60), happened("article_viewed", 0)]
    assert counted(BEFORE_CHAT, [*led, *during], opened=120) == 2
    assert counted(BEFORE_CHAT, during, opened=120) == 0


def test_a_run_before_an_event_ends_at_the_latest_of_it() -> None:
    """Of several tickets the last one counts, and none is no run."""
    articles = [happened("article_viewed", 32), happened("article_viewed", 35)]
    assert counted(BEFORE_TICKET, articles) == 0
    assert counted(BEFORE_TICKET, [*articles, happened("ticket_reopened", 30)]) == 2
    assert counted(BEFORE_TICKET, [*articles, happened("ticket_reopened", 22)]) == 2
    assert counted(BEFORE_TICKET, [*articles, happened("ticket_reopened", 22 - SECOND)]) == 0
    both = [happened("ticket_reopened", 30), happened("ticket_reopened", 5)]
    assert counted(BEFORE_TICKET, [*articles, *both]) == 0
    ahead = happened("ticket_reopened", -5)
    assert counted(BEFORE_TICKET, [*articles, happened("ticket_reopened", 30), ahead]) == 2


def test_after_a_clock_has_jumped_back_nothing_of_the_future_counts() -> None:
    """The conversation was opened, and events came, an hour after what the clock says now: no error, no count."""
    assert counted(BEFORE_CHAT, [happened("article_viewed", -58)], opened=-60) == 0
    assert counted(BEFORE_CHAT, [happened("article_viewed", 3)], opened=-5) == 1
    assert counted(PLAIN, [happened("article_viewed", -58)]) == 0


def test_an_unknown_intent_is_the_same_as_none() -> None:
    """Two messages that nobody could place are not about the same thing, and this one counts for nothing."""
    unplaced = [happened("intent_detected", 1, intent=""), happened("intent_detected", 2)]
    assert counted(SAME, unplaced, intent=None) == 0
    assert counted(SAME, [happened("intent_detected", 1, intent="sso_setup")], intent=None) == 0
    assert counted(SAME, unplaced, intent="sso_setup") == 1
    assert counted(SAME, [*unplaced, happened("intent_detected", 15, intent="sso_setup")]) == 2
    assert counted(SAME, [*unplaced, happened("intent_detected", 15 + SECOND, intent="sso_setup")]) == 1


def test_events_are_asked_for_as_far_back_as_a_window_reaches(bundle: Bundle) -> None:
    """A run before the opening is still there hours later, and one before an event as long as events are kept."""
    opened = NOW - timedelta(days=3)
    reaches = {
        (PLAIN,): timedelta(minutes=15),
        (BEFORE_CHAT,): timedelta(days=3, minutes=25),
        (PLAIN, BEFORE_CHAT): timedelta(days=3, minutes=25),
        (BEFORE_TICKET,): timedelta(minutes=LONGEST_WINDOW),
        (): timedelta(),
    }
    for windows, reach in reaches.items():
        assert NOW - events_since(replace(bundle, windows=windows), opened, NOW) == reach + timedelta(hours=1)
    ahead = events_since(replace(bundle, windows=(BEFORE_CHAT,)), NOW + timedelta(days=1), NOW)
    assert NOW - ahead == timedelta(minutes=25 + 60)
