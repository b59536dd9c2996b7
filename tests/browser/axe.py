"""axe-core in a page: what it finds wrong with the page's accessibility."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page
from pydantic import BaseModel, TypeAdapter

HERE = Path(__file__).parent
FILES = (".npmrc", "package.json", "package-lock.json")
GRAVE = frozenset({"serious", "critical"})


class Node(BaseModel):
    """An element, as axe names it."""

    html: str
    failureSummary: str = ""  # noqa: N815 - as axe writes it


class Finding(BaseModel):
    """A rule that some elements break."""

    id: str
    impact: str | None
    help: str
    nodes: list[Node]


_FINDINGS = TypeAdapter(list[Finding])


def install(folder: Path) -> str:
    """The source of axe-core, fetched by its lock file into `folder`."""
    npm = shutil.which("npm")
    assert npm is not None, "these tests need npm, which comes with Node.js: install it so that `npm` is in the PATH"
    for name in FILES:
        shutil.copy(HERE / name, folder / name)
    ran = subprocess.run(
        [npm, "ci", "--no-progress"], cwd=folder, capture_output=True, check=False, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


def findings(page: Page, source: str) -> list[Finding]:
    """Everything that axe finds, the best practices included. It looks into the widget's shadow tree too."""
    # Evaluated, not added as a script: the page's own policy forbids inline scripts, and shall.
    page.evaluate(source)
    found: str = page.evaluate("async () => JSON.stringify((await axe.run(document)).violations)")
    return _FINDINGS.validate_json(found)


def grave(page: Page, source: str) -> str:
    """The serious and critical findings, as text; empty when there are none."""
    bad = [each for each in findings(page, source) if each.impact in GRAVE]
    return json.dumps([each.model_dump() for each in bad], indent=1) if bad else ""
