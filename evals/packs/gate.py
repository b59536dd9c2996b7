"""Decides calls by a pack: the product's own tool gate over the pack's rules, with facts from its records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import BaseModel

from handrail.evals.packs.call import Call
from handrail.evals.packs.pack import Pack
from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.gate.declared import fit_facts
from handrail.guardrails.gate.facts import Standing
from handrail.guardrails.gate.inspection import ArgumentOrigin, Sources, inspect
from handrail.guardrails.gate.weighing import decide_call, decide_undeclared
from handrail.guardrails.policy.facts import Facts
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import Decision, FactContent, Frozen, IdentityLevel, ToolCall

NO_SOURCES = Sources()
NOTHING_AROUND = Facts()


class CallContext(Frozen):
    """What is known of the moment in which a call is proposed; without anything said, nobody asked and nobody agreed.

    `customer_id` is the customer who was authenticated. `confirmed` says that the customer agreed to exactly this call,
    `approvals` how many different people of the company approved it. Rate limits count back from `at`; calls without a
    time come at once.
    """

    customer_id: str | None = None
    identity: IdentityLevel = IdentityLevel.IDENTIFIED
    confirmed: bool = False
    approvals: int = 0
    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    @property
    def level(self) -> IdentityLevel:
        """The identity level: anonymous for whoever has no id, whatever else is said."""
        return self.identity if self.customer_id else IdentityLevel.ANONYMOUS


NOBODY = CallContext()


class Unknown(Frozen):
    """A declared fact that could not be established, and why; without `why` its function said that it is unknown."""

    fact: str
    why: str | None = None


class Decided(Frozen):
    """A decided call. `call` is canonical: what the decision is about, and what alone may run.

    `provenance` says where each argument was found in the sources that were given, `said` are the customer's words in
    them.
    """

    call: ToolCall
    context: CallContext
    digest: str
    decision: Decision
    provenance: tuple[ArgumentOrigin, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the call may run now."""
        return self.decision.allowed


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the functions of a pack say of one call."""

    values: dict[str, FactContent]
    unknown: tuple[Unknown, ...]


@dataclass(frozen=True, slots=True)
class _Ran:
    """One call that ran."""

    call: Call
    digest: str


class PackGate:
    """The gate of one task or conversation: a pack, the records as they stand now, and what has run so far."""

    def __init__(self, pack: Pack, records: BaseModel) -> None:
        """Decide by `pack` over `records`, which `carry_out` changes; give each task records of its own."""
        self.pack = pack
        self.records = records
        # Rules read facts about calls of declared tools. Of any other tool there are none, so only the default speaks.
        self._bare = PolicySet((), pack.revision)
        self._ran: list[_Ran] = []

    @property
    def has_run(self) -> bool:
        """Whether anything has run, so that the records may differ from those of the beginning."""
        return bool(self._ran)

    def decide(self, call: ToolCall, context: CallContext = NOBODY, sources: Sources = NO_SOURCES) -> Decided:
        """Decide `call`; nothing is changed. Never raises, whatever the call is.

        `sources` are the customer's words, records, tool results and passages so far: where the declaration of an
        argument names the origins that it may have, a value that stands in none of them is refused.
        """
        policy, spec = self.pack.policy, self.pack.tools.get(call.tool)
        if spec is None:
            decision = decide_undeclared(self._bare, call.tool, NOTHING_AROUND)
            return Decided(call=call, context=context, digest=digest(call), decision=decision)
        stated = self._stated(spec, self._seen(canonical(call, spec), context, sources.customer_words))
        inspection = inspect(call, spec, sources, stated.values)
        standing = Standing(
            now=context.at,
            confirmed=inspection.digest if context.confirmed else None,
            approved=(inspection.digest,) * context.approvals,
            succeeded=tuple(ran.digest for ran in self._ran),
            runs=tuple(ran.call.at for ran in self._ran if ran.call.tool == spec.id),
        )
        decision = decide_call(policy, spec, inspection, standing, context.level, stated.values, NOTHING_AROUND)
        return Decided(
            call=inspection.call,
            context=context,
            digest=inspection.digest,
            decision=decision,
            provenance=inspection.provenance,
            unknown=stated.unknown,
            said=sources.customer_words,
        )

    def carry_out(self, decided: Decided) -> None:
        """Note that an allowed call has run, and change the records by its effect where the pack states one.

        ValueError for a call that is not allowed. What the effect raises is raised; the records may then be half
        changed, and nothing more should be decided on them.
        """
        if not decided.allowed:
            raise ValueError(f"{decided.call.tool} is not allowed, so it cannot have run")
        call = self._seen(decided.call, decided.context, decided.said)
        self._ran.append(_Ran(replace(call, earlier=(), said=()), decided.digest))
        effect = self.pack.functions.effects.get(call.tool)
        if effect is not None:
            effect(call, self.records)

    def _stated(self, spec: ToolSpec, seen: Call) -> _Stated:
        values: dict[str, FactContent] = {}
        unknown: list[Unknown] = []
        for fact in spec.facts:
            try:
                content = self.pack.functions.facts[fact.name](seen, self.records)
            except Exception as error:  # noqa: BLE001 - INVARIANT: whatever a fact raises makes it unknown, not allowed
                unknown.append(Unknown(fact=fact.name, why=type(error).__name__))
                continue
            if content is None:
                unknown.append(Unknown(fact=fact.name))
            elif not fit_facts(spec, {fact.name: content}):
                unknown.append(Unknown(fact=fact.name, why="not of its declared type or values"))
            else:
                values[fact.name] = content
        return _Stated(values, tuple(unknown))

    def _seen(self, call: ToolCall, context: CallContext, said: tuple[str, ...]) -> Call:
        return Call(
            tool=call.tool,
            arguments=call.arguments,
            customer_id=context.customer_id or None,
            at=context.at,
            earlier=tuple(ran.call for ran in self._ran),
            said=said,
        )
