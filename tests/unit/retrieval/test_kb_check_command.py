import json
from pathlib import Path

import pytest

from handrail.cli import run
from handrail.commands import kb_options
from handrail.commands.kb import kb
from tests.support.articles import article, screen, write_articles
from tests.support.hashing_encoder import HashingEncoder

SOUND = {"a.md": article("a", authority="authoritative")}


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kb_options, "encoder", HashingEncoder)
    monkeypatch.setattr(kb_options, "screen", lambda bundle: screen)


def call(tmp_path: Path, *arguments: str) -> int:
    """The exit code of a command."""
    options = ["--data-dir", str(tmp_path / "state")]
    return run(lambda: kb.main([arguments[0], *options, *arguments[1:]], standalone_mode=False))


def ingested(tmp_path: Path, articles: dict[str, str]) -> Path:
    """The folder of articles that were made the base."""
    folder = write_articles(tmp_path / "articles", articles)
    assert call(tmp_path, "ingest", str(folder)) == 0
    return folder


def test_check_exits_by_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for a sound base, 1 with findings, 2 without a base or with a bundle that is none."""
    assert call(tmp_path, "check") == 2
    assert "handrail kb ingest" in capsys.readouterr().err
    ingested(tmp_path, SOUND)
    assert call(tmp_path, "check") == 0
    assert "Nothing found." in capsys.readouterr().out
    assert call(tmp_path, "check", "--bundle", str(tmp_path / "none")) == 2
    ingested(tmp_path, {**SOUND, "b.md": article("b", valid_until="2026-07-01")})
    assert call(tmp_path, "check", "--today", "2026-06-20") == 1
    assert call(tmp_path, "check", "--today", "2026-06-20", "--soon", "5") == 0
    capsys.readouterr()
    assert call(tmp_path, "check", "--today", "2026-07-02") == 1
    assert "KB_EXPIRED (1)\n  warning: b.md: Valid until 2026-07-01" in capsys.readouterr().out


def test_check_groups_findings_and_cuts_long_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What to do is said once for each kind; JSON has all of them, and the whole matrix."""
    ingested(tmp_path, {**SOUND, **{f"x{n}.md": article(f"x{n}", language="de") for n in range(30)}})
    assert call(tmp_path, "check") == 1
    printed = capsys.readouterr().out
    assert "KB_NEVER_ELIGIBLE (30)" in printed
    assert "and 10 more" in printed
    assert printed.count("→ Widen its classes") == 1
    assert call(tmp_path, "check", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["findings"]) == 30
    assert {row["group"] for row in found["access"]["segments"]} >= {"end_user", "finance", "how_to"}


def test_check_marks_holes_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A segment without any document where others have some."""
    ingested(tmp_path, {"a.md": article("a", authority="authoritative", roles="[finance, admin, it]")})
    assert call(tmp_path, "check") == 1
    printed = capsys.readouterr().out
    (line,) = (line for line in printed.splitlines() if line.strip().startswith("end_user"))
    assert line.split()[1:] == ["NONE"] * 6
    assert "For how_to segment end_user has no document" in printed


def test_diff_exits_as_diff_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 without a difference, 1 with one, 2 when the folder is none."""
    folder = ingested(tmp_path, SOUND)
    capsys.readouterr()
    assert call(tmp_path, "diff", str(folder)) == 0
    assert "nothing would change" in capsys.readouterr().out
    write_articles(folder, {"a.md": article("a", authority="standard"), "b.md": article("b")})
    assert call(tmp_path, "diff", str(folder)) == 1
    printed = capsys.readouterr().out
    assert "1 added, 0 removed, 1 changed" in printed
    assert "  ~ a.md  authority authoritative -> standard" in printed
    assert "  +0 -1   policy_compliance\n" in printed
    assert "  +1 -0   access_restore, account_changes" in printed
    assert call(tmp_path, "diff", str(folder), "--json") == 1
    assert [one["doc_id"] for one in json.loads(capsys.readouterr().out)["added"]] == ["b"]
    assert call(tmp_path, "diff", str(tmp_path / "none")) == 2
