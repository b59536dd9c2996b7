"""docs/packs.md says what happens: its pack loads, its cases come out as written, its Python runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.evals.packs.opening import open_run
from handrail.evals.packs.play import play

PAGE = (Path(__file__).parents[4] / "docs" / "packs.md").read_text(encoding="utf-8")
FILES = ("pack.yaml", "tools/cancel_booking.yaml", "rules/bookings.yaml", "reasons/hotel.yaml", "facts.py")


def block(after: str) -> str:
    """The code block that follows these words."""
    found = re.search(rf"{re.escape(after)}\n\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None, after
    return found[1]


@pytest.fixture(scope="module")
def hotel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of the page, with its records and cases."""
    folder = tmp_path_factory.mktemp("hotel")
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(block(f"\n`{name}`"), encoding="utf-8")
    (folder / "bookings.json").write_text(block("in `bookings.json`"), encoding="utf-8")
    (folder / "cases.jsonl").write_text(block("in `cases.jsonl`"), encoding="utf-8")
    return folder


def test_the_pack_decides_as_written(hotel: Path) -> None:
    """Line by line."""
    run = open_run(hotel, hotel, hotel / "cases.jsonl")
    outcomes = play(run.pack, run.records, run.cases)
    written = [json.loads(line) for line in block("--out decisions.jsonl` writes").splitlines()]
    assert [outcome.line() for outcome in outcomes] == written


def test_the_python_runs(hotel: Path) -> None:
    """In the folder of the pack."""
    script = block("over records of its own:")
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, cwd=hotel, encoding="utf-8", timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "allow ('HOTEL_OWN_BOOKING',) customer_words\n"
