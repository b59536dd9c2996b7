"""An application's conversation as the model behind the proxy reads it: screened, delimited, minimised and masked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pydantic import JsonValue

from handrail.agent.guest.guest import plain
from handrail.agent.guest.screening import WITHHELD, screened
from handrail.agent.guest.transcript import Part, Transcript, Written
from handrail.agent.models.blocks import MAX_RESULT, block
from handrail.agent.ports import Screen
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.masking import mask, mask_json
from handrail.guardrails.gate.results import shown
from handrail.guardrails.scope import Retrieved
from handrail.guardrails.vocabulary import Passage

SCREENED = 60_000
"""Characters of untrusted text that are looked through for one request, the newest first; older ones are not shown."""

TOO_OLD = "[withheld: too far back to be looked through]"


class Shown:
    """What the model reads, and the documents in it."""

    def __init__(self, messages: tuple[dict[str, JsonValue], ...], documents: Retrieved | None) -> None:
        self.messages = messages
        self.documents = documents


@dataclass(slots=True)
class Showing:
    """Puts one conversation together for the model. Costs CPU.

    `left` is how many more characters of untrusted text are looked through.
    """

    bundle: Bundle
    screen: Screen
    kinds: frozenset[str]
    left: int = SCREENED
    _documents: list[str] = field(default_factory=list)

    def shown(self, transcript: Transcript) -> Shown:
        """The messages for the model."""
        tools = {call.id: call.function.name for one in transcript.messages for call in one.tool_calls or ()}
        told = [self._message(one, tools) for one in reversed(transcript.messages)]
        return Shown(tuple(reversed(told)), self._found())

    def _message(self, one: Written, tools: dict[str, str]) -> dict[str, JsonValue]:
        if one.role == "tool":
            tool = tools.get(one.tool_call_id or "", "unknown")
            return {"role": "tool", "tool_call_id": one.tool_call_id, "content": self._result(one, tool)}
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
        clean = self._clean(part.text)
        text = clean if isinstance(clean, str) else json.dumps(clean, ensure_ascii=False)
        if text not in (WITHHELD, TOO_OLD):
            self._documents.append(text)
        return block("document", "put in by the application", mask(text, self.kinds))

    def _result(self, one: Written, tool: str) -> str:
        content = plain("\n".join(part.text for part in one.parts))
        spec = self.bundle.tools.get(tool)
        seen = content if spec is None or isinstance(content, str) else shown(spec, content)
        told = mask_json(self._clean(seen), self.kinds)
        return block("tool result", tool, json.dumps(told, ensure_ascii=False, sort_keys=True)[:MAX_RESULT])

    def _clean(self, content: JsonValue) -> JsonValue:
        self.left -= len(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
        return TOO_OLD if self.left < 0 else screened(content, self.screen)

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
