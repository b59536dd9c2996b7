"""JSON lines in, JSON lines out: a bad line is reported and answered in its place, and the others are not lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Generic, TypeVar

import click
from pydantic import BaseModel, JsonValue, ValidationError

MAX_LINE_CHARACTERS = 4_000_000
THREADS = 2
BATCH = 64  # lines in memory

LineT = TypeVar("LineT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class LineWork(Generic[LineT]):
    """What is done with every line.

    Attributes:
        line: What a line holds; `example` shows one in errors.
        answer: What is written for it. It is called from two threads, and may let exceptions through.
        example: A line as it should be.
    """

    line: type[LineT]
    answer: Callable[[LineT], dict[str, JsonValue]]
    example: str

    def run(self, source: str, target: str) -> int:
        """From one file to another, `-` for standard input or output; the number of bad lines.

        Raises:
            click.UsageError, click.ClickException: both are the same file, or one cannot be opened.
        """
        if source != "-" and target != "-" and Path(source).resolve() == Path(target).resolve():
            raise click.UsageError("IN.jsonl and OUT.jsonl are the same file; write to another one.")
        with click.open_file(source, encoding="utf-8", errors="replace") as lines, _opened(target) as output:
            return self.write(lines, output, report=lambda text: click.echo(text, err=True))

    def write(self, lines: Iterable[str], output: IO[str], report: Callable[[str], None]) -> int:
        """Write one line to `output` per line of input, in order, holding a few in memory; the number of bad lines.

        Two threads work: the encoder lets go of the interpreter while it computes, and more would only wait.
        """
        wrong = 0
        with ThreadPoolExecutor(THREADS) as pool:
            for several in _batched(_numbered(lines), BATCH):
                for written in pool.map(self._written, several):
                    if written.problem is not None:
                        wrong += 1
                        report(written.problem)
                    output.write(json.dumps(written.content, ensure_ascii=False) + "\n")
        return wrong

    def _written(self, numbered: _Numbered) -> _Written:
        try:
            parsed = self._parse(numbered.line)
        except ValueError as error:
            return _Written({"id": _id_of(numbered.line), "error": str(error)}, f"line {numbered.number}: {error}")
        return _Written(self.answer(parsed))

    def _parse(self, line: str) -> LineT:
        """Raise ValueError, with a reason in words, for anything that is not a line of input."""
        if len(line) > MAX_LINE_CHARACTERS:
            raise ValueError(f"longer than {MAX_LINE_CHARACTERS} characters")
        try:
            content = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"not JSON ({error})") from error
        if not isinstance(content, dict):
            raise ValueError(f"not an object; expected {self.example}")  # noqa: TRY004 - one error for all of them
        try:
            return self.line.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


@dataclass(frozen=True, slots=True)
class _Numbered:
    """One line of input and its number."""

    number: int
    line: str


@dataclass(frozen=True, slots=True)
class _Written:
    """What is written for one line, and what was wrong with it."""

    content: dict[str, JsonValue]
    problem: str | None = None


def _numbered(lines: Iterable[str]) -> Iterator[_Numbered]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _Numbered(number, line)


def _batched(lines: Iterator[_Numbered], size: int) -> Iterator[tuple[_Numbered, ...]]:
    """Tuples of up to `size`; `itertools.batched` came with Python 3.12."""
    while several := tuple(islice(lines, size)):
        yield several


def _opened(target: str) -> IO[str]:
    if target == "-":
        return click.open_file("-", "w", encoding="utf-8")
    try:
        return Path(target).open("w", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from error


def _id_of(line: str) -> str | int | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str | int) else None
