"""The shipped segments: for each a customer who is in it and what they write, and the bundle that uses it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import yaml

from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.vocabulary import FactContent
from tests.flow.stand import OFFICE_HOURS, SITE, Stand

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))
SEGMENTS = tuple(sorted(path.stem for path in (SHIPPED / "segments").glob("*.yaml")))
HOW_TO = "How do I add a member to a project?"
STUCK = "I read the pages and it still does not work, how do I set up single sign-on?"
NEVER = {"failed_attempts": {"at_least": 99}}
"""An entry condition that no conversation meets."""


@dataclass(frozen=True)
class Pair:
    """A message, and what is known of the customer who writes it. Without the segment everything stays the same."""

    text: str = HOW_TO
    attributes: Mapping[str, FactContent] = field(default_factory=dict)
    events: tuple[tuple[str, int], ...] = ()
    intent: str = "permissions"
    """The intent that earlier events were about, where they have one."""


PAIRS: Mapping[str, Pair] = {
    "access_restore": Pair("I am locked out, my authenticator codes are refused"),
    "account_changes": Pair("please cancel my subscription"),
    "always_human": Pair("Somebody charged my card without my permission, this is fraud"),
    "assisted_after_self_serve": Pair(STUCK, events=(("article_viewed", 1),), intent="sso_setup"),
    "billing_charges": Pair("Why is my invoice INV-2049 higher than last month?"),
    "billing_dispute": Pair("I was charged twice for the same invoice"),
    "business": Pair(attributes={"plan": "business"}),
    "content_bouncer": Pair(events=(("article_viewed", 2),)),
    "critical_account": Pair(attributes={"critical_account": True}),
    "end_user": Pair(attributes={"role": "end_user"}),
    "enterprise": Pair(attributes={"plan": "enterprise"}),
    "escalation_prone": Pair(events=(("handed_off", 2),)),
    "finance": Pair(attributes={"role": "finance"}),
    "high_effort": Pair(events=(("rated_high_effort", 1),)),
    "high_value": Pair(attributes={"value_tier": "high"}),
    "how_to": Pair(HOW_TO),
    "identity_provider": Pair(attributes={"stack": ("okta",)}),
    "incident": Pair("Fernwell is down, nothing loads since this morning"),
    "maturity_admin": Pair(attributes={"usage_maturity": "admin"}),
    "maturity_adopting": Pair(attributes={"usage_maturity": "adopting"}),
    "maturity_new": Pair(attributes={"usage_maturity": "new"}),
    "maturity_power_user": Pair(attributes={"usage_maturity": "power_user"}),
    "onboarding": Pair(attributes={"lifecycle": "onboarding"}),
    "policy_compliance": Pair("Where do you store our data, and do you have a DPA?"),
    "prefers_short": Pair(attributes={"answer_style": "short"}),
    "prefers_technical": Pair(
        "Fernwell is down, nothing loads since this morning", attributes={"answer_style": "technical"}
    ),
    "region_eu": Pair(attributes={"region": "eu"}),
    "region_us": Pair(attributes={"region": "us"}),
    "regulated": Pair(attributes={"compliance_posture": "regulated"}),
    "renewal_window": Pair(attributes={"renewal_days": 20, "plan": "enterprise"}),
    "reopen_prone": Pair(events=(("ticket_reopened", 1),)),
    "repeat_issue": Pair(events=(("intent_detected", 2),)),
    "self_serve_failed": Pair(STUCK, events=(("article_viewed", 2),), intent="sso_setup"),
    "trial": Pair(attributes={"plan": "trial"}),
    "workspace_admin": Pair(attributes={"role": "admin"}),
}


def bundles(segment: str, folder: Path) -> tuple[Bundle, Bundle]:
    """The shipped bundle with the segment active, and the same where nothing leads into it; copied into `folder`."""
    copied = folder / "bundle"
    shutil.copytree(SHIPPED, copied)
    manifest = copied / "bundle.yaml"
    manifest.write_text(re.sub(r"runtime_segments: \d+", "runtime_segments: 11", manifest.read_text()))
    place = copied / "segments" / f"{segment}.yaml"
    text = re.sub(r"(?m)^status: ready$", "status: active", place.read_text())
    place.write_text(text)
    active = load(copied)
    place.write_text(yaml.safe_dump({**yaml.safe_load(text), "entry": NEVER}))
    return active, load(copied)


async def introduce(stand: Stand, customer: str, pair: Pair) -> None:
    """Let the store know of `customer` what the pair says."""
    store = await stand.stored()
    declared = stand.room.bundle.attributes
    await store.put_attributes(
        SITE,
        customer,
        [
            AttributeValue(name=name, content=content, source=declared[name].source, observed_at=OFFICE_HOURS)
            for name, content in pair.attributes.items()
        ],
    )
    await store.put_events(
        SITE,
        customer,
        [
            CustomerEvent(
                event_id=f"{kind}-{number}",
                kind=kind,
                at=OFFICE_HOURS - timedelta(minutes=5 + number),
                source="support",
                details={"intent": pair.intent},
            )
            for kind, count in pair.events
            for number in range(count)
        ],
    )
