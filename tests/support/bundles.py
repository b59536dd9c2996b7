"""Copies of the shipped bundle with changes."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))
Edit = tuple[str, str, str]
"""File, text that stands in it once, and what replaces that; an empty text is appended to, or the file is made."""


def edited(folder: Path, *edits: Edit) -> Bundle:
    """The shipped bundle, copied to `folder` and changed; every edit has to find what it replaces."""
    shutil.copytree(SHIPPED, folder)
    for name, old, new in edits:
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else ""
        assert not old or text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new) if old else text + new, "utf-8")
    return load(folder)


def rule(rule_id: str, stage: str, reason: str, when: str, **says: str) -> Edit:
    """An edit that adds one rule; `says` are its other fields, as YAML."""
    fields = {"id": rule_id, "stage": stage, "reason": reason, "why": "A test asks for it.", "when": when, **says}
    lines = "\n    ".join(f"{name}: {content}" for name, content in fields.items())
    return f"rules/{rule_id.replace('.', '_')}.yaml", "", f"rules:\n  - {lines}\n"


def holdout(holdout_id: str, share: float, *without: str, status: str = "active") -> Edit:
    """An edit that adds one holdout."""
    entry = f"  - id: {holdout_id}\n    meaning: A test asks for it.\n    status: {status}\n    share: {share}\n"
    entry += f"    without: [{', '.join(without)}]\n    owner: tests\n    review_by: 2027-03-31\n"
    return "experiments.yaml", "", entry
