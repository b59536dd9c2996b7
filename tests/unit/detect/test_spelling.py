"""Slips are undone where nothing else can be meant, and nowhere else."""

import pytest

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.reading import read
from handrail.guardrails.detect.spelling import Speller
from handrail.guardrails.encoder import MiniLMEncoder


@pytest.fixture(scope="module")
def speller(shipped: DetectionConfig, minilm: MiniLMEncoder) -> Speller:
    """The words of the shipped bundle, and the encoder's vocabulary."""
    return Speller.of(shipped, (), minilm.knows)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("paymnet", "payment"),
        ("refunnd", "refund"),
        ("humon", "human"),
        ("subscriptin", "subscription"),
        ("PASSWROD", "password"),
    ],
)
def test_a_slip_is_undone(speller: Speller, slip: str, meant: str) -> None:
    """One letter missing, added, wrong, or swapped with its neighbour."""
    assert speller.mended(read(slip)).words == (meant,)


@pytest.mark.parametrize(
    "word",
    [
        "layer",  # one letter from "lawyer", and a word of its own
        "contacting",  # a form of a known word, one letter from "contracting"
        "invoicing",
        "theyre",  # a contraction, one letter from "there"
        "lumans",  # another first letter than "humans"
        "agnt",  # too short to tell
        "inv2041",  # no word
    ],
)
def test_what_may_be_meant_as_it_stands_is_left_alone(speller: Speller, word: str) -> None:
    """A wrong mending would be worse than none."""
    assert speller.mended(read(word)).words == (word,)


def test_short_forms_are_written_out(speller: Speller) -> None:
    """The words stay where they stood."""
    reading = speller.mended(read("can u put me thru 2 sum1"))
    assert reading.words == ("can", "you", "put", "me", "through", "2", "someone")
    assert reading.telling_words == (("can", "you", "put", "me", "through", "2", "someone"),)


def test_a_plural_is_no_slip() -> None:
    """Nothing is known here but the bundle, which has "refund" and not "refunds"."""
    lonely = Speller({"refund": 3}, {"refund": ("refund",)}, {}, lambda _: False)
    assert lonely.mended(read("refunds")).words == ("refunds",)


def test_what_is_reported_stands_where_the_customer_wrote_it(speller: Speller) -> None:
    """Spans are offsets in the original, slips included."""
    text = "Please cancell teh subscripton, thanks"
    reading = speller.mended(read(text))
    place = reading.words.index("subscription")
    span = reading.span(place, place + 1)
    assert span is not None
    assert text[span.start : span.end] == "subscripton"
