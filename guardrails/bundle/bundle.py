"""The loaded bundle: everything policy says, validated, immutable, with its revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handrail.guardrails.bundle.invariants import Invariant
from handrail.guardrails.bundle.sections import (
    AmountWindow,
    Attribute,
    CommitmentEntry,
    EventKind,
    HoldoutEntry,
    Manifest,
    Queue,
    ReasonEntry,
    SegmentEntry,
    Window,
)
from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.opinion_prompt import OpinionTemplate
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.policy.facts import FactSpec
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.prompts import PromptTemplate
from handrail.guardrails.segments import Segment
from handrail.guardrails.toolspec import ToolSpec


@dataclass(frozen=True, slots=True)
class Bundle:
    """What `load` returns. `revision` is the first 16 hex digits of a SHA-256 over every file's path and content.

    `places` says where things stand, as file:line by "kind:id", such as "segment:how_to" or "text:en:resolved";
    `waivers` which findings of lint are meant to be so, and why, by the same names. Without an `opinion` no second
    opinion can be asked for.
    """

    manifest: Manifest
    revision: str
    attributes: Mapping[str, Attribute]
    events: Mapping[str, EventKind]
    windows: tuple[Window, ...]
    amounts: tuple[AmountWindow, ...]
    holdouts: tuple[HoldoutEntry, ...]
    invariants: tuple[Invariant, ...]
    commitments: Mapping[str, CommitmentEntry]
    facts: Mapping[str, FactSpec]
    segments: tuple[Segment, ...]
    entries: Mapping[str, SegmentEntry]
    policy: PolicySet
    queues: Mapping[str, Queue]
    reasons: Mapping[str, ReasonEntry]
    texts: Mapping[str, Mapping[str, str]]
    flows: Mapping[str, FlowSpec]
    tools: Mapping[str, ToolSpec]
    prompts: Mapping[str, PromptTemplate]
    opinion: OpinionTemplate | None
    detection: DetectionConfig
    wording: Wording
    next_steps: Mapping[str, str]
    places: Mapping[str, str]
    waivers: Mapping[str, Mapping[str, str]]

    def text(self, key: str, language: str | None, **values: str) -> str:
        """The fixed customer text `key`, filled with `values`, in `language` or else the first declared one."""
        chosen = self.texts.get(language or "", self.texts[self.manifest.languages[0]])
        return chosen[key].format_map(values)

    def customer_text(self, code: str, language: str | None) -> str:
        """The customer-safe words of a reason code."""
        words = self.reasons[code].customer
        return words.get(language or "", words[self.manifest.languages[0]])
