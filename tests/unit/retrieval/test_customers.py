from datetime import date
from pathlib import Path

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.retrieval.checking.customers import Population, population
from tests.support.bundles import SHIPPED, edited, rule


@pytest.fixture(scope="module")
def shipped() -> Population:
    """The customers of the shipped bundle."""
    return people(load(SHIPPED))


def people(bundle: Bundle) -> Population:
    """The customers of a bundle without documents."""
    return population(bundle, (), date(2026, 6, 1))


def authorities(found: Population, need: str) -> set[tuple[str, ...]]:
    """What customers with a need are granted."""
    return {found.plans[number].families["authority"] for number in found.plan_of[found.needs.index(need)].tolist()}


def test_grants_are_those_of_the_policy(shipped: Population) -> None:
    """A compliance question reads what the company vouches for, a how-to question also what customers wrote."""
    assert authorities(shipped, "policy_compliance") == {("authoritative",)}
    assert authorities(shipped, "incident") == {("authoritative", "standard")}
    assert authorities(shipped, "how_to") == {("authoritative", "community", "standard")}


def test_attributes_stand_for_their_families(shipped: Population) -> None:
    """Every customer has the classes of their own attributes; a set may hold several."""
    numbers = shipped.plan_of[0].tolist()
    for customer, number in zip(shipped.customers, numbers, strict=True):
        families = shipped.plans[number].families
        assert families["role"] == (customer.attributes["role"],)
        assert set(families.get("stack", ())) == set(customer.attributes["stack"])  # type: ignore[arg-type]
    assert any(customer.has("stack", "okta") and customer.has("stack", "slack") for customer in shipped.customers)


def test_members_are_those_whom_the_entry_does_not_exclude(shipped: Population) -> None:
    """An attribute decides; what is not known of them may be so."""
    for segment, attribute, values in (("finance", "role", ["finance"]), ("end_user", "role", ["agent", "end_user"])):
        column = shipped.segments.index(segment)
        for row, customer in enumerate(shipped.customers):
            assert bool(shipped.member[0, row, column]) is any(customer.has(attribute, value) for value in values)
    assert shipped.member[:, :, shipped.segments.index("high_value")].all()
    assert not shipped.member[shipped.needs.index("incident"), :, shipped.segments.index("how_to")].any()


def test_what_a_rule_would_grant_to_some_counts_as_granted(tmp_path: Path) -> None:
    """Nobody can tell here who is verified; the check must not say that nobody is."""
    extra = rule("turn.more", "apply_policy", "SCOPE_STANDARD", "{identity: verified}", scope="{language: [de]}")
    found = people(edited(tmp_path / "own", extra))
    assert all("de" in plan.families["language"] for plan in found.plans)
