"""The company's systems behind the Toolbox port."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import JsonValue
from sqlalchemy import Connection, func, select

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.tables import idempotency, invoices, outbox, refunds
from handrail.agent.company.toolbox import CompanyToolbox
from handrail.agent.company.tools import TOOLS
from handrail.agent.ports import PortError, Toolbox, ToolRefused
from handrail.guardrails.gate.declared import fit_facts
from handrail.guardrails.gate.question import render_done, render_question
from handrail.guardrails.gate.results import shown
from handrail.guardrails.toolspec import Access, ToolSpec
from handrail.guardrails.vocabulary import ToolCall
from handrail.guardrails.yamlsource import Problem, read

SPECS = Path(__file__).parents[3] / "guardrails" / "policies" / "tools"


def call(tool: str, **arguments: JsonValue) -> ToolCall:
    """A proposed call."""
    return ToolCall(call_id="call-1", tool=tool, arguments=arguments)


REFUND = call("issue_refund", invoice_id="INV-2041", amount="52.00")
OWN_CALLS = {
    "get_profile": ("dana", call("get_profile")),
    "get_subscription": ("dana", call("get_subscription")),
    "list_invoices": ("dana", call("list_invoices", status="paid")),
    "get_invoice": ("dana", call("get_invoice", invoice_id="INV-2041")),
    "list_devices": ("sam", call("list_devices")),
    "get_status": ("dana", call("get_status", region="eu")),
    "issue_refund": ("dana", REFUND),
    "cancel_subscription": ("dana", call("cancel_subscription", subscription_id="SUB-1006", effective_on="2026-04-05")),
    "change_plan": ("olivia", call("change_plan", subscription_id="SUB-1003", plan="team")),
    "delete_data": ("olivia", call("delete_data", workspace_id="WS-3004")),
    "reset_mfa": ("sam", call("reset_mfa", device_id="DEV-5009")),
    "resend_code": ("sam", call("resend_code", channel="sms")),
}
"""One call of every tool that the company grants, with its customer."""


def spec(tool: str) -> ToolSpec:
    """The shipped declaration of a tool."""
    problems: list[Problem] = []
    document = read(SPECS / f"{tool}.yaml", tool, problems)
    assert document is not None
    parsed = document.parse(ToolSpec, problems)
    assert parsed is not None, problems
    return parsed


async def rows(database: CompanyDatabase, table: str) -> int:
    """How many rows a table has."""
    counted = {"refunds": refunds, "idempotency": idempotency, "outbox": outbox}[table]
    return await database.read(
        lambda connection: connection.execute(select(func.count()).select_from(counted)).scalar_one()
    )


def test_is_a_toolbox(toolbox: CompanyToolbox) -> None:
    """The class fulfils the port; mypy checks the signature."""
    port: Toolbox = toolbox
    assert port is toolbox


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS])
async def test_every_tool_keeps_its_declaration(toolbox: CompanyToolbox, tool: str) -> None:
    """A granted call states every declared fact in its declared type, and its result shows something to the model."""
    customer, granted = OWN_CALLS[tool]
    declared = spec(tool)
    values = (await toolbox.call_facts(granted, customer)).values
    assert set(values) == {fact.name for fact in declared.facts}
    assert fit_facts(declared, values) == values
    content = await toolbox.execute(granted, customer, "key-1")
    assert shown(declared, content) is not None


def test_declarations_and_tools_are_the_same_set() -> None:
    """Every tool is declared with the right access, and nothing else is."""
    declared = {path.stem: spec(path.stem).access for path in SPECS.glob("*.yaml")}
    assert declared == {tool.name: tool.access for tool in TOOLS}
    assert sum(access is Access.READ for access in declared.values()) >= 4
    assert sum(access is Access.WRITE for access in declared.values()) >= 6


@pytest.mark.parametrize("tool", ["get_invoice", "issue_refund", "cancel_subscription", "change_plan", "delete_data"])
@pytest.mark.parametrize("stranger", ["tomas", "victor", "", "nobody"])
async def test_records_of_others_are_out_of_reach(
    toolbox: CompanyToolbox, database: CompanyDatabase, tool: str, stranger: str
) -> None:
    """Another account's record is not owned, no fact of it is stated, and executing refuses and changes nothing."""
    _, granted = OWN_CALLS[tool]
    values = (await toolbox.call_facts(granted, stranger)).values
    assert values["owned"] is False
    assert set(values) <= {"owned", "role_allows"}
    with pytest.raises(ToolRefused):
        await toolbox.execute(granted, stranger, "key-1")
    assert await rows(database, "idempotency") == 0
    assert await rows(database, "outbox") == 0


