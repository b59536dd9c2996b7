"""Coverage in words, and the missing cases as YAML that a policy owner completes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import yaml
from pydantic import JsonValue

from handrail.evals.policy.coverage import Coverage, Missing
from handrail.evals.policy.witness import LONG_AGO
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Stage

FILL_IN = "FILL_IN"
"""Stands where the policy owner has to say what should happen; the case cannot be loaded before."""

_A_YEAR = 525_600.0


def lines(found: Coverage) -> Iterator[str]:
    """What is looked at, and what is not."""
    needs = sorted({cell.need for cell in found.possible})
    yield "Rules by need state: looked at / possible, over all segments"
    possible, hit = (Counter((cell.rule, cell.need) for cell in cells) for cells in (found.possible, found.hit))
    yield f"{'':38}" + "".join(f"{need[:11]:>12}" for need in needs)
    for rule in sorted({cell.rule for cell in found.possible}):
        shown = (f"{hit[rule, need]}/{possible[rule, need]}" if possible[rule, need] else "" for need in needs)
        yield f"{rule:38}" + "".join(f"{one:>12}" for one in shown)
    yield ""
    missed = found.rules_missed()
    yield f"Rules that no test looks at: {', '.join(missed) or 'none'}"
    yield "Decision dimensions of segments that no test looks at:"
    blank = True
    for segment, dimensions in sorted(found.dimensions.items()):
        unseen = [name for name, count in dimensions.items() if not count]
        if unseen:
            blank = False
            yield f"  {segment}: {', '.join(unseen)}"
    if blank:
        yield "  none"
    pairs = {(cell.rule, cell.need) for cell in found.possible}
    pairs_hit = {(cell.rule, cell.need) for cell in found.hit}
    rules = {rule for rule, _ in pairs}
    yield f"Rules: {len(rules) - len(missed)} of {len(rules)} looked at"
    yield f"Rule x need state: {len(pairs_hit)} of {len(pairs)} that can occur"
    yield f"Rule x segment x need state: {len(found.hit)} of {len(found.possible)} that can occur"


def plain(found: Coverage) -> dict[str, JsonValue]:
    """The same for programs."""
    unhit = sorted(found.possible - found.hit)
    return {
        "possible": len(found.possible),
        "hit": len(found.hit),
        "rules_missed": list(found.rules_missed()),
        "dimensions": {segment: dict(counts) for segment, counts in found.dimensions.items()},
        "missing": [{"rule": cell.rule, "need": cell.need, "segment": cell.segment} for cell in unhit],
    }


def cases(missing: Iterable[Missing], bundle: Bundle) -> Iterator[str]:
    """The file of missing cases, piece by piece: what is given, what is decided today, and what to fill in."""
    yield "# Combinations that can occur and that no policy test looks at. Say what should happen in place of\n"
    yield "# FILL_IN, give the case a name that says why, and move it beside the other tests.\ncases:\n"
    for number, one in enumerate(missing, start=1):
        yield _case(one, bundle, number)


def _case(one: Missing, bundle: Bundle, number: int) -> str:
    facts: dict[str, JsonValue] = {
        name: [*held] if isinstance(held, tuple) else held for name, held in one.witness.beyond.items()
    }
    if one.stage not in (Stage.GATE_RISK, Stage.APPLY_POLICY):
        # Otherwise the case would take the flow that policy chooses.
        facts["flow"] = one.witness.contents.get("flow")  # type: ignore[assignment]  # a word, or unknown
    whole: dict[str, JsonValue] = {"name": f"{number}. {one.rule}, {one.about}"}
    if facts:
        whole["facts"] = facts
    if one.witness.earlier:
        minutes = {name: _A_YEAR if age >= LONG_AGO else age / 60 for name, age in one.witness.earlier.items()}
        whole["earlier"] = dict(minutes)
    if one.stage is Stage.AUTHORIZE_TOOLS:
        whole["tool"] = one.subject
    whole["expect"] = {one.stage.value: {"effect": FILL_IN, "rules": [one.rule]}}
    decided = one.witness.decision(bundle, one.stage, one.subject)
    text = yaml.safe_dump([whole], sort_keys=False, allow_unicode=True, width=110)
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    return f"  # Today: {decided.effect}, {', '.join(decided.reasons)}\n{indented}"
