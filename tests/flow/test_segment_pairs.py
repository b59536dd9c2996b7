"""For every segment: a message with and without it, and a decision that differs in more than tone (spec S2.4)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from handrail.agent.conversation import ConversationState, Snapshot
from handrail.agent.facts import gather
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.policy.facts import fact
from handrail.guardrails.segments import assign
from handrail.guardrails.vocabulary import Decision, Effect, FactContent, IdentityLevel, Stage, Turn
from tests.flow.stand import OFFICE_HOURS, Parts

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))
SEGMENTS = tuple(sorted(path.stem for path in (SHIPPED / "segments").glob("*.yaml")))
HOW_TO = "How do I add a member to a project?"
STUCK = "I read the pages and it still does not work, how do I set up single sign-on?"


@dataclass(frozen=True)
class Pair:
    """What makes the difference; the rest of the two messages is the same.

    `text` is said with the segment and `otherwise` without it, where the message itself makes the difference.
    """

    text: str = HOW_TO
    otherwise: str | None = None
    attributes: Mapping[str, FactContent] = field(default_factory=dict)
    events: tuple[tuple[str, int], ...] = ()
    both: Mapping[str, FactContent] = field(default_factory=dict)


PAIRS: Mapping[str, Pair] = {
    "access_restore": Pair("I am locked out, my authenticator codes are refused", HOW_TO),
    "account_changes": Pair("please cancel my subscription", HOW_TO),
    "always_human": Pair("Somebody charged my card without my permission, this is fraud", HOW_TO),
    "assisted_after_self_serve": Pair(STUCK, events=(("article_viewed", 1),)),
    "billing_charges": Pair("Why is my invoice INV-2049 higher than last month?", HOW_TO),
    "billing_dispute": Pair("I was charged twice for the same invoice", HOW_TO),
    "business": Pair(attributes={"plan": "business"}),
    "content_bouncer": Pair(events=(("article_viewed", 2),)),
    "critical_account": Pair(attributes={"critical_account": True}),
    "end_user": Pair(attributes={"role": "end_user"}),
    "enterprise": Pair(attributes={"plan": "enterprise"}),
    "escalation_prone": Pair(events=(("handed_off", 2),)),
    "finance": Pair(attributes={"role": "finance"}),
    "high_effort": Pair(events=(("rated_high_effort", 1),)),
    "high_value": Pair(attributes={"value_tier": "high"}),
    "how_to": Pair(HOW_TO, "Where do you store our data, and do you have a DPA?"),
    "identity_provider": Pair(attributes={"stack": ("okta",)}),
    "incident": Pair("Fernwell is down, nothing loads since this morning", HOW_TO),
    "maturity_admin": Pair(attributes={"usage_maturity": "admin"}),
    "maturity_adopting": Pair(attributes={"usage_maturity": "adopting"}),
    "maturity_new": Pair(attributes={"usage_maturity": "new"}),
    "maturity_power_user": Pair(attributes={"usage_maturity": "power_user"}),
    "onboarding": Pair(attributes={"lifecycle": "onboarding"}),
    "policy_compliance": Pair("Where do you store our data, and do you have a DPA?", HOW_TO),
    "prefers_short": Pair(attributes={"answer_style": "short"}),
    "prefers_technical": Pair(
        "Fernwell is down, nothing loads since this morning", attributes={"answer_style": "technical"}
    ),
    "region_eu": Pair(attributes={"region": "eu"}),
    "region_us": Pair(attributes={"region": "us"}),
    "regulated": Pair(attributes={"compliance_posture": "regulated"}),
    "renewal_window": Pair(attributes={"renewal_days": 20}, both={"plan": "enterprise"}),
    "reopen_prone": Pair(events=(("ticket_reopened", 1),)),
    "repeat_issue": Pair(events=(("intent_detected", 2),)),
    "self_serve_failed": Pair(STUCK, events=(("article_viewed", 2),)),
    "trial": Pair(attributes={"plan": "trial"}),
    "workspace_admin": Pair(attributes={"role": "admin"}),
}


def test_every_segment_has_a_pair() -> None:
    """A new segment must show here what it changes."""
    assert set(PAIRS) == set(SEGMENTS)


def bundle_with(segment: str, shipped: Bundle, folder: Path) -> Bundle:
    """The shipped bundle where the segment is active there, else a copy in which it is activated."""
    text = (SHIPPED / "segments" / f"{segment}.yaml").read_text()
    if not re.search(r"^status: ready$", text, re.MULTILINE):
        return shipped
    copied = folder / "bundle"
    shutil.copytree(SHIPPED, copied)
    (copied / "segments" / f"{segment}.yaml").write_text(re.sub(r"(?m)^status: ready$", "status: active", text))
    manifest = copied / "bundle.yaml"
    manifest.write_text(re.sub(r"runtime_segments: \d+", "runtime_segments: 11", manifest.read_text()))
    return load(copied)


def decided(
    bundle: Bundle, detectors: DetectorSuite, pair: Pair, *, inside: bool
) -> tuple[frozenset[str], list[Decision]]:
    """The segments and every decision on the message: risk, policy, and each tool's best call."""
    text = pair.text if inside or pair.otherwise is None else pair.otherwise
    detection = detectors.detect(text)
    known = {**pair.both, **(pair.attributes if inside else {})}
    values = [
        AttributeValue(name=name, content=content, source="crm", observed_at=OFFICE_HOURS)
        for name, content in known.items()
    ]
    events = [
        CustomerEvent(
            event_id=f"{kind}-{number}", kind=kind, at=OFFICE_HOURS - timedelta(minutes=5 + number), source="support",
            details={"intent": detection.intent or ""},
        )
        for kind, count in (pair.events if inside else ())
        for number in range(count)
    ]  # fmt: skip
    turn = Turn(
        turn_id="t", site="s", conversation_id="c", customer_id="x", identity=IdentityLevel.VERIFIED, channel="web",
        text=text, at=OFFICE_HOURS,
    )  # fmt: skip
    snapshot = Snapshot(
        site="s", conversation_id="c", customer_id="x", identity=IdentityLevel.VERIFIED, channel="web",
        opened_at=OFFICE_HOURS, state=ConversationState(), history=(),
    )  # fmt: skip
    gathered = gather(bundle, turn, snapshot, detection, values, events)
    assigned = assign(bundle.segments, gathered.facts, {})
    facts = gathered.facts.with_facts(assigned.facts, assigned.ignorable)
    gate = bundle.policy.decide(Stage.GATE_RISK, facts)
    facts = facts.with_facts((fact("risk", gate.dimensions.risk.value, "gate_risk"),))
    return frozenset(assigned.members), [gate, bundle.policy.decide(Stage.APPLY_POLICY, facts)]


def effects(decisions: list[Decision]) -> dict[str, object]:
    """Everything a decision changes, but tone and what merely names the rules."""
    found: dict[str, object] = {}
    for decision in decisions:
        dimensions = decision.dimensions.model_dump(mode="json", exclude={"tone", "tags", "determined_by"})
        found |= {f"{decision.stage}.{name}": value for name, value in dimensions.items()}
        found[f"{decision.stage}.effect"] = decision.effect
        found[f"{decision.stage}.obligations"] = sorted(decision.obligations)
    return found


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_segment_changes_the_decision(parts: Parts, tmp_path: Path, segment: str) -> None:
    """Queue, skills, priority, service level, automation, obligations, scope, escalation, flow or depth differ."""
    bundle, pair = bundle_with(segment, parts.bundle, tmp_path), PAIRS[segment]
    detectors = parts.detectors
    assert isinstance(detectors, DetectorSuite)
    members, inside = decided(bundle, detectors, pair, inside=True)
    others, outside = decided(bundle, detectors, pair, inside=False)
    assert segment in members
    assert segment not in others
    assert effects(inside) != effects(outside)
    assert all(decision.effect in Effect for decision in inside)
