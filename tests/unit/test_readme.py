"""The documentation says what the code does: its example runs, its drawing and its tables are those of the code."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml

from handrail.agent.flow import build_graph
from handrail.agent.model_settings import PREFIX
from handrail.agent.room import Room
from handrail.agent.settings import Settings
from handrail.cli import COMMANDS
from handrail.evals.sample_base import ingest_sample
from handrail.guardrails.policy.builtin import BUILTIN
from handrail.guardrails.policy.facts import FactSpec
from handrail.guardrails.vocabulary import Obligation
from handrail.retrieval.checking.findings import Code

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "guardrails" / "policies"
LONGEST_README = 300
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the README's Python example prints, in a fresh data folder with the sample articles."""
    folder = tmp_path_factory.mktemp("readme")
    ingest_sample(folder / "kb")
    script = folder / "example.py"
    script.write_text(_block("README.md", "python"), encoding="utf-8")
    mine = {name: content for name, content in os.environ.items() if not name.startswith(PREFIX)}
    ran = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**mine, "HANDRAIL_DATA_DIR": str(folder), "ANONYMIZED_TELEMETRY": "False"},
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_example_is_short() -> None:
    """Twenty lines, without the blank ones at its end."""
    assert len(_block("README.md", "python").splitlines()) <= 22


def test_the_example_runs_and_prints_reply_and_reasons(answered: str) -> None:
    """A disputed charge: high risk is named, and the turn is allowed through every stage."""
    assert "gate_risk allow" in answered
    assert "RISK_CHARGE_DISPUTE" in answered
    assert "guard_output allow" in answered


def test_the_first_conversation_shows_what_is_really_said(answered: str) -> None:
    """Every line of the reply stands in the README's transcript, apart from where lines are broken."""
    transcript = " ".join(_text("README.md").split())
    for line in answered.partition("gate_risk")[0].splitlines():
        assert " ".join(line.split()) in transcript


def test_the_drawing_is_the_graph_of_the_code() -> None:
    """The mermaid block is what LangGraph draws. Building the graph needs no port."""
    drawn = build_graph(cast(Room, SimpleNamespace())).get_graph().draw_mermaid()
    assert _block("README.md", "mermaid").strip() == drawn.strip()


def test_every_command_is_in_the_table() -> None:
    """And the table names no command that is not there."""
    named = set(re.findall(r"^\| `handrail ([a-z]+)", _text("README.md"), re.MULTILINE))
    assert named == {entry.name for entry in COMMANDS}


def test_every_setting_is_in_the_table() -> None:
    """And the table names no setting that is not there."""
    rows = re.findall(r"^\| (`HANDRAIL_[^|]*)\|", _text("README.md"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"HANDRAIL_[A-Z_]+", row)}
    assert named == {PREFIX + field.upper() for field in Settings.model_fields}


def test_the_readme_stays_readable() -> None:
    """What grows beyond that belongs into docs/."""
    assert len(_text("README.md").splitlines()) < LONGEST_README


def test_the_table_of_facts_is_the_code() -> None:
    """On a difference, paste the expected rows into docs/policy.md."""
    written = _text("docs/policy.md").partition("<!-- facts")[2].partition("<!-- end of facts")[0]
    rows = [line for line in written.splitlines() if line.startswith("| `")]
    assert rows == [_fact_row(spec) for spec in BUILTIN]


def test_every_obligation_is_explained() -> None:
    """In the order of the vocabulary."""
    written = _text("docs/policy.md").partition("### Obligations")[2].partition("\n### ")[0]
    named = re.findall(r"^\| `([a-z_]+)` \|", written, re.MULTILINE)
    assert named == [obligation.value for obligation in Obligation]


def test_the_table_of_findings_is_the_code() -> None:
    """Every finding of lint has a line that says what to do."""
    source = "".join(path.read_text("utf-8") for path in (ROOT / "guardrails" / "bundle").glob("*.py"))
    assert _first_cells("docs/policy.md", "LINT_") == set(re.findall(r'"(LINT_[A-Z_]+)"', source))


def test_every_finding_about_a_base_is_explained() -> None:
    """What it means and what to do about it, in the order in which it is told."""
    written = _text("docs/knowledge-base-check.md")
    assert re.findall(r"^\| `(KB_[A-Z_]+)` \|", written, re.MULTILINE) == [code.value for code in Code]


def test_every_system_reason_has_an_action() -> None:
    """Whoever is called at night finds the code in docs/operations.md."""
    catalogue = [
        entry["code"] for path in POLICIES.glob("reasons/*.yaml") for entry in yaml.safe_load(path.read_text())
    ]
    assert _first_cells("docs/operations.md", "SYS_") == {code for code in catalogue if code.startswith("SYS_")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder of the repository."""
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_the_decision_records_are_numbered_without_gaps() -> None:
    """Each states context, decision, consequences, and what would change our mind."""
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "What would change our mind"], page.name


def _text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def _block(path: str, language: str) -> str:
    """The first code block of `language`."""
    return _text(path).partition(f"```{language}\n")[2].partition("```")[0]


def _first_cells(path: str, prefix: str) -> set[str]:
    return set(re.findall(rf"^\| `({prefix}[A-Z_]+)` \|", _text(path), re.MULTILINE))


def _fact_row(spec: FactSpec) -> str:
    when = f"only at {spec.only_at.value}" if spec.only_at else f"from {spec.since.value}"
    values = f": {', '.join(sorted(spec.values))}" if spec.values else ""
    return f"| `{spec.name}` | {spec.kind.value} | {when} | {spec.meaning}{values} |"