async def test_a_missing_record_looks_like_somebody_elses(toolbox: CompanyToolbox) -> None:
    """Nobody learns from an answer whether a record exists."""
    theirs, missing = call("get_invoice", invoice_id="INV-2018"), call("get_invoice", invoice_id="INV-9999")
    assert await toolbox.call_facts(theirs, "dana") == await toolbox.call_facts(missing, "dana")
    words = []
    for asked in (theirs, missing):
        with pytest.raises(ToolRefused) as refused:
            await toolbox.execute(asked, "dana", "key")
        words.append(str(refused.value))
    assert words[0] == words[1]


async def test_devices_of_colleagues_are_not_owned(toolbox: CompanyToolbox) -> None:
    """Even the owner of the account does not reach a colleague's second factor."""
    _, theirs = OWN_CALLS["reset_mfa"]
    assert (await toolbox.call_facts(theirs, "grace")).values == {"owned": False}
    with pytest.raises(ToolRefused):
        await toolbox.execute(theirs, "grace", "key")


@pytest.mark.parametrize(
    ("customer", "refused"),
    [
        ("leo", call("list_invoices")),
        ("leo", call("get_invoice", invoice_id="INV-1730")),
        ("leo", call("change_plan", subscription_id="SUB-1003", plan="team")),
        ("leo", call("cancel_subscription", subscription_id="SUB-1003", effective_on="2026-03-20")),
        ("farid", call("delete_data", workspace_id="WS-3005")),
        ("rosa", call("issue_refund", invoice_id="INV-1730", amount="1.00")),
    ],
)
async def test_the_role_counts_too(toolbox: CompanyToolbox, customer: str, refused: ToolCall) -> None:
    """A colleague without the right role gets the fact that says so, and a refusal."""
    assert (await toolbox.call_facts(refused, customer)).values["role_allows"] is False
    with pytest.raises(ToolRefused):
        await toolbox.execute(refused, customer, "key")


async def test_a_repeat_returns_the_first_outcome(toolbox: CompanyToolbox, database: CompanyDatabase) -> None:
    """The same key runs once, and `outcome` knows it."""
    assert await toolbox.outcome("key-1") is None
    first = await toolbox.execute(REFUND, "dana", "key-1")
    again = await toolbox.execute(REFUND, "dana", "key-1")
    assert first == again == await toolbox.outcome("key-1")
    assert await rows(database, "refunds") == 1


async def test_concurrent_repeats_run_once(toolbox: CompanyToolbox, database: CompanyDatabase) -> None:
    """Eight at once with one key: one refund, one message, one outcome for all."""
    outcomes = await asyncio.gather(*(toolbox.execute(REFUND, "dana", "key-1") for _ in range(8)))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert await rows(database, "refunds") == 1
    assert await rows(database, "outbox") == 1


async def test_concurrent_processes_run_once(
    toolbox: CompanyToolbox, database: CompanyDatabase, clock: object, tmp_path: Path
) -> None:
    """Two engines on one file, as two workers have them, agree on who runs."""
    other = CompanyDatabase(open_engine(tmp_path / "company.db"))
    second = CompanyToolbox(other, clock)  # type: ignore[arg-type]  # the fixture's clock
    outcomes = await asyncio.gather(*(box.execute(REFUND, "dana", "k") for box in (toolbox, second) * 4))
    await other.close()
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert await rows(database, "refunds") == 1


async def test_refunds_together_never_exceed_what_was_paid(toolbox: CompanyToolbox, database: CompanyDatabase) -> None:
    """Different keys race for the same money: 104.00 were paid, so two refunds of 52.00 go through and no third."""
    outcomes = await asyncio.gather(
        *(toolbox.execute(REFUND, "dana", f"key-{number}") for number in range(5)), return_exceptions=True
    )
    assert sum(isinstance(outcome, ToolRefused) for outcome in outcomes) == 3
    refunded = await database.read(
        lambda connection: connection.execute(
            select(invoices.c.refunded_minor).where(invoices.c.id == "INV-2041")
        ).scalar_one()
    )
    assert refunded == 10400


