import shutil
from pathlib import Path

import pytest

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.load import load_detection
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import NeedState


@pytest.fixture
def folder(detection_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(detection_folder, tmp_path / "detection")


def test_the_shipped_section_covers_every_need_state(shipped: DetectionConfig) -> None:
    """Nine need states, each with intents."""
    assert set(shipped.need_state_of.values()) == set(NeedState)


def test_every_problem_is_reported_with_its_line(folder: Path) -> None:
    """Unknown fields and unreadable phrases of several files come together."""
    abuse = folder / "signals" / "abuse.yaml"
    abuse.write_text(abuse.read_text().replace("threshold:", "treshold:"))
    legal = folder / "signals" / "risk_legal.yaml"
    legal.write_text(legal.read_text().replace("phrases:\n", "phrases:\n  - (open\n"))
    with pytest.raises(ConfigError) as caught:
        load_detection(folder)
    problems = caught.value.problems
    assert any(problem.startswith("signals/abuse.yaml:") and "treshold" in problem for problem in problems)
    assert any(problem.startswith("signals/risk_legal.yaml:") and "bracket" in problem for problem in problems)


def test_dangling_and_double_names_are_reported(folder: Path) -> None:
    """References are checked across files."""
    shutil.copy(folder / "signals" / "abuse.yaml", folder / "signals" / "abuse_again.yaml")
    fraud = folder / "signals" / "risk_fraud.yaml"
    fraud.write_text(fraud.read_text().replace("same_as: [unauthorised_charge]", "same_as: [no_such_intent]"))
    (folder / "intents" / "incident.yaml").unlink()
    (folder / "signals" / "injection_suspected.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        load_detection(folder)
    text = str(caught.value)
    assert "ABUSE is declared 2 times" in text
    assert "no_such_intent" in text
    assert "need state incident" in text
    assert "INJECTION_SUSPECTED is missing" in text


def test_no_example_is_given_twice(shipped: DetectionConfig) -> None:
    """The same sentence under two intents would teach nothing but doubt."""
    examples = [text.lower() for file in shipped.intents for intent in file.intents for text in intent.examples]
    assert len(examples) == len(set(examples))
