"""Mistakes in what is declared of customers: purposes, unknown values, ages, and windows over events."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from handrail.evals.policy.mutation import Edit, Kind, items
from handrail.guardrails.yamlsource import PathKey


def in_attributes(content: JsonValue) -> Iterator[Edit]:
    """Mistakes in `attributes.yaml`."""
    for path, attribute in items(content, "attributes"):
        if not isinstance(attribute, dict):
            continue
        purposes = attribute["purposes"]
        for index, purpose in enumerate(purposes if isinstance(purposes, list) else ()):
            yield Edit(Kind.REMOVED_PURPOSE, (*path, "purposes", index), f"{attribute['name']}: {purpose}", gone=True)
        how = attribute.get("on_unknown", "restrict")
        other = "ignore" if how == "restrict" else "restrict"
        yield Edit(Kind.UNKNOWN_IGNORED, (*path, "on_unknown"), f"{attribute['name']}: {how} becomes {other}", other)
        days = attribute["max_age_days"]
        if isinstance(days, int):
            yield Edit(Kind.CHANGED_AGE, (*path, "max_age_days"), f"{attribute['name']}: ten times as old", days * 10)
    for path, amount in items(content, "amounts"):
        if isinstance(amount, dict):
            yield from _lengths(amount, path)
            yield Edit(Kind.MISSPELT_FACT, (*path, "of"), "misspelt", f"{amount['of']}s")
    for path, window in items(content, "windows"):
        if isinstance(window, dict):
            yield from _of_window(window, path, content)


def _lengths(window: dict[str, JsonValue], path: PathKey) -> Iterator[Edit]:
    minutes = window["within_minutes"]
    if isinstance(minutes, int):
        yield Edit(Kind.CHANGED_WINDOW, (*path, "within_minutes"), "half as long", max(1, minutes // 2))
        yield Edit(Kind.CHANGED_WINDOW, (*path, "within_minutes"), "twice as long", minutes * 2)


def _of_window(window: dict[str, JsonValue], path: PathKey, content: JsonValue) -> Iterator[Edit]:
    yield from _lengths(window, path)
    kinds = [str(one["kind"]) for _, one in items(content, "events") if isinstance(one, dict)]
    for other in [kind for kind in kinds if kind != window["count"]][:1]:
        yield Edit(Kind.CHANGED_WINDOW, (*path, "count"), f"{window['count']} becomes {other}", other)
    yield Edit(Kind.MISSPELT_FACT, (*path, "count"), "misspelt", f"{window['count']}s")
    same = bool(window.get("same_intent", False))
    yield Edit(Kind.CHANGED_WINDOW, (*path, "same_intent"), f"{same} becomes {not same}".lower(), not same)
    if "ending" in window:
        yield Edit(Kind.CHANGED_WINDOW, (*path, "ending"), "it ends now", gone=True)
