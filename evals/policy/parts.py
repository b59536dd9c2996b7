"""What somebody wrote differently in two bundles, thing by thing, beside what it does to decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.policy.rule import Rule


@dataclass(frozen=True, slots=True)
class Touched:
    """The things of one kind that were added, removed or changed, by id."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.added or self.removed or self.changed)


def touched(before: Bundle, after: Bundle) -> dict[str, Touched]:
    """What was touched, by kind; kinds without any are left out."""
    first, second = dict(_things(before)), dict(_things(after))
    return {kind: found for kind in first if (found := _between(first[kind], second[kind]))}


def _between(one: Mapping[str, object], other: Mapping[str, object]) -> Touched:
    changed = sorted(name for name in one.keys() & other.keys() if one[name] != other[name])
    return Touched(tuple(sorted(other.keys() - one.keys())), tuple(sorted(one.keys() - other.keys())), tuple(changed))


def _things(bundle: Bundle) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Everything a bundle holds, by kind and id, each as what has to be equal."""
    yield "rules", {rule.id: _said(rule) for rule in bundle.policy.rules}
    yield "shadow rules", {rule.id: _said(rule) for rule in bundle.policy.shadows}
    yield "segments", bundle.entries
    yield "tools", bundle.tools
    yield "attributes", bundle.attributes
    yield "events", bundle.events
    yield "windows", {window.fact: window for window in bundle.windows}
    yield "amounts", {window.fact: window for window in bundle.amounts}
    yield "holdouts", {holdout.id: holdout for holdout in bundle.holdouts}
    yield "invariants", {invariant.entry.id: invariant.entry for invariant in bundle.invariants}
    yield "queues", bundle.queues
    yield "reasons", bundle.reasons
    yield "texts", {f"{key} ({language})": text for language, of in bundle.texts.items() for key, text in of.items()}
    yield "flows", bundle.flows
    opinion = bundle.opinion
    yield "prompts", {**bundle.prompts, **({} if opinion is None else {f"reading/{opinion.id}": opinion})}
    yield "next steps", bundle.next_steps
    yield "settings", {name: getattr(bundle.manifest, name) for name in type(bundle.manifest).model_fields}
    yield "folders", {"detection": bundle.detection, "output": bundle.wording}


def _said(rule: Rule) -> Rule:
    """A rule without the place where it stands."""
    return replace(rule, where="")
