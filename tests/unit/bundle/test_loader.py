"""The loader against a spoilt copy of the shipped bundle: what is wrong is said at once, with file, line and advice."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from handrail.guardrails.bundle.loader import load
from handrail.guardrails.errors import ConfigError
from tests.unit.bundle.conftest import Folder


@dataclass(frozen=True)
class Mistake:
    """One edit, the line on which it is reported (by a text that stands there), and words of the message."""

    file: str
    old: str
    new: str
    at: str
    message: str


MISTAKES = {
    # unknown and missing fields, wrong types
    "unknown field of a rule": Mistake(
        "rules/turn.yaml", "    when: {risk: critical}", "    when: {risk: critical}\n    colour: red",
        "colour: red", "colour: unknown field"),
    "unknown field of a segment": Mistake(
        "segments/how_to.yaml", "owner:", "ower: x\nowner:", "ower: x", "ower: unknown field"),
    "unknown field of a tool": Mistake(
        "tools/get_invoice.yaml", "access: read", "access: read\nfast: true", "fast: true", "fast: unknown field"),
    "unknown field of the manifest": Mistake(
        "bundle.yaml", "  tool_rounds: 4", "  tool_rounds: 4\n  rounds: 4", "  rounds: 4",
        "limits.rounds: unknown field"),
    "unknown decision dimension": Mistake(
        "segments/how_to.yaml", "decisions:", "decisions:\n  speed: fast", "speed: fast",
        "decisions.speed: unknown field"),
    "unknown scope family": Mistake(
        "rules/turn.yaml", "scope: {language: [en]}", "scope: {colour: [en]}", "scope: {colour", "role"),
    "missing field of a rule": Mistake(
        "rules/turn.yaml", "    why: Somebody is always responsible.\n", "", "id: turn.queue_default",
        "why: this field is missing"),
    "missing field of a segment": Mistake(
        "segments/how_to.yaml", "owner:", "# owner:", "id: how_to", "owner: this field is missing"),
    "missing exit of a segment": Mistake("segments/trial.yaml", "exit:\n  not: {plan: trial}\n", "", "id: trial",
        "exit: this field"),
    "missing field of a queue": Mistake(
        "queues.yaml", "    title: {en: the security team}\n", "", "id: security", "title: this field is missing"),
    "word for a number": Mistake(
        "bundle.yaml", "tool_rounds: 4", "tool_rounds: four", "tool_rounds: four",
        "limits.tool_rounds: input should be"),
    "number out of bounds": Mistake(
        "bundle.yaml", "tool_rounds: 4", "tool_rounds: 400", "tool_rounds: 400", "less than or equal to 8"),
    "misspelt effect": Mistake(
        "rules/retrieval.yaml", "    effect: not_yet", "    effect: notyet", "effect: notyet",
        "effect: input should be"),
    "misspelt stage": Mistake(
        "rules/output.yaml", "  - id: output.clean\n    stage: guard_output",
        "  - id: output.clean\n    stage: guard_outputs", "stage: guard_outputs", "stage: input should be"),
    "misspelt tier": Mistake("segments/how_to.yaml", "tier: runtime", "tier: run", "tier: run",
        "tier: input should be"),
    "word for a list": Mistake(
        "segments/how_to.yaml", "actions:\n  allow: []", "actions:\n  allow: get_status", "allow: get_status",
        "actions.allow"),
    "date that is none": Mistake(
        "segments/how_to.yaml", "review_by: 2027-03-31", "review_by: soon", "review_by: soon",
        "review_by: input should be"),
    "hours that are none": Mistake(
        "queues.yaml", 'opens: "06:00"', 'opens: "6 am"', 'opens: "6 am"', "hours.opens: string should match"),
    "id in capitals": Mistake(
        "rules/risk.yaml", "id: risk.irreversible", "id: Risk.Irreversible", "id: Risk", "id: string should match"),
    # references that lead nowhere
    "dangling default queue": Mistake(
        "bundle.yaml", "default_queue: general", "default_queue: generell", "default_queue",
        "there is no queue 'generell'"),
    "dangling prompt": Mistake("bundle.yaml", "prompt: answer", "prompt: anser", "prompt: anser",
        "there is no prompt 'anser'"),
    "dangling queue of a rule": Mistake(
        "rules/turn.yaml", "queue: {value: compliance", "queue: {value: complianz", "complianz",
        "there is no queue 'complianz'"),
    "dangling queue of a segment": Mistake(
        "segments/billing_dispute.yaml", "value: billing_disputes", "value: disputes", "value: disputes",
        "there is no queue 'disputes'"),
    "dangling commitment": Mistake(
        "segments/incident.yaml", "commitments: [status_page_updates]", "commitments: [status_page_update]",
        "status_page_update]", "there is no commitment 'status_page_update'; did you mean 'status_page_updates'?"),
    "commitment of no kind": Mistake(
        "allowed_commitments.yaml", "kind: action", "kind: promise", "kind: promise",
        "commitments.0.kind: input should be"),
    "commitment in no declared language": Mistake(
        "allowed_commitments.yaml", "      en: we", "      de: we", "    texts:",
        "status_page_updates: the text is missing in en"),
    "dangling flow": Mistake(
        "segments/access_restore.yaml", "flow: {value: access_restore", "flow: {value: restore",
        "flow: {value: restore",
        "there is no flow 'restore'"),
    "dangling tool of a rule": Mistake(
        "rules/tools.yaml", "tools: [get_status]", "tools: [get_state]", "tools: [get_state]",
        "there is no tool 'get_state'"),
    "dangling tool of a segment": Mistake(
        "segments/account_changes.yaml", "delete_data]", "delete_dat]", "delete_dat]", "there is no tool 'delete_dat'"),
    "dangling segment": Mistake(
        "rules/turn.yaml", "{segment: how_to}", "{segment: howto}", "howto",
        "there is no active segment 'howto'; did you mean 'how_to'?"),
    "segment that stands ready only": Mistake(
        "rules/turn.yaml", "{segment: how_to}", "{segment: content_bouncer}", "content_bouncer",
        "there is no active segment"),
    "dangling reason of a rule": Mistake(
        "rules/turn.yaml", "reason: POLICY_CONTINUES", "reason: POLICY_GOES_ON", "POLICY_GOES_ON",
        "there is no reason code 'POLICY_GOES_ON'"),
    "dangling reason of a trigger": Mistake(
        "segments/billing_dispute.yaml", "reason: OFFER_DISPUTE", "reason: OFFER_DISPUT", "OFFER_DISPUT",
        "there is no reason code 'OFFER_DISPUT'"),
    "dangling fact": Mistake(
        "rules/turn.yaml", "{unresolved_turns: {at_least: 2}}", "{unresolved_turn: {at_least: 2}}", "unresolved_turn:",
        "there is no fact 'unresolved_turn'; did you mean 'unresolved_turns'?"),
    "dangling signal": Mistake(
        "rules/risk.yaml", "{signals: {has: RISK_CHARGEBACK}}", "{signals: {has: RISK_CHARGE_BACK}}",
        "RISK_CHARGE_BACK",
        "signals is never 'RISK_CHARGE_BACK'; did you mean"),
    "signal of another stage": Mistake(
        "rules/risk.yaml", "{signals: {has: RISK_CHARGEBACK}}", "{signals: {has: SYS_BUG}}", "SYS_BUG",
        "is never 'SYS_BUG'"),
    "value no attribute has": Mistake(
        "segments/enterprise.yaml", "entry:\n  plan: enterprise", "entry:\n  plan: entreprise", "plan: entreprise",
        "plan is never 'entreprise'; did you mean 'enterprise'?"),
    "dangling next step": Mistake(
        "handoff.yaml", "  ESC_LEGAL:", "  ESC_LEGALS:", "ESC_LEGALS", "neither a reason code nor a need state"),
    "dangling reference of a segment that stands ready": Mistake(
        "segments/content_bouncer.yaml", "actions:\n  allow: []", "actions:\n  allow: [get_state]", "get_state",
        "there is no tool 'get_state'"),
    "dangling tool of a flow": Mistake(
        "flows/account_change.yaml", "tool: delete_data", "tool: delete", "tool: delete", "there is no tool 'delete'"),
    "fact of a later stage": Mistake(
        "rules/risk.yaml", "when: {need_state: unknown}", "when: {risk: high}", "when: {risk: high}",
        "the fact risk does not exist at stage gate_risk"),
    "call fact of another tool": Mistake(
        "rules/tools.yaml", "when: {call_workspace_status: deletion_scheduled}",
        "when: {all: [{call_device_status: removed}]}",
        "all: [{call_device_status", "the fact call_device_status exists only for calls of reset_mfa"),
    "entry by a segment": Mistake(
        "segments/trial.yaml", "entry:\n  plan: trial", "entry:\n  segment: how_to", "segment: how_to",
        "segments are not known yet at stage assign_segments"),
    # ids
    "duplicate reason": Mistake(
        "reasons/policy.yaml", "- code: SEG_ALWAYS_HUMAN",
        "- {code: SEG_ACCOUNT_CHANGES, title: x, operator: x, customer: {en: x},"
        " stage: reply, severity: info}\n- code: SEG_ALWAYS_HUMAN", "- {code: SEG_ACCOUNT_CHANGES",
        "the id SEG_ACCOUNT_CHANGES is taken by reasons/policy.yaml:"),
    "unknown time zone": Mistake(
        "queues.yaml", "Europe/Berlin, days: [1, 2, 3, 4, 5, 6],", "Europe/Berlinn, days: [1, 2, 3, 4, 5, 6],",
        "Europe/Berlinn", "there is no time zone 'Europe/Berlinn'"),
    "duplicate queue": Mistake(
        "queues.yaml", "queues:\n",
        "queues:\n  - id: general\n    title: {en: x}\n    skills: []\n    hours: {time_zone: UTC,"
        " days: [1], opens: \"08:00\", closes: \"09:00\"}\n    first_response_minutes: 1\n    handling_minutes: 1\n",
        "- id: general",
        "the id general is taken by queues.yaml:4"),
    "duplicate rule": Mistake(
        "rules/risk.yaml", "id: risk.legal", "id: risk.safety", "id: risk.safety",
        "the rule id risk.safety is taken by"),
    "duplicate attribute": Mistake(
        "attributes.yaml", "\n# Kinds of events",
        "\n  - {name: plan, meaning: x, kind: word, values: [trial, team,"
        " business, enterprise], family: firmographic, source: crm, purposes: [sla, queue, compliance, retrieval],"
        " max_age_days: 1, inferred: false}\n# Kinds of events", "{name: plan,",
        "the id plan is taken by attributes.yaml:"),
    "window named like a fact": Mistake(
        "attributes.yaml", "windows:\n",
        "windows:\n  - {fact: clarifications, meaning: x, count: handed_off, within_minutes: 5}\n",
        "fact: clarifications", "there is a fact clarifications already"),
    "call facts that disagree": Mistake(
        "tools/get_invoice.yaml", "{name: owned, type: boolean,", "{name: owned, type: text,", "name: owned",
        "the call fact call_owned is a boolean in another tool"),
    # YAML
    "duplicate key": Mistake(
        "segments/how_to.yaml", "owner:", "tier: runtime\nowner:", "tier: runtime",
        "the key 'tier' stands here for the second time"),
    "bad YAML": Mistake("rules/output.yaml", "    effect: refuse", "    effect: {refuse", "id: output.escalate",
        "not valid YAML"),
    "a country called no is a word": Mistake(
        "attributes.yaml", "    values: [eu, us]", "    values: [eu, us, 7, no]", "values: [eu, us, 7, no]",
        "values.2: input should be a valid string"),
    # meaning
    "precedence tie": Mistake(
        "segments/billing_dispute.yaml", "precedence: 70}", "precedence: 60}", "decisions:",
        "queue 'billing_disputes' ties with 'identity' of segment.access_restore ("),
    "not_yet without a next step": Mistake(
        "rules/retrieval.yaml", "    obligations: [clarify]\n", "", "effect: not_yet",
        "not_yet must name the next step"),
    "rule at a stage that decides nothing": Mistake(
        "rules/output.yaml", "  - id: output.clean\n    stage: guard_output", "  - id: output.clean\n    stage: reply",
        "stage: reply",
        "rules decide at gate_risk, apply_policy, retrieve, authorize_tools, guard_output, not at reply"),
    "tools at a stage without tools": Mistake(
        "rules/turn.yaml", "    when: {risk: critical}", "    tools: [get_status]\n    when: {risk: critical}",
        "tools: [get_status]", "only rules at authorize_tools are asked about tools"),
    "too many run-time segments": Mistake(
        "bundle.yaml", "runtime_segments: 10", "runtime_segments: 3", "runtime_segments: 3",
        "run-time segments are active; the budget is 3"),
    # purposes
    "value used for risk": Mistake(
        "rules/risk.yaml", "when: {need_state: unknown}", "when: {value_tier: low}", "id: risk.unknown_need",
        "sets risk by the value attribute value_tier, which lacks the purpose risk"),
    "firmographic used for automation": Mistake(
        "segments/trial.yaml", "  skills: [trial]", "  automation: restricted", "decisions:",
        "segment.trial sets automation by the firmographic attribute plan"),
    "exit by an attribute counts as its use": Mistake(
        "segments/account_changes.yaml", "exit:\n  any:\n", "exit:\n  any:\n    - plan: trial\n", "decisions:",
        "segment.account_changes sets"),
    "psychographic inferred": Mistake(
        "attributes.yaml", "    purposes: [style]\n    max_age_days: 365\n    inferred: false",
        "    purposes: [style]\n    max_age_days: 365\n    inferred: true", "purposes: [style]", "set inferred: false"),
    "demographic for the queue": Mistake(
        "attributes.yaml", "purposes: [time_zone]", "purposes: [time_zone, queue]", "purposes: [time_zone, queue]",
        "time_zone: a demographic attribute may not be used for queue; allowed: accessibility, language, time_zone"),
    # what is counted
    "event declared twice": Mistake(
        "attributes.yaml", "  - {kind: tool_run,",
        "  - {kind: handed_off, meaning: x, source: support}\n  - {kind: tool_run,",
        "kind: handed_off, meaning: x", "the id handed_off is taken by attributes.yaml:"),
    "event named like the opening": Mistake(
        "attributes.yaml", "{kind: tool_run,", "{kind: conversation_opened,", "{kind: conversation_opened",
        "conversation_opened is the opening of the conversation"),
    "event without a source": Mistake(
        "attributes.yaml", "meaning: a tool ran, source: conversation}", "meaning: a tool ran}", "kind: tool_run",
        "events.6.source: this field is missing"),
    "window over an undeclared event": Mistake(
        "attributes.yaml", "count: article_viewed", "count: articles_viewed", "count: articles_viewed",
        "there is no kind of event 'articles_viewed'; did you mean 'article_viewed'?; declare it under events"),
    "amount that is no fact of a call": Mistake(
        "attributes.yaml", "fact: call_refunded_30d", "fact: refunded_30d", "fact: refunded_30d",
        "amounts.0.fact: string should match pattern"),
    "amount that a tool states itself": Mistake(
        "attributes.yaml", "amounts:\n",
        "amounts:\n  - {fact: call_paid_minor, meaning: x, of: paid_minor, tools: [issue_refund], within_minutes: 5}\n",
        "fact: call_paid_minor", "a tool states call_paid_minor itself; choose another name"),
    "amount named like a fact of the gate": Mistake(
        "attributes.yaml", "amounts:\n",
        "amounts:\n  - {fact: call_approvals, meaning: x, of: paid_minor, tools: [issue_refund], within_minutes: 5}\n",
        "fact: call_approvals", "the call fact call_approvals hides another fact"),
    "amount of a tool that is not there": Mistake(
        "attributes.yaml", "amounts:\n",
        "amounts:\n  - {fact: call_paid, meaning: x, of: paid_minor, tools: [isue_refund], within_minutes: 5}\n",
        "tools: [isue_refund]", "there is no tool 'isue_refund'; did you mean 'issue_refund'?"),
    "amount of a tool that only reads": Mistake(
        "attributes.yaml", "tools: [issue_refund]", "tools: [issue_refund, get_invoice]", "tools: [issue_refund, get",
        "get_invoice only reads, so it grants nothing"),
    "amount that is misspelt": Mistake(
        "attributes.yaml", "of: amount_minor", "of: amont_minor", "of: amont_minor",
        "issue_refund states no amount 'amont_minor'; did you mean 'amount_minor'?"),
    "amount that is no money": Mistake(
        "attributes.yaml", "of: amount_minor", "of: days_since_payment", "of: days_since_payment",
        "issue_refund states no amount 'days_since_payment'"),
    "amount over a longer time than is kept": Mistake(
        "attributes.yaml", "tools: [issue_refund]\n    within_minutes: 43200",
        "tools: [issue_refund]\n    within_minutes: 129601", "within_minutes: 129601",
        "amounts.0.within_minutes: input should be less than or equal to 129600"),
    "window over the opening": Mistake(
        "attributes.yaml", "count: article_viewed", "count: conversation_opened", "count: conversation_opened",
        "there is no kind of event 'conversation_opened'"),
    "window that ends at nothing": Mistake(
        "attributes.yaml", "of: conversation_opened", "of: conversation_open", "of: conversation_open",
        "there is no kind of event 'conversation_open'; did you mean 'conversation_opened'?"),
    "window that ends at an undeclared event": Mistake(
        "attributes.yaml", "of: conversation_opened", "of: ticket_repoened", "of: ticket_repoened",
        "there is no kind of event 'ticket_repoened'; did you mean 'ticket_reopened'?"),
    "ending of no length": Mistake(
        "attributes.yaml", "{within_minutes: 10, of", "{within_minutes: 0, of", "{within_minutes: 0",
        "windows.2.ending.within_minutes: input should be greater than 0"),
    "unknown field of an ending": Mistake(
        "attributes.yaml", "{within_minutes: 10, of", "{within_minutes: 10, at_most: 3, of", "at_most: 3",
        "windows.2.ending.at_most: unknown field"),
    "window longer than events are kept": Mistake(
        "attributes.yaml", "within_minutes: 10080\n  - fact: contacts_14d",
        "within_minutes: 129601\n  - fact: contacts_14d",
        "within_minutes: 129601", "windows.0.within_minutes: input should be less than or equal to 129600"),
    "attribute named like a word of conditions": Mistake(
        "attributes.yaml", "  - name: accessibility", "  - name: any", "name: any",
        "any is a word of conditions themselves"),
    "attribute named like the tool of a call": Mistake(
        "attributes.yaml", "  - name: accessibility", "  - name: tool", "name: tool",
        "tool is a word of conditions themselves"),
    "values of a number": Mistake(
        "attributes.yaml", "    kind: number\n    family: behavioural",
        "    kind: number\n    values: [few, many]\n    family: behavioural", "[few, many]",
        "payment_failures_30d: values close a word or a set"),
    "attribute that can have no value": Mistake(
        "attributes.yaml", "values: [screen_reader, plain_language, large_text]", "values: []", "values: []",
        "accessibility: values close a word or a set; name at least one"),
    # closed words
    "misspelt intent": Mistake(
        "rules/turn.yaml", "{intent: {in: [cancel,", "{intent: {in: [cancle,", "[cancle,",
        "intent is never 'cancle'; did you mean 'cancel'?"),
    "misspelt language": Mistake(
        "rules/turn.yaml", "{language: {in: [en, unknown]}}", "{language: {in: [en, unknwon]}}", "unknwon",
        "language is never 'unknwon'; did you mean 'unknown'?"),
    "misspelt flow of a condition": Mistake(
        "invariants.yaml", "{flow: none}", "{flow: self_serve}", "{flow: self_serve}",
        "flow is never 'self_serve'; did you mean 'self_serve_failed'?"),
    # holdouts
    "holdout over an unknown rule": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [turn.offer_frustratd]",
        "offer_frustratd",
        "there is no active rule or segment 'turn.offer_frustratd'; did you mean 'turn.offer_frustrated'?"),
    "holdout over a segment without its prefix": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [self_serve_failed]",
        "without: [self_serve_failed]", "did you mean 'segment.self_serve_failed'?"),
    "holdout over a segment that stands ready": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [segment.content_bouncer]",
        "content_bouncer", "there is no active rule or segment 'segment.content_bouncer'"),
    "holdout over a rule of the floor": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [turn.language]", "turn.language",
        "turn.language belongs to the safety floor, which no holdout may switch off"),
    "holdout over a segment of the floor": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [segment.access_restore]",
        "segment.access_restore", "segment.access_restore belongs to the safety floor"),
    "holdout over one rule of a segment of the floor": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [segment.access_restore.soft0]",
        "segment.access_restore", "segment.access_restore.soft0 belongs to the safety floor"),
    "holdout over the risk gate": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [risk.irreversible]", "risk.irreversible",
        "risk.irreversible belongs to the safety floor"),
    "holdout over a restriction of a tool": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [tools.refund_twice]", "tools.refund",
        "tools.refund_twice belongs to the safety floor"),
    "holdout over an output check": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: [output.refuse]", "output.refuse",
        "output.refuse belongs to the safety floor"),
    "holdout of most": Mistake(
        "experiments.yaml", "share: 0.05", "share: 0.51", "share: 0.51",
        "holdouts.0.share: input should be less than or equal to 0.5"),
    "holdout of less than nobody": Mistake(
        "experiments.yaml", "share: 0.05", "share: -0.01", "share: -0.01", "holdouts.0.share: input should be greater"),
    "holdout of nothing": Mistake(
        "experiments.yaml", "without: [segment.self_serve_failed]", "without: []", "without: []",
        "holdouts.0.without: tuple should have at least 1 item"),
    "misspelt status of a holdout": Mistake(
        "experiments.yaml", "status: ready\n    share: 0.05", "status: actve\n    share: 0.05", "status: actve",
        "holdouts.0.status: input should be 'active' or 'ready'"),
    "unknown field of a holdout": Mistake(
        "experiments.yaml", "share: 0.05", "share: 0.05\n    arms: 2", "arms: 2", "holdouts.0.arms: unknown field"),
    "duplicate holdout": Mistake(
        "experiments.yaml", "- id: no_segments", "- id: no_self_serve_segment", "- id: no_self_serve_segment",
        "the id no_self_serve_segment is taken by experiments.yaml:4"),
    # invariants
    "duplicate invariant": Mistake(
        "invariants.yaml", "- id: offered_person_accepted", "- id: person_request_never_refused",
        "- id: person_request_never_refused", "the id person_request_never_refused is taken by invariants.yaml:"),
    "unknown field of an invariant": Mistake(
        "invariants.yaml", "never: {queue: [none]}", "never: {queue: [none]}\n    unless: {}", "unless: {}",
        "unless: unknown field"),
    "unknown field of a claim": Mistake(
        "invariants.yaml", "never: {queue: [none]}", "never: {queues: [none]}", "queues: [none]",
        "never.queues: unknown field"),
    "invariant with a dangling reason": Mistake(
        "invariants.yaml", "reasons: [ESC_ALWAYS_HUMAN]", "reasons: [ESC_ALWAYS_HUMN]", "ESC_ALWAYS_HUMN",
        "there is no reason code 'ESC_ALWAYS_HUMN'; did you mean 'ESC_ALWAYS_HUMAN'?"),
    "invariant with a dangling queue": Mistake(
        "invariants.yaml", "never: {queue: [none]}", "never: {queue: [nobody]}", "[nobody]",
        "there is no queue 'nobody'"),
    "invariant with a dangling flow": Mistake(
        "invariants.yaml", "never: {queue: [none]}", "never: {flow: [account_chang]}", "account_chang]",
        "there is no flow 'account_chang'; did you mean 'account_change'?"),
    "invariant with a dangling tool": Mistake(
        "invariants.yaml", "    tools: [issue_refund]\n    when: {not: {risk: {in: [low, medium]}}}",
        "    tools: [issue_refnd]\n    when: {not: {risk: {in: [low, medium]}}}", "issue_refnd",
        "there is no tool 'issue_refnd'; did you mean 'issue_refund'?"),
    "invariant with a dangling fact": Mistake(
        "invariants.yaml", "when: {unresolved_turns: {at_least: 2}}", "when: {unresolved: {at_least: 2}}",
        "unresolved:",
        "there is no fact 'unresolved'"),
    "invariant blind to no fact": Mistake(
        "invariants.yaml", "      aspects: [automation]", "      facts: [plann]\n      aspects: [automation]",
        "[plann]",
        "there is no fact 'plann'; did you mean 'plan'?"),
    "invariant blind to a fact of another stage": Mistake(
        "invariants.yaml", "      aspects: [automation]", "      facts: [findings]\n      aspects: [automation]",
        "facts: [findings]", "the fact findings does not exist at stage apply_policy"),
    "invariant blind to a family of nothing": Mistake(
        "invariants.yaml",
        "      families: [demographic, firmographic, geographic, technographic, psychographic, value]\n"
        "      aspects: [automation]", "      families: [need]\n      aspects: [automation]", "families: [need]",
        "no attribute is of these families"),
    "invariant about growth of no set": Mistake(
        "invariants.yaml", "  - id: people_are_not_spoken_over", "  - {id: x, says: x, stage: gate_risk,"
        " never_relaxed_by: {fact: need_state, members: [how_to]}}\n  - id: people_are_not_spoken_over", "{id: x,",
        "need_state is no set"),
    "invariant about growth of no fact": Mistake(
        "invariants.yaml", "  - id: people_are_not_spoken_over", "  - {id: x, says: x, stage: gate_risk,"
        " never_relaxed_by: {fact: signal, members: [ABUSE]}}\n  - id: people_are_not_spoken_over", "{id: x,",
        "there is no fact 'signal'; did you mean 'signals'?"),
    "invariant about growth at a stage without the fact": Mistake(
        "invariants.yaml", "  - id: people_are_not_spoken_over", "  - {id: x, says: x, stage: gate_risk,"
        " never_relaxed_by: {fact: findings, members: [OUT_EMPTY]}}\n  - id: people_are_not_spoken_over", "{id: x,",
        "the fact findings does not exist at stage gate_risk"),
    "invariant about growth by no member": Mistake(
        "invariants.yaml", "  - id: people_are_not_spoken_over", "  - {id: x, says: x, stage: gate_risk,"
        " never_relaxed_by: {fact: signals, members: [ABUS]}}\n  - id: people_are_not_spoken_over", "{id: x,",
        "there is no member of signals 'ABUS'; did you mean 'ABUSE'?"),
    "invariant at a stage that decides nothing": Mistake(
        "invariants.yaml", "    stage: retrieve\n    when: {clarifications",
        "    stage: reply\n    when: {clarifications",
        "stage: reply", "decisions are made at gate_risk, apply_policy, retrieve, authorize_tools, guard_output"),
    "invariant about tools elsewhere": Mistake(
        "invariants.yaml", "    when: {unresolved_turns: {at_least: 2}}",
        "    tools: [get_status]\n    when: {unresolved_turns: {at_least: 2}}", "tools: [get_status]",
        "only decisions at authorize_tools are about tools"),
    "invariant of two kinds": Mistake(
        "invariants.yaml", "never: {queue: [none]}", "never: {queue: [none]}\n    always: {queue: [general]}",
        "id: somebody_is_always_responsible", "give exactly one of always, never, unaffected_by, never_relaxed_by"),
    "invariant of no kind": Mistake(
        "invariants.yaml", "    never: {queue: [none]}\n", "", "id: somebody_is_always_responsible",
        "give exactly one of always, never, unaffected_by, never_relaxed_by"),
    "claim of nothing": Mistake(
        "invariants.yaml", "never: {queue: [none]}", "always: {obligations: []}", "always: {obligations: []}",
        "name at least one thing that the decision has"),
    # floor, shadow, hysteresis
    "misspelt status of a rule": Mistake(
        "rules/turn.yaml", "    when: {risk: critical}", "    status: shaddow\n    when: {risk: critical}", "shaddow",
        "status: input should be 'active' or 'shadow'"),
    "misspelt floor of a rule": Mistake(
        "rules/turn.yaml", "    when: {risk: critical}", "    flor: true\n    when: {risk: critical}", "flor: true",
        "flor: unknown field"),
    "floor that is neither true nor false": Mistake(
        "rules/turn.yaml", "    floor: true\n    when: {risk: critical}",
        "    floor: always\n    when: {risk: critical}",
        "floor: always", "floor: input should be a valid boolean"),
    "misspelt floor of a segment": Mistake(
        "segments/access_restore.yaml", "floor: true", "flor: true", "flor: true", "flor: unknown field"),
    "hold of less than nothing": Mistake(
        "segments/how_to.yaml", "owner:", "hold_minutes: -5\nowner:", "hold_minutes: -5",
        "hold_minutes: input should be greater than or equal to 0"),
    "hold that outlives events": Mistake(
        "segments/how_to.yaml", "owner:", "hold_minutes: 129601\nowner:", "hold_minutes: 129601",
        "hold_minutes: input should be less than or equal to 129600"),
    "shadow rule with the id of a rule after it": Mistake(
        "rules/turn.yaml", "  - id: turn.critical\n", "  - {id: turn.critical, status: shadow, stage: apply_policy,"
        " reason: ESC_CRITICAL_RISK, why: x, effect: escalate}\n  - id: turn.critical\n", "{id: turn.critical",
        "the rule id turn.critical is taken by rules/turn.yaml:"),
    "shadow rule with the id of a rule before it": Mistake(
        "rules/turn.yaml", "  - id: turn.with_person\n", "  - {id: turn.critical, status: shadow, stage: apply_policy,"
        " reason: ESC_CRITICAL_RISK, why: x, effect: escalate}\n  - id: turn.with_person\n", "{id: turn.critical",
        "the rule id turn.critical is taken by rules/turn.yaml:"),
    "shadow rule with the id of a segment's rule": Mistake(
        "rules/turn.yaml", "  - id: turn.with_person\n", "  - {id: segment.how_to, status: shadow, stage: apply_policy,"
        " reason: ESC_CRITICAL_RISK, why: x, effect: escalate}\n  - id: turn.with_person\n", "{id: segment.how_to",
        "the rule id segment.how_to is taken by segments/how_to.yaml:"),
    "shadow rule that ties with an active one": Mistake(
        "rules/turn.yaml", "  - id: turn.with_person\n", "  - {id: trial.queue, status: shadow, stage: apply_policy,"
        " reason: ESC_CRITICAL_RISK, why: x, queue: {value: accounts, precedence: 1}}\n  - id: turn.with_person\n",
        "{id: trial.queue", "queue 'accounts' ties with 'general' of turn.queue_default (rules/turn.yaml:"),
    "shadow rule without the purpose": Mistake(
        "rules/turn.yaml", "  - id: turn.with_person\n", "  - {id: trial.plan, status: shadow, stage: apply_policy,"
        " reason: ESC_CRITICAL_RISK, why: x, when: {plan: trial}, effect: escalate}\n  - id: turn.with_person\n",
        "{id: trial.plan",
        "trial.plan sets effect by the firmographic attribute plan, which lacks the purpose permission"),
    "dangling queue of a shadow rule": Mistake(
        "rules/turn.yaml", "  - id: turn.with_person\n", "  - {id: trial.queue, status: shadow, stage: apply_policy,"
        " reason: ESC_CRITICAL_RISK, why: x, queue: {value: nowhere, precedence: 2}}\n  - id: turn.with_person\n",
        "{id: trial.queue", "there is no queue 'nowhere'"),
    "scope without a purpose of reading": Mistake(
        "attributes.yaml", "    purposes: [style]\n    max_age_days: 365",
        "    purposes: [style]\n    scope_family: role\n    max_age_days: 365", "purposes: [style]",
        "answer_style: scope_family chooses what is read, which lacks the purpose"),
    # texts
    "language without texts": Mistake(
        "bundle.yaml", "languages: [en]", "languages: [en, de]", "languages: [en, de]",
        "there is no file of texts for the declared language de"),
    "customer text in no declared language": Mistake(
        "queues.yaml", "title: {en: the security team}", "title: {de: Sicherheit}", "Sicherheit",
        "security: the text is missing in en"),
    "no default next step": Mistake("handoff.yaml", "  default:", "  # default:", "next_steps", "`default` is missing"),
}  # fmt: skip

CONSEQUENCES = {"exit by an attribute counts as its use", "language without texts"}
"""Mistakes that are several at once: one purpose a dimension, one text a place."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_in_its_place_and_nothing_else_is(quick: Folder, name: str) -> None:
    """One mistake, one problem: file, line, and what to do; no other file is blamed for it."""
    mistake = MISTAKES[name]
    quick.edit(mistake.file, mistake.old, mistake.new)
    line = quick.line(mistake.file, mistake.at)
    problems = quick.problems()
    placed = [problem for problem in problems if problem.startswith(f"{mistake.file}:{line}: ")]
    assert any(mistake.message in problem for problem in placed), problems
    if name not in CONSEQUENCES:
        assert len(problems) == 1, problems


