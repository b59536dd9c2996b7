from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handrail.guardrails.detect.reading import HEAD, MAX_CLAUSES, TAIL, fold, read
from handrail.guardrails.vocabulary import Span


@given(st.text(max_size=300))
def test_every_token_lies_within_the_text_in_order(text: str) -> None:
    """Offsets never leave the original, whatever folding does."""
    last = 0
    for token in read(text).tokens:
        assert last <= token.start < token.end <= len(text)
        last = token.start


@given(st.text(max_size=200))
def test_folding_keeps_one_original_index_per_character(text: str) -> None:
    """The map is as long as the folded text and never goes back."""
    folded, origin = fold(text)
    assert len(folded) == len(origin)
    assert list(origin) == sorted(origin)


def test_invisible_characters_do_not_split_words() -> None:
    """A zero-width space within a word hides nothing."""
    assert read("charge\u200bback").words == ("chargeback",)


def test_a_message_is_cut_into_what_it_says() -> None:
    """Sentences and joined requests are clauses of their own; short greetings are not."""
    text = "Hi. I can't log in and I also want a refund! Where is my invoice?"
    assert read(text).embedded_texts == (
        text,
        "Hi. I can't log in",
        "and I also want a refund!",
        "Where is my invoice?",
    )


def test_a_list_of_nouns_is_one_clause() -> None:
    """Only an "and" that begins a statement separates."""
    assert len(read("export the tasks and comments of my project").clauses) == 1


def test_of_a_huge_text_beginning_and_end_are_read() -> None:
    """The middle is left out, and the reading says so."""
    reading = read("start " + "x " * 500_000 + "finish")
    assert reading.cut
    assert reading.words[0] == "start"
    assert reading.words[-1] == "finish"
    assert len(reading.tokens) <= HEAD + TAIL
    assert len(reading.clauses) <= MAX_CLAUSES


def test_a_text_is_embedded_as_it_was_meant() -> None:
    """A token that holds another word than the text replaces it there; places stay those of the original."""
    written = read("Cancle it. I want a refnud now please")
    words = {"cancle": "cancel", "refnud": "refund"}
    tokens = tuple(replace(token, word=words.get(token.word, token.word)) for token in written.tokens)
    reading = replace(written, tokens=tokens, slips=(0, 5))
    assert reading.embedded_texts == ("cancel it. I want a refund now please",)
    assert reading.span(5, 6) == Span(start=20, end=26)


def test_an_empty_text_has_one_empty_clause() -> None:
    """There is always something to embed."""
    reading = read("")
    assert reading.embedded_texts == ("",)
    assert reading.tokens == ()
