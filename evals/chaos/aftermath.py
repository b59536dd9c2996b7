"""What a crash has left in the two databases, and what of it must not be: judged without the service's help."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from handrail.agent.conversation import ApprovalState, JournalState
from handrail.agent.standing import WITH_PEOPLE
from handrail.agent.store.audit_log import AuditLog
from handrail.evals.chaos.matters import Matter
from handrail.guardrails.vocabulary import ConversationStatus, Frozen, Obligation

_MAY_HAVE_RUN = {JournalState.INTENDED, JournalState.SUCCEEDED, JournalState.UNKNOWN}


class Harm(StrEnum):
    """What must never come of a crash."""

    DUPLICATE = "duplicate"
    LOST = "lost"
    ORPHANED = "orphaned"
    TAMPERED = "audit log broken"


class Breach(Frozen):
    """One harm that was done."""

    harm: Harm
    what: str


class Entry(Frozen):
    """A write as the journal has it."""

    digest: str
    state: JournalState


class Aftermath(Frozen):
    """What the databases say of the one conversation in them.

    `ran` counts the writes that the company has carried out, each time it did. `awaited` is the request for approval
    that the conversation waits for.
    """

    ran: int
    journal: tuple[Entry, ...]
    approvals: dict[str, ApprovalState]
    awaited: str | None
    status: ConversationStatus
    handoffs: int
    unfinished: int
    log_breaks: int

    def count(self, state: JournalState) -> int:
        """How many entries of the journal are in that state."""
        return sum(entry.state is state for entry in self.journal)

    @property
    def with_person(self) -> bool:
        """Whether a person has the matter, or it stands in a queue for one."""
        return self.status in WITH_PEOPLE and self.handoffs > 0

    @property
    def in_doubt(self) -> bool:
        """Whether nobody can tell if a write ran."""
        return self.count(JournalState.UNKNOWN) > 0

    def breaches(self) -> tuple[Breach, ...]:
        """What must not be, once everything that a dead process had begun has been recovered."""
        return (*self._twice(), *self._lost(), *self._orphaned())

    def breaches_at_the_end(self, matter: Matter, *, deaf: bool = False) -> tuple[Breach, ...]:
        """The same once customer and operators have repeated what got no answer: now the matter has to be over.

        Doubt is an end only where the company cannot tell, because it is forgetful or `deaf`.
        """
        found = [*self.breaches()]
        if matter.runs and not self.ran and not (self.in_doubt and (matter.forgetful or deaf)):
            found.append(Breach(harm=Harm.LOST, what="what was agreed to never ran"))
        if not matter.runs and self.ran:
            found.append(Breach(harm=Harm.DUPLICATE, what="what was denied ran"))
        for name, state in self.approvals.items():
            if state in {ApprovalState.PENDING, ApprovalState.APPROVED}:
                found.append(Breach(harm=Harm.ORPHANED, what=f"the approval {name} is {state} at the end"))
        return tuple(found)

    def _twice(self) -> Iterator[Breach]:
        if self.ran > 1:
            yield Breach(harm=Harm.DUPLICATE, what=f"the company has carried it out {self.ran} times")
        begun = Counter(entry.digest for entry in self.journal if entry.state in _MAY_HAVE_RUN)
        if any(times > 1 for times in begun.values()):
            yield Breach(harm=Harm.DUPLICATE, what="the journal has one call twice")

    def _lost(self) -> Iterator[Breach]:
        succeeded = self.count(JournalState.SUCCEEDED)
        if self.unfinished:
            yield Breach(harm=Harm.LOST, what=f"{self.unfinished} turns were never finished")
        if self.count(JournalState.INTENDED):
            yield Breach(harm=Harm.LOST, what="a write was begun and has no end")
        if succeeded > self.ran:
            yield Breach(harm=Harm.LOST, what="the journal says that it ran, and it did not")
        if self.ran > succeeded + self.count(JournalState.UNKNOWN):
            yield Breach(harm=Harm.LOST, what="it ran, and the journal does not say so")
        if self.in_doubt and not self.with_person:
            yield Breach(harm=Harm.LOST, what="a write is in doubt, and nobody looks at it")
        if self.log_breaks:
            yield Breach(harm=Harm.TAMPERED, what=f"{self.log_breaks} breaks")

    def _orphaned(self) -> Iterator[Breach]:
        for name, state in self.approvals.items():
            waits = self.awaited == name
            if state is ApprovalState.APPROVED:
                yield Breach(harm=Harm.ORPHANED, what=f"the approval {name} was given and not used")
            elif state is ApprovalState.PENDING and not waits:
                yield Breach(harm=Harm.ORPHANED, what=f"the approval {name} is asked for, and nothing waits for it")
            elif state is not ApprovalState.PENDING and waits:
                yield Breach(harm=Harm.ORPHANED, what=f"the approval {name} is {state}, and is waited for")
            elif state is ApprovalState.USED and not self.ran and not self.in_doubt:
                yield Breach(harm=Harm.LOST, what=f"the approval {name} is used, and nothing ran")
        if self.awaited is not None and self.awaited not in self.approvals:
            yield Breach(harm=Harm.ORPHANED, what=f"the approval {self.awaited} is waited for, and nobody was asked")


def left_in(folder: Path) -> Aftermath:
    """Read the databases of a data folder."""
    store, company = folder / "handrail.db", folder / "company.db"
    with closing(sqlite3.connect(company)) as connection:
        (ran,) = connection.execute("SELECT count(*) FROM idempotency").fetchone()
    with closing(sqlite3.connect(store)) as connection:
        status, state = connection.execute("SELECT status, state FROM conversations").fetchone()
        journal = connection.execute("SELECT digest, state FROM journal").fetchall()
        approvals = connection.execute("SELECT approval_id, state FROM approvals").fetchall()
        (handoffs,) = connection.execute("SELECT count(*) FROM handoffs WHERE closed_at IS NULL").fetchone()
        (unfinished,) = connection.execute("SELECT count(*) FROM turns WHERE finished_at IS NULL").fetchone()
    pending = json.loads(state)["pending"] or {}
    waits = pending.get("awaiting") == Obligation.APPROVE
    log = AuditLog(f"sqlite:///{store}")
    try:
        breaks = len(log.verify().breaks)
    finally:
        log.close()
    return Aftermath(
        ran=ran,
        journal=tuple(Entry(digest=digest, state=JournalState(reached)) for digest, reached in journal),
        approvals={name: ApprovalState(reached) for name, reached in approvals},
        awaited=pending.get("approval_id") if waits else None,
        status=ConversationStatus(status),
        handoffs=handoffs,
        unfinished=unfinished,
        log_breaks=breaks,
    )
