"""A versioned system text with placeholders: what every template for a model has in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from handrail.guardrails.vocabulary import Frozen


class SystemTemplate(Frozen):
    """Id, version and text. A kind of template says which placeholders its text has and how one is written.

    Attributes:
        PLACEHOLDERS: All that the text leaves open. What a customer, a passage or a tool says is among none of them.
        FIELD: A placeholder; the first group is its name.
    """

    PLACEHOLDERS: ClassVar[frozenset[str]]
    FIELD: ClassVar[re.Pattern[str]]

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    system: Annotated[str, Field(min_length=1, max_length=8000)]

    @property
    def revision(self) -> str:
        """Id and version as the audit log names them, such as `answer@1.0.0`."""
        return f"{self.id}@{self.version}"

    def filled(self, filling: Mapping[str, str]) -> str:
        """The text with every placeholder replaced."""
        return self.FIELD.sub(lambda match: filling[match[1]], self.system).strip()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        problems = [*self._of_placeholders(), *self._problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _of_placeholders(self) -> Iterator[str]:
        used = set(self.FIELD.findall(self.system))
        for name in sorted(used - self.PLACEHOLDERS):
            yield f"unknown placeholder {{{name}}}; there are {', '.join(sorted(self.PLACEHOLDERS))}"
        for name in sorted(self.PLACEHOLDERS - used):
            yield f"the placeholder {{{name}}} is missing from the system text"

    def _problems(self) -> Iterator[str]:
        """What else is wrong with this kind of template."""
        raise NotImplementedError
