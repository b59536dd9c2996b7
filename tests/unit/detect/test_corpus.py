"""A corpus is read from folders, and what is wrong in it is told with its place."""

import json
from pathlib import Path

import pytest

from handrail.guardrails.detect.corpus import MAX_PROBLEMS, LabelledRow, read_corpus
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import NeedState


def write(folder: Path, name: str, *rows: object) -> Path:
    """A file of these rows, as JSON Lines."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_all_files_of_all_folders_are_read_by_name(tmp_path: Path) -> None:
    """Fields that are not known are left alone, so that labelled files can be read as they are."""
    first = write(tmp_path / "one", "b.jsonl", {"text": "b", "source": "set/x", "extra": 1})
    write(first, "a.jsonl", {"text": "a", "need_state": "incident"}, {"text": "line\u2028separator"})
    second = write(tmp_path / "two", "c.jsonl", {"text": "c", "label": 1})
    corpus = read_corpus([first, second])
    assert [row.text for row in corpus.rows] == ["a", "line\u2028separator", "b", "c"]
    assert corpus.rows[0].need_state is NeedState.INCIDENT
    assert corpus.rows[2].dataset == "set"
    assert corpus.rows[3].is_injection is True


def test_the_hash_changes_with_the_content_and_with_what_is_left_out(tmp_path: Path) -> None:
    """A model says what it was trained on."""
    folder = write(tmp_path / "one", "a.jsonl", {"text": "a", "source": "x/y"}, {"text": "b", "source": "z"})
    corpus = read_corpus([folder])
    assert read_corpus([folder]).sha256 == corpus.sha256
    assert corpus.without("x").sha256 != corpus.sha256
    assert [row.text for row in corpus.without("x").rows] == ["b"]
    assert [row.text for row in corpus.without("x/y").rows] == ["b"]
    write(folder, "a.jsonl", {"text": "other"})
    assert read_corpus([folder]).sha256 != corpus.sha256


def test_every_bad_line_is_told_with_its_place(tmp_path: Path) -> None:
    """Not JSON, a state that nobody knows, an attack that is no part of the text; and a folder without files."""
    folder = write(
        tmp_path / "one", "a.jsonl", {"text": "x", "need_state": "no"}, {"text": "x", "attack": "y"}, {"text": ""}
    )
    (folder / "b.jsonl").write_text("{", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_corpus([folder, tmp_path / "empty"])
    problems = str(caught.value)
    for said in (
        "a.jsonl, line 1: need_state",
        "a.jsonl, line 2",
        "a.jsonl, line 3: text",
        "b.jsonl, line 1: not JSON",
    ):
        assert said in problems
    assert "empty: no *.jsonl" in problems


def test_of_very_many_problems_the_first_are_told(tmp_path: Path) -> None:
    """A file of another kind does not fill the screen."""
    folder = write(tmp_path / "one", "a.jsonl", *[{"no": "text"}] * 500)
    with pytest.raises(ConfigError, match="480 more problems") as caught:
        read_corpus([folder])
    assert len(str(caught.value).splitlines()) <= MAX_PROBLEMS + 3


def test_every_authored_theme_is_a_set_of_its_own() -> None:
    """So that themes are left out one by one, as data sets are."""
    assert LabelledRow(text="x", source="authored/bank").dataset == "authored/bank"
    assert LabelledRow(text="x", source="clinc150/banking").dataset == "clinc150"
