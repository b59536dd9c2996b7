from datetime import timedelta
from pathlib import Path

import pytest

from handrail.agent.hours import is_open
from handrail.agent.ports import PortError, ToolRefused
from handrail.evals.sample_company import sample_company
from handrail.evals.scenario_files import FOLDER
from handrail.evals.substitutes import OfficeClock, SwitchCompany
from handrail.evals.writes import write_tools
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.vocabulary import ToolCall, ToolOutcome

RESEND = ToolCall(call_id="c1", tool="resend_code", arguments={"channel": "email"})
PROFILE = ToolCall(call_id="c2", tool="get_profile", arguments={})


def test_every_queue_is_open_at_the_time_of_the_run() -> None:
    """Otherwise the result would depend on the hour it was started."""
    bundle = load(FOLDER.resolve().parents[1] / "guardrails" / "policies")
    now = OfficeClock().now()
    assert [queue.id for queue in bundle.queues.values() if not is_open(queue.hours, now)] == []


def test_the_clock_goes_forward() -> None:
    """Leases and codes run out as usual."""
    clock = OfficeClock()
    first = clock.now()
    assert timedelta() <= clock.now() - first < timedelta(hours=1)


def test_write_tools_are_those_that_change_something() -> None:
    """Reading is no write."""
    found = write_tools(load(FOLDER.resolve().parents[1] / "guardrails" / "policies"))
    assert {"issue_refund", "cancel_subscription", "reset_mfa", "delete_data"} <= found
    assert not {"get_status", "list_invoices"} & found


async def test_every_call_is_recorded_with_how_it_ended(tmp_path: Path) -> None:
    """The witness notes what the company was asked to do, once; a write counts when it happened."""
    clock, switch = OfficeClock(), SwitchCompany()
    async with sample_company(tmp_path / "company.db", clock) as company:
        recorder = switch.use(company.toolbox, company.step_up, frozenset({"resend_code", "issue_refund"}))
        await switch.execute(PROFILE, "dana", "k1")
        await switch.execute(RESEND, "dana", "k2")
        with pytest.raises(ToolRefused):
            await switch.execute(ToolCall(call_id="c3", tool="issue_refund", arguments={}), "dana", "k3")
        taken = recorder.take()
        assert [(made.call.tool, made.outcome) for made in taken] == [
            ("get_profile", ToolOutcome.SUCCEEDED),
            ("resend_code", ToolOutcome.SUCCEEDED),
            ("issue_refund", ToolOutcome.FAILED),
        ]
        assert [made.call.tool for made in taken if made.wrote] == ["resend_code"]
        assert {(made.customer_id, made.key) for made in taken} == {("dana", "k1"), ("dana", "k2"), ("dana", "k3")}
        assert recorder.take() == ()
        assert await switch.outcome("k2") is not None


async def test_a_company_starts_as_it_was(tmp_path: Path) -> None:
    """What one conversation did is not there for the next."""
    clock, switch = OfficeClock(), SwitchCompany()
    async with sample_company(tmp_path / "one.db", clock) as company:
        switch.use(company.toolbox, company.step_up, frozenset())
        await switch.start("dana", "k1")
        assert await company.outbox.latest_code("dana") is not None
    async with sample_company(tmp_path / "two.db", clock) as company:
        assert await company.outbox.latest_code("dana") is None


async def test_without_a_company_every_call_fails() -> None:
    """The flow turns that into a person."""
    with pytest.raises(PortError):
        await SwitchCompany().execute(PROFILE, "dana", "k1")
    with pytest.raises(PortError):
        await SwitchCompany().check("dana", "000000", "check-1")
