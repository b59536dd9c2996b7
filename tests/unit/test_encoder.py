from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from handrail.guardrails.encoder import (
    MAX_CHARACTERS,
    CachingEmbedder,
    CachingEncoder,
    Encoder,
    EncoderUnavailable,
    MiniLMEncoder,
    shorten,
)

# Values that the publisher of the model shows for the float32 original.
PUBLISHED = {
    "That is a happy dog": 0.695,
    "That is a very happy person": 0.943,
    "Today is a sunny day": 0.257,
}

PARAPHRASES = [
    ("How do I reset my password?", "I forgot my password and need a new one", "What does the premium plan cost?"),
    ("I was charged twice for my invoice", "My card was billed two times", "The app crashes when I upload a photo"),
    ("I want to talk to a person", "Please connect me with a human agent", "How do I export my data as CSV?"),
    ("Cancel my subscription", "I would like to end my plan", "Where can I change my time zone?"),
]


class CountingEncoder:
    """Embeds a text as its length and its number of vowels; remembers what it was asked."""

    name = "counting"
    revision = "counting"
    dimensions = 2
    deep_dimensions = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def knows(self, word: str) -> bool:
        return word == "known"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_deep(texts)[:, :2]

    def encode_deep(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        rows = [(len(text), sum(text.count(vowel) for vowel in "aeiou")) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), 2)


def test_an_embedder_is_asked_once_for_each_text() -> None:
    """The cache asks for nothing but vectors, and a row is its own copy."""
    inner = CountingEncoder()
    embedder = CachingEmbedder(inner, capacity=2)
    assert embedder.encode(["one", "three", "one"]).tolist() == [[3, 2], [5, 2], [3, 2]]
    assert inner.asked == ["one", "three"]
    embedder.encode(["three"])[0] = 0.0
    assert embedder.encode(["three"]).tolist() == [[5, 2]]
    embedder.encode(["four"])
    embedder.encode(["one"])
    assert inner.asked == ["one", "three", "four", "one"]
    assert embedder.encode([]).shape == (0, 2)
    assert (embedder.name, embedder.revision, embedder.dimensions) == ("counting", "counting", 2)


def test_inner_layers_follow_the_embedding(minilm: MiniLMEncoder) -> None:
    """One pass gives all of them."""
    texts = ["my lawyer asked me to send the invoice", "a refund"]
    rows = minilm.encode_deep(texts)
    assert rows.shape == (2, minilm.deep_dimensions) == (2, 1152)
    assert np.array_equal(rows[:, :384], minilm.encode(texts))
    assert np.isfinite(rows).all()


def test_similarities_are_those_of_the_model(minilm: MiniLMEncoder) -> None:
    """Int8 stays near the similarities that are published for the original."""
    first, *others = minilm.encode(["That is a happy person", *PUBLISHED])
    for row, (text, expected) in zip(others, PUBLISHED.items(), strict=True):
        assert float(first @ row) == pytest.approx(expected, abs=0.06), text


@pytest.mark.parametrize(("text", "same", "other"), PARAPHRASES)
def test_paraphrases_are_nearer_than_other_matters(minilm: MiniLMEncoder, text: str, same: str, other: str) -> None:
    """A paraphrase with other words is clearly nearer than another matter."""
    rows = minilm.encode([text, same, other])
    assert float(rows[0] @ rows[1]) > float(rows[0] @ rows[2]) + 0.2


def test_shape_and_type(minilm: MiniLMEncoder) -> None:
    """One float32 row per text; no text gives no row."""
    assert minilm.encode(["one", "two"]).shape == (2, minilm.dimensions) == (2, 384)
    assert minilm.encode([]).shape == (0, 384)
    assert minilm.encode([]).dtype == minilm.encode(["one"]).dtype == np.float32


@settings(max_examples=40)
@given(text=st.text(st.characters(), max_size=300))
def test_every_text_has_length_one(minilm: MiniLMEncoder, text: str) -> None:
    """Whatever a customer types, lone surrogates included, becomes a vector of length one."""
    assert np.linalg.norm(minilm.encode([text])[0]) == pytest.approx(1.0, abs=1e-4)


@settings(max_examples=15)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_a_row_depends_on_its_text_alone(minilm: MiniLMEncoder, texts: list[str]) -> None:
    """Texts that are encoded together have exactly the embeddings that they have alone."""
    together = minilm.encode(texts)
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(row, minilm.encode([text])[0])


def test_threads_get_the_same_rows(minilm: MiniLMEncoder) -> None:
    """Eight threads that share an encoder get what one thread gets."""
    texts = [f"Where is order {number}?" for number in range(24)]
    expected = minilm.encode(texts)
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda text: minilm.encode([text])[0], texts))
    assert np.array_equal(np.array(rows), expected)