def test_the_shipped_bundle_loads(quick: Folder) -> None:
    """The copy that the other tests spoil is good."""
    assert quick.problems() == ()


@pytest.mark.parametrize(
    "file",
    ["bundle.yaml", "attributes.yaml", "queues.yaml", "handoff.yaml", "experiments.yaml", "invariants.yaml",
     "tools/get_invoice.yaml", "reasons/policy.yaml",
     "flows/access_restore.yaml", "segments/how_to.yaml", "prompts/answer.yaml", "rules/risk.yaml", "texts/en.yaml"],
)  # fmt: skip
@pytest.mark.parametrize("spoilt", ["empty", "not UTF-8", "bad YAML", "a list of words"])
def test_an_unreadable_file_is_the_only_thing_reported(quick: Folder, file: str, spoilt: str) -> None:
    """What the file would have declared is not called missing everywhere else."""
    contents = {
        "empty": b"",
        "not UTF-8": "id: é\n".encode("latin-1"),
        "bad YAML": b"id: [\n",
        "a list of words": b"- a\n",
    }
    (quick.path / file).write_bytes(contents[spoilt])
    problems = quick.problems()
    assert problems
    assert [problem for problem in problems if not problem.startswith(f"{file}:")] == []


@pytest.mark.parametrize(
    "file",
    ["bundle.yaml", "attributes.yaml", "queues.yaml", "handoff.yaml", "experiments.yaml", "invariants.yaml"],
)
def test_a_missing_file_is_named(quick: Folder, file: str) -> None:
    """The files that must exist are asked for by name."""
    (quick.path / file).unlink()
    assert quick.problems() == (f"{file}:1: this file is missing from the bundle; add it",)


