"""One spelling per value: the JSON text that digests are taken over."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from pydantic import JsonValue


def canonical(content: Mapping[str, JsonValue]) -> str:
    """The only JSON text of `content`: sorted keys, no spaces, ASCII (so that it is storable everywhere).

    Numbers that JSON does not know (NaN, infinities) become words, so that a broken score never stops the log.
    """
    return json.dumps(_finite(dict(content)), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _finite(content: JsonValue) -> JsonValue:
    if isinstance(content, float) and not math.isfinite(content):
        return str(content)
    if isinstance(content, dict):
        return {key: _finite(inner) for key, inner in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(inner) for inner in content]
    return content
