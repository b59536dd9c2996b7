"""Reads what a chat-completions endpoint sends, within limits; everything unexpected is `Unusable`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from handrail.agent.ports import Listener, PortError
from handrail.guardrails.vocabulary import ToolCall

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a response that are read; 64 KiB of text in single-token chunks stay below it."""

MAX_TEXT = 64 * 1024
"""Characters of an answer."""

MAX_CALLS = 16
"""Tool calls of an answer."""

MAX_ARGUMENTS = 32 * 1024
"""Characters of the arguments of one call."""


class Unusable(PortError):
    """An answer that is broken in a way that another attempt may mend."""


class TooLarge(PortError):
    """An answer beyond a limit. Asking again would bring another one."""


class _Function(BaseModel):
    name: str | None = None
    arguments: str | None = None


class _Call(BaseModel):
    index: int | None = None
    function: _Function = _Function()


class _Delta(BaseModel):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(BaseModel):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Body(BaseModel):
    """One chunk of a stream, or a whole answer."""

    choices: list[_Choice] = []
    error: JsonValue = None


@dataclass(slots=True)
class _Asked:
    """A tool call as its pieces come in."""

    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Answer:
    """An answer that is being read."""

    text: str = ""
    finish: str | None = None
    _asked: dict[int, _Asked] = field(default_factory=dict)

    def take(self, body: str) -> None:
        """Add one chunk of a stream, or a whole answer, as JSON."""
        read = _parsed(_Body, body)
        if read.error is not None:
            raise Unusable("the model endpoint reported an error inside its answer")
        for choice in read.choices[:1]:
            self._add(choice.delta or choice.message or _Delta())
            self.finish = choice.finish_reason or self.finish

    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in the order in which the model made them."""
        return tuple(
            ToolCall(call_id=f"model-{position}", tool=asked.name, arguments=_arguments(asked))
            for position, (_, asked) in enumerate(sorted(self._asked.items()), 1)
        )

    def _add(self, delta: _Delta) -> None:
        self.text += delta.content or ""
        if len(self.text) > MAX_TEXT:
            raise TooLarge(f"the model's answer is longer than {MAX_TEXT} characters")
        for position, piece in enumerate(delta.tool_calls or ()):
            asked = self._asked.setdefault(piece.index if piece.index is not None else position, _Asked())
            asked.name += piece.function.name or ""
            asked.arguments += piece.function.arguments or ""
            if len(self._asked) > MAX_CALLS:
                raise TooLarge(f"the model asked for more than {MAX_CALLS} tool calls at once")
            if len(asked.arguments) > MAX_ARGUMENTS:
                raise TooLarge(f"the model wrote arguments longer than {MAX_ARGUMENTS} characters")


async def read_answer(pieces: AsyncIterator[bytes], *, streamed: bool, listener: Listener | None = None) -> Answer:
    """The whole answer. Half a stream, nonsense and an empty answer are Unusable; one beyond a limit is TooLarge.

    `listener` hears the text of a stream as it comes; what a stream is broken by is found later.
    """
    answer = Answer()
    if streamed:
        async for event in _events(_bounded(pieces)):
            if event == "[DONE]":
                break
            before = len(answer.text)
            answer.take(event)
            if listener is not None and len(answer.text) > before:
                listener.hear(answer.text[before:])
    else:
        answer.take((b"".join([piece async for piece in _bounded(pieces)])).decode("utf-8", "replace"))
    if answer.finish is None:
        raise Unusable("the model's answer ended in the middle")
    if answer.finish in {"length", "content_filter"}:
        raise Unusable(f"the model's answer was cut off ({answer.finish})")
    if not answer.text.strip() and not answer.calls():
        raise Unusable("the model answered with nothing")
    return answer


async def _bounded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > MAX_BODY:
            raise TooLarge(f"the model's answer is larger than {MAX_BODY} bytes")
        yield piece


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The contents of server-sent events (WHATWG HTML, section 9.2), each on one line as this protocol writes them."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode("utf-8", "replace")


def _arguments(asked: _Asked) -> dict[str, JsonValue]:
    if not asked.name:
        raise Unusable("the model asked for a tool without naming it")
    try:
        arguments = json.loads(asked.arguments or "{}")
    except (ValueError, RecursionError):
        raise Unusable(f"the model's arguments for {asked.name[:60]!r} are not JSON") from None
    if not isinstance(arguments, dict):
        raise Unusable(f"the model's arguments for {asked.name[:60]!r} are not an object")
    return arguments


ModelT = TypeVar("ModelT", bound=BaseModel)


def _parsed(model: type[ModelT], body: str) -> ModelT:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        # `from None`: the error would repeat what the endpoint sent.
        raise Unusable("the model endpoint sent something that is no chat completion") from None
