import pytest
from pydantic import JsonValue

from handrail.agent.conversation import EventKind
from handrail.agent.store.ledger import Scribe
from handrail.agent.store_port import StoreError
from tests.unit.store.building import ANNA, PSEUDONYMS, SITE, event


def hidden(content: JsonValue) -> JsonValue:
    """A mask that replaces one word in every value."""
    if isinstance(content, dict):
        return {key: hidden(inner) for key, inner in content.items()}
    return content.replace("secret", "***") if isinstance(content, str) else content


def test_payloads_are_masked_and_without_identifiers_before_they_are_hashed() -> None:
    """What the chain binds is what may be stored."""
    (entry,) = Scribe(hidden, PSEUDONYMS).seal(
        SITE, ANNA, [event("t_1", EventKind.DECISION, note="my secret", owner=ANNA)]
    )
    stand_in = PSEUDONYMS.of(SITE, ANNA)
    assert entry.payload.text == f'{{"note":"my ***","owner":"{stand_in}"}}'


def test_the_same_payload_has_another_digest_each_time() -> None:
    """The salt keeps erased payloads from being guessed by their digests."""
    first, second = Scribe(hidden, PSEUDONYMS).seal(SITE, None, [event("t_1"), event("t_1")])
    assert first.payload.digest != second.payload.digest


def test_a_broken_mask_writes_nothing() -> None:
    """A mask that fails, or that eats the payload, stops the write instead of letting the text through."""

    def failing(_: JsonValue) -> JsonValue:
        raise RuntimeError("no model")

    def eating(_: JsonValue) -> JsonValue:
        return None

    for mask in (failing, eating):
        with pytest.raises(StoreError):
            Scribe(mask, PSEUDONYMS).seal(SITE, None, [event("t_1")])
