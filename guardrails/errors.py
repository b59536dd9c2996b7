"""The errors that Handrail raises on purpose; each message says what to do."""

from collections.abc import Sequence


class HandrailError(Exception):
    """Base of every expected error; the command line prints its message without a traceback."""


class ConfigError(HandrailError):
    """Configuration or policy that cannot be used; it stops the start and lists everything wrong at once.

    Attributes:
        problems: One sentence each, with file and line where they are known. Never empty.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        if isinstance(problems, str) or not problems:
            raise ValueError("ConfigError takes a non-empty sequence of problems")
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return the problems, one per line when there are several."""
        if len(self.problems) == 1:
            return self.problems[0]
        return "\n".join([f"{len(self.problems)} problems:", *(f"  - {problem}" for problem in self.problems)])
