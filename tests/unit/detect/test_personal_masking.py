"""Masking of structures: keys that name what stands under them, JSON in strings, and what has to stay readable."""

import json

import pytest
from pydantic import JsonValue

from handrail.guardrails.detect.masking import MAX_DEPTH, mask, mask_json


@pytest.mark.parametrize(
    ("content", "masked"),
    [
        ({"phone": 5551234567}, {"phone": "[phone]"}),
        ({"firstName": "Jo", "last_name": "Bo"}, {"firstName": "[name]", "last_name": "[name]"}),
        ({"shipping_address": "Elm 12"}, {"shipping_address": "[address]"}),
        ({"emails": ["a@b.example", "none"]}, {"emails": ["[email]", "none"]}),
        ({"iban": "de89370400440532013001"}, {"iban": "[iban]"}),
        ({"otp": 123456}, {"otp": "[secret]"}),
        ({"card_number": 4111111111111112.0}, {"card_number": "[card]"}),
    ],
)
def test_a_key_names_what_stands_under_it(content: JsonValue, masked: JsonValue) -> None:
    """However the key is written, and whatever form the value has."""
    assert mask_json(content) == masked


@pytest.mark.parametrize(
    "content",
    [
        {"phone": "unknown", "email": None, "address": "missing", "email_changed": True},
        {"tool": "get_status", "name": "export-a-board", "rule": "risk.baseline", "count": 1_250_000},
        {
            "at": "2027-03-14T10:30:00+00:00",
            "revision": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        },
        {"turn": "t_7ead3146", "customer": "p_0123456789abcdef01234567"},
        {"text": '{"plan": "team",  "seats": [1, 2]}'},
    ],
)
def test_what_explains_a_decision_stays(content: JsonValue) -> None:
    """Names of things, times, digests, ids, and JSON in strings to the last space."""
    assert mask_json(content) == content


def test_json_in_strings_is_masked_as_what_it_holds() -> None:
    """Behind the escapes of JSON, twice over."""
    inner = json.dumps({"arguments": json.dumps({"mail": "jo@b.example", "password": "x"})})
    masked = mask_json([inner.replace("@", "\\u0040")])
    assert isinstance(masked, list)
    assert json.loads(json.loads(str(masked[0]))["arguments"]) == {"mail": "[email]", "password": "[secret]"}


def test_no_entry_is_lost_when_keys_become_equal() -> None:
    """Two addresses as keys leave two entries."""
    assert mask_json({"a@b.example": 1, "c@d.example": 2}) == {"[email]": 1, "[email] (2)": 2}


def test_a_label_in_a_key_hides_nothing_under_it() -> None:
    """`[national id]` says what the key was, not what the value is."""
    once = mask_json({"AB123456C": "open"})
    assert once == {"[national id]": "open"}
    assert mask_json(once) == once


def test_what_is_too_deep_is_left_out() -> None:
    """Depth is bounded, also through strings."""
    content: JsonValue = "jo@b.example"
    for _ in range(MAX_DEPTH + 5):
        content = [content]
    assert "example" not in json.dumps(mask_json(content))


def test_bare_hosts_are_no_bare_names() -> None:
    """Names of rules and facts have dots too, and stay."""
    assert mask("acme.com") == "[url]"
    assert mask("risk.charge_dispute") == "risk.charge_dispute"
