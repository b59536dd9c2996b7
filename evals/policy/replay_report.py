"""What a replay found, for people and as JSON."""

from __future__ import annotations

from handrail.evals.interval import Proportion
from handrail.evals.policy.direction import Direction
from handrail.guardrails.vocabulary import Frozen


class Read(Frozen):
    """What became of the finished turns that were read.

    `undecided` ended before policy was asked (a step had failed), `masked` are turns that differ and in whose record a
    mask or a pseudonym stands where a fact or a rule was: they are not compared.
    """

    turns: int
    replayed: int
    undecided: int
    erased: int
    unreadable: int
    masked: int


class StageChanges(Frozen):
    """The decisions of one stage that were compared, and how many came out differently."""

    stage: str
    decisions: int
    more_permissive: int
    stricter: int
    otherwise: int
    explained: int


class Change(Frozen):
    """One way in which decisions change, the turns in which they do, and some of their ids."""

    direction: Direction
    words: str
    turns: int
    examples: tuple[str, ...]


class Cell(Frozen):
    """Turns of one segment and need state in which a reason is given now (`+CODE`) or no longer (`-CODE`)."""

    segment: str
    need_state: str
    reason: str
    turns: int
    examples: tuple[str, ...]


class QueueChange(Frozen):
    """Turns that went to a queue and that go to it now. `handling_minutes` is None when the bundle has not got it."""

    queue: str
    before: int
    after: int
    handling_minutes: int | None


class People(Frozen):
    """Turns that bring a person where none was, or no longer do, with some of their ids.

    `minutes` is what all replayed turns cost people more (or less, negative), `cost` the same in money.
    """

    more: int
    fewer: int
    more_examples: tuple[str, ...]
    fewer_examples: tuple[str, ...]
    queues: tuple[QueueChange, ...]
    minutes: int
    minutes_per_1000: float | None
    hourly_cost: float | None = None
    cost: float | None = None
    cost_per_1000: float | None = None


class Unsure(Frozen):
    """What the record cannot say.

    `beyond` turns go further than the recorded one did, `left` have no recorded continuation for either of two bundles,
    `elsewhere` go on under another flow or scope and are judged by what was found and said then. `not_recorded` counts
    turns by the fact that was asked for, `stale` turns by the attribute that would be fresh enough now but whose
    content was not kept.
    """

    beyond: int
    beyond_examples: tuple[str, ...]
    left: int
    elsewhere: int
    not_recorded: dict[str, int]
    stale: dict[str, int]


class ReplayReport(Frozen):
    """A replay: `baseline` is "the record", or the revision of the first of two bundles.

    `changed` are turns with another effect, obligation, dimension or reason; `explained` those where only the rules
    that are named, or a shadow decision, differ, `reassigned` those where only segments do.
    """

    bundle: str
    baseline: str
    recorded_revisions: dict[str, int]
    read: Read
    changed: Proportion
    more_permissive: int
    stricter: int
    otherwise: int
    explained: int
    reassigned: int
    stages: tuple[StageChanges, ...]
    changes: tuple[Change, ...]
    cells: tuple[Cell, ...]
    people: People
    unsure: Unsure

    @property
    def exact(self) -> bool:
        """Whether every turn was read and came out as recorded, under the same revision."""
        read = self.read
        differing = self.changed.successes + self.explained + self.reassigned + read.unreadable + read.masked
        return differing == 0 and set(self.recorded_revisions) <= {self.bundle}
