"""What holds of the output checks for any text."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.extract import extract
from handrail.guardrails.output.fold import fold, lower
from handrail.guardrails.output.gate import ReleaseGate
from handrail.guardrails.output.review import review
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.vocabulary import Passage
from tests.unit.output.corpus import labelled, situations, wording

WORDS = wording()
EVIDENCE = {name: situation.evidence() for name, situation in situations().items()}
REPLIES = [(case.situation, case.reply) for case in labelled()]
GROUNDED = [(case.situation, case.reply) for case in labelled() if case.kind == "grounded"]
PASSAGE_SENTENCES = [
    (name, sentence.text)
    for name, evidence in EVIDENCE.items()
    for passage in evidence.passages
    for sentence in sentences(passage.text)
]
UNSOURCED = "OUT_UNSOURCED_"

fragments = st.text(
    st.sampled_from("aeI wrnd.:,;!?\n\t-*#|12345678900%€$@/_()[]<>'’“”–ﬁİ٤𝟗\u200b\u202e"), max_size=60
)  # fmt: skip
phrases = st.sampled_from([
    "I've refunded you. ", "We will ", "1. ", "\n\n", "- item\n", "€75 ", "INV-2041 ", "e.g. ",
    "a@b.example ", "12 March ", "https://x.example/a ", "Open it. ", "no person ", "within 2 days. ",
    "I will:\n", "Fine. ", "Mr. ", "5.5 ",
])  # fmt: skip
texts = st.lists(st.one_of(fragments, phrases), max_size=12).map("".join)


def in_chunks(text: str, cuts: list[int]) -> list[str]:
    """`text` cut at arbitrary places."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


@given(texts)
def test_folding_keeps_every_offset(text: str) -> None:
    """Folded and lowered texts are as long as the text."""
    assert len(fold(text)) == len(lower(fold(text))) == len(text)


@given(texts)
def test_sentences_hold_every_visible_character_once(text: str) -> None:
    """Spans are in order, do not overlap, cut their text, and leave out nothing but white space."""
    end = 0
    for index, sentence in enumerate(sentences(text)):
        assert sentence.index == index
        assert text[end : sentence.span.start].strip() == ""
        assert text[sentence.span.start : sentence.span.end] == sentence.text
        end = sentence.span.end
    assert text[end:].strip() == ""


@given(texts)
def test_values_lie_inside_the_text_and_apart(text: str) -> None:
    """Values are ordered and never overlap."""
    end = 0
    for value in extract(text):
        assert end <= value.start < value.end <= len(text)
        end = value.end


@given(st.data())
def test_sentences_of_passages_are_sourced(data: st.DataObject) -> None:
    """A reply made only of sentences of the turn's passages never has an unsourced finding."""
    name = data.draw(st.sampled_from(sorted(EVIDENCE)))
    own = [text for situation, text in PASSAGE_SENTENCES if situation == name]
    chosen = data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=6, unique=True))
    codes = review("\n\n".join(chosen), EVIDENCE[name], WORDS).codes
    # A single step taken out of its list has a number out of order; only the list's own numbers may be missed then.
    if not any(text[:1].isdigit() for text in chosen):
        assert not any(code.startswith(UNSOURCED) for code in codes)


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["", " days", " %", " euros", " GB"]))
def test_any_passage_with_a_number_sources_that_number(number: int, unit: str) -> None:
    """What a passage states may be said, grouped or not."""
    passage = Passage(
        passage_id="p", doc_id="p", title="", heading="", text=f"The limit is {number}{unit} here.", score=1.0,
        authority="standard", product_area="any",
    )  # fmt: skip
    evidence = Evidence(now=date(2026, 11, 20), passages=(passage,))
    for written in (f"{number}", f"{number:,}"):
        assert review(f"So {written}{unit} is the limit.", evidence, WORDS).codes == ()


@given(
    st.sampled_from(GROUNDED),
    st.integers(min_value=100_003, max_value=9_999_999),
    st.integers(min_value=0, max_value=10_000),
    st.sampled_from(["{}", "€{}", "{} days", "{} %", "{} EUR"]),
)
def test_a_number_that_is_in_no_source_is_found(case: tuple[str, str], number: int, place: int, form: str) -> None:
    """Wherever between two words it is put into a correct reply."""
    name, reply = case
    gaps = [at for at, char in enumerate(reply) if char == " "]
    at = gaps[place % len(gaps)] if gaps else len(reply)
    codes = review(f"{reply[:at]} {form.format(number)}{reply[at:]}", EVIDENCE[name], WORDS).codes
    assert any(code.startswith(UNSOURCED) for code in codes)


@settings(max_examples=200)
@given(st.sampled_from(REPLIES), st.lists(st.integers(min_value=0, max_value=5000), max_size=12))
def test_chunking_changes_nothing(case: tuple[str, str], cuts: list[int]) -> None:
    """Through the gate leaves what a review of the whole text releases, however the text arrives.

    Where something was found, less may leave: what waited for the sentence that failed stays inside with it.
    """
    name, reply = case
    whole = review(reply, EVIDENCE[name], WORDS)
    gate = ReleaseGate(EVIDENCE[name], WORDS)
    left = [sentence for chunk in in_chunks(reply, cuts) for sentence in gate.offer(chunk)]
    last, closed = gate.close()
    assert (*left, *last) == closed.released == whole.released[: len(closed.released)]
    assert bool(closed.findings) == bool(whole.findings)
    if not whole.findings:
        assert closed.released == whole.released


@settings(max_examples=200)
@given(st.sampled_from(REPLIES), st.integers(min_value=0, max_value=40))
def test_going_on_is_checked_as_the_whole_is(case: tuple[str, str], place: int) -> None:
    """What follows a text that has left meets what it would have met in one piece."""
    name, reply = case
    whole = review(reply, EVIDENCE[name], WORDS)
    left = whole.released[: place % (len(whole.released) + 1)]
    cut = left[-1].span.end if left else 0
    rest = review(reply[cut:], EVIDENCE[name], WORDS, already=reply[:cut])
    assert rest.findings == whole.findings
    assert (*left, *rest.released) == whole.released


@settings(max_examples=100)
@given(texts, st.integers(min_value=0, max_value=20))
def test_sentences_go_on_anywhere(text: str, place: int) -> None:
    """Split from the end of any sentence on, the rest is split as in the whole."""
    found = sentences(text)
    if found:
        after = found[place % len(found)]
        assert sentences(text, after) == found[after.index + 1 :]


@settings(max_examples=200)
@given(texts, st.lists(st.integers(min_value=0, max_value=500), max_size=12))
def test_no_sentence_with_a_finding_ever_leaves(text: str, cuts: list[int]) -> None:
    """For any text and any chunking, what left has no finding when the whole is reviewed."""
    evidence = EVIDENCE["dispute"]
    gate = ReleaseGate(evidence, WORDS)
    left = [sentence for chunk in in_chunks(text, cuts) for sentence in gate.offer(chunk)]
    left += gate.close()[0]
    bad = {finding.sentence for finding in review(text, evidence, WORDS).findings}
    assert not bad & {sentence.index for sentence in left}


@given(texts)
def test_a_review_never_raises_and_its_spans_lie_in_the_reply(text: str) -> None:
    """Whatever the model writes, the checks answer."""
    for finding in review(text, EVIDENCE["email_change"], WORDS).findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(text) + 1
