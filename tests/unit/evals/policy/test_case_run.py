"""Running a policy test: facts through segments and decisions, and each thing that is not as expected, in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from handrail.evals.policy.case_run import CaseResult, run_case
from handrail.evals.policy.case_shapes import Case, CasesFile
from handrail.evals.policy.cases import PlacedCase, load_cases
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Detection, NeedState, Signal, Stage


def ran(bundle: Bundle, text: str, base: str = "{}") -> CaseResult:
    """What becomes of a case, given as YAML without its name."""
    content = {"base": yaml.safe_load(base), "cases": [{"name": "one", **yaml.safe_load(f"{{{text}}}")}]}
    held = CasesFile.model_validate_json(_json(content))
    return run_case(bundle, PlacedCase(held.cases[0], held.base, "tests/one.yaml:1"))


def _json(content: object) -> str:
    import json

    return json.dumps(content)


FAILURES = [
    ("need_state: how_to", "effect: refuse", "effect is allow, not refuse (POLICY_NEED_SERVED"),
    ("need_state: how_to", "reasons: [HUMAN_REQUESTED]", "the reason HUMAN_REQUESTED is missing (there: "),
    ("need_state: how_to", "reasons_not: [SEG_HOW_TO]", "the reason SEG_HOW_TO is there and must not be"),
    ("need_state: how_to", "rules: [turn.close]", "the determining rule turn.close is missing (there: "),
    ("need_state: how_to", "obligations: [confirm]", "the obligation confirm is missing (there: cite_sources)"),
    ("need_state: how_to", "obligations_not: [cite_sources]", "the obligation cite_sources is there and must not be"),
    ("need_state: how_to", "risk: high", "risk is low, not high"),
    ("need_state: how_to", "automation: guided", "automation is answer, not guided"),
    ("need_state: how_to", "priority: urgent", "priority is normal, not urgent"),
    ("need_state: how_to", "first_response_minutes: 30", "first_response_minutes is none, not 30"),
    ("plan: enterprise", "first_response_minutes: 30", "first_response_minutes is 60, not 30"),
    ("need_state: how_to", "queue: senior", "queue is general, not senior"),
    ("need_state: how_to", "flow: access_restore", "flow is none, not access_restore"),
    ("need_state: access_restore", "flow: none", "flow is access_restore, not none"),
    ("need_state: how_to", "tone: calm", "tone is plain, not calm"),
    ("need_state: how_to", "depth: brief", "depth is detailed, not brief"),
    ("need_state: how_to", "skills: [billing]", "the skill billing is missing (there: none)"),
    ("need_state: incident", "skills_not: [incident]", "the skill incident is there and must not be"),
    ("need_state: how_to", "tags: [finance]", "the tag finance is missing (there: how_to)"),
    ("need_state: how_to", "tags_not: [how_to]", "the tag how_to is there and must not be"),
    ("need_state: incident", "scope: {authority: [community]}", "the authority in scope community is missing"),
    ("need_state: how_to", "scope: {plan: [trial]}", "the plan in scope trial is missing (there: none)"),
    ("need_state: how_to", "scope_not: {authority: [community]}", "the authority in scope community is there and must"),
]


@pytest.mark.parametrize(("facts", "expected", "words"), FAILURES)
def test_what_is_not_as_expected_is_said_in_words(shipped: Bundle, facts: str, expected: str, words: str) -> None:
    """For every field of an expectation, with what there was instead; the stage stands before it."""
    (failure,) = ran(shipped, f"facts: {{{facts}}}, expect: {{apply_policy: {{{expected}}}}}").failures
    assert failure.startswith(f"apply_policy: {words}")


def test_segments_that_are_not_as_expected_are_said_with_their_reason(shipped: Bundle) -> None:
    """Who is not in one is told where they are, who is in one, because of what."""
    text = "facts: {plan: enterprise}, expect: {segments: {inside: [trial], outside: [enterprise]}}"
    assert ran(shipped, text).failures == (
        "segments: not in trial (in: enterprise)",
        "segments: in enterprise, because plan is enterprise",
    )


def test_every_stage_that_is_looked_at_is_asked(shipped: Bundle) -> None:
    """A failure at each of them, and of the tool that is named."""
    everywhere = ", ".join(f"{stage}: {{reasons: [HUMAN_REQUESTED]}}" for stage in
                           ("gate_risk", "apply_policy", "retrieve", "authorize_tools", "guard_output"))  # fmt: skip
    found = ran(shipped, f"tool: get_status, expect: {{{everywhere}}}")
    assert [line.partition(":")[0] for line in found.failures] == [
        "gate_risk", "apply_policy", "retrieve", "authorize_tools", "guard_output",
    ]  # fmt: skip
    assert [one.subject for one in found.decided] == ["turn", "turn", "turn", "get_status", "turn"]
    assert all(one.expected is not None for one in found.decided)


def test_a_case_that_holds_has_no_failures(shipped: Bundle) -> None:
    """An ordinary turn, of which everything is as expected, absence too."""
    text = (
        "expect: {segments: {outside: [how_to]}, gate_risk: {effect: allow, risk: medium}, "
        "apply_policy: {effect: allow, queue: general, flow: none, tone: plain, depth: standard, priority: normal, "
        "obligations_not: [offer_human], skills_not: [billing], tags_not: [sso], scope_not: {authority: [community]}}}"
    )
    assert ran(shipped, text).failures == ()


def test_the_facts_of_a_case_stand_over_those_of_its_file_over_an_ordinary_turn(shipped: Bundle) -> None:
    """Null takes back what the base gives, and the tier follows from the facts for what comes after the gate."""
    base = "{signals: [HUMAN_REQUESTED], plan: trial}"
    asked = ran(shipped, "expect: {segments: {inside: [trial]}, apply_policy: {effect: escalate}}", base)
    taken = ran(shipped, "facts: {signals: [], plan: null}, expect: {segments: {outside: [trial]}}", base)
    assert (asked.failures, taken.failures) == ((), ())
    assert taken.opening.facts.content("plan") is None
    assert asked.opening.facts.content("identity") == "identified"
    kept = ran(shipped, "facts: {earlier_risk: critical}, expect: {apply_policy: {reasons: [ESC_CRITICAL_RISK]}}")
    assert kept.failures == ()


def test_the_main_need_state_is_the_only_one_unless_the_case_says_more(shipped: Bundle) -> None:
    """And findings are counted."""
    one = ran(shipped, "facts: {need_state: incident}, expect: {segments: {inside: [incident], outside: [how_to]}}")
    more = ran(shipped, "facts: {need_state: incident, need_states: [how_to, incident]}, "
                        "expect: {segments: {inside: [incident, how_to]}}")  # fmt: skip
    found = ran(shipped, "facts: {findings: [OUTPUT_PERSONAL_DATA]}, expect: {guard_output: {effect: not_yet}}")
    assert (one.failures, more.failures) == ((), ())
    assert found.decided[-1].facts.content("findings_count") == 1


def test_earlier_segments_stay_until_their_exit_and_for_their_hold(shipped: Bundle) -> None:
    """`earlier` is in minutes: a day after a case was reopened nobody is held any more."""
    young, old, kept = (
        ran(shipped, f"{facts}earlier: {{{segment}: {minutes}}}, expect: {{segments: {{{side}: [{segment}]}}}}")
        for facts, segment, minutes, side in (
            ("", "reopen_prone", 1439, "inside"),
            ("", "reopen_prone", 1441, "outside"),
            ("", "how_to", 100000, "inside"),
        )
    )
    assert (young.failures, old.failures, kept.failures) == ((), (), ())


def test_events_are_counted_by_the_windows(shipped: Bundle) -> None:
    """With their intent, how often, how far apart, and back from the opening of the conversation."""
    asked = "{kind: intent_detected, minutes_ago: 60, intent: downgrade, count: 2, apart: 10080}"
    result = ran(shipped, f"facts: {{intent: downgrade}}, events: [{asked}], expect: {{apply_policy: {{risk: low}}}}")
    held = result.opening.facts
    # Of the two, one lies further back than seven days; this message itself counts.
    assert (held.content("same_intent_7d"), held.content("contacts_14d")) == (2, 2)
    other = ran(shipped, f"facts: {{intent: add_seats}}, events: [{asked}], expect: {{apply_policy: {{risk: low}}}}")
    assert other.opening.facts.content("same_intent_7d") == 1
    none = ran(shipped, f"events: [{asked}], expect: {{apply_policy: {{risk: low}}}}")
    assert none.opening.facts.content("same_intent_7d") == 0


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ("{tool: issue_refund, minor: 200, minutes_ago: 60}", 300),
        ("{tool: issue_refund, minor: 200, minutes_ago: 43201}", 100),
        ("{tool: issue_refund, minor: 200, currency: USD, minutes_ago: 60}", 100),
        ("{tool: cancel_subscription, minor: 200, minutes_ago: 60}", 100),
        ("{tool: issue_refund, minutes_ago: 60}", None),
    ],
)
def test_earlier_calls_are_summed_with_the_call(shipped: Bundle, granted: str, expected: int | None) -> None:
    """As the flow sums them: by tool, time and currency, and unknown where an amount is."""
    text = (
        "tool: issue_refund, facts: {call_amount_minor: 100, call_currency: EUR}, "
        f"granted: [{granted}], expect: {{authorize_tools: {{effect: refuse}}}}"
    )
    assert ran(shipped, text).opening.facts.content("call_refunded_30d") == expected


@pytest.mark.parametrize(("opened", "counted"), [(0, 0), (5, 3), (20, 0)])
def test_what_was_read_before_the_chat_counts_back_from_its_opening(shipped: Bundle, opened: int, counted: int) -> None:
    """Articles read twelve to ten minutes ago belong to a chat opened five minutes ago, not to one of this minute."""
    events = "[{kind: article_viewed, minutes_ago: 12, count: 3}]"
    text = f"events: {events}, opened_minutes_ago: {opened}, expect: {{apply_policy: {{effect: allow}}}}"
    assert ran(shipped, text).opening.facts.content("articles_before_chat") == counted


def test_a_stated_count_stands_over_the_events(shipped: Bundle) -> None:
    """What a case says outright is so."""
    events = "[{kind: article_viewed, minutes_ago: 1}]"
    text = f"facts: {{articles_before_chat: 7}}, events: {events}, expect: {{apply_policy: {{effect: allow}}}}"
    assert ran(shipped, text).opening.facts.content("articles_before_chat") == 7


def test_an_attribute_that_is_too_old_is_unknown(shipped: Bundle) -> None:
    """On the last day it still holds; what is stale is ignored or restricts as the attribute declares."""
    days = shipped.attributes["plan"].max_age_days
    inside = ran(shipped, f"facts: {{plan: trial}}, ages: {{plan: {days}}}, expect: {{segments: {{inside: [trial]}}}}")
    stale = ran(
        shipped, f"facts: {{plan: trial}}, ages: {{plan: {days + 1}}}, expect: {{segments: {{outside: [trial]}}}}"
    )
    assert (inside.failures, stale.failures) == ((), ())
    assert stale.opening.facts.used["plan"].on_unknown == "ignore"


def test_an_age_of_an_attribute_of_the_base_counts(shipped: Bundle) -> None:
    """Where the attribute is given does not matter."""
    text = "ages: {plan: 400}, expect: {segments: {outside: [trial]}}"
    assert ran(shipped, text, "{plan: trial}").failures == ()


def test_a_message_is_read_by_detection(shipped: Bundle) -> None:
    """What detection finds takes the place of the facts about the message; without it the case cannot run."""

    def detect(text: str) -> Detection:
        assert text == "Get me a person"
        return Detection(
            need_state=NeedState.HUMAN_REQUEST,
            intent="human_request",
            confidence=0.9,
            need_states=(NeedState.HUMAN_REQUEST,),
            alternatives=(),
            signals=(Signal(code="HUMAN_REQUESTED", detector="test", score=1.0),),
            language="en",
        )

    case = Case.model_validate_json(
        '{"name": "one", "message": "Get me a person", "facts": {"need_state": "how_to", "plan": "trial"},'
        ' "expect": {"apply_policy": {"effect": "escalate", "reasons": ["HUMAN_REQUESTED"]}}}'
    )
    placed = PlacedCase(case, {}, "tests/one.yaml:1")
    result = run_case(shipped, placed, detect)
    assert result.failures == ()
    assert result.opening.facts.content("need_state") == "human_request"
    assert result.opening.facts.content("plan") == "trial"
    with pytest.raises(RuntimeError, match=r"tests/one.yaml:1: a case with a message needs detection"):
        run_case(shipped, placed)


def test_the_flow_that_policy_chooses_is_a_fact_of_what_follows(shipped: Bundle) -> None:
    """Unless the case states the flow, unknown too."""
    chosen = ran(shipped, "facts: {need_state: access_restore}, expect: {retrieve: {effect: allow}}")
    stated = ran(shipped, "facts: {need_state: access_restore, flow: none}, expect: {retrieve: {effect: allow}}")
    unknown = ran(shipped, "facts: {need_state: access_restore, flow: null}, expect: {retrieve: {effect: allow}}")
    flows = [
        next(one.facts.content("flow") for one in result.decided if one.stage is Stage.RETRIEVE)
        for result in (chosen, stated, unknown)
    ]
    assert flows == ["access_restore", "none", None]


def test_a_holdout_is_a_fact_that_a_case_can_state(shipped: Bundle) -> None:
    """What the arm goes without is missing there, and nowhere else."""
    inside = "facts: {role: finance, 'holdout:%s': %s}, expect: {apply_policy: {tags: [admin]}}"
    arm = next(one for one in shipped.holdouts if "segment.workspace_admin" in one.without)
    held, served = (ran(shipped, (inside % (arm.id, word)).replace("finance", "admin")) for word in ("true", "false"))
    assert held.failures == ("apply_policy: the tag admin is missing (there: none)",)
    assert served.failures == ()


def test_the_shipped_cases_pass(pristine: Path, shipped: Bundle) -> None:
    """All that need no detection."""
    placed = [one for one in load_cases(pristine, shipped) if one.case.message is None]
    assert [one.case.name for one in placed if run_case(shipped, one).failures] == []
