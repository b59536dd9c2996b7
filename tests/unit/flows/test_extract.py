"""What the extractors find in customers' words, and what they leave alone."""

from __future__ import annotations

import pytest

from handrail.guardrails.flows.cards import holds_card_number, masked
from handrail.guardrails.flows.extract import EXTRACTORS, Query, find
from handrail.guardrails.flows.model import Extract, FieldSpec, Option


def found(extract: Extract, text: str, *, asked: bool = False, many: bool = False, required: bool = True) -> str | None:
    """What a field of this kind takes from `text`."""
    field = FieldSpec(name="field", label={"en": "field"}, extract=extract, many=many, required=required)
    return find(Query(field, text, "en", asked))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("It is INV-4821.", "INV-4821"),
        ("invoice inv 4821 please", "INV-4821"),
        ("FERNWELL INV#4821", "INV-4821"),
        ("number 4821", None),
        ("INV-48", None),
        ("XINV-4821", None),
    ],
)
def test_invoice_ids(text: str, value: str | None) -> None:
    """Invoice numbers are found in the ways people write them."""
    assert found(Extract.INVOICE_ID, text) == value


def test_a_bare_number_is_an_invoice_only_as_the_whole_answer() -> None:
    """Four digits alone answer the question for the number; inside a sentence they are something else."""
    assert found(Extract.INVOICE_ID, " 4821 ", asked=True) == "INV-4821"
    assert found(Extract.INVOICE_ID, "4821", asked=False) is None
    assert found(Extract.INVOICE_ID, "my card ends in 4821", asked=True) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("charged on 12 March", "12 March"),
        ("on March 12th, 2026", "March 12th, 2026"),
        ("it was yesterday evening", "yesterday"),
        ("2026-03-12", "2026-03-12"),
        ("on 3/12 I think", "3/12"),
        ("am 12.03.2026", "12.03.2026"),
        ("last Friday", "last Friday"),
        ("three days ago", "three days ago"),
        ("the 3rd of May", "3rd of May"),
        ("it may be wrong", None),
        ("version 3.12 of it", None),
        ("24/7 support", None),
    ],
)
def test_dates_are_kept_as_written(text: str, value: str | None) -> None:
    """A date stays in the customer's words, because 3/12 is two dates."""
    assert found(Extract.DATE, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I paid €49.00 twice", "€49.00"),
        ("49 EUR", "49 EUR"),
        ("$1,234.50 in total", "$1,234.50"),
        ("USD 129", "USD 129"),
        ("129 dollars", "129 dollars"),
        ("1.234,50 €", "1.234,50 €"),
        ("12 seats", None),
        ("49.00", None),
    ],
)
def test_amounts(text: str, value: str | None) -> None:
    """An amount has a currency, in front or behind."""
    assert found(Extract.AMOUNT, text) == value


def test_an_amount_without_a_currency_answers_a_question() -> None:
    """Asked for the amount, two decimals are enough; a date with dots is still no amount."""
    assert found(Extract.AMOUNT, "49.00", asked=True) == "49.00"
    assert found(Extract.AMOUNT, "on 12.03.2026", asked=True) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("card ending 4242", "4242"),
        ("it ends in 4242", "4242"),
        ("the last four are 4242", "4242"),
        ("last 4 digits of my company card: 4242", "4242"),
        ("Visa 4242", "4242"),
        ("**** 4242", "4242"),
        ("INV-4821 of 2026", None),
        ("in 2026", None),
    ],
)
def test_last_four_digits(text: str, value: str | None) -> None:
    """The last four digits are found by the words around them."""
    assert found(Extract.LAST_FOUR, text) == value


def test_bare_digits_answer_the_question_for_the_last_four() -> None:
    """Among number, date and amount, the four digits that are left over are the card's."""
    assert found(Extract.LAST_FOUR, "INV-4821, 12 March 2026, €49.00, 4242", asked=True) == "4242"
    assert found(Extract.LAST_FOUR, "2026", asked=True) == "2026"
    assert found(Extract.LAST_FOUR, "that was in 2026, I believe", asked=True) is None


@pytest.mark.parametrize(
    "number",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "3782 822463 10005",
        "42424242 42424242",
        "4242 4242 4242 4243",  # mistyped
    ],
)
@pytest.mark.parametrize("extract", [Extract.LAST_FOUR, Extract.FREE_TEXT, Extract.AMOUNT, Extract.INVOICE_ID])
def test_no_value_ever_holds_a_whole_card_number(number: str, extract: Extract) -> None:
    """A whole card number is refused as last four digits and masked in free text."""
    text = f"my card is {number}, thanks"
    assert holds_card_number(text)
    value = found(extract, text, asked=True)
    assert value is None or (number not in value and "removed" in value)
    assert found(Extract.LAST_FOUR, text, asked=True) is None


def test_lists_of_other_numbers_are_no_card() -> None:
    """Invoice numbers, dates, amounts and telephone numbers in a row stay as they are."""
    text = "INV-4821 2026-03-12 129.00 4242, call +49 69 1234 5678"
    assert masked(text) == text


def test_email() -> None:
    """An address ends where the sentence goes on."""
    assert found(Extract.EMAIL, "write to ana.b@fernwell.example.") == "ana.b@fernwell.example"
    assert found(Extract.EMAIL, "no address") is None


def test_many_values_are_joined_once_each() -> None:
    """Two invoices in one message are both kept, a repetition is not."""
    assert found(Extract.INVOICE_ID, "INV-4821 and INV-4835, so INV-4821", many=True) == "INV-4821, INV-4835"
    assert found(Extract.INVOICE_ID, "INV-4821 and INV-4835") == "INV-4821"


def test_the_longest_phrase_decides_a_choice_and_a_tie_is_no_answer() -> None:
    """The words "no screenshot" are not "screenshot"; words of two options leave the choice open."""
    field = FieldSpec(
        name="screenshots",
        label={"en": "screenshots"},
        extract=Extract.CHOICE,
        options=(
            Option(value="attached", label={"en": "Attached"}, words={"en": ("screenshot",)}),
            Option(value="none", label={"en": "None"}, words={"en": ("no screenshot",)}),
        ),
    )
    assert find(Query(field, "I have no screenshot", "en", asked=True)) == "none"
    assert find(Query(field, "Screenshot is here", "en", asked=True)) == "attached"
    assert find(Query(field, "neither", "en", asked=True)) is None
    both = field.model_copy(
        update={"options": tuple(one.model_copy(update={"words": {"en": ("this",)}}) for one in field.options)}
    )
    assert find(Query(both, "this", "en", asked=True)) is None


def test_free_text_is_the_answer_to_a_question_only() -> None:
    """Unasked, no message is taken as free text; beside a choice a bare word is no reason."""
    assert found(Extract.FREE_TEXT, "The page stays white") is None
    assert found(Extract.FREE_TEXT, "  The page\nstays white ", asked=True) == "The page stays white"
    assert found(Extract.FREE_TEXT, "cancel it", asked=True, required=False) is None


def test_every_way_to_extract_has_one_extractor() -> None:
    """The tuple of extractors and the words of the YAML files agree."""
    assert [name for name, _ in EXTRACTORS] == list(Extract)
