"""The facts about a call that policy may ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from handrail.guardrails.gate.facts import Standing, gate_facts
from handrail.guardrails.gate.inspection import Sources, inspect
from handrail.guardrails.policy.builtin import BUILTIN
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import FactContent, Stage, ToolCall
from tests.unit.gate.conftest import EVERY_TYPE

NOW = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
GOOD: dict[str, JsonValue] = {"order_id": "ORD-1234", "count": 3, "price": "49.00", "size": "small"}
SAID = Sources(customer_words=("ORD-1234, three small ones for 49 EUR",))


def facts(
    spec: ToolSpec,
    arguments: dict[str, JsonValue],
    standing: Standing,
    declared: Mapping[str, FactContent] | None = None,
) -> dict[str, FactContent]:
    """The gate's facts of a call of which the customer spoke."""
    inspection = inspect(ToolCall(call_id="c", tool=spec.id, arguments=arguments), spec, SAID)
    return gate_facts(spec, inspection, standing, declared or {})


def bound(spec: ToolSpec, arguments: dict[str, JsonValue]) -> str:
    """The digest of a call."""
    return inspect(ToolCall(call_id="other", tool=spec.id, arguments=arguments), spec, SAID).digest


def test_a_fresh_call(every_type: ToolSpec) -> None:
    """The facts of a good call that nobody has agreed to yet."""
    assert facts(every_type, GOOD, Standing(now=NOW), {"owned": True}) == {
        "tool": "order_parts",
        "tool_access": "write",
        "tool_sensitivity": "high",
        "tool_reversible": False,
        "tool_needs_customer": True,
        "call_schema_valid": True,
        "call_provenance_ok": True,
        "call_confirmed": False,
        "call_approvals": 0,
        "call_repeated": False,
        "call_over_rate": False,
        "call_edit": "none",
        "call_owned": True,
    }


def test_agreement_binds_to_the_exact_arguments(every_type: ToolSpec) -> None:
    """Confirmation and approval count for this call however it is written, and for no other."""
    agreed = bound(every_type, GOOD)
    standing = Standing(now=NOW, confirmed=agreed, approved=(agreed,), succeeded=(agreed,))
    same: dict[str, JsonValue] = {
        "size": " Small",
        "price": "€49",
        "count": "3",
        "order_id": "ord-1234",
        "due_on": None,
    }
    for name in ("call_confirmed", "call_repeated"):
        assert facts(every_type, same, standing)[name] is True
        assert facts(every_type, {**GOOD, "price": "49.01"}, standing)[name] is False


def test_approvals_of_exactly_this_call_are_counted(every_type: ToolSpec) -> None:
    """One for each person, and none for another call."""
    agreed, other = bound(every_type, GOOD), bound(every_type, {**GOOD, "price": "49.01"})
    standing = Standing(now=NOW, approved=(agreed, other, agreed))
    assert facts(every_type, GOOD, standing)["call_approvals"] == 2
    assert facts(every_type, {**GOOD, "price": "49.01"}, standing)["call_approvals"] == 1
    assert facts(every_type, {**GOOD, "price": "49.02"}, standing)["call_approvals"] == 0


def test_sums_are_facts_and_what_cannot_be_summed_is_unknown(every_type: ToolSpec) -> None:
    """A sum of None is left out, so that restrictions apply."""
    stated = facts(every_type, GOOD, Standing(now=NOW, totals={"call_spent": 4900, "call_lost": None}))
    assert stated["call_spent"] == 4900
    assert "call_lost" not in stated


def test_bad_shape_and_origin_are_facts(every_type: ToolSpec) -> None:
    """The gate states what is wrong and decides nothing."""
    assert facts(every_type, {**GOOD, "count": 0}, Standing(now=NOW))["call_schema_valid"] is False
    assert facts(every_type, {**GOOD, "order_id": "ORD-9999"}, Standing(now=NOW))["call_provenance_ok"] is False


@pytest.mark.parametrize(
    ("minutes_ago", "over"), [((), False), ((5,), False), ((5, 50), True), ((5, 60), False), ((70, 80, 90), False)]
)
def test_the_rate_counts_runs_within_the_window(every_type: ToolSpec, minutes_ago: tuple[int, ...], over: bool) -> None:
    """Two runs an hour: a third within the hour is over the limit."""
    runs = tuple(NOW - timedelta(minutes=ago) for ago in minutes_ago)
    assert facts(every_type, GOOD, Standing(now=NOW, runs=runs))["call_over_rate"] is over


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("owned", 1),
        ("owned", "true"),
        ("open_minor", True),
        ("open_minor", 49.0),
        ("weight", math.nan),
        ("weight", True),
        ("state", "lost"),
        ("ships_on", "tomorrow"),
        ("ships_on", "20260312"),
        ("currency", ("EUR",)),
        ("currency", "x" * 1000),
        ("undeclared", True),
        ("confirmed", True),
        ("schema_valid", True),
    ],
)
def test_nonsense_from_the_toolbox_is_unknown(every_type: ToolSpec, name: str, content: FactContent) -> None:
    """A fact of the wrong type, of an undeclared value or name is left out, and never replaces the gate's own."""
    stated = facts(every_type, {**GOOD, "count": 0}, Standing(now=NOW), {name: content})
    assert stated == facts(every_type, {**GOOD, "count": 0}, Standing(now=NOW))


def test_every_gate_fact_is_declared_to_policy(every_type: ToolSpec) -> None:
    """The names are those that rules may ask for."""
    declared = {spec.name for spec in BUILTIN if spec.only_at is Stage.AUTHORIZE_TOOLS} | {"tool"}
    assert set(facts(every_type, GOOD, Standing(now=NOW))) == declared


@given(st.dictionaries(st.sampled_from([*GOOD, "owned", "x"]), st.none() | st.integers() | st.text(max_size=9)))
def test_no_call_agrees_by_itself(arguments: dict[str, JsonValue]) -> None:
    """Without an agreement on record no arguments make a call confirmed, approved or repeated."""
    spec = ToolSpec.model_validate(EVERY_TYPE)
    stated = facts(spec, arguments, Standing(now=NOW, confirmed="", approved=("",), succeeded=("",)))
    assert (stated["call_confirmed"], stated["call_approvals"], stated["call_repeated"]) == (False, 0, False)
