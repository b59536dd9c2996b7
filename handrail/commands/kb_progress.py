"""How far an ingest is: a bar for each step on a terminal; elsewhere nothing, or a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from handrail.retrieval.report import Progress, Step

EVERY = 10.0
"""Seconds between two lines of progress."""

REDRAWN = 200
"""Times that a bar is drawn anew at most: a terminal is slower than reading files."""

# Values of `Step`, which is not imported here: its module costs NumPy.
_STEPS = {
    "read": ("Reading", "files"),
    "screen": ("Screening", "documents"),
    "embed": ("Embedding", "passages"),
    "index": ("Indexing", "passages"),
    "switch": ("Switching over", "step"),
}


@contextmanager
def progress_for(*, verbose: bool) -> Iterator[Progress]:
    """What shows progress on standard error: bars on a terminal, lines with `verbose`, otherwise nothing."""
    if sys.stderr.isatty():
        bars = _Bars()
        try:
            yield bars
        finally:
            bars.close()
    elif verbose:
        yield Lines(lambda line: click.echo(line, err=True))
    else:
        yield lambda step, done, total: None


class _Bars:
    """One bar after the other, with the rate; click adds the remaining time."""

    def __init__(self) -> None:
        self._step: Step | None = None
        self._bar: ProgressBar[int] | None = None
        self._done = 0
        self._began = 0.0

    def __call__(self, step: Step, done: int, total: int) -> None:
        if step != self._step:
            self.close()
            label, unit = _STEPS[step]
            self._step, self._done, self._began = step, 0, time.monotonic()
            self._bar = click.progressbar(
                length=total,
                label=f"{label:14}",
                show_pos=True,
                item_show_func=lambda _: _rate(self._done, time.monotonic() - self._began, unit),
                file=sys.stderr,
            )
            self._bar.render_progress()
        more = done - self._done
        if self._bar is not None and (done == total or more > total // REDRAWN):
            self._done = done
            self._bar.update(more)

    def close(self) -> None:
        """End the line of the bar."""
        if self._bar is not None:
            self._bar.render_finish()
        self._bar = None


class Lines:
    """A line when a step ends, and every `EVERY` seconds before; `clock` counts seconds."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._step: Step | None = None
        self._began = 0.0
        self._told = 0.0

    def __call__(self, step: Step, done: int, total: int) -> None:
        """Tell it if it is time."""
        now = self._clock()
        if step != self._step:
            self._step, self._began, self._told = step, now, now
        if not done or (done < total and now - self._told < EVERY):
            return
        self._told = now
        label, unit = _STEPS[step]
        passed = now - self._began
        left = f", {passed / done * (total - done):.0f} s left" if done < total else ""
        self._tell(f"{label}: {done} of {total} {unit}{_rate(done, passed, unit, before=', ')}{left}")


def _rate(done: int, seconds: float, unit: str, before: str = "") -> str:
    return f"{before}{done / seconds:.0f} {unit}/s" if done and seconds >= 1.0 else ""
