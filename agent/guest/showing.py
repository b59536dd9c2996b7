"""An application's conversation as the model behind the proxy reads it: screened, delimited, minimised and masked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pydantic import JsonValue

from handrail.agent.guest.guest import plain
from handrail.agent.guest.transcript import Part, Reported, Transcript, Written
from handrail.agent.models.blocks import MAX_RESULT, block
from handrail.agent.ports import Detectors
from handrail.agent.screening import Screened, orders_in, screened, without_content
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.masking import mask, mask_json
from handrail.guardrails.gate.results import shown, veiled
from handrail.guardrails.scope import Retrieved
from handrail.guardrails.vocabulary import Passage

SCREENED = 60_000
"""Characters of untrusted text that are looked through for one request, the newest first; older ones are not shown."""

TOO_OLD = "[withheld: too far back to be looked through]"
ORDERS = "[withheld: this text reads like an instruction to the assistant]"


class Shown:
    """What the model reads, the documents in it, and results of calls since the customer's newest message."""

    def __init__(
        self, messages: tuple[dict[str, JsonValue], ...], documents: Retrieved | None, results: tuple[Screened, ...]
    ) -> None:
        self.messages = messages
        self.documents = documents
        self.results = results


@dataclass(slots=True)
class Showing:
    """Puts one conversation together for the model. Costs CPU.

    `left` is how many more characters of untrusted text are looked through.
    """

    bundle: Bundle
    detectors: Detectors
    kinds: frozenset[str]
    left: int = SCREENED
    _documents: list[str] = field(default_factory=list)
    _results: list[Screened] = field(default_factory=list)

    def shown(self, transcript: Transcript) -> Shown:
        """The messages for the model."""
        reported = {one.place: one for one in transcript.reported}
        told = [self._message(one, reported.get(place)) for place, one in reversed([*enumerate(transcript.messages)])]
        return Shown(tuple(reversed(told)), self._found(), tuple(reversed(self._results)))

    def _message(self, one: Written, reported: Reported | None) -> dict[str, JsonValue]:
        if reported is not None:
            return {"role": "tool", "tool_call_id": one.tool_call_id, "content": self._result(reported)}
        texts = [self._text(part) for part in reversed(one.parts)]
        message: dict[str, JsonValue] = {"role": one.role, "content": "\n\n".join(reversed(texts))}
        if one.tool_calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.function.name, "arguments": self._arguments(call.function.arguments)},
                }
                for call in one.tool_calls
            ]
        return message

    def _text(self, part: Part) -> str:
        if part.trusted:
            return mask(part.text, self.kinds)
        if not self._reaches(len(part.text)):
            return block("document", "put in by the application", TOO_OLD)
        if orders_in(part.text, self.detectors):
            return block("document", "put in by the application", ORDERS)
        self._documents.append(part.text)
        return block("document", "put in by the application", mask(part.text, self.kinds))

    def _result(self, reported: Reported) -> str:
        told, spec = reported.result, self.bundle.tools.get(reported.result.call.tool)
        declared = None if spec is None else shown(spec, told.content)
        near = declared is None or self._reaches(len(json.dumps(declared, ensure_ascii=False)))
        found = screened(told, spec, self.detectors) if near else Screened(result=without_content(told))
        if reported.new:
            self._results.append(found)
        content = found.result.content if near else TOO_OLD
        labelled = mask_json(content if spec is None else veiled(spec, content), self.kinds)
        text = json.dumps(labelled, ensure_ascii=False, sort_keys=True)[:MAX_RESULT]
        # Whether it succeeded is the application's word: the model is told why it reads nothing, and no outcome.
        return f"reasons: {', '.join(found.result.reasons)}\n{block('tool result', told.call.tool, text)}"

    def _reaches(self, characters: int) -> bool:
        """Whether so many more characters are looked through."""
        self.left -= characters
        return self.left >= 0

    def _arguments(self, text: str) -> str:
        found = plain(text)
        return json.dumps(mask_json(found, self.kinds)) if isinstance(found, dict) else "{}"

    def _found(self) -> Retrieved | None:
        """The documents as passages of the turn, on which a reply may rest."""
        passages = tuple(
            Passage(
                passage_id=f"attested-{number}",
                doc_id=f"attested-{number}",
                title="Document of the application",
                heading="",
                text=text,
                score=1.0,
                authority="standard",
                product_area="application",
            )
            for number, text in enumerate(self._documents, 1)
        )
        if not passages:
            return None
        count = len(passages)
        return Retrieved(passages=passages, good=count, eligible_documents=count, excluded={}, revision="attested")
