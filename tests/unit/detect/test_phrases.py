import pytest

from handrail.guardrails.detect.phrases import PhraseIndex, parse_phrase, spell_out
from handrail.guardrails.detect.reading import read


def found(phrase: str, text: str) -> bool:
    """Whether `phrase` occurs in `text`."""
    return bool(PhraseIndex((phrase,)).find(read(text).tokens))


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("charge back*", "I'll do a charge-back"),
        ("dont recogni*", "We don’t RECOGNISE this"),
        ("(bank|card company) ... reverse*", "the card company has already reversed it"),
        ("i [really] tried", "i tried"),
        ("(^) (no|nope) ($)", "Nope!"),
        ("refund", "REFÜND"),
        ("(<) (human|person) [now] (>)", "No more of this. HUMAN NOW. I mean it."),
        ("not a machine (>)", "Not a machine!! Please"),
    ],
)
def test_a_phrase_is_found_whatever_case_accents_and_apostrophes(phrase: str, text: str) -> None:
    """Comparison is on folded words."""
    assert found(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("charge ... twice", "one charge. It came twice"),
        ("charge ... twice", "charge one two three four five twice"),
        ("(^) no ($)", "no way"),
        ("(^) yes", "oh yes"),
        ("sue", "suede"),
        ("(<) (human|person) (>)", "A person left. Who was that person"),
        ("(<) (human|person) (>)", "the human resources person"),
    ],
)
def test_a_phrase_stays_within_its_sentence_and_its_borders(phrase: str, text: str) -> None:
    """Gaps are short, do not cross sentences, and words match whole."""
    assert not found(phrase, text)


@pytest.mark.parametrize(
    "phrase", ["", "...", "a ...", "(a", "[a", "(a|)", "Don't", "ab*", "yes (^)", "a (<) b", "((a) b)", "(|)"]
)
def test_a_phrase_that_cannot_be_read_is_refused_with_a_reason(phrase: str) -> None:
    """Whoever writes the bundle learns what to mend."""
    with pytest.raises(ValueError, match=r"phrase|word|short"):
        parse_phrase(phrase)


def test_a_phrase_with_too_many_forms_is_refused() -> None:
    """Alternatives of several words multiply; the number is limited."""
    with pytest.raises(ValueError, match="several phrases"):
        parse_phrase(" ".join(["(a b|c d|e f|g h)"] * 8))


def test_a_list_stands_for_all_its_words() -> None:
    """Lists are written once and used in any bracket."""
    lists = {"person": ("human", "real person"), "now": ("now", "asap")}
    assert spell_out("get me a ({person}|agent) [{now}]", lists) == "get me a (human|real person|agent) [now|asap]"


def test_a_list_that_does_not_exist_is_named() -> None:
    """A misspelt name is no empty list."""
    with pytest.raises(ValueError, match=r"\{persn\}"):
        spell_out("get me a ({persn})", {"person": ("human",)})


def test_a_hit_tells_where_the_words_stand_in_the_original() -> None:
    """Spans are offsets in the text as it was written."""
    reading = read("Hello…  I’ve  tried  THAT")
    (hit,) = PhraseIndex(("ive tried that",)).find(reading.tokens)
    span = reading.span(hit.first, hit.end)
    assert span is not None
    assert reading.text[span.start : span.end] == "I’ve  tried  THAT"
