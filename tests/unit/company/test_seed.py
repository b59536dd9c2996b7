"""The sample's records, and what the source systems report of its customers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, func, select

from handrail.agent.company.context import SOURCES, sample_attributes, sample_events
from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.prices import price_minor
from handrail.agent.company.seed import seed
from handrail.agent.company.seed_file import read_seed
from handrail.agent.company.tables import METADATA
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.guardrails.bundle.sections import AttributesFile
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.vocabulary import ToolCall
from handrail.guardrails.yamlsource import Problem, read
from tests.unit.company.conftest import NOW

ATTRIBUTES = Path(__file__).parents[3] / "guardrails" / "policies" / "attributes.yaml"
CUSTOMERS = [customer.id for customer in read_seed().customers]


def counts(connection: Connection) -> dict[str, int]:
    """How many rows every table has."""

    def rows(table: Table) -> int:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()

    return {table.name: rows(table) for table in METADATA.tables.values()}


async def test_seeding_again_changes_nothing(database: CompanyDatabase, toolbox: CompanyToolbox) -> None:
    """Records that are there keep what has happened to them, also on a later day."""
    refund = ToolCall(call_id="c", tool="issue_refund", arguments={"invoice_id": "INV-2041", "amount": "52.00"})
    await toolbox.execute(refund, "dana", "key")
    before = await database.read(counts)
    seed(database.engine, NOW + timedelta(days=3))
    assert await database.read(counts) == before
    assert (await toolbox.call_facts(refund, "dana")).values["already_refunded"] is True


@pytest.mark.parametrize("customer", CUSTOMERS)
async def test_everybody_can_read_their_own_records(toolbox: CompanyToolbox, customer: str) -> None:
    """Each customer of the sample is whole: profile, subscription and devices are there."""
    for tool in ("get_profile", "get_subscription", "list_devices"):
        assert await toolbox.execute(ToolCall(call_id="c", tool=tool, arguments={}), customer, "")


def test_there_are_enough_customers_of_every_kind() -> None:
    """The kinds that the sample promises are among them."""
    seeded = read_seed()
    plans = {customer.id: seeded.subscription(customer.account).plan for customer in seeded.customers}
    assert len(CUSTOMERS) == len(set(CUSTOMERS)) >= 14
    assert set(plans.values()) == {"trial", "team", "business", "enterprise"}
    assert {customer.role for customer in seeded.customers} == {"admin", "agent", "it", "finance", "end_user"}
    assert {account.region for account in seeded.accounts} == {"eu", "us"}


def test_prices_follow_the_price_list() -> None:
    """A subscription costs what the price list says for its seats."""
    for subscription in read_seed().subscriptions:
        listed = price_minor(subscription.plan, subscription.cycle, subscription.currency, subscription.seats)
        if listed is not None:
            assert f"{listed // 100}.{listed % 100:02d}" == subscription.price, subscription.id


def test_attributes_fit_their_declarations() -> None:
    """What the sample reports has the declared type, a declared value and the declared source."""
    problems: list[Problem] = []
    document = read(ATTRIBUTES, "attributes.yaml", problems)
    assert document is not None
    file = document.parse(AttributesFile, problems)
    assert file is not None, problems
    types = {FactKind.WORD: str, FactKind.BOOLEAN: bool, FactKind.NUMBER: int, FactKind.SET: tuple}
    declared = {attribute.name: attribute for attribute in file.attributes}
    for reported in (value for values in sample_attributes(NOW).values() for value in values):
        attribute = declared.get(reported.name)
        if attribute is None:
            continue
        assert type(reported.content) is types[attribute.kind], reported
        assert reported.source == attribute.source
        words = reported.content if isinstance(reported.content, tuple) else (reported.content,)
        assert attribute.values is None or set(words) <= set(attribute.values)
    assert set(declared) <= set(SOURCES)


def test_special_customers() -> None:
    """Renewal in 20 days, stale and missing attributes, and the events that make segments."""
    attributes = {
        customer: {value.name: value for value in values} for customer, values in sample_attributes(NOW).items()
    }
    events = sample_events(NOW)
    assert attributes["grace"]["renewal_days"].content == 20
    assert attributes["elif"]["role"].observed_at == NOW - timedelta(days=400)
    assert "role" not in attributes["noor"]
    assert "region" not in attributes["noor"]
    assert (
        sum(event.kind == "article_viewed" and event.at >= NOW - timedelta(minutes=15) for event in events["ken"]) == 3
    )
    assert [event.at for event in events["rosa"] if event.kind == "ticket_reopened"] == [NOW - timedelta(days=3)]
    assert any(event.kind == "fraud_marked" for event in events["victor"])
    assert any(event.kind == "set_up_failed" for event in events["mia"])


def test_events_have_ids_that_can_be_loaded_again() -> None:
    """All ids differ, they come oldest first, and loading on the same day gives the same ids."""
    loaded = [event for events in sample_events(NOW).values() for event in events]
    assert len({event.event_id for event in loaded}) == len(loaded)
    for events in sample_events(NOW).values():
        assert list(events) == sorted(events, key=lambda event: event.at)
    again = [event for events in sample_events(NOW + timedelta(hours=1)).values() for event in events]
    assert [event.event_id for event in again] == [event.event_id for event in loaded]


def test_a_broken_seed_file_lists_what_is_wrong(tmp_path: Path) -> None:
    """References that do not hold and unknown fields stop the start."""
    broken = tmp_path / "seed.yaml"
    broken.write_text("accounts: []\nsurprise: 1\n")
    with pytest.raises(ConfigError, match="surprise"):
        read_seed(broken)
    with pytest.raises(ConfigError, match="cannot read"):
        read_seed(tmp_path / "missing.yaml")


def test_opening_an_engine_touches_nothing(tmp_path: Path) -> None:
    """The file appears with the first use."""
    open_engine(tmp_path / "company.db")
    assert list(tmp_path.iterdir()) == []
