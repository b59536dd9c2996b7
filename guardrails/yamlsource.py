"""A YAML file that remembers where everything stands, so that every problem can name file and line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, JsonValue, ValidationError

PathKey: TypeAlias = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in the bundle: where it stands and what to do about it."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


# Plain scalars by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#1032-tag-resolution): `no`, `on` and `yes`
# stay words (a language is called `no`), 08:30 stays a time, 0123 is not octal. Infinity and NaN stay words too: no
# threshold is meant to be one, and JSON cannot hold them.
_WORDS: dict[str, JsonValue] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_WHOLE = re.compile(r"[-+]?[0-9]{1,300}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
# libyaml reads ten times as fast; wheels of PyYAML bring it on every platform that we know of.
LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 40
MAX_NODES = 200_000


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: plain content and the line of every path in it."""

    file: str
    content: JsonValue
    lines: dict[PathKey, int]

    def line(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of its nearest ancestor that has one."""
        key = tuple(path)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def place(self, path: Sequence[str | int]) -> str:
        """Where `path` stands, as file:line."""
        return f"{self.file}:{self.line(path)}"

    def problem(self, path: Sequence[str | int], message: str) -> Problem:
        """A problem at `path` of this file."""
        return Problem(self.file, self.line(path), message)

    def parse(self, model: type[ModelT], problems: list[Problem]) -> ModelT | None:
        """The content as `model`; every validation error goes to `problems` with its own line."""
        try:
            # Through JSON, because only there a list is a tuple and a word an enum member under strict rules.
            return model.model_validate_json(json.dumps(self.content))
        except ValidationError as error:
            problems.extend(self.validation_problems(error))
            return None

    def validation_problems(self, error: ValidationError) -> Iterator[Problem]:
        """Pydantic's errors with file and line, in words a policy owner can act on."""
        words = self._words()
        found = error.errors(include_url=False)
        for item in found:
            # What is wrong inside a list makes it shorter; that it is too short then is no mistake of its own.
            own = item["loc"]
            if item["type"] == "too_short" and any(o["loc"][: len(own)] == own and o is not item for o in found):
                continue
            # The tags of unions and validators stand in `loc` too; only what the file says leads somebody to the place.
            path = tuple(part for part in item["loc"] if isinstance(part, int) or part in words)
            if item["type"] == "missing" and (not path or path[-1] != item["loc"][-1]):
                path = (*path, item["loc"][-1])
            where = ".".join(str(part) for part in path) or "the file"
            yield self.problem(path, f"{where}: {_plain(item['msg'], item['type'])}")

    def _words(self) -> set[str]:
        return {part for key in self.lines for part in key if isinstance(part, str)}


def read(path: Path, shown_as: str, problems: list[Problem]) -> Document | None:
    """Parse one file; a YAML error or a duplicate key becomes a problem and None."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problems.append(Problem(shown_as, line, "the file is not UTF-8 here; save it as UTF-8"))
        return None
    except OSError as error:
        problems.append(Problem(shown_as, 1, f"cannot read the file: {error.strerror or error}"))
        return None
    return parse(text, shown_as, problems)


def parse(text: str, shown_as: str, problems: list[Problem]) -> Document | None:
    """Parse YAML text; see `read`."""
    try:
        node = yaml.compose(text, LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # The parser has a limit of its own, far beyond ours.
        deep = "nesting depth" in (error.problem or "")
        said = f"nested more than {MAX_DEPTH} levels deep" if deep else f"not valid YAML: {error.problem}"
        problems.append(Problem(shown_as, mark.line + 1 if mark else 1, said))
        return None
    except yaml.YAMLError as error:
        problems.append(Problem(shown_as, 1, f"not valid YAML: {' '.join(str(error).split())}"))
        return None
    except RecursionError:
        problems.append(Problem(shown_as, 1, f"nested more than {MAX_DEPTH} levels deep"))
        return None
    if node is None:
        problems.append(Problem(shown_as, 1, "the file is empty; fill it or remove it"))
        return None
    lines: dict[PathKey, int] = {}
    before = len(problems)
    content = _build(node, (), lines, shown_as, problems, depth=0)
    return Document(shown_as, content, lines) if len(problems) == before else None


def _build(
    node: yaml.Node, path: PathKey, lines: dict[PathKey, int], file: str, problems: list[Problem], depth: int
) -> JsonValue:
    lines[path] = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        message = f"nested more than {MAX_DEPTH} levels deep (or an anchor refers to itself)"
        problems.append(Problem(file, lines[path], message))
        return None
    if len(lines) >= MAX_NODES:
        if len(lines) == MAX_NODES:
            problems.append(Problem(file, lines[path], f"more than {MAX_NODES} entries (anchors repeat too much)"))
        return None
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(child, (*path, index), lines, file, problems, depth + 1) for index, child in enumerate(node.value)
        ]
    built: dict[str, JsonValue] = {}
    for key_node, child in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(file, key_node.start_mark.line + 1, "a key must be a single word"))
            continue
        key = str(key_node.value)
        if key in built:
            line = key_node.start_mark.line + 1
            problems.append(Problem(file, line, f"the key {key!r} stands here for the second time"))
            continue
        built[key] = _build(child, (*path, key), lines, file, problems, depth + 1)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return built


def _scalar(node: yaml.ScalarNode) -> JsonValue:
    """Dates stay text, because the models know which fields are dates."""
    text = str(node.value)
    if node.style:  # plain scalars have none, or an empty one
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _plain(message: str, kind: str) -> str:
    if kind == "extra_forbidden":
        return "unknown field; check the spelling, or remove it"
    if kind == "missing":
        return "this field is missing"
    return message[0].lower() + message[1:]
