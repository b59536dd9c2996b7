"""Mistakes planted in a copy of a bundle, by what they do to the content of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from pydantic import JsonValue

from handrail.guardrails.yamlsource import Problem, read

Entry = dict[str, JsonValue]


def entries(content: JsonValue, key: str) -> list[Entry]:
    """The list of entries that stands under `key`, itself: what is changed in it is changed in the content."""
    assert isinstance(content, dict)
    found = content[key]
    assert isinstance(found, list)
    return found  # type: ignore[return-value]  # every list of a bundle that is asked for here holds mappings


def put(value: JsonValue, *path: str | int) -> Callable[[Entry], None]:
    """A change that puts `value` at a path."""

    def change(content: Entry) -> None:
        holder, key = _holder(content, path)
        holder[key] = value

    return change


def cut(*path: str | int) -> Callable[[Entry], None]:
    """A change that takes out what stands at a path."""

    def change(content: Entry) -> None:
        holder, key = _holder(content, path)
        del holder[key]

    return change


def _holder(content: JsonValue, path: tuple[str | int, ...]) -> tuple[Entry, str]:
    for part in path[:-1]:
        content = content[part]  # type: ignore[index]  # the path fits the file
    return content, path[-1]  # type: ignore[return-value]  # a list takes a number as a mapping takes a word


def rewrite(bundle: Path, file: str, change: Callable[[Entry], None]) -> None:
    """Write `file` of a bundle again as `change` leaves its content."""
    problems: list[Problem] = []
    document = read(bundle / file, file, problems)
    assert document is not None, problems
    content = document.content
    assert isinstance(content, dict)
    change(content)
    (bundle / file).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _file_of(name: str) -> str:
    """The file of a rule: of all that are planted, only one is not called as its rules are."""
    about = name.partition(".")[0]
    return f"rules/{'retrieval' if about == 'retrieve' else about}.yaml"


def drop_rule(bundle: Path, name: str) -> None:
    """Take a rule away."""

    def change(content: Entry) -> None:
        held = entries(content, "rules")
        content["rules"] = [one for one in held if one["id"] != name]
        assert len(entries(content, "rules")) == len(held) - 1

    rewrite(bundle, _file_of(name), change)


def set_rule(bundle: Path, name: str, **fields: JsonValue) -> None:
    """Give a rule other fields; None takes one away."""

    def change(content: Entry) -> None:
        (rule,) = [one for one in entries(content, "rules") if one["id"] == name]
        rule.update(fields)
        for key, held in fields.items():
            if held is None:
                del rule[key]

    rewrite(bundle, _file_of(name), change)


def add_rule(bundle: Path, name: str, **fields: JsonValue) -> None:
    """Add a rule to the file of its stage."""
    rule: Entry = {"id": name, "reason": "POLICY_CONTINUES", "why": "Planted.", **fields}
    rewrite(bundle, _file_of(name), lambda content: entries(content, "rules").append(rule))


def add_invariant(bundle: Path, name: str, **fields: JsonValue) -> None:
    """Add an invariant."""
    entry: Entry = {"id": name, "says": "Planted.", **fields}
    rewrite(bundle, "invariants.yaml", lambda content: entries(content, "invariants").append(entry))


def set_segment(bundle: Path, name: str, **fields: JsonValue) -> None:
    """Give a segment other fields."""
    rewrite(bundle, f"segments/{name}.yaml", lambda content: content.update(fields))
