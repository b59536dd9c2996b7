"""The search for personal data in long texts that are made to be slow: work grows as the text does."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from handrail.guardrails.detect.masking import mask
from handrail.guardrails.detect.personal import find_personal_data

SHORT, TIMES = 4_000, 4
SLACK = 1.3
"""Tolerates what is done once for a text, and a piece that is cut at its end."""

HOSTILE = (
    "1 ", "4 ", "4", "4444 ", "1-", "1.", "(1", "4111 1111 1111 1111 ", "GB82 ", "ab:1::", "a@", "x'", "x'x@", "a.",
    "a-b-", "a-a-a- speaking ", "speaking ", "Mr Aa Bb Cc ", "hi Bob ", "\n", " ", "[", "é\u200b1", "www.", "http://a:b@",
    "12 High Street Town Town Town Town Town Town Town ", "12 High Street, Townsville Othertown Thirdtown's ",
    "rue aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! ", "12 rue de la ", "Ahornweg 1 ", "Haus 1 Haus 2 ", "apt 12 ", "Ab 12 ",
    "my address is 1 a ", "ssn ssn 12345678 ", "tax id 123456789 ", "phone 12345678 ", "123-456-7890 ", "password=",
    "password is to a ", 'password "abc ', "verification code ", "token a b c is ", "cookie: x\n", "eyJaaaaaaaa.",
    "sk_live_", "-----BEGIN PRIVATE KEY-----", "seed phrase is abc abc abc ", "aB1-", "a dot ", "a (at) b (dot) ",
    "zip code is ",
)  # fmt: skip


def calls(text: str) -> int:
    """How many functions are called and patterns are asked in a search of `text`."""
    count = 0

    def tell(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(tell)
    try:
        find_personal_data(text)
    finally:
        sys.setprofile(before)
    return count


def filled(part: str, length: int) -> str:
    """`part` again and again, up to a length."""
    return (part * (length // len(part) + 1))[:length]


@pytest.mark.parametrize("part", HOSTILE)
def test_work_grows_as_the_text_does(part: str) -> None:
    """Four times the text asks four times the questions, whatever is repeated in it."""
    once = calls(filled(part, SHORT))
    assert calls(filled(part, SHORT * TIMES)) <= once * TIMES * SLACK + 200


@pytest.mark.parametrize("part", HOSTILE)
def test_no_pattern_tries_every_way_to_read_a_text(part: str) -> None:
    """A pattern that splits the same words in many ways would not come to an end here."""
    text = filled(part, 30_000)
    assert mask(mask(text)) == mask(text)
