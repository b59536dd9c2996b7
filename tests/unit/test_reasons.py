"""The list of emitted reason codes, held against the source and the catalogue."""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from handrail.agent.reasons import EMITTED
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[A-Z]+(_[A-Z0-9]+)+")
NO_REASONS = re.compile(r"(LINT|KB|HANDRAIL)_\w+|\w+_NUM_THREADS|IN_DOUBT")
"""Written like codes and none: findings about bundles and bases, environment variables, the name of a variable."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))


def literals(*rooms: str) -> Iterator[tuple[str, str]]:
    """Every string in the source of these rooms that is written like a code, with its file."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            if path == ROOT / "agent" / "reasons.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    yield node.value, path.relative_to(ROOT).as_posix()


def test_every_listed_code_stands_in_the_source() -> None:
    """A code that the list promises is written somewhere else than in the list."""
    written = {code for code, _ in literals("agent", "guardrails", "retrieval")}
    assert set(EMITTED) - written == set()


def test_no_code_is_listed_twice() -> None:
    """The list is a set in order."""
    assert len(set(EMITTED)) == len(EMITTED)


def test_every_code_in_the_source_is_in_the_catalogue(bundle: Bundle) -> None:
    """Nothing can be emitted that the catalogue does not explain."""
    unexplained = {
        f"{file}: {code}"
        for code, file in literals("agent", "guardrails", "retrieval")
        if code not in bundle.reasons and not NO_REASONS.fullmatch(code)
    }
    assert unexplained == set()
