"""The facts that a bundle declares: attributes, counted events, and what its tools say of a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handrail.guardrails.bundle.reading import Parsed
from handrail.guardrails.bundle.sections import OPENED, AmountWindow, Attribute, AttributesFile, ReasonEntry, Window
from handrail.guardrails.policy.builtin import BUILTIN
from handrail.guardrails.policy.condition import COMBINATORS, nearest
from handrail.guardrails.policy.facts import ANY_NUMBER, COUNT, FactKind, FactSpec, Range
from handrail.guardrails.toolspec import Access, FactType, ToolSpec
from handrail.guardrails.vocabulary import Stage
from handrail.guardrails.yamlsource import Document, PathKey, Problem

CATALOGUED: Mapping[str, Stage] = {"signals": Stage.DETECT_INTENT, "findings": Stage.GUARD_OUTPUT}
"""Facts whose words are the catalogue's codes of a stage: what stands in no entry can never occur."""

WORDS = (FactKind.WORD, FactKind.SET)
"""Kinds of facts whose values can be listed."""

RESERVED = frozenset({*COMBINATORS, "segment", "tool"})
"""Names that mean something of their own where a condition names a fact."""

_RANGES: Mapping[FactType, Range] = {
    FactType.INTEGER: Range(whole=True),
    FactType.MONEY: Range(whole=True),
}


@dataclass(frozen=True, slots=True)
class _Declared:
    """One fact with the place of its declaration; the built-in ones have none."""

    spec: FactSpec
    document: Document | None = None
    path: PathKey = ()


def fact_specs(
    attributes: Parsed[AttributesFile] | None,
    tools: Iterable[Parsed[ToolSpec]],
    tool_names: frozenset[str],
    reasons: Mapping[str, ReasonEntry],
    problems: list[Problem],
) -> dict[str, FactSpec]:
    """Every fact that a condition may ask for, by name; a name that stands for two things is a problem.

    `tool_names` are those of all tools, also of any that could not be read.
    """
    found: dict[str, FactSpec] = {}
    for declared in (*_builtin(reasons), *_of_customers(attributes, problems)):
        name = declared.spec.name
        if name in RESERVED and declared.document is not None:
            message = f"{name} is a word of conditions themselves; choose another name"
            problems.append(declared.document.problem(declared.path, message))
            continue
        if name in found and declared.document is not None:
            message = f"there is a fact {name} already; choose another name"
            problems.append(declared.document.problem(declared.path, message))
            continue
        found[name] = declared.spec
    own: dict[str, FactSpec] = {}
    known = tuple(tools)
    for declared in (*_of_calls(known), *_of_amounts(attributes, known, tool_names, problems)):
        name = declared.spec.name
        if declared.document is not None and name in found:
            message = f"the call fact {name} hides another fact; choose another name"
            problems.append(declared.document.problem(declared.path, message))
            continue
        if declared.document is not None and name in own and own[name].kind is not declared.spec.kind:
            kind = own[name].kind.value
            message = f"the call fact {name} is a {kind} in another tool; use the same type or another name"
            problems.append(declared.document.problem(declared.path, message))
        own[name] = _shared(own[name], declared.spec) if name in own else declared.spec
    return found | own


def _builtin(reasons: Mapping[str, ReasonEntry]) -> Iterator[_Declared]:
    for spec in BUILTIN:
        stage = CATALOGUED.get(spec.name)
        codes = frozenset(code for code, entry in reasons.items() if entry.stage is stage)
        yield _Declared(spec if stage is None else replace(spec, values=codes))


def _of_customers(attributes: Parsed[AttributesFile] | None, problems: list[Problem]) -> Iterator[_Declared]:
    if attributes is None:
        return
    seen: set[str] = set()
    for index, attribute in enumerate(attributes.content.attributes):
        if attribute.name not in seen:  # a second declaration of an attribute is reported as a duplicate id
            seen.add(attribute.name)
            if attribute.values is not None and (not attribute.values or attribute.kind not in WORDS):
                message = f"{attribute.name}: values close a word or a set; name at least one, or remove the field"
                problems.append(attributes.document.problem(("attributes", index, "values"), message))
            yield _Declared(_of_attribute(attribute), attributes.document, ("attributes", index))
    for index, event in enumerate(attributes.content.events):
        if event.kind == OPENED:
            message = f"{OPENED} is the opening of the conversation, which windows may end at; choose another name"
            problems.append(attributes.document.problem(("events", index), message))
    for index, window in enumerate(attributes.content.windows):
        _count_known(window, ("windows", index), attributes, problems)
        spec = FactSpec(window.fact, FactKind.NUMBER, window.meaning, range=COUNT)
        yield _Declared(spec, attributes.document, ("windows", index))


