"""What the service does not take, as errors whose words say what to do. Nothing is stored when one is raised."""

from __future__ import annotations

from handrail.guardrails.errors import HandrailError


class MessageTooLong(HandrailError):
    """The message is longer than the bundle allows."""


class MessageEmpty(HandrailError):
    """The message says nothing."""


class ArgumentsInvalid(HandrailError):
    """The edited arguments cannot be those of the call; `problems` lists everything wrong with them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__(f"the arguments cannot be used: {'; '.join(problems)}")


class RatingRefused(HandrailError):
    """There is nothing to rate yet, or the rating is not one."""


class FileRefused(HandrailError):
    """The file is empty, or of a kind that is not taken."""


class PurposeUnknown(HandrailError):
    """Nobody can agree to, or refuse, a purpose that is not among those declared."""


class OperatorRefused(HandrailError):
    """The account cannot be made or changed this way."""