@pytest.mark.parametrize("kind", ["rules", "segments", "reasons", "texts", "tools", "flows", "prompts"])
def test_a_missing_folder_is_named(quick: Folder, kind: str) -> None:
    """Each kind needs one file at least, and its absence is not blamed on what refers to it."""
    shutil.rmtree(quick.path / kind)
    assert quick.problems() == (f"{kind}/*.yaml:1: no file of the bundle matches this pattern; add one",)


def test_a_missing_bundle_says_where_to_set_it(tmp_path: Path) -> None:
    """No folder, no start."""
    with pytest.raises(ConfigError, match="set HANDRAIL_BUNDLE"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["rules/more/extra.yaml", "segments/extra.yml", "extra.yaml"])
def test_a_file_that_nothing_reads_is_a_problem(quick: Folder, file: str) -> None:
    """A rule in the wrong place must not be a rule that silently does not exist."""
    quick.add(file, "rules: []\n")
    (problem,) = quick.problems()
    assert problem.startswith(f"{file}:1: nothing reads this file")


@pytest.mark.parametrize(
    ("file", "old", "claimed"),
    [
        ("attributes.yaml", "      aspects: [automation]", "      facts: [plan]\n      aspects: [automation]"),
        ("queues.yaml", "never: {queue: [none]}", "never: {queue: [general]}"),
        ("flows/account_change.yaml", "never: {queue: [none]}", "never: {flow: [account_change]}"),
        ("flows/account_change.yaml", "{flow: none}", "{flow: account_change}"),
    ],
)
def test_an_invariant_is_not_blamed_for_an_unreadable_file(quick: Folder, file: str, old: str, claimed: str) -> None:
    """What it names may stand in the file that nobody could read."""
    quick.edit("invariants.yaml", old, claimed)
    assert quick.problems() == ()
    (quick.path / file).write_text("id: [\n", encoding="utf-8")
    (problem,) = quick.problems()
    assert problem.startswith(f"{file}:")


