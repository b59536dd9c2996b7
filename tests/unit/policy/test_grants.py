import pytest

from handrail.guardrails.bundle.loader import load
from handrail.guardrails.grants import families
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.vocabulary import FactContent
from tests.support.bundles import SHIPPED


@pytest.mark.parametrize(
    ("known", "role", "stack"),
    [
        ({"role": "admin", "stack": ("okta", "slack")}, ("admin", "guest"), ("okta", "slack")),
        ({"role": None, "lifecycle": "renewal"}, ("guest",), None),
    ],
)
def test_attributes_add_to_what_policy_grants(
    known: dict[str, FactContent | None], role: tuple[str, ...], stack: tuple[str, ...] | None
) -> None:
    """Only those that stand for a family, and only where they are known."""
    facts = Facts.of(fact(name, content, "test") for name, content in known.items())
    found = families({"role": ["guest"], "language": ["en"]}, load(SHIPPED).attributes.values(), facts)
    assert found["role"] == role
    assert found.get("stack") == stack
    assert found["language"] == ("en",)
    assert set(found) <= {"role", "stack", "language"}
