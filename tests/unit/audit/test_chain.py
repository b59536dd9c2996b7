from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from handrail.agent.audit.canonical import canonical
from handrail.agent.audit.chain import Chain, Entry, Head, Link, SealedPayload
from handrail.agent.audit.verify import ChainReport, Problem, StoredEvent, verify_chain

SALT = "00" * 16

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def written(count: int) -> list[StoredEvent]:
    """A chain of so many events."""
    chain = Chain("fernwell", "c_1", Head())
    events = []
    for number in range(count):
        payload = SealedPayload(SALT, canonical({"number": number}))
        events.append(StoredEvent(chain.append(Entry("decision", "t_1", number, payload)), payload))
    return events


def verified(events: list[StoredEvent], full: list[StoredEvent]) -> ChainReport:
    """What verification says when the end of the full chain is on record."""
    return verify_chain(events, Head(full[-1].link.seq, full[-1].link.hash))


def problems(report: ChainReport) -> set[Problem]:
    """The kinds of what is wrong."""
    return {broken.problem for broken in report.breaks}


def test_a_chain_can_be_continued() -> None:
    """A chain that is stopped and continued is the chain that was never stopped."""
    whole = written(4)
    later = Chain("fernwell", "c_1", Head(2, whole[1].link.hash))
    payload = whole[2].payload
    assert payload is not None
    assert later.append(Entry("decision", "t_1", 2, payload)) == whole[2].link
    assert verified(whole, whole).breaks == []


@given(st.integers(2, 6), st.data())
def test_any_loss_of_events_is_found(count: int, data: st.DataObject) -> None:
    """No proper part of a chain passes for the chain."""
    whole = written(count)
    kept = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=count - 1))
    part = [event for number, event in enumerate(whole) if number in kept]
    assert verified(part, whole).breaks


@given(st.permutations(range(4)))
def test_any_other_order_is_found(order: list[int]) -> None:
    """Only the order in which it was written verifies, also with the numbers put right again."""
    whole = written(4)
    shuffled = [StoredEvent(replace(whole[old].link, seq=new + 1), whole[old].payload) for new, old in enumerate(order)]
    assert bool(verified(shuffled, whole).breaks) == (order != list(range(4)))


CHANGES: tuple[Callable[[Link], Link], ...] = (
    lambda link: replace(link, site="other"),
    lambda link: replace(link, conversation_id="c_2"),
    lambda link: replace(link, seq=link.seq + 1),
    lambda link: replace(link, kind="release"),
    lambda link: replace(link, turn_id="t_2"),
    lambda link: replace(link, at=link.at + 1),
    lambda link: replace(link, payload_digest="0" * 64),
    lambda link: replace(link, previous_hash="1" * 64),
    lambda link: replace(link, hash="2" * 64),
)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_a_field_is_found(place: int, change: Callable[[Link], Link]) -> None:
    """Every field of every event counts."""
    whole = written(4)
    changed = list(whole)
    changed[place] = StoredEvent(change(whole[place].link), whole[place].payload)
    assert verified(changed, whole).breaks


def test_a_chain_without_a_recorded_end_is_reported() -> None:
    """Events that nobody knows of do not pass as a log."""
    assert problems(verify_chain(written(2), None)) == {Problem.CHAIN_UNKNOWN}


def test_events_behind_the_recorded_end_are_reported() -> None:
    """A chain that was continued behind the store's back is longer than its end says."""
    whole = written(3)
    assert problems(verified(whole, whole[:2])) == {Problem.HEAD_WRONG}


@given(json_values)
def test_canonical_text_is_ascii_and_stable(content: JsonValue) -> None:
    """Whatever a payload holds, it has one spelling that every database can store."""
    text = canonical({"content": content})
    assert text.isascii()
    assert "\x00" not in text
    assert text == canonical({"content": content})