def test_a_holdout_is_refused_over_a_segment_that_takes_tools_away(quick: Folder) -> None:
    """The segment is no part of the floor, but what it denies is; the rule is named."""
    quick.edit("segments/how_to.yaml", "deny: []", "deny: [issue_refund]")
    (problem,) = quick.problems()
    assert problem.startswith("experiments.yaml:")
    assert "segment.how_to.deny belongs to the safety floor, which no holdout may switch off" in problem


def test_no_holdouts_at_all_are_no_mistake(quick: Folder) -> None:
    """The file says so."""
    (quick.path / "experiments.yaml").write_text("holdouts: []\n", encoding="utf-8")
    assert quick.problems() == ()
    assert load(quick.path).holdouts == ()


def test_a_shadow_rule_is_loaded_apart_from_the_others(quick: Folder) -> None:
    """It is checked like any rule, and stands among those that are not enforced; a holdout cannot name it."""
    trial = (
        "  - {id: trial.x, status: shadow, stage: apply_policy, reason: ESC_CRITICAL_RISK, why: x, when: {risk: high},"
        " effect: escalate, queue: {value: accounts, precedence: 999}}\n"
    )
    quick.edit("rules/turn.yaml", "  - id: turn.critical\n", f"{trial}  - id: turn.critical\n")
    policy = load(quick.path).policy
    assert [rule.id for rule in policy.shadows] == ["trial.x"]
    assert "trial.x" not in {rule.id for rule in policy.rules}
    quick.edit("experiments.yaml", "without: [segment.self_serve_failed]", "without: [trial.x]")
    (problem,) = quick.problems()
    assert "there is no active rule or segment 'trial.x'" in problem


