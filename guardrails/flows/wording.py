"""Fills the placeholders of a flow's texts with what was collected."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def filled(text: str, slots: Mapping[str, str]) -> str:
    """`text` with every `{slot}` replaced; a sentence whose slot is empty is left out."""
    if "{" not in text:
        return text
    kept = [sentence for sentence in _sentences(text) if all(name in slots for name in PLACEHOLDER.findall(sentence))]
    return PLACEHOLDER.sub(lambda match: slots[match[1]], "".join(kept)).strip()


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])(?=\s)", text)
