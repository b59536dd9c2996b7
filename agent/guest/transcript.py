"""The conversation that an application sends with every request, taken apart into what is whose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from handrail.agent.after import ATTESTED
from handrail.agent.guest.attested import Attested, Said
from handrail.agent.guest.guest import plain
from handrail.guardrails.vocabulary import Role, ToolCall, ToolOutcome, ToolResult

LONGEST = 250_000
"""Characters of the newest messages that are read, from a user's message on. What lies before is left out."""

UNKNOWN = "unknown"
"""The tool of a result that answers no call."""

_DOCUMENT = re.compile(r"<document\b[^>]*>(.*?)(?:</document>|\Z)", re.DOTALL | re.IGNORECASE)


class Sent(BaseModel):
    """Base of what applications send: fields that nobody reads are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Function(Sent):
    """A call as it stands on the wire; `arguments` is JSON in a text."""

    name: str
    arguments: str = "{}"


class Call(Sent):
    """A call that the model proposed before."""

    id: str = ""
    type: str = "function"
    function: Function

    @property
    def made(self) -> ToolCall | None:
        """The call that was proposed; None when its arguments are none."""
        arguments = plain(self.function.arguments)
        if not isinstance(arguments, dict):
            return None
        return ToolCall(call_id=self.id, tool=self.function.name, arguments=arguments)


class Written(Sent):
    """One message. `content` is a text, or a list of parts of which only texts are read."""

    role: str
    content: JsonValue = None
    tool_calls: tuple[Call, ...] | None = None
    tool_call_id: str | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The texts of the message in order, each ours to believe or not."""
        told = self.content if isinstance(self.content, list) else [self.content]
        return tuple(part for piece in told for part in _parts(piece, trusted=self.role not in ("tool", "function")))

    @property
    def words(self) -> str:
        """What the one who wrote it said, without the documents that were put in."""
        return "\n".join(part.text for part in self.parts if part.trusted).strip()

    @property
    def size(self) -> int:
        """Characters."""
        return sum(len(part.text) for part in self.parts)


class Part(Sent):
    """A text; `trusted` says that it is the words of whoever wrote the message."""

    text: str
    trusted: bool


def _parts(piece: JsonValue, *, trusted: bool) -> Iterator[Part]:
    """Documents are told by `<document>` tags, or by a part that says `"untrusted": true` of itself."""
    if isinstance(piece, dict):
        text, marked = piece.get("text"), piece.get("untrusted") is True
        if isinstance(text, str):
            yield from _parts(text, trusted=trusted) if not marked else [Part(text=text, trusted=False)]
        return
    if not isinstance(piece, str):
        return
    at = 0
    for found in _DOCUMENT.finditer(piece) if trusted else ():
        if piece[at : found.start()].strip():
            yield Part(text=piece[at : found.start()], trusted=trusted)
        yield Part(text=found[1], trusted=False)
        at = found.end()
    if piece[at:].strip() or not at:
        yield Part(text=piece[at:], trusted=trusted)


class Reported(Sent):
    """What the message at `place` tells of a call; `new` when the customer has said nothing since the call."""

    place: int
    result: ToolResult
    new: bool


class Transcript(BaseModel):
    """The whole conversation, as attested."""

    model_config = ConfigDict(frozen=True)

    messages: tuple[Written, ...]

    @classmethod
    def of(cls, sent: Sequence[Written]) -> Transcript:
        """Instructions, and the newest messages that are short enough together."""
        told = [one for one in sent if not _instructs(one)]
        size, first = 0, len(told)
        for place in range(len(told) - 1, -1, -1):
            size += told[place].size
            if size > LONGEST and first < len(told):
                break
            if told[place].role == "user":
                first = place
        return cls(messages=(*(one for one in sent if _instructs(one)), *told[first:]))

    @property
    def newest(self) -> int | None:
        """The place of the customer's newest message; None without one."""
        return next((at for at in range(len(self.messages) - 1, -1, -1) if self.messages[at].role == "user"), None)

    @property
    def continues(self) -> bool:
        """Whether it ends with results of calls, and the customer has said nothing new."""
        return self.messages[-1].role == "tool"

    @property
    def instructions(self) -> str:
        """What the application tells the model to be."""
        return "\n".join(one.words for one in self.messages if _instructs(one))

    @property
    def attested(self) -> Attested:
        """What was said before the customer's newest message."""
        roles = {"user": Role.CUSTOMER, "assistant": Role.BOT}
        before = self.messages[: self.newest]
        said = (Said(role=roles[one.role], text=one.words) for one in before if one.role in roles and one.words)
        return Attested(history=tuple(said))

    @property
    def reported(self) -> tuple[Reported, ...]:
        """What the application's calls came to, as it tells, oldest first."""
        newest = self.newest or 0
        found: list[Reported] = []
        # Endpoints use ids again from message to message: a result is that of the latest call of its id.
        calls: dict[str, ToolCall | None] = {}
        since: set[str] = set()
        for place, one in enumerate(self.messages):
            for call in one.tool_calls or ():
                calls[call.id] = call.made
                since |= {call.id} if place >= newest else set()
            if one.role != "tool":
                continue
            made = calls.get(one.tool_call_id or "")
            result = ToolResult(
                call=made or ToolCall(call_id=one.tool_call_id or "", tool=UNKNOWN, arguments={}),
                outcome=ToolOutcome.SUCCEEDED,
                content=plain("\n".join(part.text for part in one.parts)),
                reasons=(ATTESTED,),
            )
            new = made is not None and made.call_id in since and place >= newest
            found.append(Reported(place=place, result=result, new=new))
        return tuple(found)

    @property
    def rounds(self) -> int:
        """How often the model has asked for calls since the customer's newest message."""
        return sum(bool(one.tool_calls) for one in self.messages[(self.newest or 0) :])

    def fingerprint(self) -> str:
        """The same for the same conversation."""
        return json.dumps([one.model_dump(mode="json") for one in self.messages], sort_keys=True)


def _instructs(one: Written) -> bool:
    return one.role in ("system", "developer")
