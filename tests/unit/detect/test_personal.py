import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.guardrails.detect.checksums import is_card_number, is_iban
from handrail.guardrails.detect.masking import mask, mask_json
from handrail.guardrails.detect.personal import find_personal_data


@pytest.mark.parametrize(
    ("text", "code", "exact"),
    [
        ("write to jo.doe+x@mail.example.co.uk.", "PII_EMAIL", "jo.doe+x@mail.example.co.uk"),
        ("card 4111 1111 1111 1111 exp 12/29", "PII_CARD", "4111 1111 1111 1111"),
        ("5555-5555-5555-4444", "PII_CARD", "5555-5555-5555-4444"),
        ("ref 12 378282246310005 thanks", "PII_CARD", "378282246310005"),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "PII_IBAN", "DE89 3704 0044 0532 0130 00"),
        ("gb29NWBK60161331926819", "PII_IBAN", "gb29NWBK60161331926819"),
        ("from 192.168.10.254 it works", "PII_IP", "192.168.10.254"),
        ("from 2001:db8:85a3::8a2e:370:7334 too", "PII_IP", "2001:db8:85a3::8a2e:370:7334"),
        ("call +49 170 1234567 today", "PII_PHONE", "+49 170 1234567"),
        ("(555) 123-4567", "PII_PHONE", "(555) 123-4567"),
        ("my phone number is 5551234567", "PII_PHONE", "5551234567"),
        ("ssn 078-05-1120", "PII_NATIONAL_ID", "078-05-1120"),
        ("passport number X1234567", "PII_NATIONAL_ID", "X1234567"),
        ("password: hunter2", "PII_SECRET", "hunter2"),
        ("my password is Tr0ub4dor&3 ok", "PII_SECRET", "Tr0ub4dor&3"),
        ("api_key=abcd1234efgh5678", "PII_SECRET", "abcd1234efgh5678"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "PII_SECRET", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("postgres://admin:s3cret@db.example/x", "PII_SECRET", "admin:s3cret"),
    ],
)
def test_personal_data_is_found_exactly(text: str, code: str, exact: str) -> None:
    """Code and span name the value and nothing beside it."""
    (signal,) = find_personal_data(text)
    assert signal.span is not None
    assert (signal.code, text[signal.span.start : signal.span.end]) == (code, exact)


@pytest.mark.parametrize(
    "text",
    [
        "invoice INV-2041 of 2027-03-14 over 1 250 000.00",
        "my password is wrong",
        "password: expired",
        "the token expired and the pin 4-step flow fails",
        "order 4111111111111112",
        "version 1.2.3, at 12:30:45",
        "between 2024 and 2026 we had 100000 users",
        "std::vector and a::b",
        "meet at 10.30 on 14.03.2027",
        "how do I reset my password please",
    ],
)
def test_numbers_and_words_of_daily_business_are_left_alone(text: str) -> None:
    """Dates, amounts, versions, invoice numbers and talk about passwords are no personal data."""
    assert find_personal_data(text) == ()
    assert mask(text) == text


def test_masking_leaves_labels_without_the_value() -> None:
    """A label holds nothing of what it replaces."""
    masked = mask("mail a@b.example, card 4111111111111111, pwd=Zx9!kk2p")
    assert masked == "mail [email], card [card], pwd=[secret]"


NUMBERS = ("4111 1111 1111 1111", "+1 604 696 5272", "10.0.0.1", "DE89370400440532013000", "078-05-1120", "1", "\u0663")
WORDS = ("a@b.example", "password is ", "token: ", "x9!", " ", "-", "(", ".", ":", "[", "ssn ", "\n", "phone ")


@given(st.lists(st.sampled_from(NUMBERS + WORDS), max_size=14).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    """Masked text is stable, and nothing is left to find in it."""
    once = mask(text)
    assert mask(once) == once
    assert find_personal_data(once) == ()


@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    """No text makes masking fail or unstable."""
    assert mask(mask(text)) == mask(text)


def test_structures_are_masked_throughout() -> None:
    """Strings, keys, secret fields and numbers that are cards."""
    masked = mask_json(
        {
            "a@b.example": ["call +49 170 1234567", 4111111111111111, 42, True, None, 1.5],
            "password": "plain",
            "nested": {"api_key": 12345, "note": "ok"},
        }
    )
    assert masked == {
        "[email]": ["call [phone]", "[card]", 42, True, None, 1.5],
        "password": "[secret]",
        "nested": {"api_key": "[secret]", "note": "ok"},
    }


@given(st.integers(min_value=10**14, max_value=10**15 - 1))
def test_exactly_one_check_digit_completes_a_card_number(stem: int) -> None:
    """Luhn's sum accepts one digit of ten."""
    number = "4" + str(stem)[1:]
    assert sum(is_card_number(number + digit) for digit in "0123456789") == 1


def test_an_iban_with_a_changed_digit_is_none() -> None:
    """The remainder is checked, not only the form."""
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE89370400440532013001")
    assert not is_iban("DE8937")
