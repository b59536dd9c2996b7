"""Loads a bundle folder: everything is read and checked at once, and all problems are reported together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.claims import InvariantsFile
from handrail.guardrails.bundle.compiler import Compiler, Vocabulary
from handrail.guardrails.bundle.declared import CATALOGUED, fact_specs
from handrail.guardrails.bundle.files import Files
from handrail.guardrails.bundle.invariants import compiled
from handrail.guardrails.bundle.purposes import family_problems
from handrail.guardrails.bundle.reading import FolderReader, OpenNames, Parsed, by_id
from handrail.guardrails.bundle.references import references, texts
from handrail.guardrails.bundle.sections import (
    AllowedCommitmentsFile,
    Attribute,
    AttributesFile,
    CommitmentEntry,
    ExperimentsFile,
    HandoffFile,
    Manifest,
    Queue,
    QueuesFile,
    ReasonEntry,
    ReasonsFile,
    RulesFile,
    SegmentEntry,
    TextsFile,
)
from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.language import known_languages
from handrail.guardrails.detect.load import load_detection
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.opinion_prompt import OpinionTemplate
from handrail.guardrails.output.wording import load_wording
from handrail.guardrails.policy.builtin import NO_FLOW, UNKNOWN_NEED
from handrail.guardrails.policy.facts import FactKind, FactSpec
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.prompts import PromptTemplate
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import Stage
from handrail.guardrails.yamlsource import PathKey, Problem

ItemT = TypeVar("ItemT")
FileT = TypeVar("FileT", bound=BaseModel)
MAX_SHOWN = 200
COMMITMENTS = "allowed_commitments.yaml"
"""What replies may promise; a bundle without it allows no commitment."""
OPINION = "prompts/reading/second_opinion.yaml"
"""The template of second opinions; a bundle may do without."""


def load(folder: Path) -> Bundle:
    """The bundle in `folder`, or ConfigError with every problem, each with file and line."""
    if not folder.is_dir():
        raise ConfigError([f"there is no bundle folder {folder}; set HANDRAIL_BUNDLE to one"])
    reader = FolderReader(folder)
    problems = reader.problems
    files = _read(reader)
    named = _named(problems, files)
    tools = reader.names(named.tools, "tools/*.yaml")
    facts = fact_specs(files.attributes, files.tools, tools, named.reasons, problems)
    active = [name for name, entry in named.segments.items() if entry.status == "active"]
    words = Vocabulary(
        facts=facts,
        segments=reader.names(active, "segments/*.yaml"),
        queues=reader.names(named.queues, "queues.yaml"),
        reasons=reader.names(named.reasons, "reasons/*.yaml"),
        tools=tools,
        flows=reader.names(named.flows, "flows/*.yaml"),
        commitments=reader.names(named.commitments, COMMITMENTS),
        complete=reader.unread.isdisjoint({"attributes.yaml", "tools/*.yaml"}),
    )
    _close(facts, words, files.detection)
    whole = reader.unread.isdisjoint({"segments/*.yaml", "rules/*.yaml"})
    compiler = _compiled(problems, files, named, words, whole=whole)
    invariants = () if files.invariants is None else compiled(files.invariants, words, named.attributes, problems)
    references(problems, files, words, reader.names(named.prompts, "prompts/*.yaml"))
    by_language = texts(problems, files, texts_read="texts/*.yaml" not in reader.unread)
    manifest, handoff, wording, detection = files.manifest, files.handoff, files.wording, files.detection
    attributes, holdouts = files.attributes, files.experiments
    if problems or manifest is None or handoff is None or wording is None or detection is None or attributes is None:
        raise _error(problems)
    revision = reader.revision()
    return Bundle(
        manifest=manifest.content,
        revision=revision,
        attributes=named.attributes,
        events={one.kind: one for one in attributes.content.events},
        windows=attributes.content.windows,
        amounts=attributes.content.amounts,
        holdouts=() if holdouts is None else holdouts.content.holdouts,
        invariants=invariants,
        commitments=named.commitments,
        facts=facts,
        segments=tuple(compiler.segments),
        entries=named.segments,
        policy=PolicySet(compiler.rules, revision, compiler.shadows),
        queues=named.queues,
        reasons=named.reasons,
        texts=by_language,
        flows=named.flows,
        tools=named.tools,
        prompts=named.prompts,
        opinion=None if files.opinion is None else files.opinion.content,
        detection=detection,
        wording=wording,
        next_steps=handoff.content.next_steps,
        places=named.places,
        waivers=dict(_waivers(files)),
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """Everything that has an id, by it, and where it stands ("kind:id" to file:line)."""

    queues: Mapping[str, Queue]
    reasons: Mapping[str, ReasonEntry]
    tools: Mapping[str, ToolSpec]
    flows: Mapping[str, FlowSpec]
    segments: Mapping[str, SegmentEntry]
    prompts: Mapping[str, PromptTemplate]
    attributes: Mapping[str, Attribute]
    commitments: Mapping[str, CommitmentEntry]
    places: Mapping[str, str]


def _named(problems: list[Problem], files: Files) -> _Named:
    places: dict[str, str] = {}

    def keyed(kind: str, entries: Iterable[tuple[Parsed[FileT], PathKey, str, ItemT]]) -> dict[str, ItemT]:
        return by_id(problems, places, kind, entries)

    lists = () if files.queues is None else (files.queues,)
    desks = ((one, desk) for one in lists for desk in enumerate(one.content.queues))
    catalogue = ((one, entry) for one in files.reasons for entry in enumerate(one.content.root))
    held = () if files.attributes is None else (files.attributes,)
    declared = ((one, attribute) for one in held for attribute in enumerate(one.content.attributes))
    promises = () if files.commitments is None else (files.commitments,)
    promised = ((one, entry) for one in promises for entry in enumerate(one.content.commitments))
    _own_purposes(problems, files.attributes)
    places.update(_other_places(files))
    arms = () if files.experiments is None else (files.experiments,)
    proved = () if files.invariants is None else (files.invariants,)
    # Only reports and proofs name these, where a second one of the same id would hide the first.
    keyed("event", ((one, ("events", i), kind.kind, kind) for one in held for i, kind in enumerate(one.content.events)))
    keyed(
        "holdout", ((one, ("holdouts", i), arm.id, arm) for one in arms for i, arm in enumerate(one.content.holdouts))
    )
    keyed(
        "invariant",
        ((one, ("invariants", i), it.id, it) for one in proved for i, it in enumerate(one.content.invariants)),
    )
    return _Named(
        queues=keyed("queue", ((one, ("queues", index), desk.id, desk) for one, (index, desk) in desks)),
        reasons=keyed("reason", ((one, (index,), entry.code, entry) for one, (index, entry) in catalogue)),
        tools=keyed("tool", ((one, ("id",), one.content.id, one.content) for one in files.tools)),
        flows=keyed("flow", ((one, ("id",), one.content.id, one.content) for one in files.flows)),
        segments=keyed("segment", ((one, ("id",), one.content.id, one.content) for one in files.segments)),
        prompts=keyed("prompt", ((one, ("id",), one.content.id, one.content) for one in files.prompts)),
        attributes=keyed("attribute", ((one, ("attributes", i), a.name, a) for one, (i, a) in declared)),
        commitments=keyed("commitment", ((one, ("commitments", i), c.id, c) for one, (i, c) in promised)),
        places=places,
    )


def _other_places(files: Files) -> Iterator[tuple[str, str]]:
    """Where those things stand that are referred to by nothing else in the bundle."""
    for one in files.texts:
        for key in one.content.texts:
            yield f"text:{one.content.language}:{key}", one.document.place(("texts", key))
    for held in () if files.attributes is None else (files.attributes,):
        for index, window in enumerate(held.content.windows):
            yield f"window:{window.fact}", held.document.place(("windows", index))
        for index, amount in enumerate(held.content.amounts):
            yield f"window:{amount.fact}", held.document.place(("amounts", index))
    for rules in files.rules:
        for index, rule in enumerate(rules.content.rules):
            yield f"rule:{rule.id}", rules.document.place(("rules", index))


def _waivers(files: Files) -> Iterator[tuple[str, Mapping[str, str]]]:
    for rules in files.rules:
        yield from ((f"rule:{rule.id}", rule.waive) for rule in rules.content.rules if rule.waive)
    yield from ((f"segment:{one.content.id}", one.content.waive) for one in files.segments if one.content.waive)
    for held in () if files.attributes is None else (files.attributes,):
        yield from ((f"attribute:{one.name}", one.waive) for one in held.content.attributes if one.waive)


def _compiled(problems: list[Problem], files: Files, named: _Named, words: Vocabulary, *, whole: bool) -> Compiler:
    """All rules and segments; `whole` says that every file of them could be read."""
    compiler = Compiler(words, problems)
    for one in files.segments:
        if named.segments[one.content.id] is one.content:  # a second segment of the same id is reported, once
            compiler.segment(one.document, one.content)
    for rules in files.rules:
        for index, rule in enumerate(rules.content.rules):
            compiler.rule(rules.document, rule, ("rules", index))
    compiler.finish(named.attributes)
    if files.experiments is not None and whole:
        for index, holdout in enumerate(files.experiments.content.holdouts):
            compiler.hold_out(files.experiments.document, holdout, ("holdouts", index))
    return compiler


def _read(reader: FolderReader) -> Files:
    files = Files(
        manifest=reader.one("bundle.yaml", Manifest),
        attributes=reader.one("attributes.yaml", AttributesFile),
        queues=reader.one("queues.yaml", QueuesFile),
        handoff=reader.one("handoff.yaml", HandoffFile),
        experiments=reader.one("experiments.yaml", ExperimentsFile),
        invariants=reader.one("invariants.yaml", InvariantsFile),
        commitments=reader.perhaps(COMMITMENTS, AllowedCommitmentsFile),
        segments=reader.many("segments/*.yaml", SegmentEntry),
        rules=reader.many("rules/*.yaml", RulesFile),
        reasons=reader.many("reasons/*.yaml", ReasonsFile),
        texts=reader.many("texts/*.yaml", TextsFile),
        tools=reader.many("tools/*.yaml", ToolSpec),
        flows=reader.many("flows/*.yaml", FlowSpec),
        prompts=reader.many("prompts/*.yaml", PromptTemplate),
        opinion=reader.perhaps(OPINION, OpinionTemplate),
        wording=reader.part("output", load_wording),
        detection=reader.part("detection", load_detection),
    )
    reader.leftovers()
    return files


def _own_purposes(problems: list[Problem], parsed: Parsed[AttributesFile] | None) -> None:
    for index, attribute in enumerate(() if parsed is None else parsed.content.attributes):
        path = ("attributes", index, "purposes")
        found = (f"{attribute.name}: {message}" for message in family_problems(attribute))
        problems.extend(parsed.document.problem(path, message) for message in found if parsed is not None)


def _close(facts: dict[str, FactSpec], words: Vocabulary, detection: DetectionConfig | None) -> None:
    """Close the sets of words that are names of the bundle itself: a misspelt one would silently never match."""
    facts["tool"] = FactSpec(
        "tool", FactKind.WORD, "the tool called", values=words.tools, only_at=Stage.AUTHORIZE_TOOLS
    )
    facts["flow"] = replace(facts["flow"], values=words.flows | {NO_FLOW})
    if detection is not None:
        facts["intent"] = replace(facts["intent"], values=frozenset(detection.need_state_of) | {UNKNOWN_NEED})
        facts["language"] = replace(facts["language"], values=frozenset(known_languages(detection)) | {UNKNOWN_NEED})
    if isinstance(words.reasons, OpenNames):
        for name in CATALOGUED:
            facts[name] = replace(facts[name], values=words.reasons)


def _error(problems: Iterable[Problem]) -> ConfigError:
    ordered = sorted(set(problems))
    shown = [str(problem) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        shown.append(f"and {len(ordered) - MAX_SHOWN} more")
    return ConfigError(shown)
