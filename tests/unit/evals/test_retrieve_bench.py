"""The benchmark of searches within scopes measures what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.cli import root, run
from handrail.evals.bench import retrieve as measuring
from handrail.evals.bench.drawn_base import DrawnBase
from handrail.evals.bench.retrieve import SHARES, RetrieveBench, bench_retrieve, sizes_up_to
from handrail.evals.bench.retrieve_table import html_page
from tests.support.articles import read


def test_a_drawn_base_is_the_same_every_time_and_of_its_size(tmp_path: Path) -> None:
    """Articles of four passages each, with a vector for every passage and question."""
    for name in ("one", "other"):
        DrawnBase(50, 3).write(tmp_path / name)
    one, other = read(tmp_path / "one"), read(tmp_path / "other")
    assert one == other
    assert len(one.documents) == 13
    assert one.problems == ()
    drawn = DrawnBase(50, 3)
    assert drawn.encoder().encode(drawn.asked()).shape == (3, 384)
    with pytest.raises(KeyError):
        drawn.encoder().encode(["no number"])


def test_sizes_end_with_the_one_that_was_asked_for() -> None:
    """Four of them, growing; one where there is no room for more."""
    assert sizes_up_to(400) == (400,)
    assert len(sizes_up_to(100_000)) == 4
    assert sizes_up_to(100_000)[-1] == 100_000


@pytest.fixture(scope="module")
def small() -> RetrieveBench:
    """A benchmark that is over soon."""
    return bench_retrieve(400, report=lambda _: None, rounds=1, questions=4)


def test_every_scope_is_measured_and_nothing_is_lost_in_it(small: RetrieveBench) -> None:
    """Recall is that of the search, beside an exact comparison; a scope leaves what it says."""
    (size,) = small.sizes
    assert len(size.scopes) == len(SHARES)
    assert all(scope.recall == 1.0 and scope.scoped_ms > 0 and scope.filtered_ms > 0 for scope in size.scopes)
    assert [scope.left for scope in size.scopes] == sorted(scope.left for scope in size.scopes)
    assert size.passages > 300
    assert size.held_mb > 0


def test_the_figures_are_printed_and_drawn(
    small: RetrieveBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As text with the aims, as JSON, and as a page with plots."""
    monkeypatch.setattr(measuring, "bench_retrieve", lambda passages, report: small)
    out = tmp_path / "made" / "page.html"
    arguments = ["bench", "retrieve", "--passages", "400", "--out", str(out)]
    assert run(lambda: root.main(args=arguments, prog_name="handrail", standalone_mode=False)) == 0
    assert "(aim 1.5)" in capsys.readouterr().out
    assert RetrieveBench.model_validate_json(out.with_suffix(".json").read_text()) == small
    assert out.read_text().count("<polyline") == 3 * len(SHARES) + 2 == html_page(small).count("<polyline")
