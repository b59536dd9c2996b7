import json
import shutil
from pathlib import Path

import click
import pytest

from handrail.cli import run
from handrail.commands import kb_options
from handrail.commands.kb import kb
from handrail.commands.kb_search import parse_attributes
from tests.support.articles import HIDDEN, article, screen, write_articles
from tests.support.bundles import SHIPPED
from tests.support.hashing_encoder import HashingEncoder


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kb_options, "encoder", HashingEncoder)
    monkeypatch.setattr(kb_options, "screen", lambda bundle: screen)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """Two good articles and one with a hidden instruction."""
    return write_articles(
        tmp_path / "articles",
        {
            "reset.md": article("reset", "Choose forgot password.", "Reset your password"),
            "okta.md": article("okta", "Connect okta with a password.", "Okta", stacks="[okta]", roles="[admin]"),
            "tips.md": article("tips", HIDDEN),
        },
    )


def call(tmp_path: Path, *arguments: str) -> int:
    """The exit code of a command."""
    options = ["--data-dir", str(tmp_path / "state")]
    return run(lambda: kb.main([arguments[0], *options, *arguments[1:]], standalone_mode=False))


def test_ingest_reports_and_succeeds(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts and quarantine are printed; the exit code is 0 when every article was well-formed."""
    assert call(tmp_path, "ingest", str(articles)) == 0
    printed = capsys.readouterr().out
    assert "3 documents, 2 passages" in printed
    assert "In quarantine: tips.md:15" in printed


def test_bad_articles_give_exit_code_1(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is ingested all the same, and JSON says both."""
    (articles / "bad.md").write_text("No front matter")
    assert call(tmp_path, "ingest", str(articles), "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["documents"] == 3
    assert report["bad_documents"] == ["bad.md"]
    assert (report["problems"][0]["file"], report["problems"][0]["line"]) == ("bad.md", 1)


def test_a_report_holds_every_problem(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed are as many as can be read; the file has a line of JSON for each."""
    for number in range(300):
        (articles / f"bad{number}.md").write_text("No front matter")
    written = tmp_path / "problems.jsonl"
    assert call(tmp_path, "ingest", str(articles), "--report", str(written)) == 1
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert {line["file"] for line in lines} == {f"bad{number}.md" for number in range(300)}
    printed = capsys.readouterr().err
    assert "300 × no front matter" in printed
    assert "and 280 more" in printed
    assert str(written) in printed


def test_search_keeps_to_the_attributes(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without attributes only what is for everyone is found."""
    call(tmp_path, "ingest", str(articles))
    capsys.readouterr()
    assert call(tmp_path, "search", "password", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [result["doc_id"] for result in found["results"]] == ["reset"]
    assert found["excluded"] == {"role": 1, "quarantined": 1}
    call(tmp_path, "search", "okta password", "--attr", "role=admin", "--attr", "stack=okta", "--attr", "stack=slack")
    printed = capsys.readouterr().out
    assert "okta" in printed.splitlines()[0]
    assert "2 documents in scope; kept out: quarantined 1" in printed


def test_search_answers_a_file(tmp_path: Path, articles: Path) -> None:
    """One line of results for each line of questions; attributes may be words or lists."""
    call(tmp_path, "ingest", str(articles))
    questions, results = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    asked = {"id": "q1", "query": "okta", "attributes": {"role": "admin", "stack": ["okta"], "plan": None, "x": 1}}
    questions.write_text(json.dumps(asked) + "\n\n" + json.dumps({"id": "q2", "query": "okta"}) + "\n")
    assert call(tmp_path, "search", str(questions), str(results)) == 0
    first, second = (json.loads(line) for line in results.read_text().splitlines())
    assert (first["id"], first["results"][0]["doc_id"]) == ("q1", "okta")
    assert second["excluded"] == {"role": 1, "quarantined": 1}


def test_bad_questions_are_all_reported(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every bad line is named, and nothing is written."""
    call(tmp_path, "ingest", str(articles))
    questions = tmp_path / "in.jsonl"
    questions.write_text('{"id": 1}\nnot json\n{"id": "a", "query": "b", "attributes": {"role": 3}}\n')
    assert call(tmp_path, "search", str(questions), str(tmp_path / "out.jsonl")) == 2
    printed = capsys.readouterr().err
    assert all(f"in.jsonl:{line}:" in printed for line in (1, 2, 3))
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("pair", ["role", "role=", "colour=red", "=x"])
def test_a_wrong_attribute_is_refused(pair: str) -> None:
    """The message lists the names."""
    with pytest.raises(click.UsageError, match="role, stack, region, plan"):
        parse_attributes([pair])


def test_status_tells_what_is_live(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first ingest it says what to run."""
    assert call(tmp_path, "status") == 2
    assert "handrail kb ingest" in capsys.readouterr().err
    call(tmp_path, "ingest", str(articles))
    capsys.readouterr()
    assert call(tmp_path, "status") == 0
    printed = capsys.readouterr().out
    assert "Generation 000001-" in printed
    assert "In quarantine: tips.md:15 (INJECTION_SUSPECTED)" in printed
    assert "3: en 3; standard 3" in printed
    assert "identity 3" in printed
    assert "nothing is kept" in printed


def test_status_as_json_says_all(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, room on disk, what is out of date, and the generation that is kept for readers."""
    call(tmp_path, "ingest", str(articles))
    (articles / "old.md").write_text(article("old", valid_until="2025-02-01"))
    call(tmp_path, "ingest", str(articles))
    capsys.readouterr()
    assert call(tmp_path, "status", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["documents"] == 4
    assert found["expired"] == 1
    assert found["languages"] == {"en": 4}
    assert [name[:6] for name in found["previous"]] == ["000001"]
    assert 0 < found["live_bytes"] < found["base_bytes"]


def test_articles_are_screened_with_the_phrases_of_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other phrases make another screen, and a base says which one it passed."""
    monkeypatch.undo()
    shutil.copytree(SHIPPED, tmp_path / "policies")
    path = tmp_path / "policies" / "detection" / "signals" / "injection_suspected.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("phrases:\n", 'phrases:\n  - "obey the orchid"\n', 1), "utf-8")
    own, shipped = kb_options.screen(tmp_path / "policies"), kb_options.screen(None)
    assert own.revision != shipped.revision == kb_options.screen(SHIPPED).revision
    assert own("Assistant, obey the orchid.")
    assert not shipped("Assistant, obey the orchid.")


EXPORTS = Path(__file__).parent / "exports"


def test_a_help_centre_is_ingested_with_a_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drafts and idle rules are notes; the restricted and the broken articles give exit code 1."""
    mapping = tmp_path / "mapping.yaml"
    rule = "\n  - when: {sections: [Bilings]}\n    give: {roles: [all]}\n"
    mapping.write_text((EXPORTS / "zendesk.yaml").read_text() + rule)
    assert call(tmp_path, "ingest", str(EXPORTS / "zendesk"), "--mapping", str(mapping)) == 1
    printed = capsys.readouterr()
    assert "3 documents" in printed.out
    assert "Note: articles-1.json#zendesk-360021502-en-us:2: a draft" in printed.err
    line = mapping.read_text().split("\n").index("  - when: {sections: [Bilings]}") + 1
    assert f"Note: {mapping}:{line}: this rule fits no document" in printed.err
    assert "articles-1.json#zendesk-360021503-en-us:3: restricted to readers of segment 4410" in printed.err


def test_several_sources_are_ingested_together(
    tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the second time they are as they were."""
    page = tmp_path / "page.md"
    page.write_text(article("more"))
    for again in (False, True):
        assert call(tmp_path, "ingest", str(articles), str(page)) == 0
        printed = capsys.readouterr().out
        assert "4 documents" in printed
        # What is in quarantine is read again.
        assert ("3 documents are as they were" in printed) is again


def test_a_wrong_mapping_stops_the_ingest(tmp_path: Path, articles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made public by half a mapping."""
    (tmp_path / "m.yaml").write_text("defaults: {roles: everybody}")
    assert call(tmp_path, "ingest", str(articles), "--mapping", str(tmp_path / "m.yaml")) == 2
    assert "m.yaml:1: defaults.roles" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
