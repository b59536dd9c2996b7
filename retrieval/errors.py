"""The error of this room."""

from handrail.guardrails.errors import HandrailError


class RetrievalError(HandrailError):
    """The knowledge base is missing, damaged, or made by another encoder; the message says what to do."""