def test_policy_tests_are_no_part_of_the_policy(quick: Folder) -> None:
    """Tests stand beside the policy and change neither it nor its revision."""
    before = load(quick.path).revision
    quick.add("tests/billing.yaml", "- anything\n")
    assert load(quick.path).revision == before


@pytest.mark.parametrize(
    ("kind", "name"), [("segments", "how_to"), ("tools", "get_status"), ("flows", "access_restore")]
)
def test_a_second_file_with_the_same_id_is_a_problem(quick: Folder, kind: str, name: str) -> None:
    """The later file is told who has the id, and what follows from it is not reported again."""
    shutil.copy(quick.path / kind / f"{name}.yaml", quick.path / kind / "zz_copy.yaml")
    (problem,) = quick.problems()
    assert re.match(rf"{kind}/zz_copy.yaml:\d+: the id {name} is taken by {kind}/{name}.yaml:\d+", problem)


def test_a_cycle_in_a_flow_is_a_problem(quick: Folder) -> None:
    """A flow that leads back to an earlier step is named with the step."""
    quick.edit("flows/self_serve_failed.yaml", "next: already_tried", "next: symptom")
    problems = quick.problems()
    assert any("'symptom' leads back to 'symptom'; flows have no cycles" in problem for problem in problems), problems
    assert all(problem.startswith("flows/self_serve_failed.yaml:") for problem in problems)


