"""Which fields of a bundle's files refer to what the bundle declares, and what fields ask of one another."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.evals.policy.schema_conditions import Schema, by_stage, condition_at, ref
from handrail.guardrails.vocabulary import Stage

_AT_SEGMENTS = condition_at(Stage.ASSIGN_SEGMENTS)

REFERENCES: Mapping[str, str] = {
    # The definition that takes the place of what the model says of a field, or of each entry of a list.
    "Attribute.waive": "waivers",
    "RuleEntry.waive": "waivers",
    "SegmentEntry.waive": "waivers",
    "Outcome.queue": "queue_choice",
    "Outcome.flow": "flow_choice",
    "Outcome.skills": "skill",
    "Outcome.commitments": "commitment_id",
    "Outcome.scope": "scope",
    "RuleEntry.stage": "deciding_stage",
    "RuleEntry.reason": "reason_code",
    "RuleEntry.tools": "tool_id",
    "RuleEntry.when": "condition",
    "SegmentEntry.reason": "reason_code",
    "SegmentEntry.entry": _AT_SEGMENTS,
    "SegmentEntry.exit": _AT_SEGMENTS,
    "SegmentEntry.metrics": "metric",
    "Actions.allow": "tool_id",
    "Actions.deny": "tool_id",
    "Trigger.reason": "reason_code",
    "Trigger.when": condition_at(Stage.APPLY_POLICY),
    "Window.count": "event_kind",
    "AmountWindow.tools": "tool_id",
    "Ending.of": "event_or_opening",
    "Queue.skills": "skill",
    "CommitmentEntry.texts": "text_by_language",
    "HandoffFile.next_steps": "next_steps",
    "TextsFile.language": "language",
    "TextsFile.texts": "fixed_texts",
    "HoldoutEntry.without": "rule_or_segment",
    "InvariantEntry.stage": "deciding_stage",
    "InvariantEntry.tools": "tool_id",
    "InvariantEntry.when": "condition",
    "Claim.reasons": "reason_code",
    "Claim.queue": "queue_or_none",
    "Claim.flow": "flow_or_none",
    "Claim.scope": "scope",
    "Blindness.facts": "fact_name",
    "Growth.fact": "fact_of_set",
    "Manifest.default_queue": "queue_id",
    "Manifest.prompt": "prompt_id",
    "HandOff.reason": "reason_code",
    "Propose.tool": "tool_id",
    "Option.intents": "intent_id",
    "SignalSpec.code": "reason_code",
    "SignalSpec.implies": "intent_id",
    "SignalSpec.same_as": "intent_id",
    "SignalSpec.unclear": "intent_id",
    "Pattern.order": "word_class",
    "Pattern.not_between": "word_class",
    "Pattern.harmless": "word_class",
    "FeedbackFile.guidance": "guidance",
    "CasesFile.base": "facts_given",
    "Case.facts": "facts_given",
    "Case.earlier": "earlier",
    "Case.ages": "ages",
    "Case.tool": "tool_id",
    "PastEvent.kind": "event_known",
    "PastEvent.intent": "intent_id",
    "PastCall.tool": "tool_id",
    "Members.inside": "segment_id",
    "Members.outside": "segment_id",
    "Expected.reasons": "reason_code",
    "Expected.reasons_not": "reason_code",
    "Expected.rules": "rule_id",
    "Expected.queue": "queue_or_none",
    "Expected.flow": "flow_or_none",
    "Expected.commitments": "commitment_id",
    "Expected.commitments_not": "commitment_id",
    "Expected.scope": "scope",
    "Expected.scope_not": "scope",
}


def _exactly_one(*fields: str) -> Schema:
    return {"oneOf": [{"required": [field]} for field in fields]}


def _needs(field: str, value: str, wanted: Schema) -> Schema:
    """Where `field` is `value`, `wanted` holds too."""
    return {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": wanted}


_SAYS_SOMETHING: Schema = {"minProperties": 1}

CONDITIONS: Mapping[str, tuple[Schema, ...]] = {
    # What the validators of the models and the compiler ask of several fields together.
    "RuleEntry": (
        by_stage(),
        _needs("effect", "not_yet", {"required": ["obligations"], "properties": {"obligations": {"minItems": 1}}}),
    ),
    "InvariantEntry": (by_stage(), _exactly_one("always", "never", "unaffected_by", "never_relaxed_by")),
    "Claim": (_SAYS_SOMETHING,),
    "Blindness": ({"anyOf": [{"required": ["families"]}, {"required": ["facts"]}]},),
    "Growth": (ref("growth"),),
    "FieldSpec": (
        _needs("extract", "choice", {"required": ["options"]}),
        _needs("extract", "pattern", {"required": ["pattern"]}),
    ),
    "CallFact": (
        _needs("type", "enum", {"required": ["values"]}),
        _needs("type", "money", {"required": ["currency"]}),
    ),
    "ToolSpec": (_needs("access", "write", {"required": ["question", "done"]}),),
    "Expected": (_SAYS_SOMETHING,),
    "Expectations": (_SAYS_SOMETHING,),
    "Case": (
        {
            "if": {"properties": {"expect": {"required": ["authorize_tools"]}}, "required": ["expect"]},
            "then": {"required": ["tool"]},
        },
    ),
}
