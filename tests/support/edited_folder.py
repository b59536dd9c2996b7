"""A folder of files that a test may spoil."""

from __future__ import annotations

from pathlib import Path


class EditedFolder:
    """A folder with edits; every edit must find exactly what it replaces."""

    def __init__(self, path: Path) -> None:
        """Stand for the files in `path`."""
        self.path = path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace `old`, which must stand in `file` once."""
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (self.path / file).write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: str, text: str) -> None:
        """Append to `file`, or create it."""
        (self.path / file).parent.mkdir(exist_ok=True)
        with (self.path / file).open("a", encoding="utf-8") as stream:
            stream.write(text)

    def line(self, file: str, text: str) -> int:
        """The number of the last line of `file` that holds `text`."""
        lines = (self.path / file).read_text(encoding="utf-8").splitlines()
        return max(number for number, line in enumerate(lines, start=1) if text in line)