@pytest.mark.parametrize(
    ("customer", "other"),
    [("dana", call("issue_refund", invoice_id="INV-2041", amount="51.00")), ("tomas", REFUND)],
)
async def test_a_key_serves_one_call_of_one_customer(toolbox: CompanyToolbox, customer: str, other: ToolCall) -> None:
    """Another call or another customer under a used key is refused and sees nothing."""
    await toolbox.execute(REFUND, "dana", "key-1")
    with pytest.raises(ToolRefused, match="idempotency key"):
        await toolbox.execute(other, customer, "key-1")


@pytest.mark.parametrize(
    "amount", ["0.00", "104.01", "52", "52.0", "-1.00", "1e3", "٥٢.00", "52.00 ", 52, 52.0, None, True]
)
async def test_amounts_outside_what_was_paid_or_malformed_are_refused(
    toolbox: CompanyToolbox, database: CompanyDatabase, amount: JsonValue
) -> None:
    """Nothing but a plain positive amount within what was paid moves money."""
    with pytest.raises(ToolRefused):
        await toolbox.execute(call("issue_refund", invoice_id="INV-2041", amount=amount), "dana", "key")
    assert await rows(database, "refunds") == 0


async def test_facts_of_a_refund(toolbox: CompanyToolbox) -> None:
    """The facts of the duplicate charge, in minor units, and how they change with a refund."""
    values = (await toolbox.call_facts(REFUND, "dana")).values
    assert values["paid_minor"] == 10400
    assert values["duplicate_minor"] == 5200
    assert values["duplicate_payment"] is True
    assert values["amount_within_paid"] is True
    assert values["already_refunded"] is False
    assert values["days_since_payment"] == 4
    await toolbox.execute(REFUND, "dana", "key")
    after = (await toolbox.call_facts(REFUND, "dana")).values
    assert (after["already_refunded"], after["refundable_minor"], after["duplicate_minor"]) == (True, 5200, 0)


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS if tool.access is Access.WRITE])
@pytest.mark.parametrize("arguments", [{}, {"surprise": "x"}, {"invoice_id": {"$ne": 1}}, {"customer_id": "tomas"}])
async def test_malformed_arguments_are_refused(
    toolbox: CompanyToolbox, tool: str, arguments: dict[str, JsonValue]
) -> None:
    """Missing, unknown and nested arguments are refused, and every fact of them is unknown."""
    malformed = ToolCall(call_id="c", tool=tool, arguments=arguments)
    with pytest.raises(ToolRefused):
        await toolbox.execute(malformed, "dana", "key")
    assert (await toolbox.call_facts(malformed, "dana")).values == {}


async def test_an_unknown_tool_is_refused(toolbox: CompanyToolbox) -> None:
    """A model may invent tools."""
    with pytest.raises(ToolRefused, match="no tool"):
        await toolbox.execute(call("drop_tables"), "dana", "key")
    with pytest.raises(ToolRefused, match="no tool"):
        await toolbox.call_facts(call("drop_tables"), "dana")


async def test_enterprise_contracts_are_left_to_people(toolbox: CompanyToolbox) -> None:
    """Neither cancelling nor changing an enterprise contract goes through."""
    for asked in (
        call("cancel_subscription", subscription_id="SUB-1005", effective_on="2026-04-01"),
        call("change_plan", subscription_id="SUB-1005", plan="business"),
    ):
        with pytest.raises(ToolRefused, match="account team"):
            await toolbox.execute(asked, "grace", "key")


@pytest.mark.parametrize("day", ["2026-03-11", "2026-04-06", "2026-02-30", "2027-03-20"])
async def test_a_cancellation_ends_within_the_paid_period(toolbox: CompanyToolbox, day: str) -> None:
    """No day in the past, after the paid period, or that does not exist."""
    asked = call("cancel_subscription", subscription_id="SUB-1006", effective_on=day)
    assert (await toolbox.call_facts(asked, "dana")).values["date_possible"] is False
    with pytest.raises(ToolRefused, match="paid period"):
        await toolbox.execute(asked, "dana", "key")


async def test_writes_change_what_reads_say(toolbox: CompanyToolbox) -> None:
    """After a write, the reads of the same customer show it; a second write of the kind is refused."""
    for tool in ("cancel_subscription", "delete_data", "reset_mfa"):
        customer, granted = OWN_CALLS[tool]
        await toolbox.execute(granted, customer, f"{tool}-1")
        with pytest.raises(ToolRefused):
            await toolbox.execute(granted, customer, f"{tool}-2")
    subscription = await toolbox.execute(call("get_subscription"), "dana", "")
    assert isinstance(subscription, dict)
    assert (subscription["status"], subscription["ends_on"]) == ("ending", "2026-04-05")
    listed = await toolbox.execute(call("list_devices"), "sam", "")
    assert isinstance(listed, dict)
    assert listed["sign_in_locked"] is False


