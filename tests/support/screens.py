"""What detectors that only know a reading say of untrusted text."""

from pydantic import JsonValue

from handrail.guardrails.vocabulary import Signal


class NothingFound:
    """Screens that find no instruction anywhere."""

    passage_screen = "nothing found"

    def screen_passage(self, text: str) -> tuple[Signal, ...]:
        """No signal."""
        return ()

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """No signal."""
        return ()
