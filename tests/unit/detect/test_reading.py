import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.guardrails.detect.reading import HEAD, MAX_CLAUSES, TAIL, fold, read


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
    assert [" ".join(words) for words in read(text).telling_words] == [
        "i cant log in and i also want a refund where is my invoice",
        "i cant log in",
        "and i also want a refund",
        "where is my invoice",
    ]


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


@pytest.mark.parametrize(
    "text",
    [
        "Where is my invoice?",
        "WHERE IS MY INVOICE",
        "where is my invoice",
        "Hello, where is my invoice please. Thanks!",
    ],
)
def test_case_punctuation_and_courtesy_are_no_part_of_what_is_read(text: str) -> None:
    """The same matter gives the same words, so nothing that is read from them can differ."""
    assert read(text).telling_words == (("where", "is", "my", "invoice"),)


def test_courtesy_alone_is_what_a_message_is_about() -> None:
    """Thanks are small talk, and not an empty text."""
    assert read("Thank you!").telling_words == (("thank", "you"),)


def test_what_is_pasted_does_not_say_what_is_wanted() -> None:
    """A quoted mail and a log stand beside the customer's own words; phrases still see them."""
    text = (
        "The export fails every time.\n"
        "2026-03-01 10:22:11 ERROR worker stopped\n"
        "> Please cancel my plan\n"
        "On Monday, 3 March 2026, Ann wrote:\n"
        "how do I invite people"
    )
    reading = read(text)
    assert reading.telling_words == (("the", "export", "fails", "every", "time"),)
    assert {"cancel", "invite", "error"} <= set(reading.words)
    assert "invite people" in reading.pasted_text


def test_a_message_that_is_all_pasted_is_read_whole() -> None:
    """Whoever only forwards a mail means what stands in it."""
    assert "cancel" in read("> please cancel\n> my plan today").telling_words[0]


def test_an_empty_text_has_one_empty_clause() -> None:
    """There is always something to embed."""
    reading = read("")
    assert reading.telling_words == ((),)
    assert reading.tokens == ()