async def test_plans_change_up_at_once_and_down_at_renewal(toolbox: CompanyToolbox) -> None:
    """An upgrade has the new price from today; a downgrade waits for the renewal."""
    up = await toolbox.execute(call("change_plan", subscription_id="SUB-1002", plan="business"), "tomas", "1")
    down = await toolbox.execute(call("change_plan", subscription_id="SUB-1003", plan="team"), "olivia", "2")
    assert isinstance(up, dict)
    assert isinstance(down, dict)
    assert (up["plan"], up["effective_on"], up["price"]) == ("business", "2026-03-12", "264.00")
    assert (down["plan"], down["next_plan"], down["effective_on"]) == ("business", "team", "2026-06-30")


async def test_seats_limit_a_downgrade(toolbox: CompanyToolbox) -> None:
    """85 seats do not fit the team plan."""
    asked = call("change_plan", subscription_id="SUB-1004", plan="team")
    assert (await toolbox.call_facts(asked, "jonas")).values["seats_fit"] is False
    with pytest.raises(ToolRefused, match="seats"):
        await toolbox.execute(asked, "jonas", "1")


async def test_the_status_page_needs_nobody(toolbox: CompanyToolbox) -> None:
    """Anonymous customers read the status page, and nothing of an account."""
    page = await toolbox.execute(call("get_status"), "", "")
    assert isinstance(page, dict)
    assert page["incidents"]
    with pytest.raises(ToolRefused, match="signed in"):
        await toolbox.execute(call("get_profile"), "", "")


async def test_prices_are_for_those_who_see_billing(toolbox: CompanyToolbox) -> None:
    """An end user learns the plan, not the price."""
    seen = await toolbox.execute(call("get_subscription"), "leo", "")
    assert isinstance(seen, dict)
    assert seen["plan"] == "business"
    assert "price" not in seen


async def test_codes_are_limited_and_never_in_the_result(toolbox: CompanyToolbox, database: CompanyDatabase) -> None:
    """The fifth code of an hour is the last, and no result holds a code."""
    asked = call("resend_code", channel="email")
    for number in range(5):
        result = await toolbox.execute(asked, "sam", f"key-{number}")
        sent = await database.read(_newest_text)
        assert sent.rpartition(" ")[2] not in str(result)
    with pytest.raises(ToolRefused, match="too many"):
        await toolbox.execute(asked, "sam", "key-6")


def _newest_text(connection: Connection) -> str:
    return str(connection.execute(select(outbox.c.text).order_by(outbox.c.number.desc()).limit(1)).scalar_one())


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS if tool.access is Access.WRITE])
async def test_every_write_can_be_asked_and_told(toolbox: CompanyToolbox, tool: str) -> None:
    """From the facts of a granted call, question and success have words, whole and without a placeholder."""
    customer, granted = OWN_CALLS[tool]
    facts = (await toolbox.call_facts(granted, customer)).values
    for words in (render_question(spec(tool), granted, facts, "en"), render_done(spec(tool), granted, facts, "en")):
        assert words is not None
        assert not set("{}") & set(words)
        if tool == "resend_code":
            assert "•••10" in words


async def test_no_address_on_record_is_a_refusal(toolbox: CompanyToolbox) -> None:
    """Nina has no phone number on record."""
    asked = call("resend_code", channel="sms")
    assert (await toolbox.call_facts(asked, "nina")).values["channel_available"] is False
    with pytest.raises(ToolRefused, match="no address"):
        await toolbox.execute(asked, "nina", "key")


def _refuse_outcomes(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TRIGGER full BEFORE INSERT ON idempotency BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )


async def test_a_fault_in_the_middle_leaves_nothing(toolbox: CompanyToolbox, database: CompanyDatabase) -> None:
    """When the outcome cannot be recorded, the refund is not made either."""
    await database.write(_refuse_outcomes)
    with pytest.raises(PortError, match="disk is full"):
        await toolbox.execute(REFUND, "dana", "key")
    assert await rows(database, "refunds") == 0
    assert await rows(database, "outbox") == 0
    assert await toolbox.outcome("key") is None
