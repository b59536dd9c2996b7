"""The template of second opinions: what its file must hold, and what comes out of it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.opinion_prompt import OpinionTemplate, render_opinion


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))


@pytest.fixture(scope="module")
def template(bundle: Bundle) -> OpinionTemplate:
    """Its template."""
    assert bundle.opinion is not None
    return bundle.opinion


def test_every_choice_stands_in_the_text(bundle: Bundle, template: OpinionTemplate) -> None:
    """All need states with their words, all intents with their titles, the company, and no placeholder."""
    text = render_opinion(template, bundle.manifest.company, bundle.detection.intents)
    for file in bundle.detection.intents:
        assert f"- {file.need_state.value}: {template.need_states[file.need_state]}" in text
        for intent in file.intents:
            assert f"  - {intent.id}: {intent.title}" in text
    assert "support of Fernwell" in text
    assert "{needs}" not in text
    assert "{company}" not in text


def test_revision_names_id_and_version(template: OpinionTemplate) -> None:
    """The audit log gets both."""
    assert template.revision == f"second_opinion@{template.version}"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"system": "{company} {needs} {message}"}, "unknown placeholder {message}"),
        ({"system": "{company}"}, "the placeholder {needs} is missing"),
        ({"need_states": {"how_to": "Use."}}, "there are no words for the need state incident"),
    ],
)
def test_a_template_with_gaps_is_refused(template: OpinionTemplate, changed: dict[str, object], message: str) -> None:
    """Placeholders are a closed set without the customer's text, and every need state has words."""
    with pytest.raises(ValidationError) as refused:
        OpinionTemplate.model_validate({**template.model_dump(), **changed})
    assert message in str(refused.value)