@pytest.mark.parametrize("unit", ["refund please ", "a", "a ", "é", "字", "\u200b", "\n"])
def test_a_megabyte_is_cut_before_it_is_tokenised(minilm: MiniLMEncoder, unit: str) -> None:
    """Of a very long text only the head is looked at."""
    text = unit * (1_000_000 // len(unit))
    assert len(shorten(text)) <= MAX_CHARACTERS
    assert np.array_equal(minilm.encode([text]), minilm.encode([shorten(text)]))


def test_white_space_cannot_hide_words(minilm: MiniLMEncoder) -> None:
    """A wall of white space before or between the words changes nothing."""
    plain = minilm.encode(["refund me now"])
    assert np.array_equal(minilm.encode([" \n" * 500_000 + "refund   me\t\tnow  "]), plain)


@given(st.text(st.characters()))
def test_shortening_twice_is_shortening_once(text: str) -> None:
    """A shortened text is valid Unicode and is not shortened further."""
    once = shorten(text)
    once.encode("utf-8")
    assert shorten(once) == once


def test_missing_folder_says_what_to_run(tmp_path: Path) -> None:
    """A folder without a model names the command that installs it."""
    with pytest.raises(EncoderUnavailable, match="handrail model install"):
        MiniLMEncoder.load(tmp_path / "nowhere")


def test_cache_asks_once_per_text() -> None:
    """Repeated texts, within a call and across calls, are embedded once and returned in order."""
    inner = CountingEncoder()
    cached = CachingEncoder(inner)
    assert cached.encode(["a", "bb", "a"]).tolist() == [[1, 1], [2, 0], [1, 1]]
    assert cached.encode(["bb", "ccc"]).tolist() == [[2, 0], [3, 0]]
    assert inner.asked == ["a", "bb", "ccc"]
    assert (cached.revision, cached.dimensions) == ("counting", 2)


def test_cache_forgets_the_least_recently_used() -> None:
    """A full cache drops the text that was not asked for the longest."""
    inner = CountingEncoder()
    cached = CachingEncoder(inner, capacity=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        cached.encode([text])
    assert inner.asked == ["a", "b", "c", "b"]


def test_cache_answers_a_call_larger_than_itself() -> None:
    """A call with more texts than the cache holds is still answered."""
    cached = CachingEncoder(CountingEncoder(), capacity=1)
    assert cached.encode(["a", "bb", "ccc"])[:, 0].tolist() == [1, 2, 3]
    assert cached.encode([]).shape == (0, 2)


def test_callers_cannot_change_what_is_remembered() -> None:
    """Writing into a returned row leaves the cache as it was."""
    cached = CachingEncoder(CountingEncoder())
    cached.encode(["abc"])[:] = 99
    cached.encode(["abc"])[:] = 99
    assert cached.encode(["abc"]).tolist() == [[3, 1]]


def test_capacity_is_positive() -> None:
    """A cache without room is a mistake."""
    with pytest.raises(ValueError, match="at least 1"):
        CachingEncoder(CountingEncoder(), capacity=0)


@given(
    calls=st.lists(st.lists(st.text(st.characters(), max_size=3), max_size=4), max_size=12), capacity=st.integers(1, 5)
)
def test_cache_changes_no_answer(calls: list[list[str]], capacity: int) -> None:
    """With and without the cache, every call gives the same rows."""
    plain: Encoder = CountingEncoder()
    cached: Encoder = CachingEncoder(CountingEncoder(), capacity)
    for texts in calls:
        assert np.array_equal(cached.encode(texts), plain.encode(texts))


def test_threads_share_the_cache() -> None:
    """Many threads over few texts get right rows from a cache that is too small for them."""
    cached = CachingEncoder(CountingEncoder(), capacity=3)
    texts = ["x" * (number % 7) for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        lengths = list(pool.map(lambda text: int(cached.encode([text])[0, 0]), texts))
    assert lengths == [len(text) for text in texts]


def test_common_words_are_known_and_slips_are_not(minilm: MiniLMEncoder) -> None:
    """The vocabulary holds frequent words whole; what it does not hold is rare or misspelt."""
    assert all(minilm.knows(word) for word in ("payment", "layer", "lawyer"))
    assert not any(minilm.knows(word) for word in ("refnud", "persn"))


def test_the_cache_knows_what_its_encoder_knows() -> None:
    """It adds memory and no vocabulary."""
    cached = CachingEncoder(CountingEncoder())
    assert cached.knows("known")
    assert not cached.knows("unknown")
