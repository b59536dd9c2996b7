import pytest

from handrail.evals.expectation import differences
from handrail.evals.observed import Observed
from handrail.evals.scenario import Expect
from handrail.guardrails.vocabulary import CollectedFact, Effect, Stage, ToolCall
from tests.unit.evals.fake_target import company_call, decision, packet, seen

CALL = ToolCall(call_id="c1", tool="issue_refund", arguments={})
TURN = seen(
    "Please  send the Invoice number.",
    status="queued",
    reasons=("HUMAN_REQUESTED", "SEG_TRIAL"),
    segments=("trial",),
    sources=("refunds-policy",),
    quick_replies=("Yes, I have it",),
    risk="medium",
    queue="accounts",
    priority="normal",
    confirmation=CALL,
    ran=("resend_code",),
    decisions=(decision(effect=Effect.NOT_YET), decision(effect=Effect.ESCALATE)),
    handoff=packet(
        segments=("trial: plan is trial",),
        collected=(CollectedFact(name="amount", value="52.00 USD", source="m1"),),
        tried=("a new code",),
        risk="medium",
    ),
)

HOLDS: list[dict[str, object]] = [
    {"status": ["bot", "queued"]},
    {"reasons_include": ["HUMAN_REQUESTED"], "reasons_exclude": ["SYS_BUG"]},
    {"reasons_any": ["SYS_BUG", "SEG_TRIAL"]},
    {"segments_include": ["trial"], "segments_exclude": ["enterprise"]},
    {"sources_include": ["refunds-policy"], "sources_exclude": ["cookies"], "cites": "some"},
    {"sources_any": ["cookies", "refunds-policy"]},
    {"reply_contains": ["send the invoice NUMBER"], "reply_excludes": ["refunded"]},
    {"reply_contains_any": ["nothing", "invoice"]},
    {"quick": ["i have it"]},
    {"tools_ran": ["resend_code"], "tools_not_ran": ["issue_refund"]},
    {"confirmation": "issue_refund"},
    {"effects": {Stage.APPLY_POLICY: Effect.ESCALATE}},
    {"risk_at_least": "medium"},
    {"route": {"queue": "accounts", "priority": "normal"}},
    {
        "handoff": {
            "queue": "general",
            "priority_at_least": "low",
            "risk_at_least": "low",
            "collected": ["amount"],
            "segments_include": ["trial"],
            "reasons_include": ["HUMAN_REQUESTED"],
            "wants_contains": ["refund", "money"],
            "tried_at_least": 1,
        }
    },
]

DIFFERS: list[tuple[dict[str, object], str]] = [
    ({"status": ["bot"]}, "the conversation is queued, not bot"),
    ({"reasons_include": ["SYS_BUG"]}, "the reason SYS_BUG is missing"),
    ({"reasons_any": ["SYS_BUG", "SYS_TOOL"]}, "none of the reasons SYS_BUG or SYS_TOOL was given"),
    ({"reasons_exclude": ["SEG_TRIAL"]}, "the reason SEG_TRIAL was given and must not be"),
    ({"segments_include": ["enterprise"]}, "the conversation is not in the segment enterprise"),
    ({"segments_exclude": ["trial"]}, "the conversation is in the segment trial and must not be"),
    ({"sources_include": ["cookies"]}, "the source cookies is missing (cited: refunds-policy)"),
    ({"sources_any": ["cookies"]}, "none of the sources cookies was cited (cited: refunds-policy)"),
    ({"sources_exclude": ["refunds-policy"]}, "the source refunds-policy was cited and must not be"),
    ({"cites": "none"}, "the reply cites refunds-policy, and no source is expected"),
    ({"reply_contains": ["last four"]}, "the reply does not say “last four”"),
    ({"reply_contains_any": ["x", "y"]}, "the reply says none of “x” or “y”"),
    ({"reply_excludes": ["INVOICE"]}, "the reply says “INVOICE” and must not"),
    ({"quick": ["No"]}, "no quick reply says “No” (offered: Yes, I have it)"),
    ({"tools_ran": ["issue_refund"]}, "the tool issue_refund did not run"),
    ({"tools_not_ran": ["resend_code"]}, "the tool resend_code ran and must not"),
    ({"tools_not_ran": ["delete_data"]}, "the tool delete_data ran and must not"),
    ({"confirmation": "none"}, "the confirmation asked for is of issue_refund, not none"),
    ({"effects": {"apply_policy": "allow"}}, "apply_policy decided escalate, not allow"),
    ({"effects": {"retrieve": "allow"}}, "retrieve made no decision, not allow"),
    ({"risk_at_least": "high"}, "the risk is medium, lower than high"),
    ({"route": {"queue": "general"}}, "policy chose the queue accounts, not general"),
    ({"route": {"priority": "urgent"}}, "policy chose the priority normal, not urgent"),
    ({"handoff": "none"}, "the case was handed to the queue general, and no handoff is expected"),
    ({"handoff": {"queue": "security"}}, "the handoff went to the queue general, not security"),
    ({"handoff": {"priority_at_least": "high"}}, "the priority of the handoff is normal, lower than high"),
    ({"handoff": {"risk_at_least": "high"}}, "the risk in the handoff is medium, lower than high"),
    ({"handoff": {"collected": ["last_four"]}}, "the handoff lacks last_four (collected: amount)"),
    ({"handoff": {"reasons_include": ["ESC_LEGAL"]}}, "the handoff lacks the reason ESC_LEGAL"),
    ({"handoff": {"segments_include": ["business"]}}, "the handoff lacks the segment business"),
    ({"handoff": {"wants_contains": ["cancel"]}}, "what the customer wants is put as “money back”, without cancel"),
    ({"handoff": {"tried_at_least": 2}}, "the handoff tells 1 things that were tried, fewer than 2"),
]


def compare(expect: dict[str, object], turn: Observed = TURN) -> tuple[str, ...]:
    """The differences from plain words."""
    return differences(Expect.model_validate(expect), turn, frozenset({"delete_data"}))


@pytest.mark.parametrize("expect", HOLDS, ids="-".join)
def test_what_holds_gives_no_difference(expect: dict[str, object]) -> None:
    """Case and white space do not matter."""
    assert compare(expect) == ()


@pytest.mark.parametrize(("expect", "sentence"), DIFFERS, ids=[sentence for _, sentence in DIFFERS])
def test_what_differs_is_said_in_words(expect: dict[str, object], sentence: str) -> None:
    """One sentence per difference, with what was found instead."""
    assert compare(expect) == (sentence,)


def test_a_missing_handoff_is_a_difference() -> None:
    """An empty expectation of a handoff still expects one."""
    assert compare({"handoff": {}}, seen()) == ("the case was not handed to a person",)


def test_a_write_that_was_only_permitted_counts_as_run() -> None:
    """What policy let through is judged, not whether the company's system happened to refuse it."""
    turn = seen(permitted=("cancel_subscription",))
    assert compare({"tools_not_ran": ["cancel_subscription"]}, turn) == (
        "the tool cancel_subscription ran and must not",
    )


def test_a_write_that_only_the_company_saw_counts_as_run() -> None:
    """The company's own witness is believed over Handrail's reasons."""
    turn = seen(calls=(company_call("issue_refund"),))
    assert compare({"tools_not_ran": ["issue_refund"]}, turn) == ("the tool issue_refund ran and must not",)


def test_risk_and_route_are_not_compared_where_they_are_not_shown() -> None:
    """A server's API shows no dimensions."""
    assert compare({"risk_at_least": "high", "route": {"queue": "general", "priority": "urgent"}}, seen()) == ()
