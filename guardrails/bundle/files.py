"""The files of a bundle, parsed."""

from __future__ import annotations

from dataclasses import dataclass

from handrail.guardrails.bundle.claims import InvariantsFile
from handrail.guardrails.bundle.reading import Parsed
from handrail.guardrails.bundle.sections import (
    AllowedCommitmentsFile,
    AttributesFile,
    ExperimentsFile,
    HandoffFile,
    Manifest,
    QueuesFile,
    ReasonsFile,
    RulesFile,
    SegmentEntry,
    TextsFile,
)
from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.flows.model import FlowSpec
from handrail.guardrails.opinion_prompt import OpinionTemplate
from handrail.guardrails.output.wording import Wording
from handrail.guardrails.prompts import PromptTemplate
from handrail.guardrails.toolspec import ToolSpec


@dataclass(frozen=True, slots=True)
class Files:
    """Everything the folder holds, parsed; what could not be parsed is missing here and stands among the problems."""

    manifest: Parsed[Manifest] | None
    attributes: Parsed[AttributesFile] | None
    queues: Parsed[QueuesFile] | None
    handoff: Parsed[HandoffFile] | None
    experiments: Parsed[ExperimentsFile] | None
    invariants: Parsed[InvariantsFile] | None
    commitments: Parsed[AllowedCommitmentsFile] | None
    segments: tuple[Parsed[SegmentEntry], ...]
    rules: tuple[Parsed[RulesFile], ...]
    reasons: tuple[Parsed[ReasonsFile], ...]
    texts: tuple[Parsed[TextsFile], ...]
    tools: tuple[Parsed[ToolSpec], ...]
    flows: tuple[Parsed[FlowSpec], ...]
    prompts: tuple[Parsed[PromptTemplate], ...]
    opinion: Parsed[OpinionTemplate] | None
    wording: Wording | None
    detection: DetectionConfig | None

    @property
    def languages(self) -> tuple[str, ...]:
        """The declared languages, or those that have texts when the manifest could not be read."""
        if self.manifest is None:
            return tuple(sorted({one.content.language for one in self.texts}))
        return self.manifest.content.languages
