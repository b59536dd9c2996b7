"""The report on experiments as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.evals.policy.experiments_report import FEWEST, Arms, Experiments, Holdout, ShadowRule

LISTED = 12
"""Segments and need states that the text shows of a rule; the JSON report has all of them."""


def as_text(found: Experiments) -> str:
    """Shadow rules first, then holdouts, each with its numbers and what cannot be said yet."""
    lines = [f"Turns read: {found.turns}" + (f", {found.skipped} erased or unreadable" if found.skipped else "")]
    lines += ["", "SHADOW RULES"]
    lines += [line for rule in found.shadow_rules for line in _shadow_rule(rule)] or ["  None applied."]
    lines += ["", "HOLDOUTS"]
    lines += [line for holdout in found.holdouts for line in _holdout(holdout)] or ["  None in the log."]
    return "\n".join(lines)


def _shadow_rule(rule: ShadowRule) -> Iterator[str]:
    with_others = f", in {rule.together} together with other shadow rules" if rule.together else ""
    yield f"  {rule.rule}: applied in {rule.decisions} decisions{with_others}"
    yield (
        f"    would have changed the effect of {rule.effects}, obligations of {rule.obligations}, "
        f"dimensions of {rule.dimensions}"
    )
    yield (
        f"    more permissive {rule.more_permissive}, stricter {rule.stricter}, "
        f"routing, manner or reasons only {rule.otherwise}"
    )
    ordered = sorted(rule.cells, key=lambda one: -(one.more_permissive + one.stricter + one.otherwise))
    for cell in ordered[:LISTED]:
        counts = (
            (cell.more_permissive, "more permissive"),
            (cell.stricter, "stricter"),
            (cell.otherwise, "otherwise"),
        )
        yield f"    {cell.segment}, {cell.need_state}: " + ", ".join(f"{n} {word}" for n, word in counts if n)
    if len(ordered) > LISTED:
        yield f"    and {len(ordered) - LISTED} more segments and need states; --json lists all"
    if rule.examples:
        yield f"    turns {', '.join(rule.examples)}"


def _holdout(holdout: Holdout) -> Iterator[str]:
    whole = holdout.arms[0]
    yield (
        f"  {holdout.holdout}: {whole.inside.n} conversations held out ({holdout.turns_inside} turns), "
        f"{whole.outside.n} not ({holdout.turns_outside} turns)"
    )
    if holdout.moved:
        yield f"    {holdout.moved} were in both arms because the share was changed, and are left out"
    if not whole.inside.n:
        yield "    nobody was held out: nothing to compare"
        return
    for arms in holdout.arms:
        if arms.need_state is None or arms.gap is not None:
            yield from _arms(arms)
    few = [arms.need_state for arms in holdout.arms if arms.need_state is not None and arms.gap is None]
    if few:
        yield f"    too few to compare (below {FEWEST} in an arm): {', '.join(few)}"


def _arms(arms: Arms) -> Iterator[str]:
    yield f"    {arms.need_state or 'to a person'}: held out {arms.inside}; not {arms.outside}"
    if arms.gap is None:
        yield f"      too few to compare: {FEWEST} conversations are needed in each arm"
    else:
        words = "a difference" if arms.gap.clear else "no clear difference"
        yield f"      held out minus not: {arms.gap}: {words}"
