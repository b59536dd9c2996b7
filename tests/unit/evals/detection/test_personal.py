"""What the measure of personal data counts, on small rows and on values drawn for it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from handrail.evals.detection.personal import (
    PersonalMeasure,
    PersonalRow,
    PersonalSpan,
    measure_personal,
    read_personal_rows,
    remains,
)
from handrail.evals.detection.personal_values import Value, draw
from handrail.guardrails.detect.checksums import is_card_number, is_iban

ROWS = (
    PersonalRow(
        text="Mail jo@b.example or see Elm",
        spans=(
            PersonalSpan(kind="EMAIL_ADDRESS", start=5, end=17),
            PersonalSpan(kind="PERSON", start=25, end=28),
            PersonalSpan(kind="AGE", start=0, end=4),
        ),
    ),
    PersonalRow(text="My card 4111 1111 1111 1111", spans=(PersonalSpan(kind="PHONE_NUMBER", start=8, end=27),)),
    PersonalRow(text="ring 0490 39 07 81 now", spans=(PersonalSpan(kind="PHONE_NUMBER", start=0, end=18),)),
)


@pytest.fixture(scope="module")
def measured() -> PersonalMeasure:
    """One measure of all of it."""
    return measure_personal(ROWS, ["hello there", "call me on 0490 39 07 81, or jo@b.example or li@b.example"])


def test_rows_are_read_as_they_are_labelled(tmp_path: Path) -> None:
    """Fields beyond text and spans are left alone; blank lines are none."""
    line = {
        "full_text": "ab",
        "template_id": 3,
        "spans": [{"entity_type": "AGE", "entity_value": "b", "start_position": 1, "end_position": 2}],
    }
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(line) + "\n\n", encoding="utf-8")
    assert read_personal_rows(path) == (PersonalRow(text="ab", spans=(PersonalSpan(kind="AGE", start=1, end=2),)),)


def test_a_line_of_another_shape_is_an_error(tmp_path: Path) -> None:
    """Nothing is guessed."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "ab"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="full_text"):
        read_personal_rows(path)


def test_recall_tells_found_from_found_as_what_it_is(measured: PersonalMeasure) -> None:
    """A card labelled as a phone is found whole, not exactly; half a piece is found in part; ages are not asked for."""
    by_kind = {one.kind: (one.whole.successes, one.part.successes, one.exact.successes) for one in measured.labelled}
    assert by_kind == {"EMAIL_ADDRESS": (1, 1, 1), "PERSON": (0, 0, 0), "PHONE_NUMBER": (1, 2, 0)}


def test_finds_in_messages_are_counted_by_piece_and_by_message(measured: PersonalMeasure) -> None:
    """Every kind is listed, found or not."""
    counted = {one.code: (one.finds, one.messages.successes, one.messages.n) for one in measured.alarms}
    assert counted["PII_EMAIL"] == (2, 1, 2)
    assert counted["PII_PHONE"] == (1, 1, 2)
    assert counted["PII_URL"] == (0, 0, 2)


def test_drawn_values_are_found_and_masked(measured: PersonalMeasure) -> None:
    """What has to hold of every kind: nineteen of twenty; and of masking: always."""
    assert {one.whole.n for one in measured.drawn} == {200}
    assert [one.kind for one in measured.drawn if (one.whole.share or 0) < 0.95] == []
    assert (measured.unstable.successes, measured.left.successes) == (0, 0)
    assert measured.median_ms <= measured.p99_ms
    assert measured.long_ms > 0


def test_values_of_many_kinds_are_drawn_anew() -> None:
    """No kind repeats itself, and check digits are right by the arithmetic of the detectors too."""
    values = draw(seed=1, count=50)
    drawn = Counter(value.name for value in values)
    assert len(drawn) == 30
    assert set(drawn.values()) == {50}
    written = {name: [one.text[one.start : one.end] for one in values if one.name == name] for name in drawn}
    assert all(len(set(texts)) > 25 for texts in written.values())
    assert all(is_iban(text.replace(" ", "")) for text in written["IBAN"])
    assert all(is_card_number("".join(filter(str.isdigit, text))) for text in written["card"])


def test_remains_are_parts_of_the_value_and_not_of_the_sentence() -> None:
    """Four characters in a row, whatever signs stand between them; words of the sentence are its own."""
    value = Value("card", "PII_CARD", "card 1234 5678", "card ", 5, 14)
    assert remains(value, "card [card] 56-78")
    assert not remains(value, "card [card] 678")
    assert not remains(Value("x", "PII_NAME", "card card", "card ", 5, 9), "card [name]")
