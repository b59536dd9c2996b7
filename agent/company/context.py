"""What the company's source systems report of the sample's customers: attributes and events, for Handrail's store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from handrail.agent.company.seed_file import CustomerSeed, SeedFile, read_seed
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.guardrails.vocabulary import FactContent

SOURCES: Mapping[str, str] = {
    "plan": "billing",
    "role": "crm",
    "region": "crm",
    "stack": "product",
    "lifecycle": "product",
    "renewal_days": "billing",
    "critical_account": "crm",
    "value_tier": "billing",
    "compliance_posture": "crm",
    "preferred_language": "product",
    "time_zone": "product",
    "accessibility": "product",
    "answer_style": "product",
    "usage_maturity": "product",
    "seats": "billing",
    "mfa_enabled": "product",
    "payment_failures_30d": "billing",
    "created_days": "crm",
}
"""Every attribute that the sample reports, with the system that reports it."""

_DAY_MINUTES = 24 * 60


def sample_attributes(now: datetime) -> dict[str, tuple[AttributeValue, ...]]:
    """The attributes of every sample customer by customer id, as observed shortly before `now` (or long ago)."""
    content = read_seed()
    return {customer.id: _attributes(content, customer, now) for customer in content.customers}


def sample_events(now: datetime) -> dict[str, tuple[CustomerEvent, ...]]:
    """The past events of every sample customer by customer id, oldest first.

    The ids of older events are fixed, so that loading them again adds nothing; those of the last day name the day, so
    that a sample started tomorrow has its recent events again.
    """
    return {
        customer.id: tuple(
            sorted(
                (
                    CustomerEvent(
                        event_id=_event_id(customer, number, now),
                        kind=event.kind,
                        at=now - timedelta(minutes=event.minutes_ago),
                        source=event.source,
                        details=event.details,
                    )
                    for number, event in enumerate(customer.events)
                ),
                key=lambda event: event.at,
            )
        )
        for customer in read_seed().customers
    }


def _event_id(customer: CustomerSeed, number: int, now: datetime) -> str:
    recent = customer.events[number].minutes_ago < _DAY_MINUTES
    return f"sample-{customer.id}-{number}" + (f"-{now.date().isoformat()}" if recent else "")


def _attributes(content: SeedFile, customer: CustomerSeed, now: datetime) -> tuple[AttributeValue, ...]:
    account = content.account(customer.account)
    subscription = content.subscription(customer.account)
    known: dict[str, FactContent] = {
        "plan": subscription.plan,
        "role": customer.role,
        "region": account.region,
        "renewal_days": subscription.renews_in_days,
        "critical_account": False,
        "preferred_language": customer.language,
        "time_zone": customer.time_zone,
        "seats": subscription.seats,
        "payment_failures_30d": 0,
        "created_days": customer.created_days_ago,
        **customer.attributes,
    }
    observed_at = now - timedelta(days=customer.observed_days_ago)
    return tuple(
        AttributeValue(
            name=name,
            content=tuple(sorted(content)) if isinstance(content, tuple) else content,
            source=SOURCES[name],
            observed_at=observed_at,
        )
        for name, content in known.items()
        if name not in customer.missing
    )
