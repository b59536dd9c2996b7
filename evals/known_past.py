"""What a scenario adds to what is known of its customer: attributes and past events, for a store or an API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.evals.scenario import Scenario
from handrail.guardrails.bundle.sections import Attribute

SOURCE = "support"
"""The system that reports a scenario's events."""


def own_attributes(scenario: Scenario, declared: Mapping[str, Attribute], now: datetime) -> tuple[AttributeValue, ...]:
    """The scenario's own attributes, as if the system they come from had just reported them."""
    return tuple(
        AttributeValue(name=name, content=content, source=declared[name].source, observed_at=now)
        for name, content in scenario.attributes.items()
    )


def own_events(scenario: Scenario, now: datetime) -> tuple[CustomerEvent, ...]:
    """The scenario's own events; those of one entry lie twenty seconds apart."""
    return tuple(
        CustomerEvent(
            event_id=f"past-{index}-{number}",
            kind=event.kind,
            at=now - timedelta(minutes=event.minutes_ago, seconds=20 * number),
            source=SOURCE,
            details=event.details,
        )
        for index, event in enumerate(scenario.events)
        for number in range(event.count)
    )
