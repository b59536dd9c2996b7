"""The measure of the output checks: what counts as stopped, and what is wrong with a file."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from handrail.agent.composition import bundle_of
from handrail.agent.reply_check import ReplyCheck
from handrail.agent.settings import load_settings
from handrail.evals.replies import AUTHORED, CORRECT, measure, table
from handrail.guardrails.errors import ConfigError


@pytest.fixture(scope="module")
def check() -> ReplyCheck:
    """The shipped bundle; nobody asks for a person."""
    return ReplyCheck(bundle_of(load_settings()), date(2026, 3, 12), lambda _: False)


def test_each_kind_is_counted_by_itself(check: ReplyCheck, tmp_path: Path) -> None:
    """Stopped is whatever is not allowed."""
    lines = [
        {"id": 1, "kind": "correct", "reply": "The plan costs 9 EUR.", "passages": ["The plan costs 9 EUR."]},
        {"id": 2, "kind": "correct", "reply": "The plan costs 8 EUR.", "passages": ["The plan costs 9 EUR."]},
        {"id": 3, "kind": "number", "reply": "The plan costs 7 EUR.", "passages": ["The plan costs 9 EUR."]},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    found = measure(check, path)
    assert [(one.kind, one.stopped.successes, one.stopped.n) for one in found.kinds] == [
        ("correct", 1, 2),
        ("number", 1, 1),
    ]
    assert "number" in table([found])


def test_only_line_feeds_end_a_line(check: ReplyCheck, tmp_path: Path) -> None:
    """A text in JSON may hold the other separators."""
    path = tmp_path / "mine.jsonl"
    line = {"id": 1, "kind": "correct", "reply": "Hello.\u2028Hello."}
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [one.stopped.n for one in measure(check, path).kinds] == [1]


def test_a_line_that_cannot_be_read_is_named(check: ReplyCheck, tmp_path: Path) -> None:
    """With file and line."""
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": 1, "reply": "Hello."}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.jsonl, line 1"):
        measure(check, path)


def test_the_authored_corpora_are_as_large_as_they_must_be() -> None:
    """Over all authors, 500 correct replies and 60 violating edits of each kind, unique ids."""
    rows = [json.loads(line) for path in AUTHORED.glob("*.jsonl") for line in path.read_text().splitlines()]
    kinds = Counter(row["kind"] for row in rows)
    assert kinds.pop(CORRECT) >= 500
    assert len(kinds) == 16
    assert min(kinds.values()) >= 60
    assert len({row["id"] for row in rows}) == len(rows)