def _count_known(window: Window, path: PathKey, attributes: Parsed[AttributesFile], problems: list[Problem]) -> None:
    """A window over events that nobody reports would be zero for ever."""
    known = [one.kind for one in attributes.content.events]
    asked: list[tuple[PathKey, str, list[str]]] = [(("count",), window.count, known)]
    if window.ending is not None:
        asked.append((("ending", "of"), window.ending.of, [*known, OPENED]))
    for key, kind, named in asked:
        if kind not in named:
            message = f"there is no kind of event {kind!r}{nearest(kind, named)}; declare it under events"
            problems.append(attributes.document.problem((*path, *key), message))


def _of_attribute(attribute: Attribute) -> FactSpec:
    return FactSpec(
        attribute.name,
        attribute.kind,
        attribute.meaning,
        values=frozenset(attribute.values) if attribute.values is not None else None,
        on_unknown=attribute.on_unknown,
        family=attribute.family.value,
        purposes=frozenset(purpose.value for purpose in attribute.purposes),
    )


def _of_calls(tools: Iterable[Parsed[ToolSpec]]) -> Iterator[_Declared]:
    for tool in tools:
        for index, declared in enumerate(tool.content.facts):
            spec = FactSpec(
                f"call_{declared.name}",
                declared.fact_kind,
                declared.description,
                values=frozenset(declared.values) if declared.values else None,
                only_at=Stage.AUTHORIZE_TOOLS,
                tools=frozenset({tool.content.id}),
                range=_RANGES.get(declared.type, ANY_NUMBER),
            )
            yield _Declared(spec, tool.document, ("facts", index))


def _of_amounts(
    attributes: Parsed[AttributesFile] | None,
    tools: Sequence[Parsed[ToolSpec]],
    tool_names: frozenset[str],
    problems: list[Problem],
) -> Iterator[_Declared]:
    """The sums over earlier calls: facts of the calls of their tools."""
    if attributes is None:
        return
    specs = {tool.content.id: tool.content for tool in tools}
    stated = {f"call_{fact.name}" for spec in specs.values() for fact in spec.facts}
    for index, window in enumerate(attributes.content.amounts):
        path: PathKey = ("amounts", index)
        if window.fact in stated:
            message = f"a tool states {window.fact} itself; choose another name"
            problems.append(attributes.document.problem((*path, "fact"), message))
            continue
        stated.add(window.fact)
        for at, message in _unsummable(window, specs, tool_names):
            problems.append(attributes.document.problem((*path, *at), message))
        spec = FactSpec(
            window.fact,
            FactKind.NUMBER,
            window.meaning,
            only_at=Stage.AUTHORIZE_TOOLS,
            tools=frozenset(window.tools),
            range=COUNT,
        )
        yield _Declared(spec, attributes.document, path)


def _unsummable(
    window: AmountWindow, specs: Mapping[str, ToolSpec], tool_names: frozenset[str]
) -> Iterator[tuple[PathKey, str]]:
    """Tools that are not there, that only look, or whose calls state no such amount: their sum would be wrong."""
    for index, name in enumerate(window.tools):
        spec = specs.get(name)
        if spec is None:
            if name not in tool_names:
                yield ("tools", index), f"there is no tool {name!r}{nearest(name, specs)}"
            continue
        fact = spec.fact(window.of)
        if spec.access is not Access.WRITE:
            yield ("tools", index), f"{name} only reads, so it grants nothing; name tools that write"
        elif fact is None or fact.type is not FactType.MONEY:
            amounts = [one.name for one in spec.facts if one.type is FactType.MONEY]
            yield (
                ("of",),
                f"{name} states no amount {window.of!r}{nearest(window.of, amounts)}; name a money fact of it",
            )


def _shared(one: FactSpec, other: FactSpec) -> FactSpec:
    """A call fact that several tools state: asked of all of them, with the values of any."""
    values = None if one.values is None or other.values is None else one.values | other.values
    return replace(one, values=values, tools=(one.tools or frozenset()) | (other.tools or frozenset()))