def test_a_text_of_one_language_only_is_a_problem(quick: Folder) -> None:
    """Every text exists in every language that has a file."""
    quick.add("texts/de.yaml", "language: de\ntexts:\n  disclosure: Ich bin ein Automat.\n")
    problems = quick.problems()
    assert "texts/de.yaml:2: the text safe_reply is missing in de" in problems
    assert all(problem.startswith("texts/de.yaml:2: ") for problem in problems)


def test_detection_and_output_join_in(folder: Folder) -> None:
    """Problems of the parts with their own loaders come with the others, seen from the bundle folder."""
    folder.edit("detection/signals/resolved.yaml", "threshold: 0.75", "threshold: high")
    folder.add("output/people.yaml", "colour: red\n")
    folder.edit("bundle.yaml", "prompt: answer", "prompt: anser")
    problems = folder.problems()
    places = [re.match(r"[a-z/]+\.yaml:\d+: ", problem) for problem in problems]
    assert all(places), problems
    assert {problem.split(":")[0] for problem in problems} == {
        "bundle.yaml",
        "detection/signals/resolved.yaml",
        "output/people.yaml",
    }


def test_everything_wrong_is_reported_at_once(quick: Folder) -> None:
    """Shape, reference, purpose and YAML mistakes in six files come together, in order of file and line."""
    names = ("unknown field of a tool", "dangling queue of a rule", "duplicate key", "value used for risk",
             "precedence tie", "dangling prompt")  # fmt: skip
    for name in names:
        quick.edit(MISTAKES[name].file, MISTAKES[name].old, MISTAKES[name].new)
    problems = quick.problems()
    assert [problem.split(":")[0] for problem in problems] == sorted(MISTAKES[name].file for name in names)


def test_the_revision_follows_the_content_and_nothing_else(folder: Folder, tmp_path: Path) -> None:
    """Any change of any part gives another revision; a copy made in another order gives the same."""
    first = load(folder.path).revision
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    other = tmp_path / "other"
    for path in sorted(folder.path.rglob("*.yaml"), reverse=True):
        target = other / path.relative_to(folder.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    assert load(other).revision == first
    seen = {first}
    for file in ("rules/turn.yaml", "detection/languages.yaml", "output/people.yaml", "prompts/answer.yaml"):
        folder.add(file, "\n# changed\n")
        seen.add(load(folder.path).revision)
    (folder.path / "rules/turn.yaml").rename(folder.path / "rules/turns.yaml")
    seen.add(load(folder.path).revision)
    assert len(seen) == 6


def test_every_decision_carries_the_revision(quick: Folder) -> None:
    """The policy set is built with the revision of its bundle."""
    bundle = load(quick.path)
    assert bundle.policy.revision == bundle.revision
