"""Draws turns as a support desk sees them, and the questions that the flow asks policy about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.gate.facts import tool_facts
from handrail.guardrails.policy.builtin import NO_FLOW, UNKNOWN_NEED
from handrail.guardrails.policy.facts import HOLDOUT_PREFIX, FactKind, Facts, FactSpec, OnUnknown, fact, ignorable
from handrail.guardrails.policy.policyset import TURN
from handrail.guardrails.segments import assign
from handrail.guardrails.vocabulary import FactContent, FactUsed, IdentityLevel, NeedState, Stage

ALWAYS_ASKED = "get_invoice"
"""A call of this tool is decided in every turn, so that there is one tool with as many questions as turns."""

OTHER_TOOLS = 3
"""Calls of other tools in each turn."""

_EARLIER_SECONDS = 300.0

_WORDS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "language": (("en", 90), ("de", 4), ("fr", 3), (UNKNOWN_NEED, 3)),
    "identity": (("anonymous", 25), ("identified", 50), ("verified", 25)),
    "channel": (("web", 1),),
    "conversation": (("bot", 86), ("returned_to_bot", 6), ("queued", 4), ("human", 4)),
    "earlier_risk": (("low", 70), ("medium", 22), ("high", 6), ("critical", 2)),
    "pending": (("nothing", 80), ("verify_identity", 8), ("confirm", 8), ("approve", 4)),
    "assistance": (("accepted", 97), ("refused", 3)),
    "call_edit": (("none", 90), ("favourable", 6), ("adverse", 4)),
    "call_subscription_status": (("active", 80), ("past_due", 8), ("trialing", 6), ("ending", 4), ("ended", 2)),
    "call_invoice_status": (("paid", 75), ("open", 12), ("overdue", 9), ("void", 4)),
}
"""How often each word occurs, as weights; other words are equally likely."""

_CHANCES: Mapping[str, float] = {
    "in_flow": 0.25,
    "person_offered": 0.2,
    "company_open": 0.7,
    "critical_account": 0.1,
    "call_schema_valid": 0.92,
    "call_provenance_ok": 0.92,
    "call_owned": 0.95,
    "call_role_allows": 0.85,
    "call_amount_within_paid": 0.85,
    "call_confirmed": 0.75,
    "call_repeated": 0.06,
    "call_over_rate": 0.04,
    "call_already_refunded": 0.1,
}
"""How often a boolean is true; others half the time."""

_LARGEST: Mapping[str, int] = {"renewal_days": 365, "call_renewal_days": 365, "call_days_since_payment": 40}
"""The largest value of a number; others go to five, amounts of money to 500.00."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the flow asks policy in a turn."""

    stage: Stage
    subject: str
    facts: Facts


def draw(bundle: Bundle, turns: int, seed: int) -> tuple[tuple[Question, ...], ...]:
    """The questions of `turns` turns, the same for the same bundle and seed."""
    drawer = _Drawer(bundle, Random(seed))  # noqa: S311 - draws what is measured, guards nothing
    return tuple(tuple(drawer.turn(number)) for number in range(turns))


