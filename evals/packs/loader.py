"""Loads the folder of a pack: the tools, rules and reasons of a bundle, and one file of functions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from handrail.evals.packs.functions import Functions, load_functions
from handrail.evals.packs.manifest import PackManifest
from handrail.evals.packs.pack import Pack
from handrail.guardrails.bundle.compiler import Compiler, Vocabulary
from handrail.guardrails.bundle.declared import fact_specs
from handrail.guardrails.bundle.reading import FolderReader, Parsed, by_id
from handrail.guardrails.bundle.sections import ReasonEntry, ReasonsFile, RulesFile
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.policy.facts import FactKind, FactSpec
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.toolspec import ToolSpec, tool_problems
from handrail.guardrails.vocabulary import Stage
from handrail.guardrails.yamlsource import PathKey, Problem

MANIFEST = "pack.yaml"


def load_pack(folder: Path) -> Pack:
    """The pack in `folder`, or ConfigError with every problem, each with file and line."""
    if not folder.is_dir():
        raise ConfigError([f"there is no pack folder {folder}; name one that holds {MANIFEST}"])
    floor = FolderReader(Path(str(files("handrail.evals.packs"))) / "floor")
    reader = FolderReader(folder)
    problems = reader.problems
    manifest = reader.one(MANIFEST, PackManifest)
    tools = reader.many("tools/*.yaml", ToolSpec)
    rules = (*floor.many("rules/*.yaml", RulesFile), *reader.many("rules/*.yaml", RulesFile))
    reasons = (*floor.many("reasons/*.yaml", ReasonsFile), *reader.many("reasons/*.yaml", ReasonsFile))
    reader.leftovers()
    places: dict[str, str] = {}
    known_tools = by_id(problems, places, "tool", ((tool, ("id",), tool.content.id, tool.content) for tool in tools))
    catalogue = ((one, (index,), entry.code, entry) for one in reasons for index, entry in enumerate(one.content.root))
    known_reasons = by_id(problems, places, "reason", catalogue)
    problems.extend(_shared_names(tools, known_tools))
    if manifest is not None:
        for tool in tools:
            wanting = tool_problems(tool.content, languages=manifest.content.languages)
            problems.extend(tool.document.problem(path, message) for path, message in wanting)
    policy = _policy(reader, tools, rules, known_reasons)
    functions = load_functions(folder, tools, problems)
    if problems or manifest is None or functions is None:
        found = (replace(problem, file=str(folder / problem.file)) for problem in sorted(set(problems)))
        raise ConfigError([str(problem) for problem in found])
    revision = _revision(floor, reader, functions)
    return Pack(
        manifest=manifest.content,
        revision=revision,
        tools=known_tools,
        reasons=known_reasons,
        policy=PolicySet(policy.rules, revision, policy.shadows),
        functions=functions,
        places={name: str(folder / place) for name, place in places.items()},
    )


def _policy(
    reader: FolderReader,
    tools: Iterable[Parsed[ToolSpec]],
    rules: Iterable[Parsed[RulesFile]],
    reasons: Mapping[str, ReasonEntry],
) -> Compiler:
    """The rules, over the facts that a call has when it stands alone: who asks, the tool, and the call itself."""
    problems, held = reader.problems, tuple(tools)
    names = frozenset(tool.content.id for tool in held)
    facts = {
        name: spec
        for name, spec in fact_specs(None, held, names, reasons, problems).items()
        if name == "identity" or spec.only_at is Stage.AUTHORIZE_TOOLS
    }
    known = reader.names(names, "tools/*.yaml")
    facts["tool"] = FactSpec("tool", FactKind.WORD, "the tool called", values=known, only_at=Stage.AUTHORIZE_TOOLS)
    words = Vocabulary(
        facts=facts,
        segments=frozenset(),
        queues=frozenset(),
        reasons=reader.names(reasons, "reasons/*.yaml"),
        tools=known,
        flows=frozenset(),
        commitments=frozenset(),
        complete="tools/*.yaml" not in reader.unread,
    )
    compiler = Compiler(words, problems)
    for one in rules:
        for index, rule in enumerate(one.content.rules):
            path: PathKey = ("rules", index)
            if rule.stage is not Stage.AUTHORIZE_TOOLS:
                message = f"the rules of a pack decide at {Stage.AUTHORIZE_TOOLS.value}, not at {rule.stage.value}"
                problems.append(one.document.problem((*path, "stage"), message))
                continue
            compiler.rule(one.document, rule, path)
    compiler.finish({})
    return compiler


def _shared_names(tools: Iterable[Parsed[ToolSpec]], known: Mapping[str, ToolSpec]) -> Iterator[Problem]:
    """A fact and a tool of the same name would be one function."""
    for tool in tools:
        for index, fact in enumerate(tool.content.facts):
            if fact.name in known:
                message = f"the fact {fact.name} is called like a tool; choose another name"
                yield tool.document.problem(("facts", index, "name"), message)


def _revision(floor: FolderReader, reader: FolderReader, functions: Functions) -> str:
    whole = f"{floor.revision()} {reader.revision()} {functions.digest}"
    return hashlib.sha256(whole.encode("ascii")).hexdigest()[:16]
