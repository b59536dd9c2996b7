"""A bundle that is small enough to be looked at whole: three segments, a dozen rules, four invariants, some cases."""

from __future__ import annotations

import shutil
from pathlib import Path

# ruff: noqa: E501 - one rule, or one case, a line

RULES = """
rules:
  - {id: gate.baseline, stage: gate_risk, reason: RISK_ASSESSED, why: Read., when: {confidence: {at_least: 0.2}}, effect: allow}
  - {id: gate.kept, stage: gate_risk, reason: RISK_KEPT, why: Kept., when: {earlier_risk: high}, risk: high, automation: restricted}
  - id: gate.fraud
    stage: gate_risk
    reason: RISK_FRAUD
    why: Never by a machine.
    when: {signals: {has_any: [RISK_FRAUD, RISK_CHARGEBACK]}}
    risk: critical
    obligations: [person_decides]
  - id: turn.serve
    stage: apply_policy
    reason: POLICY_NEED_SERVED
    why: Served.
    when: {need_state: {in: [how_to, incident, unknown]}}
    effect: allow
  - {id: turn.queue, stage: apply_policy, reason: POLICY_DEFAULT_QUEUE, why: Somebody., queue: {value: general, precedence: 1}}
  - id: turn.person
    stage: apply_policy
    reason: HUMAN_REQUESTED
    why: Asked for.
    floor: true
    when: {any: [{signals: {has: HUMAN_REQUESTED}}, {unresolved_turns: {at_least: 3}}]}
    effect: escalate
  - id: turn.read
    stage: apply_policy
    reason: SCOPE_STANDARD
    why: Pages.
    when: {not: {risk: {in: [high, critical]}}}
    scope: {authority: [authoritative, standard]}
  - {id: retrieve.good, stage: retrieve, reason: RETRIEVAL_GOOD, why: Good., when: {passages_good: {at_least: 1}}, effect: allow}
  - {id: retrieve.flow, stage: retrieve, reason: RETRIEVAL_FLOW, why: Flow., when: {not: {flow: none}}, effect: allow}
  - {id: tools.status, stage: authorize_tools, reason: TOOL_PUBLIC_READ, why: Public., tools: [get_status], effect: allow}
  - id: tools.refund
    stage: authorize_tools
    reason: TOOL_OWN_RECORDS
    why: Own.
    tools: [issue_refund]
    when: {all: [{identity: verified}, {call_owned: true}]}
    effect: allow
  - id: tools.approve
    stage: authorize_tools
    reason: TOOL_APPROVAL_NEEDED
    why: Money.
    tools: [issue_refund]
    when: {call_approvals: {below: 1}}
    effect: not_yet
    obligations: [approve]
  - {id: output.clean, stage: guard_output, reason: OUTPUT_CLEAN, why: Clean., when: {findings_count: {at_most: 0}}, effect: allow}
"""

INVARIANTS = """
invariants:
  - id: person
    says: Who asks for a person gets one.
    stage: apply_policy
    when: {signals: {has: HUMAN_REQUESTED}}
    always: {effect: [escalate]}
  - id: approved
    says: No refund without approval.
    stage: authorize_tools
    tools: [issue_refund]
    when: {not: {call_approvals: {at_least: 1}}}
    never: {effect: [allow]}
  - id: kept
    says: High risk stays.
    stage: gate_risk
    when: {earlier_risk: high}
    always: {risk_at_least: high}
  - id: blind
    says: Nobody is served by plan.
    stage: apply_policy
    unaffected_by: {families: [firmographic], aspects: [effect]}
"""

SEGMENT = """
id: {id}
title: {id}
purpose: {id}
tier: {tier}
status: active
reason: {reason}
entry: {entry}
exit: {exit}
hold_minutes: {hold}
decisions: {decisions}
actions: {{allow: [], deny: []}}
escalation: {{hard: [], soft: {soft}}}
metrics: [reopen_rate]
owner: nobody
review_by: 2027-03-31
"""

SEGMENTS = {
    "how_to": SEGMENT.format(
        id="how_to", tier="runtime", reason="SEG_HOW_TO", hold=0,
        entry="{need_states: {has: how_to}}", exit="{not: {need_states: {has: how_to}}}",
        decisions="{tags: [how_to], obligations: [cite_sources], depth: {value: detailed, precedence: 20}}",
        soft="[{when: {signals: {has: STILL_UNRESOLVED}}, reason: OFFER_AFTER_FAILED_ATTEMPT}]",
    ),
    "enterprise": SEGMENT.format(
        id="enterprise", tier="stable", reason="SEG_ENTERPRISE", hold=0,
        entry="{plan: enterprise}", exit="{not: {plan: enterprise}}",
        decisions="{skills: [enterprise], priority: high, first_response_minutes: 60}", soft="[]",
    ),
    "reopen_prone": SEGMENT.format(
        id="reopen_prone", tier="runtime", reason="SEG_REOPEN_PRONE", hold=60,
        entry="{tickets_reopened_30d: {at_least: 1}}", exit="{tickets_reopened_30d: {at_most: 0}}",
        decisions="{queue: {value: senior, precedence: 42}, obligations: [verify_outcome]}", soft="[]",
    ),
}  # fmt: skip

CASES = """
cases:
  - {name: "an ordinary turn is served", expect: {gate_risk: {effect: allow, risk: low}, apply_policy: {effect: allow, queue: general, scope: {authority: [standard, authoritative]}}}}
  - {name: "fraud is critical", facts: {signals: [RISK_FRAUD]}, expect: {gate_risk: {risk: critical, obligations: [person_decides]}, apply_policy: {scope_not: {authority: [standard]}}}}
  - {name: "a person on request", facts: {signals: [HUMAN_REQUESTED]}, expect: {apply_policy: {effect: escalate, reasons: [HUMAN_REQUESTED]}}}
  - {name: "a how-to question", facts: {need_state: how_to}, expect: {segments: {inside: [how_to]}, apply_policy: {effect: allow, tags: [how_to], obligations: [cite_sources], depth: detailed}}}
  - {name: "an enterprise", facts: {plan: enterprise}, expect: {segments: {inside: [enterprise]}, apply_policy: {skills: [enterprise], priority: high}}}
  - {name: "the status is public", tool: get_status, expect: {authorize_tools: {effect: allow}}}
  - {name: "a refund waits", tool: issue_refund, facts: {identity: verified, call_owned: true}, expect: {authorize_tools: {effect: not_yet, obligations: [approve]}}}
  - {name: "a clean text leaves", expect: {guard_output: {effect: allow}}}
"""


def make_small(shipped: Path, folder: Path) -> Path:
    """Copy the shipped bundle to `folder` and put this policy in place of its own."""
    shutil.copytree(shipped, folder)
    for part in ("rules", "segments", "tests"):
        shutil.rmtree(folder / part)
        (folder / part).mkdir()
    (folder / "rules/all.yaml").write_text(RULES, encoding="utf-8")
    (folder / "invariants.yaml").write_text(INVARIANTS, encoding="utf-8")
    (folder / "experiments.yaml").write_text("holdouts: []\n", encoding="utf-8")
    (folder / "tests/all.yaml").write_text(CASES, encoding="utf-8")
    for name, text in SEGMENTS.items():
        (folder / f"segments/{name}.yaml").write_text(text, encoding="utf-8")
    for tool in (folder / "tools").glob("*.yaml"):
        if tool.stem not in {"get_status", "issue_refund", "resend_code"}:
            tool.unlink()
    for flow in (folder / "flows").glob("*.yaml"):
        if flow.stem != "verify_before_close":
            flow.unlink()
    return folder
