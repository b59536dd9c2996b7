"""Templates of customer texts: plain `{name}` placeholders and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from string import Formatter

_FORMATTER = Formatter()
_PLAIN_FIELD = re.compile(r"[a-z][a-z0-9_]*")


def placeholders(text: str) -> tuple[str, ...]:
    """The `{names}` of a template, in order. Raises ValueError for a broken template."""
    return tuple(field for _, field, _, _ in _FORMATTER.parse(text) if field is not None)


def template_problems(text: str, known: Collection[str]) -> Iterator[str]:
    """What is wrong with a template: only plain `{name}` placeholders of `known` names are allowed."""
    try:
        parts = list(_FORMATTER.parse(text))
    except ValueError as error:
        yield f"not a template ({error})"
        return
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if form or conversion or not _PLAIN_FIELD.fullmatch(field):
            yield f"{{{field}}} must be a plain name"
        elif field not in known:
            yield f"{{{field}}} is no required argument and no fact that can stand in a text"
