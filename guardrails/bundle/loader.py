"""Loads a bundle folder: everything is read and checked at once, and all problems are reported together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import Compiler, Vocabulary
from handrail.guardrails.bundle.purposes import family_problems
from handrail.guardrails.bundle.sections import (
    AttributesFile,
    HandoffFile,
    Manifest,
    QueuesFile,
    ReasonEntry,
    ReasonsFile,
    RulesFile,
    SegmentEntry,
    TextsFile,
    Tier,
)
from handrail.guardrails.detect.load import load_detection
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.flows.structure import flow_problems
from handrail.guardrails.output.wording import load_wording
from handrail.guardrails.policy.builtin import BUILTIN
from handrail.guardrails.policy.facts import FactKind, FactSpec, OnUnknown
from handrail.guardrails.policy.policyset import NO_RULE, UNKNOWN_FACT, PolicySet
from handrail.guardrails.prompts import PromptTemplate
from handrail.guardrails.toolspec import ToolSpec, tool_problems
from handrail.guardrails.vocabulary import Stage
from handrail.guardrails.yamlsource import Document, Problem, read

ModelT = TypeVar("ModelT", bound=BaseModel)
PartT = TypeVar("PartT")
MAX_SHOWN = 200


@dataclass(slots=True)
class _Reader:
    """Reads the files of one bundle folder, once each, and remembers what went into the revision."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def one(self, name: str, model: type[ModelT]) -> tuple[Document, ModelT] | None:
        """The file `name`, which must exist."""
        path = self.folder / name
        if not path.is_file():
            self.problems.append(Problem(name, 1, "this file is missing from the bundle"))
            return None
        return self._parse(path, model)

    def many(self, pattern: str, model: type[ModelT]) -> list[tuple[Document, ModelT]]:
        """All files that match `pattern`, by name; at least one must exist."""
        paths = sorted(self.folder.glob(pattern))
        if not paths:
            self.problems.append(Problem(pattern, 1, "no file of the bundle matches this pattern"))
        return [parsed for parsed in (self._parse(path, model) for path in paths) if parsed is not None]

    def part(self, name: str, loader: Callable[[Path], PartT]) -> PartT | None:
        """A sub-folder that its own loader reads; its problems join the others."""
        for path in sorted((self.folder / name).rglob("*.yaml")):
            self.digests[path.relative_to(self.folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            return loader(self.folder / name)
        except ConfigError as error:
            self.problems.extend(_placed(name, problem) for problem in error.problems)
            return None

    def revision(self) -> str:
        """SHA-256 over paths and contents, in path order; 16 hex digits."""
        whole = hashlib.sha256()
        for name, digest in sorted(self.digests.items()):
            whole.update(f"{name}\0{digest}\n".encode())
        return whole.hexdigest()[:16]

    def _parse(self, path: Path, model: type[ModelT]) -> tuple[Document, ModelT] | None:
        name = path.relative_to(self.folder).as_posix()
        document = read(path, name, self.problems)
        if document is None:
            return None
        self.digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        parsed = document.parse(model, self.problems)
        return None if parsed is None else (document, parsed)


def load(folder: Path) -> Bundle:
    """The bundle in `folder`, or ConfigError with every problem, each with file and line."""
    if not folder.is_dir():
        raise ConfigError([f"there is no bundle folder {folder}; set HANDRAIL_BUNDLE to one"])
    reader = _Reader(folder)
    problems = reader.problems
    manifest = reader.one("bundle.yaml", Manifest)
    attributes = reader.one("attributes.yaml", AttributesFile)
    queues = reader.one("queues.yaml", QueuesFile)
    segments = reader.many("segments/*.yaml", SegmentEntry)
    rules = reader.many("rules/*.yaml", RulesFile)
    reasons = reader.many("reasons/*.yaml", ReasonsFile)
    texts = reader.many("texts/*.yaml", TextsFile)
    tools = reader.many("tools/*.yaml", ToolSpec)
    flows = reader.many("flows/*.yaml", FlowSpec)
    prompts = reader.many("prompts/*.yaml", PromptTemplate)
    handoff = reader.one("handoff.yaml", HandoffFile)
    wording = reader.part("output", load_wording)
    detection = reader.part("detection", load_detection)
    if manifest is None or attributes is None or queues is None or handoff is None:
        raise _error(problems)

    by_code = _keyed(problems, ((doc, (i,), r.code, r) for doc, f in reasons for i, r in enumerate(f.root)))
    by_queue = _keyed(problems, ((queues[0], ("queues", i), q.id, q) for i, q in enumerate(queues[1].queues)))
    by_tool = _keyed(problems, ((doc, ("id",), tool.id, tool) for doc, tool in tools))
    by_flow = _keyed(problems, ((doc, ("id",), flow.id, flow) for doc, flow in flows))
    by_segment = _keyed(problems, ((doc, ("id",), entry.id, entry) for doc, entry in segments))
    by_prompt = _keyed(problems, ((doc, ("id",), prompt.id, prompt) for doc, prompt in prompts))
    by_attribute = _keyed(
        problems, ((attributes[0], ("attributes", i), a.name, a) for i, a in enumerate(attributes[1].attributes))
    )
    for index, attribute in enumerate(attributes[1].attributes):
        for message in family_problems(attribute):
            problems.append(attributes[0].problem(("attributes", index, "purposes"), f"{attribute.name}: {message}"))
    facts = _facts(problems, attributes, by_tool, by_code)
    words = Vocabulary(
        facts=facts,
        segments=frozenset(entry.id for entry in by_segment.values() if entry.status == "active"),
        queues=frozenset(by_queue),
        reasons=frozenset(by_code),
        tools=frozenset(by_tool),
        flows=frozenset(by_flow),
    )
    compiler = Compiler(words, problems)
    for document, entry in segments:
        compiler.segment(document, entry)
    for document, rules_file in rules:
        for index, rule in enumerate(rules_file.rules):
            compiler.rule(document, rule, ("rules", index))
    compiler.finish(by_attribute)
    _flows(problems, flows, manifest[1].languages, words)
    for document, tool in tools:
        problems.extend(
            document.problem(path, message)
            for path, message in tool_problems(tool, languages=manifest[1].languages)
        )
    if "default" not in handoff[1].next_steps:
        problems.append(handoff[0].problem(("next_steps",), "the next step for `default` is missing"))
    _manifest(problems, manifest, words, by_prompt, by_segment)
    by_language = {file.language: file.texts for _, file in texts}
    _languages(problems, manifest[1].languages, texts, by_language)
    if problems or wording is None or detection is None:
        raise _error(problems)
    revision = reader.revision()
    return Bundle(
        manifest=manifest[1],
        revision=revision,
        attributes=by_attribute,
        windows=attributes[1].windows,
        facts=facts,
        segments=tuple(compiler.segments),
        entries=by_segment,
        policy=PolicySet(compiler.rules, revision),
        queues=by_queue,
        reasons=by_code,
        texts=by_language,
        flows=by_flow,
        tools=by_tool,
        prompts=by_prompt,
        detection=detection,
        wording=wording,
        next_steps=handoff[1].next_steps,
    )


_PLACED = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+): (?P<message>.*)$", re.DOTALL)


def _placed(part: str, problem: str) -> Problem:
    """A problem as another loader words it, with its file seen from the bundle folder."""
    match = _PLACED.match(problem)
    if match is None:
        return Problem(part, 1, problem)
    return Problem(f"{part}/{match['file']}", int(match["line"]), match["message"])


def _error(problems: Iterable[Problem]) -> ConfigError:
    ordered = sorted(set(problems))
    shown = [str(problem) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        shown.append(f"and {len(ordered) - MAX_SHOWN} more")
    return ConfigError(shown)


ItemT = TypeVar("ItemT")


def _keyed(
    problems: list[Problem], entries: Iterable[tuple[Document, tuple[str | int, ...], str, ItemT]]
) -> dict[str, ItemT]:
    """Entries by id; a second entry of the same id is a problem."""
    found: dict[str, ItemT] = {}
    places: dict[str, str] = {}
    for document, path, name, entry in entries:
        if name in found:
            problems.append(document.problem(path, f"the id {name} is taken by {places[name]}"))
            continue
        found[name] = entry
        places[name] = f"{document.file}:{document.line(path)}"
    return found


def _facts(
    problems: list[Problem],
    attributes: tuple[Document, AttributesFile],
    tools: Mapping[str, ToolSpec],
    reasons: Mapping[str, ReasonEntry],
) -> dict[str, FactSpec]:
    document, file = attributes
    # A signal or a finding that no catalogue entry of its stage has can never occur: asking for it is a mistake.
    closed = {"signals": Stage.DETECT_INTENT, "findings": Stage.GUARD_OUTPUT}
    specs = [
        replace(spec, values=frozenset(code for code, entry in reasons.items() if entry.stage is closed[spec.name]))
        if spec.name in closed
        else spec
        for spec in BUILTIN
        if spec.name != "tool"
    ]
    for attribute in file.attributes:
        specs.append(
            FactSpec(
                attribute.name,
                attribute.kind,
                attribute.meaning,
                values=frozenset(attribute.values) if attribute.values is not None else None,
                on_unknown=attribute.on_unknown,
                family=attribute.family.value,
                purposes=frozenset(purpose.value for purpose in attribute.purposes),
            )
        )
    specs.extend(FactSpec(window.fact, FactKind.NUMBER, window.meaning) for window in file.windows)
    specs.append(
        FactSpec("tool", FactKind.WORD, "the tool called", values=frozenset(tools), only_at=Stage.AUTHORIZE_TOOLS)
    )
    found: dict[str, FactSpec] = {}
    for spec in specs:
        if spec.name in found:
            problems.append(document.problem((), f"the fact {spec.name} is declared twice"))
        found[spec.name] = spec
    for name, spec in _call_facts(tools).items():
        if name in found:
            problems.append(document.problem((), f"the call fact {name} of a tool hides another fact"))
        found[name] = spec
    return found


def _call_facts(tools: Mapping[str, ToolSpec]) -> dict[str, FactSpec]:
    """Facts that tools declare, as `call_<name>`; the same name with the same type may serve several tools."""
    owners: dict[str, list[str]] = {}
    specs: dict[str, FactSpec] = {}
    for tool in tools.values():
        for declared in tool.facts:
            name = f"call_{declared.name}"
            owners.setdefault(name, []).append(tool.id)
            specs[name] = FactSpec(
                name,
                declared.fact_kind,
                declared.description,
                values=frozenset(declared.values) if declared.values else None,
                only_at=Stage.AUTHORIZE_TOOLS,
                tools=frozenset(owners[name]),
                on_unknown=OnUnknown.RESTRICT,
            )
    return specs


def _flows(
    problems: list[Problem],
    flows: Iterable[tuple[Document, FlowSpec]],
    languages: tuple[str, ...],
    words: Vocabulary,
) -> None:
    for document, flow in flows:
        problems.extend(
            document.problem(path, message)
            for path, message in flow_problems(flow, languages=languages, tools=words.tools, reasons=words.reasons)
        )


def _manifest(
    problems: list[Problem],
    manifest: tuple[Document, Manifest],
    words: Vocabulary,
    prompts: Mapping[str, PromptTemplate],
    segments: Mapping[str, SegmentEntry],
) -> None:
    document, declared = manifest
    if declared.default_queue not in words.queues:
        problems.append(document.problem(("default_queue",), f"there is no queue {declared.default_queue!r}"))
    if declared.prompt not in prompts:
        problems.append(document.problem(("prompt",), f"there is no prompt {declared.prompt!r}"))
    for code in (NO_RULE, UNKNOWN_FACT):
        if code not in words.reasons:
            problems.append(document.problem((), f"the catalogue lacks the reason code {code}"))
    running = [entry.id for entry in segments.values() if entry.tier is Tier.RUNTIME and entry.status == "active"]
    if len(running) > declared.limits.runtime_segments:
        message = f"{len(running)} run-time segments are active; the budget is {declared.limits.runtime_segments}"
        problems.append(document.problem(("limits", "runtime_segments"), message))


def _languages(
    problems: list[Problem],
    languages: tuple[str, ...],
    files: Iterable[tuple[Document, TextsFile]],
    texts: Mapping[str, Mapping[str, str]],
) -> None:
    keys = {key for file in texts.values() for key in file}
    for document, file in files:
        for key in sorted(keys - set(file.texts)):
            problems.append(document.problem(("texts",), f"the text {key} is missing in {file.language}"))
    for language in languages:
        if language not in texts:
            problems.append(Problem("texts", 1, f"there is no file of texts for the declared language {language}"))


