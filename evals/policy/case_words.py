"""The words of policy tests, checked against the bundle: a misspelt one would go unnoticed and expect nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from handrail.evals.policy.case_shapes import Case, CasesFile, Expected, Stated
from handrail.evals.policy.domains import possible
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.invariants import FOLLOWING, classes_of
from handrail.guardrails.bundle.sections import ScopeFamily
from handrail.guardrails.policy.combining import ADDING
from handrail.guardrails.policy.condition import nearest
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX, FactKind, FactSpec, fits
from handrail.guardrails.vocabulary import FactContent, Stage
from handrail.guardrails.yamlsource import Document, PathKey, Problem


def wrong(document: Document, content: CasesFile, bundle: Bundle) -> Iterator[Problem]:
    """Everything in a file of cases that means nothing in this bundle."""
    yield from _facts(document, ("base",), content.base, bundle)
    for index, case in enumerate(content.cases):
        path: PathKey = ("cases", index)
        yield from _facts(document, (*path, "facts"), case.facts, bundle)
        yield from _given(document, path, case, {**content.base, **case.facts}, bundle)
        for stage in Stage:
            wanted = case.expect.at(stage)
            if wanted is not None:
                yield from _expected(document, (*path, "expect", stage.value), wanted, bundle)


def _given(
    document: Document, path: PathKey, case: Case, stated: Mapping[str, Stated], bundle: Bundle
) -> Iterator[Problem]:
    segments = [segment.id for segment in bundle.segments]
    yield from _names(document, (*path, "earlier"), case.earlier, segments, "active segment")
    yield from _names(document, (*path, "ages"), case.ages, stated.keys() & bundle.attributes, "attribute given")
    for index, event in enumerate(case.events):
        at = (*path, "events", index)
        yield from _names(document, (*at, "kind"), (event.kind,), bundle.events, "kind of event")
        intents = (event.intent,) if event.intent is not None else ()
        known = bundle.facts["intent"].values
        yield from _names(document, (*at, "intent"), intents, intents if known is None else known, "intent")
    tools = (case.tool,) if case.tool is not None else ()
    yield from _names(document, (*path, "tool"), tools, bundle.tools, "tool")
    for name in case.facts:
        spec = bundle.facts.get(name)
        if spec is not None and spec.tools is not None and not spec.tools & set(tools):
            message = f"the fact {name} exists only for calls of {', '.join(sorted(spec.tools))}"
            yield document.problem((*path, "facts", name), f"{message}; name the tool, or leave it out")
    if case.expect.segments is not None:
        for side in ("inside", "outside"):
            named = getattr(case.expect.segments, side)
            yield from _names(document, (*path, "expect", "segments", side), named, segments, "active segment")


def _expected(document: Document, path: PathKey, wanted: Expected, bundle: Bundle) -> Iterator[Problem]:
    rules = [rule.selections for rule in bundle.policy.rules]
    ready = [segment.decisions for segment in bundle.entries.values()]
    skills = {word for one in rules for word in one.skills} | {word for one in ready for word in one.skills}
    tags = {word for one in rules for word in one.tags} | {word for one in ready for word in one.tags}
    known: Mapping[str, Iterable[str]] = {
        "reasons": bundle.reasons,
        "reasons_not": bundle.reasons,
        "rules": [rule.id for rule in bundle.policy.rules],
        "skills": skills,
        "skills_not": skills,
        "tags": tags,
        "tags_not": tags,
        "commitments": bundle.commitments,
        "commitments_not": bundle.commitments,
    }
    kinds = {"reasons": "reason code", "rules": "active rule", **{name: name.removesuffix("s") for name in ADDING}}
    for key, words in known.items():
        yield from _names(document, (*path, key), getattr(wanted, key), words, kinds[key.removesuffix("_not")])
    for key, held, names in (("queue", wanted.queue, bundle.queues), ("flow", wanted.flow, bundle.flows)):
        yield from _names(document, (*path, key), (held,) if held not in (None, "none") else (), names, key)
    for key, scope in (("scope", wanted.scope), ("scope_not", wanted.scope_not)):
        for family, classes in scope.items():
            yield from _classes(document, (*path, key, family), family, classes, bundle)


def _classes(
    document: Document, path: PathKey, family: ScopeFamily, classes: Iterable[str], bundle: Bundle
) -> Iterator[Problem]:
    known = classes_of(family, bundle.attributes)
    if known is not None:
        yield from _names(document, path, classes, known, f"class of {family}")


def _names(
    document: Document, path: PathKey, names: Iterable[str | None], known: Iterable[str], kind: str
) -> Iterator[Problem]:
    held = list(known)
    for name in names:
        if name not in held:
            yield document.problem(path, f"there is no {kind} {name!r}{nearest(str(name), held)}")


def _facts(document: Document, path: PathKey, stated: Mapping[str, Stated], bundle: Bundle) -> Iterator[Problem]:
    known = {**bundle.facts, **{f"{HOLDOUT_PREFIX}{one.id}": _HOLDOUT for one in bundle.holdouts}}
    for name, content in stated.items():
        spec = known.get(name)
        if spec is None:
            yield document.problem((*path, name), f"there is no fact {name!r}{nearest(name, known)}")
        elif name in FOLLOWING:
            yield document.problem((*path, name), f"{name} follows from the other facts; leave it out")
        elif content is not None and not _possible(spec, content):
            allowed = f"; it is one of {', '.join(sorted(spec.values))}" if spec.values else ""
            yield document.problem((*path, name), f"{name} is a {spec.kind.value} and never {_shown(content)}{allowed}")


_HOLDOUT = FactSpec("holdout", FactKind.BOOLEAN, "whether the conversation is in the holdout")


def _shown(content: FactContent) -> str:
    return f"[{', '.join(content)}]" if isinstance(content, tuple) else repr(content)


def _possible(spec: FactSpec, content: FactContent) -> bool:
    if not fits(spec.kind, content):
        return False
    if spec.kind is FactKind.NUMBER:
        return possible(float(content), spec.range)  # type: ignore[arg-type]  # a number, as its kind says
    words = content if isinstance(content, tuple) else (content,)
    return spec.values is None or set(words) <= spec.values
