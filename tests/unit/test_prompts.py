"""Prompt templates: what a file must hold, and what comes out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from handrail.guardrails.prompts import ENFORCED, PromptTemplate, render
from handrail.guardrails.vocabulary import Depth, Obligation, Tone
from handrail.guardrails.yamlsource import Problem, read

FILE = Path(__file__).parents[2] / "guardrails" / "policies" / "prompts" / "answer.yaml"


@pytest.fixture(scope="module")
def template() -> PromptTemplate:
    """The shipped template."""
    problems: list[Problem] = []
    document = read(FILE, "answer.yaml", problems)
    found = document.parse(PromptTemplate, problems) if document is not None else None
    assert found is not None, problems
    return found


def test_every_placeholder_is_filled(template: PromptTemplate) -> None:
    """No brace is left for any tone and depth, and the words for both stand in the text."""
    for tone in Tone:
        for depth in Depth:
            text = render(template, tone, depth, tuple(Obligation), "en")
            assert "{" not in text
            assert template.tones[tone] in text
            assert template.depths[depth] in text
            assert "in English" in text


def test_obligations_stand_in_a_fixed_order_and_without_the_enforced_ones(template: PromptTemplate) -> None:
    """What gate and flow carry out themselves is not told to the model."""
    one = render(template, Tone.PLAIN, Depth.BRIEF, (Obligation.OFFER_HUMAN, Obligation.CITE_SOURCES), "en")
    other = render(
        template, Tone.PLAIN, Depth.BRIEF, (Obligation.CITE_SOURCES, Obligation.OFFER_HUMAN, *sorted(ENFORCED)), "en"
    )
    assert one == other
    assert template.obligations[Obligation.OFFER_HUMAN] in one


def test_no_obligation_leaves_no_heading(template: PromptTemplate) -> None:
    """Without obligations nothing speaks of any."""
    assert "in particular" not in render(template, Tone.PLAIN, Depth.BRIEF, (), "en")


def test_an_undeclared_language_falls_back(template: PromptTemplate) -> None:
    """The first declared language is used for others and for none."""
    assert render(template, Tone.PLAIN, Depth.BRIEF, (), "xx") == render(template, Tone.PLAIN, Depth.BRIEF, (), None)


def test_revision_names_id_and_version(template: PromptTemplate) -> None:
    """The audit log gets both."""
    assert template.revision == f"answer@{template.version}"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"system": "{tone} {depth} {obligations} {language} {passages}"}, "unknown placeholder {passages}"),
        ({"system": "{tone} {depth} {obligations}"}, "the placeholder {language} is missing"),
        ({"system": "{tone} {depth} {obligations} {language} }"}, "a single brace"),
        ({"tones": {"plain": "Plain."}}, "there are no words for the tone warm"),
        ({"depths": {"brief": "Short."}}, "there are no words for the depth standard"),
        ({"obligations": {}}, "there are no words for the obligation offer_human"),
    ],
)
def test_a_template_with_gaps_is_refused(template: PromptTemplate, changed: dict[str, object], message: str) -> None:
    """Placeholders are a closed set, and every value that policy can choose has words."""
    with pytest.raises(ValidationError) as refused:
        PromptTemplate.model_validate({**template.model_dump(), **changed})
    assert message in str(refused.value)
