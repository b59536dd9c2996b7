"""What is reported on shadow rules and holdouts."""

from __future__ import annotations

from handrail.evals.interval import Proportion
from handrail.evals.policy.difference import Gap
from handrail.guardrails.vocabulary import Frozen

FEWEST = 20
"""Conversations in each arm below which two shares are not compared."""


class ShadowCell(Frozen):
    """Decisions that a shadow rule would have changed, of one segment and need state."""

    segment: str
    need_state: str
    more_permissive: int
    stricter: int
    otherwise: int


class ShadowRule(Frozen):
    """What one shadow rule would have done.

    `decisions` are those in which it applied; in `together` of them another shadow rule did too, and what would have
    changed is said of all of them at once. A decision may count for effects, obligations and dimensions.
    """

    rule: str
    decisions: int
    together: int
    effects: int
    obligations: int
    dimensions: int
    more_permissive: int
    stricter: int
    otherwise: int
    cells: tuple[ShadowCell, ...]
    examples: tuple[str, ...]


class Arms(Frozen):
    """Conversations that went to a person, in the arm that was held out and outside it; `gap` is inside minus outside.

    `gap` is None when an arm has fewer than 20 conversations.
    """

    need_state: str | None
    inside: Proportion
    outside: Proportion
    gap: Gap | None


class Holdout(Frozen):
    """What a holdout came to, counted since the first conversation that was held out.

    `moved` conversations were in both arms because the share was changed meanwhile; they are left out.
    """

    holdout: str
    turns_inside: int
    turns_outside: int
    moved: int
    arms: tuple[Arms, ...]


class Experiments(Frozen):
    """All shadow rules and holdouts that the log knows. `skipped` turns were erased or cannot be read."""

    turns: int
    skipped: int
    shadow_rules: tuple[ShadowRule, ...]
    holdouts: tuple[Holdout, ...]
