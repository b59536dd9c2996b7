"""Documents that nobody can get, whatever the day: unknown classes, scopes that exclude everybody, quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.condition import nearest
from handrail.guardrails.scope import ALL, Family
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.checking.findings import Code, Finding, Severity, place_of
from handrail.retrieval.checking.reach import Reach
from handrail.retrieval.documents import DocumentCard


def known_classes(bundle: Bundle) -> dict[Family, frozenset[str]]:
    """The classes that exist, in the families where the bundle says all of them."""
    granted: dict[Family, set[str]] = {}
    for rule in bundle.policy.rules:
        for family, classes in rule.selections.scope:
            granted.setdefault(Family(family), set()).update(classes)
    found = {Family.NEED_STATE: frozenset(need.value for need in bundle.manifest.need_states)}
    for attribute in bundle.attributes.values():
        if attribute.scope_family is not None and attribute.values is not None:
            family = Family(attribute.scope_family)
            found[family] = found.get(family, frozenset()) | frozenset(attribute.values)
    open_families = {one.scope_family for one in bundle.attributes.values() if one.values is None}
    return {
        family: classes | frozenset(granted.get(family, ()))
        for family, classes in found.items()
        if family.value not in open_families
    }


def orphans(contents: Contents, reach: Reach, known: Mapping[Family, frozenset[str]]) -> Iterator[Finding]:
    """A finding for each unknown class, each document that no customer may read, and each one in quarantine."""
    closed = {entry.doc_id: entry for entry in contents.manifest.quarantined}
    for card, reachable in zip(contents.cards, reach.reachable().tolist(), strict=True):
        explained = False
        for family, words in known.items():
            classes = card.audience.classes(family)
            wrong = [word for word in classes if word != ALL and word not in words]
            lost = len(wrong) == len(classes)
            explained |= lost and bool(wrong)
            yield from (_unknown(card, family, word, words, lost=lost) for word in wrong)
        if not reachable and not explained:
            yield _never(card, reach)
        if card.doc_id in closed:
            entry = closed[card.doc_id]
            yield Finding(
                code=Code.QUARANTINED,
                severity=Severity.ERROR,
                places=(place_of(card, line=entry.line),),
                found=f"In quarantine, because its text addresses the model ({', '.join(entry.signals)}).",
                to_do="Remove that text and ingest again; if it is harmless, word it differently.",
            )


def _unknown(card: DocumentCard, family: Family, word: str, known: frozenset[str], *, lost: bool) -> Finding:
    effect = "so nobody is shown it" if lost else "so that class reaches nobody"
    return Finding(
        code=Code.UNKNOWN_CLASS,
        severity=Severity.ERROR if lost else Severity.WARNING,
        places=(place_of(card),),
        found=f"No customer of this bundle has the {family.value} {word!r}, {effect}{nearest(word, known) or '.'}",
        to_do="Correct the word in the article, or declare it in the bundle.",
    )


def _never(card: DocumentCard, reach: Reach) -> Finding:
    granted = {
        family: {word for plan in reach.population.plans for word in plan.families.get(family.value, ())}
        for family in Family
    }
    shut = [
        f"{family.value} {', '.join(classes)}"
        for family in Family
        if ALL not in (classes := card.audience.classes(family))
        and (family is not Family.NEED_STATE or granted[family])
        and granted[family].isdisjoint(classes)
    ]
    why = f"nobody is granted {' nor '.join(shut)}" if shut else "nobody has all the classes it asks for at once"
    return Finding(
        code=Code.NEVER_ELIGIBLE,
        severity=Severity.ERROR,
        places=(place_of(card),),
        found=f"No customer of this bundle is ever shown it: {why}.",
        to_do="Widen its classes, grant them in the policy, or leave the article out of this base.",
    )
