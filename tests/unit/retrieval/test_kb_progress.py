import io
import sys
from collections.abc import Sequence

import pytest

from handrail.commands.kb_problems import SHOWN, problem_lines
from handrail.commands.kb_progress import Lines, progress_for
from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.report import Step


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(progress: object) -> None:
    """An ingest of a thousand passages."""
    assert callable(progress)
    for step in (Step.READ, Step.EMBED):
        for done in range(1, 1001):
            progress(step, done, 1000)


def test_a_terminal_gets_a_bar_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the end, and not drawn for every file."""
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_for(verbose=False) as progress:
        run(progress)
    drawn = terminal.getvalue()
    assert "Reading" in drawn
    assert "Embedding" in drawn
    assert drawn.count("1000/1000") >= 2
    assert drawn.count("\r") < 600


@pytest.mark.parametrize(("verbose", "lines"), [(False, 0), (True, 2)])
def test_elsewhere_there_are_lines_only_when_asked_for(
    verbose: bool, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step that is over in no time is one line."""
    with progress_for(verbose=verbose) as progress:
        run(progress)
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_long_steps_say_rate_and_remaining_time() -> None:
    """A line every ten seconds, and one at the end."""
    seconds, told = [0.0], list[str]()
    lines = Lines(told.append, lambda: seconds[0])
    for done in range(0, 101, 5):
        lines(Step.EMBED, done, 100)
        seconds[0] += 2.0
    assert told[0] == "Embedding: 25 of 100 passages, 2 passages/s, 30 s left"
    assert told[-1] == "Embedding: 100 of 100 passages, 2 passages/s"
    assert len(told) == 4


def listed(problems: Sequence[Problem]) -> list[str]:
    """The lines about problems."""
    return list(problem_lines(problems, None))


def test_problems_are_grouped_and_the_most_frequent_come_first() -> None:
    """Those that differ in a name only are of one kind; every kind has an example."""
    many = [Problem(f"m{n:03}.md", 2, "roles: this field is missing") for n in range(290)]
    twice = [Problem(f"d{n:03}.md", 1, f"the id 'x{n}' belongs to y{n}.md already") for n in range(9)]
    lines = listed([*twice, *many, Problem("one.md", 7, "the article has no text")])
    assert lines[0] == "290 × roles: this field is missing"
    assert lines[1] == "  m000.md:2"
    assert "9 × the id … belongs to … already" in lines
    assert "  d000.md:1: the id 'x0' belongs to y0.md already" in lines
    assert "  one.md:7: the article has no text" in lines
    assert sum(".md:" in line for line in lines) == SHOWN
    assert len(lines) < SHOWN + 10


def test_more_kinds_than_are_told_are_counted() -> None:
    """Nothing is dropped without a word."""
    lines = listed([Problem(f"f{n}.md", 1, f"problem {'x' * n}") for n in range(25)])
    assert "… and 5 more kinds of problems" in lines
