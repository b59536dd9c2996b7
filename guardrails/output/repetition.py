"""OUT_REPEATED_PASSAGE: the same passage or the same sentences again, with nothing new beside them."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.reading import Line, View
from handrail.guardrails.output.sentences import sentences
from handrail.guardrails.output.stems import content_stems, written_out

CODE = "OUT_REPEATED_PASSAGE"

_SUBSTANCE = 4
"""Sentences with fewer words that carry meaning (greetings, offers) are neither a repetition nor new."""

_SAME = 12
"""Letters and digits below which a sentence (`Yes.`, `Then:`) may come twice in a reply."""

_ADVICE = 3
_MOST_OF = 0.6
_PIECES = 0.6
"""Words, and the share of the shorter of two sentences, that make the same advice of them."""

_WHOLE = 6
"""Words that carry meaning which an earlier reply needs for its being said again in whole to be a repetition."""


def check(view: View) -> Iterator[Finding]:
    """A finding on the last sentence when it repeats, and with it most of the reply so far or a whole earlier reply.

    A sentence that this very reply has begun with does not come again, whatever else is new.
    """
    if view.sources.said and len(view.line.squashed) >= _SAME and view.line.squashed in view.sources.said:
        yield view.line.finding(CODE, 0, len(view.line.sentence.text), "said in this reply")
        return
    if not view.sources.seen or view.sources.is_fixed(view.line.squashed):
        return  # what the bundle says itself (an offer of a person, a question back) may be said again
    if _is_tried(view) and (_is_old_advice(view) or _is_old_in_pieces(view)):
        yield view.line.finding(CODE, 0, len(view.line.sentence.text), "did not help")
        return
    if not _may_repeat(view) or not _repeats(view, view.line):
        return
    own = [line for line in view.lines if not view.sources.is_fixed(line.squashed)]
    repeated = [line for line in own if _repeats(view, line)]
    new = sum(len(line.stems) for line in own if len(line.stems) >= _SUBSTANCE and line not in repeated)
    said = sum(len(line.stems) for line in repeated)
    if said > view.wording.form.repeated_share * (said + new) or _is_whole(view, repeated):
        yield view.line.finding(CODE, 0, len(view.line.sentence.text), "said before")


def _is_tried(view: View) -> bool:
    """Whether the customer says that what they were told did not help."""
    return "did_not_help" in view.wording.lexicon.mark(view.sources.asked_tokens)


def _is_old_advice(view: View) -> bool:
    """Whether the sentence tells again, in whatever order, most of what the customer was told to do.

    A sentence that speaks of it as done or as useless (`since the restart did not help`) advises something else.
    """
    if _is_set_aside(view, view.line):
        return False
    stems = written_out(view.line.stems)
    return any(
        len(stems & known) >= max(_ADVICE, _MOST_OF * min(len(known), len(stems)))
        for known in view.sources.shown
        if len(known) >= _ADVICE
    )


def _is_set_aside(view: View, line: Line) -> bool:
    """Whether a sentence (without the words that lead to it as a list item) speaks of what is done or does not help."""
    marks = view.wording.lexicon.mark(line.tokens[line.led :]) if line.led else line.marks
    return "negation" in marks or "as_done" in marks or line.is_question


def _is_old_in_pieces(view: View) -> bool:
    """Whether the sentences so far, a list of steps perhaps, tell together what one told before."""
    advising = [written_out(line.stems) for line in view.lines if not _is_set_aside(view, line)]
    told = frozenset[str]().union(*advising)
    return view.line.stems <= told and any(
        len(told & known) >= max(_ADVICE, _PIECES * len(known)) and len(written_out(view.line.stems) & known) > 1
        for known in view.sources.shown
    )


def _may_repeat(view: View) -> bool:
    """Whether so many words of the sentence were seen before that it can repeat another at all."""
    seen = view.sources.seen
    stems = written_out(view.line.stems) if seen else seen
    if len(stems) < _SUBSTANCE:
        return False
    new = len(stems - seen)
    return new <= 1 or len(stems) - new >= view.wording.form.near_same * len(stems)


def _is_whole(view: View, repeated: list[Line]) -> bool:
    """Whether the repeated sentences make up a whole reply of before."""
    words = frozenset[str]().union(*(line.stems for line in repeated))
    return any(
        len(content_stems(reply)) >= _WHOLE and len(known & words) >= view.wording.form.near_same * len(known)
        for reply in view.sources.evidence.earlier_replies
        if (known := _substance(reply))
    )


def _substance(reply: str) -> frozenset[str]:
    """The words that carry meaning in those sentences of a reply that are no mere greeting or offer."""
    said = (written_out(content_stems(sentence.text)) for sentence in sentences(reply))
    return frozenset[str]().union(*(stems for stems in said if len(stems) >= _SUBSTANCE))


def _repeats(view: View, line: Line) -> bool:
    """Whether the words of `line` are, but for a few, those of a sentence shown before."""
    stems, share = written_out(line.stems), view.wording.form.near_same
    return len(stems) >= _SUBSTANCE and any(
        len(stems & known) >= share * min(len(stems | known), len(stems) + 2) or _is_reworded(stems, known)
        for known in view.sources.shown
        if len(known) >= _SUBSTANCE
    )


def _is_reworded(stems: frozenset[str], known: frozenset[str]) -> bool:
    """Whether both say the same but for one word that was put for another; another figure is something new."""
    changed = stems ^ known
    return (
        len(stems & known) > _SUBSTANCE
        and len(stems - known) <= 1
        and len(known - stems) <= 1
        and not any(word[0].isdigit() for word in changed)
    )
