"""The output policy is read as a whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.output.wording import load_wording
from tests.unit.output.corpus import ROOT

SHIPPED = ROOT / "guardrails" / "policies" / "output"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped output policy."""
    copy = tmp_path / "output"
    shutil.copytree(SHIPPED, copy)
    return copy


def replace(file: Path, old: str, new: str) -> None:
    """Change one place of a file that must have it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_policy_loads() -> None:
    """Nothing is wrong with what is shipped."""
    assert load_wording(SHIPPED).form.characters > 0


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("commitments.yaml", "order: [we, will, money_verb]", "order: [we, will, monney]", "names the class monney"),
        ("commitments.yaml", "id: team_pays", "id: we_pay", "stands there twice"),
        ("commitments.yaml", "kind: money", "knd: money", "unknown field"),
        ("people.yaml", "excuses: [question]", "excuses: [perhaps]", "people.yaml"),
        ("words.yaml", "  hedge:", "  hegde:", "class hedge is needed"),
        ("feedback.yaml", "OUT_EMPTY:", "OUT_EMTPY:", "no guidance for OUT_EMPTY"),
        ("disclosure.yaml", "-----BEGIN [A-Z ]{0,30}", "([A-Z]+)+", "repeats a repetition"),
        ("disclosure.yaml", "-----BEGIN [A-Z ]{0,30}", "([A-Z]", "cannot be compiled"),
        ("form.yaml", "characters: 6000", "characters: 6", "characters"),
    ],
)
def test_mistakes_are_named(folder: Path, file: str, old: str, new: str, message: str) -> None:
    """A mistake stops the start with the file's name and what to do."""
    replace(folder / file, old, new)
    with pytest.raises(ConfigError) as caught:
        load_wording(folder)
    assert message in str(caught.value)


def test_all_mistakes_are_listed_together(folder: Path) -> None:
    """Two wrong files give two problems."""
    replace(folder / "form.yaml", "characters: 6000", "characters: 6")
    (folder / "people.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        load_wording(folder)
    assert len(caught.value.problems) == 2