@dataclass(slots=True)
class _Drawer:
    """Goes through the stages as the flow does; what policy decides at one is a fact of the next."""

    bundle: Bundle
    random: Random

    def turn(self, number: int) -> Iterator[Question]:
        """The questions of one turn."""
        policy, before = self.bundle.policy, self._before(number)
        earlier = {}
        if number % 4 == 0:
            earlier[self.random.choice([one.id for one in self.bundle.segments])] = _EARLIER_SECONDS
        facts = before.with_facts(assign(self.bundle.segments, before, earlier).facts)
        yield Question(Stage.GATE_RISK, TURN, facts)
        risk = policy.decide(Stage.GATE_RISK, facts).dimensions.risk
        facts = facts.with_facts((fact("risk", risk.value, "gate_risk"),))
        yield Question(Stage.APPLY_POLICY, TURN, facts)
        flow = policy.decide(Stage.APPLY_POLICY, facts).dimensions.flow
        good = self.random.choice((0, 0, 1, 2, 4, 6))
        fresh = self.random.randint(0, good)
        found = (("passages_good", good), ("passages_fresh", fresh), ("flow", flow or NO_FLOW))
        facts = facts.with_facts(fact(name, content, "retrieval") for name, content in found)
        yield Question(Stage.RETRIEVE, TURN, facts)
        facts = facts.with_facts((fact("speaker", self.random.choice(("model", "model", "flow", "text")), "generate"),))
        others = sorted(self.bundle.tools.keys() - {ALWAYS_ASKED})
        for tool in (ALWAYS_ASKED, *self.random.sample(others, OTHER_TOOLS)):
            yield Question(Stage.AUTHORIZE_TOOLS, tool, facts.with_facts(self._of_call(tool)))
        yield Question(Stage.GUARD_OUTPUT, TURN, facts.with_facts(self._of_text()))

    def _before(self, number: int) -> Facts:
        """What is known before segments are assigned; in every sixth turn something is not."""
        known = [*self._of_message(), *self._of_conversation()]
        signed_in = next(one.content for one in known if one.name == "identity") != IdentityLevel.ANONYMOUS.value
        if number % 6 == 5:
            lost = self.random.randrange(len(known))
            if number % 12 == 11:
                del known[lost]
            else:
                known[lost] = known[lost].model_copy(update={"content": None, "why": "not provided"})
        return Facts.of((*known, *self._of_customer(signed_in=signed_in)))

    def _of_message(self) -> Iterator[FactUsed]:
        readings = [(file.need_state.value, one.id) for file in self.bundle.detection.intents for one in file.intents]
        unread = self.random.random() < 0.12
        need, intent = (UNKNOWN_NEED, UNKNOWN_NEED) if unread else self.random.choice(readings)
        needs = set() if unread else {need}
        if not unread and self.random.random() < 0.15:
            needs.add(self.random.choice(list(NeedState)).value)
        codes = sorted(self.bundle.facts["signals"].values or ())
        signals = self.random.sample(codes, self.random.choice((0, 0, 0, 0, 1, 1, 1, 2, 2, 3)))
        drawn: Mapping[str, FactContent] = {
            "need_state": need,
            "need_states": tuple(sorted(needs)),
            "intent": intent,
            "confidence": round(self.random.uniform(0.3, 1), 2),
            "signals": tuple(sorted(signals)),
        }
        return (fact(name, content, "detection") for name, content in drawn.items())

    def _of_conversation(self) -> Iterator[FactUsed]:
        """The other facts that exist from the first stage on: the conversation's own and counted events."""
        message = {"need_state", "need_states", "intent", "confidence", "signals"}
        for spec in self.bundle.facts.values():
            first = spec.since is Stage.DETECT_INTENT and spec.only_at is None
            if first and spec.family is None and spec.name not in message:
                yield fact(spec.name, self._content(spec), "conversation")
        for holdout in self.bundle.holdouts:
            yield fact(f"{HOLDOUT_PREFIX}{holdout.id}", self.random.random() < holdout.share, "draw")

    def _of_customer(self, *, signed_in: bool) -> Iterator[FactUsed]:
        """Attributes, of which one in five is missing; of somebody who is not signed in, all are."""
        for spec in self.bundle.facts.values():
            if spec.family is None:
                continue
            if signed_in and self.random.random() < 0.8:
                yield fact(spec.name, self._content(spec), "crm")
            elif spec.on_unknown is OnUnknown.IGNORE:
                yield ignorable(spec.name, "crm", "missing")
            else:
                yield FactUsed(name=spec.name, content=None, source="crm", why="missing")

    def _of_call(self, tool: str) -> Iterator[FactUsed]:
        """The facts of a call; one in twenty of those that the tool states is unknown."""
        about = tool_facts(self.bundle.tools[tool])
        yield from (fact(name, content, "bundle") for name, content in about.items())
        for spec in self.bundle.facts.values():
            asked = spec.only_at is Stage.AUTHORIZE_TOOLS and (spec.tools is None or tool in spec.tools)
            if not asked or spec.name in about:
                continue
            if spec.tools is not None and self.random.random() < 0.05:
                yield FactUsed(name=spec.name, content=None, source=f"tool:{tool}", why="the tool does not say")
            else:
                yield fact(spec.name, self._content(spec), f"tool:{tool}")

    def _of_text(self) -> Iterator[FactUsed]:
        codes = sorted(self.bundle.facts["findings"].values or ())
        findings = self.random.sample(codes, self.random.choice((0, 0, 0, 1, 2)))
        yield fact("findings", tuple(sorted(findings)), "output")
        yield fact("findings_count", len(findings), "output")
        yield fact("repairs_left", self.random.randint(0, 1), "output")

    def _content(self, spec: FactSpec) -> FactContent:
        if spec.kind is FactKind.BOOLEAN:
            return self.random.random() < _CHANCES.get(spec.name, 0.5)
        if spec.kind is FactKind.NUMBER:
            largest = _LARGEST.get(spec.name, 50_000 if spec.name.endswith("_minor") else 5)
            # Two draws, of which the smaller counts: small numbers are more frequent.
            return min(self.random.randint(0, largest), self.random.randint(0, largest))
        words = sorted(spec.values or ())
        if spec.kind is FactKind.SET:
            return tuple(sorted(self.random.sample(words, min(len(words), self.random.randint(0, 3)))))
        weighted = _WORDS.get(spec.name) or tuple((word, 1) for word in words) or ((f"some {spec.name}", 1),)
        chosen = self.random.choices([word for word, _ in weighted], [weight for _, weight in weighted])
        return chosen[0]
