"""Proofs in words: what was proved, and for what was not, the input that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from handrail.evals.policy.prove import Counterexample, Proof
from handrail.evals.policy.witness import Witness
from handrail.guardrails.vocabulary import Decision


def lines(proof: Proof) -> Iterator[str]:
    """One invariant, its outcome first."""
    entry = proof.invariant.entry
    floor = ", floor" if entry.floor else ""
    yield f"{_outcome(proof):8} {entry.id}  ({entry.stage}{floor}, {proof.seconds:.2f} s)"
    if proof.proved:
        return
    yield f"         {entry.says}  [{proof.invariant.where}]"
    if proof.vacuous:
        yield "         Its condition is false for every input: it says nothing. Correct `when`, or remove it."
    elif proof.counterexample is not None:
        yield from (f"         {line}" for line in _shown(proof.counterexample))


def _outcome(proof: Proof) -> str:
    return "proved" if proof.proved else "vacuous" if proof.vacuous else "BROKEN"


def _shown(found: Counterexample) -> Iterator[str]:
    about = "" if found.subject == "turn" else f" about {found.subject}"
    yield f"The smallest input{about} that breaks it, in what it differs from an ordinary turn:"
    yield from _input(found.witness, found.decision)
    if found.other is not None and found.other_decision is not None:
        yield "and, differing in these facts alone:"
        yield from _input(found.other, found.other_decision)


def _input(witness: Witness, decision: Decision) -> Iterator[str]:
    yield from (f"  {line}" for line in witness.lines() or ("(an ordinary turn)",))
    dimensions = decision.dimensions
    yield f"  -> {decision.effect}, risk {dimensions.risk}, automation {dimensions.automation}"
    if decision.obligations:
        yield f"     obligations {', '.join(decision.obligations)}"
    yield f"     reasons {', '.join(decision.reasons)}"
    yield f"     rules {', '.join(decision.rules) or 'none'}"


def plain(proofs: Sequence[Proof], revision: str) -> dict[str, JsonValue]:
    """The same for programs."""
    return {
        "revision": revision,
        "proved": sum(proof.proved for proof in proofs),
        "invariants": [_plain(proof) for proof in proofs],
    }


def _plain(proof: Proof) -> dict[str, JsonValue]:
    entry, found = proof.invariant.entry, proof.counterexample
    told: dict[str, JsonValue] = {
        "id": entry.id,
        "says": entry.says,
        "stage": entry.stage.value,
        "floor": entry.floor,
        "where": proof.invariant.where,
        "outcome": _outcome(proof).lower(),
        "seconds": round(proof.seconds, 3),
    }
    if found is not None:
        told["subject"] = found.subject
        inputs = [(found.witness, found.decision)]
        if found.other is not None and found.other_decision is not None:
            inputs.append((found.other, found.other_decision))
        told["counterexample"] = [_plain_input(witness, decision) for witness, decision in inputs]
    return told


def _plain_input(witness: Witness, decision: Decision) -> dict[str, JsonValue]:
    facts: dict[str, JsonValue] = {
        name: list(content) if isinstance(content, tuple) else content
        for name, content in witness.contents.items()
        if name != "risk"  # it follows from the rest
    }
    return {
        "facts": facts,
        "earlier": dict(witness.earlier),
        "decision": decision.model_dump(mode="json", exclude={"facts"}),
    }
