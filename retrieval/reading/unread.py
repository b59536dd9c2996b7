"""A document of a source before it is parsed, so that what is known already costs no more than its digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.documents import Document
from handrail.retrieval.reading.mapping import MetadataMapping, Subject

Parse: TypeAlias = Callable[[Mapping[str, JsonValue], list[Problem]], Document | None]
"""From the metadata that the mapping gives to the document; what is wrong with it goes to the list."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Where a document stands, the SHA-256 of everything it is made from there, and how to make it."""

    path: str
    digest: str
    subject: Subject
    parse: Parse

    def read(self, mapping: MetadataMapping | None, problems: list[Problem]) -> Document | None:
        """The document; None when something is wrong with it, which goes to `problems`."""
        return self.parse({} if mapping is None else mapping.metadata(self.subject), problems)


def sound(text: str) -> str:
    """`text` without what no text holds: NUL, which ends a string elsewhere, and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
