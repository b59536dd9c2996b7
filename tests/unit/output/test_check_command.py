"""`handrail check`: replies of other systems against what they may rest on."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from click.testing import CliRunner
from pydantic import JsonValue

from handrail.agent.composition import bundle_of
from handrail.agent.reply_check import ReplyCheck
from handrail.agent.settings import load_settings
from handrail.commands.check import check, line_work

PRICE = "The Team plan costs 9.00 EUR per person and month. Invoices are sent on the first day of a month."


@pytest.fixture(scope="module")
def checker() -> ReplyCheck:
    """The shipped bundle; a person is asked for by one word."""
    return ReplyCheck(bundle_of(load_settings()), date(2026, 3, 12), lambda text: "human" in text)


def checked(checker: ReplyCheck, **line: JsonValue) -> dict[str, JsonValue]:
    """What is written for one line."""
    output = io.StringIO()
    problems: list[str] = []
    line_work(checker).write([json.dumps({"id": "r", **line})], output, problems.append)
    assert not problems
    found: dict[str, JsonValue] = json.loads(output.getvalue())
    return found


def codes(found: dict[str, JsonValue]) -> set[str]:
    """The codes of what was found."""
    spans = found["spans"]
    assert isinstance(spans, list)
    return {str(span["code"]) for span in spans if isinstance(span, dict)}


def test_a_grounded_reply_is_allowed(checker: ReplyCheck) -> None:
    """It names the rule and the revision, too."""
    found = checked(checker, reply="The Team plan costs 9 EUR per person and month.", passages=[PRICE])
    assert found["decision"] == "allow"
    assert found["spans"] == []
    assert found["rules"]
    assert found["revision"] == checker.bundle.revision


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("The Team plan costs 7 EUR per person and month.", "OUT_UNSOURCED_NUMBER"),
        ("We will refund the money tomorrow.", "OUT_COMMITMENT"),
        ("I have cancelled your subscription.", "OUT_UNBACKED_ACTION"),
        ("See https://fernwell-help.example/prices for it.", "OUT_UNSOURCED_LINK"),
    ],
)
def test_what_nothing_backs_is_refused_with_its_place(checker: ReplyCheck, reply: str, code: str) -> None:
    """The code stands among spans and reasons."""
    found = checked(checker, reply=reply, passages=[PRICE])
    assert found["decision"] == "refuse"
    assert code in codes(found)
    reasons = found["reasons"]
    assert isinstance(reasons, list)
    assert code in reasons


def test_much_at_stake_goes_to_a_person(checker: ReplyCheck) -> None:
    """The tier is a fact of the line."""
    found = checked(checker, reply="We will refund the money tomorrow.", facts={"risk": "critical"})
    assert found["decision"] == "escalate"


def test_results_of_calls_back_claims_when_they_succeeded(checker: ReplyCheck) -> None:
    """Reads back values but no deed; what failed backs nothing."""
    reply = "I have cancelled your subscription."
    call: dict[str, JsonValue] = {"tool": "cancel_subscription", "arguments": {}, "content": {"status": "cancelled"}}
    assert checked(checker, reply=reply, tool_results=[call])["decision"] == "allow"
    assert checked(checker, reply=reply, tool_results=[{**call, "outcome": "failed"}])["decision"] == "refuse"
    assert checked(checker, reply=reply, facts={"tools_succeeded": ["cancel_subscription"]})["decision"] == "allow"
    read: dict[str, JsonValue] = {"tool": "get_subscription", "content": {"status": "active"}}
    assert checked(checker, reply=reply, tool_results=[read])["decision"] == "refuse"


def test_plain_content_and_facts_are_sources(checker: ReplyCheck) -> None:
    """Without them the same reply is made up."""
    reply = "Your invoice INV-2041 is over 49.00 EUR."
    assert checked(checker, reply=reply, tool_results=[{"id": "INV-2041", "total": "49.00 EUR"}])["decision"] == "allow"
    assert checked(checker, reply=reply, facts={"invoice": "INV-2041", "total": "49.00 EUR"})["decision"] == "allow"
    assert checked(checker, reply=reply)["decision"] == "refuse"


def test_a_customer_who_asked_for_a_person_is_not_put_off(checker: ReplyCheck) -> None:
    """By the last message of the customer's."""
    reply = "There is no need to talk to a person, I can do that here."
    asked = checked(checker, reply=reply, history=[{"role": "customer", "content": "a human please"}])
    assert "OUT_DENIES_PERSON" in codes(asked)


def test_what_policy_allows_may_be_promised(checker: ReplyCheck) -> None:
    """In its own words, and with no figure more."""
    reply = "We will reply within 1 business day."
    assert checked(checker, reply=reply)["decision"] == "refuse"
    facts: dict[str, JsonValue] = {"allowed_commitments": ["reply within 1 business day"]}
    assert checked(checker, reply=reply, facts=facts)["decision"] == "allow"


def test_bad_lines_are_named_and_the_others_kept(checker: ReplyCheck) -> None:
    """With number and field on standard error."""
    lines = '{"id": 1, "reply": "Hello."}\n{"id": 2}\nno json\n{"id": 4, "reply": "Hi.", "facts": {"today": "soon"}}\n'
    result = CliRunner().invoke(check, ["-", "-"], input=lines, obj=checker)
    assert result.exit_code == 1
    written = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["id"] for line in written] == [1, 2, None, 4]
    assert written[0]["decision"] == "allow"
    assert [sorted(line) for line in written[1:]] == [["error", "id"]] * 3
    assert "line 2: reply: field required" in result.stderr
    assert "line 4: facts.today" in result.stderr
