"""Every code is found where it must be, and correct sentences pass."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.review import review
from handrail.guardrails.output.wording import CODES, Wording
from handrail.guardrails.vocabulary import Frozen
from tests.unit.output.corpus import situations, wording


class Group(Frozen):
    """Sentences on one situation: those that must be found under the code, and those that nothing may stop."""

    situation: str
    violating: list[str]
    harmless: list[str]


CASES = {
    code: [Group.model_validate(group) for group in groups]
    for code, groups in yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8")).items()
}
PARSED = situations()


@pytest.fixture(scope="module")
def words() -> Wording:
    """The shipped output policy."""
    return wording()


@pytest.fixture(scope="module")
def evidence() -> dict[str, Evidence]:
    """The evidence of every situation."""
    return {name: situation.evidence() for name, situation in PARSED.items()}


@pytest.mark.parametrize("code", CASES)
def test_violating_sentences_are_found(code: str, words: Wording, evidence: dict[str, Evidence]) -> None:
    """Each violating sentence gets the code it is listed under."""
    missed = [
        sentence
        for group in CASES[code]
        for sentence in group.violating
        if code not in review(sentence, evidence[group.situation], words).codes
    ]
    assert missed == []


@pytest.mark.parametrize("code", CASES)
def test_harmless_sentences_pass(code: str, words: Wording, evidence: dict[str, Evidence]) -> None:
    """Each harmless sentence, however close to a violation, has no finding at all."""
    stopped = {
        sentence: [(finding.code, finding.detail) for finding in found.findings]
        for group in CASES[code]
        for sentence in group.harmless
        if (found := review(sentence, evidence[group.situation], words)).findings
    }
    assert stopped == {}


def test_every_code_has_cases() -> None:
    """At least eight violating and eight harmless sentences stand behind every code that is about a sentence."""
    for code in set(CODES) - {"OUT_EMPTY", "OUT_TOO_LONG"}:
        assert sum(len(group.violating) for group in CASES[code]) >= 8, code
        assert sum(len(group.harmless) for group in CASES[code]) >= 8, code


@pytest.mark.parametrize("reply", ["", " ", "\n\n", "...", "🙂", "- ", "**", "\u200b"])
def test_a_reply_without_words_is_empty(reply: str, words: Wording, evidence: dict[str, Evidence]) -> None:
    """White space, signs and pictures alone are no reply."""
    assert review(reply, evidence["plans"], words).codes == ("OUT_EMPTY",)


@pytest.mark.parametrize("reply", ["Ok", "Yes.", "No", "1.", "Hello!", "- a", "ja", "Sí."])
def test_a_short_reply_is_not_empty(reply: str, words: Wording, evidence: dict[str, Evidence]) -> None:
    """One word is enough."""
    assert "OUT_EMPTY" not in review(reply, evidence["plans"], words).codes


@pytest.mark.parametrize(
    "reply",
    ["a" * 6001, "word " * 1300, "1 " * 500_000, "a@" * 500_000, "<" * 10_000, "\n" * 7000, "€" * 6001, "x." * 400_000],
)
def test_a_reply_over_the_limit_is_too_long(reply: str, words: Wording, evidence: dict[str, Evidence]) -> None:
    """Over the limit only the length is reported, however large the text is."""
    found = review(reply, evidence["plans"], words)
    assert found.codes == ("OUT_TOO_LONG",)
    assert found.released == ()


@pytest.mark.parametrize("count", [1, 10, 50, 100, 200, 300, 400, 500])
def test_a_reply_under_the_limit_is_not_too_long(count: int, words: Wording, evidence: dict[str, Evidence]) -> None:
    """Length alone is no fault below the limit."""
    assert "OUT_TOO_LONG" not in review("Choose Save. " * (count * 11 // 13), evidence["plans"], words).codes
