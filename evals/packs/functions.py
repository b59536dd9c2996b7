"""The Python file of a pack: one function per fact, one per effect, and the shape of the records, loaded by path."""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from pydantic import BaseModel

from handrail.evals.packs.call import Call
from handrail.guardrails.bundle.reading import Parsed
from handrail.guardrails.toolspec import Access, ToolSpec
from handrail.guardrails.vocabulary import FactContent
from handrail.guardrails.yamlsource import Problem

FILE = "facts.py"
RECORDS = "Records"


class FactFunction(Protocol):
    """States one fact of a call from the records. None, or an error, makes the fact unknown, which never allows."""

    def __call__(self, call: Call, records: BaseModel, /) -> FactContent | None:
        """The value of the fact."""
        ...


class EffectFunction(Protocol):
    """Changes the records as the call does, so that the next call of the same task sees it."""

    def __call__(self, call: Call, records: BaseModel, /) -> None:
        """Carry the call out in the records."""
        ...


@dataclass(frozen=True, slots=True)
class Functions:
    """What the file holds: the model of the records, facts by name, effects by tool. `digest` is of its content."""

    records: type[BaseModel]
    facts: Mapping[str, FactFunction]
    effects: Mapping[str, EffectFunction]
    digest: str


def load_functions(folder: Path, tools: Iterable[Parsed[ToolSpec]], problems: list[Problem]) -> Functions | None:
    """The functions that `tools` name, from the file of the pack in `folder`.

    A fact that YAML declares and the file lacks is a problem. Whoever carries calls out elsewhere needs no effects: see
    `pack.missing_effects`.
    """
    path = folder / FILE
    if not path.is_file():
        problems.append(Problem(FILE, 1, "this file is missing from the pack; add it, with the functions of its facts"))
        return None
    content = path.read_bytes()
    module = _module(path, content, problems)
    if module is None:
        return None
    records: object = getattr(module, RECORDS, None)
    if not (isinstance(records, type) and issubclass(records, BaseModel)):
        message = f"there is no class {RECORDS}; declare the records as one pydantic model of this name"
        problems.append(Problem(FILE, 1, message))
        return None
    facts: dict[str, FactFunction] = {}
    effects: dict[str, EffectFunction] = {}
    for tool in tools:
        name = tool.content.id
        if tool.content.access is Access.WRITE and (found := _function(module, name, problems)) is not None:
            effects[name] = cast("EffectFunction", found)
        for index, declared in enumerate(tool.content.facts):
            if declared.name in facts:
                continue
            found = _function(module, declared.name, problems)
            if found is not None:
                facts[declared.name] = cast("FactFunction", found)
            elif not hasattr(module, declared.name):
                message = f"{FILE} has no function {declared.name}; add `def {declared.name}(call, records)` to it"
                problems.append(tool.document.problem(("facts", index), message))
    return Functions(records, facts, effects, hashlib.sha256(content).hexdigest())


def _module(path: Path, content: bytes, problems: list[Problem]) -> ModuleType | None:
    # The name stands in sys.modules, because annotations are resolved through it; two packs have files of one name.
    name = f"handrail_pack_{hashlib.sha256(str(path.resolve()).encode() + content).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        # Not through a loader: that would leave compiled files in the folder, and might run one that is out of date.
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - a pack is code that its owner trusts
    except SyntaxError as error:
        problems.append(Problem(FILE, error.lineno or 1, f"not Python: {error.msg}"))
    except Exception as error:  # noqa: BLE001 - whatever the file raises keeps it from being loaded
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        problems.append(Problem(FILE, (lines and lines[-1]) or 1, f"{type(error).__name__}: {error}"))
    else:
        return module
    del sys.modules[name]
    return None


def _function(module: ModuleType, name: str, problems: list[Problem]) -> object | None:
    """The function `name`, if the module has one that takes a call and the records."""
    found: object = getattr(module, name, None)
    if found is None:
        return None
    if not inspect.isfunction(found):
        problems.append(Problem(FILE, 1, f"{name} is no function; write it as `def {name}(call, records)`"))
        return None
    try:
        inspect.signature(found).bind(None, None)
    except TypeError:
        line = found.__code__.co_firstlineno
        problems.append(Problem(FILE, line, f"{name} has to take a call and the records, and nothing else"))
        return None
    return found
