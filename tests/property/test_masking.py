"""Masking as a whole: nothing of a value is left in any disguise, and masking twice is masking once."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handrail.evals.detection.personal import remains
from handrail.evals.detection.personal_values import Value, draw
from handrail.guardrails.detect.labels import LABELS
from handrail.guardrails.detect.masking import WITHHELD, mask, mask_json
from handrail.guardrails.detect.personal import find_personal_data

VALUES = draw(seed=7, count=12)
INVISIBLE = ("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad")
values = st.sampled_from(VALUES)


def in_disguise(value: Value, written: str) -> Value:
    """The same sentence with the value written as `written`."""
    text = value.frame[: value.start] + written + value.frame[value.start :]
    return Value(value.name, value.code, text, value.frame, value.start, value.start + len(written))


def assert_nothing_is_left(value: Value, plain: Value) -> None:
    """No four characters of the value in a row stand in the masked sentence, and masking again changes nothing."""
    masked = mask(value.text)
    assert not remains(plain, masked), masked
    assert mask(masked) == masked
    assert find_personal_data(masked) == ()


@given(values)
def test_nothing_of_a_value_is_left(value: Value) -> None:
    """Values of every kind vanish from sentences of many forms."""
    assert_nothing_is_left(value, value)


@given(values, st.sampled_from(INVISIBLE), st.integers(min_value=1, max_value=5))
def test_invisible_characters_hide_nothing(value: Value, between: str, every: int) -> None:
    """Zero width characters within a value do not keep it from being found, nor are its parts left around them."""
    written = value.text[value.start : value.end]
    parts = [written[at : at + every] for at in range(0, len(written), every)]
    assert_nothing_is_left(in_disguise(value, between.join(parts)), value)


@given(values)
def test_full_width_characters_hide_nothing(value: Value) -> None:
    """Full width letters, digits and signs are read as what they look like."""
    written = value.text[value.start : value.end]
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in written)
    masked = mask(in_disguise(value, wide).text)
    assert not any(one in masked for one in wide if one.isdigit())
    assert not remains(value, masked.translate({point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)}))


@given(values.filter(lambda value: value.code == "PII_CARD"), st.sampled_from([" ", ".", "-", "  ", " - ", "/", "\n"]))
def test_cards_in_pieces_are_cards(value: Value, sign: str) -> None:
    """Groups of four, whatever stands between them."""
    digits = "".join(one for one in value.text[value.start : value.end] if one.isdigit())
    written = sign.join(digits[at : at + 4] for at in range(0, len(digits), 4))
    assert_nothing_is_left(in_disguise(value, written), value)


@given(
    st.from_regex(r"[a-z]{4,9}[0-9]{0,3}", fullmatch=True),
    st.from_regex(r"[a-z]{4,9}", fullmatch=True),
    st.sampled_from(
        ["{} (at) {} (dot) com", "{} [at] {} [dot] com", "{}@{} .com", "{} at {} dot com", "{} @ {}.com", "{}%40{}.com"]
    ),
)
def test_addresses_for_people_only_are_masked(local: str, host: str, form: str) -> None:
    """An address that is spelled out against collectors is an address all the same."""
    masked = mask(f"write to: {form.format(local, host)} please")
    assert local not in masked
    assert host not in masked


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
    | values.map(lambda value: value.text),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8) | values.map(lambda value: value.text), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
@settings(deadline=None)
def test_masking_structures_twice_is_masking_them_once(content: object) -> None:
    """Structures of any shape, with personal data as keys and as values."""
    once = mask_json(content)  # type: ignore[arg-type] # hypothesis knows no JsonValue
    assert mask_json(once) == once


@given(values, st.integers(min_value=0, max_value=3))
@settings(deadline=None)
def test_nothing_is_left_in_structures(value: Value, depth: int) -> None:
    """As a value, as a key, and in JSON within a string within JSON."""
    text: str = value.text
    for _ in range(depth):
        text = json.dumps({"arguments": text})
    masked = mask_json({"note": [text], value.text: 1})
    assert isinstance(masked, dict)
    for found in (*masked, *(json.dumps(inner, ensure_ascii=False) for inner in masked.values())):
        assert not remains(value, found.replace("arguments", " "))


@given(
    st.lists(
        st.sampled_from(
            [*(value.text for value in VALUES[::7]), *LABELS.values(), " ", ": ", "\n", "1", "@", "my name is "]
        ),
        max_size=8,
    )
)
@settings(deadline=None)
@example(["password: ", "[email]", "x1"])
def test_masking_twice_is_masking_once(parts: list[str]) -> None:
    """Values side by side, cut into each other and beside labels."""
    once = mask("".join(parts))
    assert mask(once) == once
    assert once == WITHHELD or find_personal_data(once) == ()


@pytest.mark.parametrize("count", [1, 40])
def test_the_same_values_are_drawn_every_time(count: int) -> None:
    """A measure can be repeated."""
    assert draw(seed=3, count=count) == draw(seed=3, count=count)
