"""A reply in OpenAI's chat-completions format, whole or as a stream of server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import JsonValue

from handrail.evals.standins.script import AskedCall, Reply

PIECE = 24
"""Characters of text per chunk."""

DONE = b"data: [DONE]\n\n"
_CREATED = 1_767_225_600  # 1 January 2026: answers do not depend on the clock


def whole(reply: Reply, model: str) -> bytes:
    """The answer as one JSON body."""
    message: dict[str, JsonValue] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [_call(index, call) for index, call in enumerate(reply.calls)]
    choice: JsonValue = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    return json.dumps({**_head(model, "chat.completion"), "choices": [choice], "usage": _usage(reply)}).encode()


def chunks(reply: Reply, model: str) -> Iterator[bytes]:
    """The answer as events, without the closing `[DONE]`."""
    yield _event(model, {"role": "assistant", "content": ""})
    step = PIECE if len(reply.text) < 100_000 else 65_536
    for start in range(0, len(reply.text), step):
        yield _event(model, {"content": reply.text[start : start + step]})
    for index, call in enumerate(reply.calls):
        # Endpoints send the name first and the arguments in pieces.
        half = len(call.arguments) // 2
        first = _call(index, AskedCall(call.name, call.arguments[:half]))
        yield _event(model, {"tool_calls": [{**first, "index": index}]})
        yield _event(model, {"tool_calls": [{"index": index, "function": {"arguments": call.arguments[half:]}}]})
    yield _event(model, {}, _finish(reply))


def error(status: int, kind: str, message: str) -> bytes:
    """An error body as OpenAI writes it."""
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": str(status)}}).encode()


def _event(model: str, delta: dict[str, JsonValue], finish: str | None = None) -> bytes:
    choice: JsonValue = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({**_head(model, "chat.completion.chunk"), "choices": [choice]}).encode() + b"\n\n"


def _head(model: str, kind: str) -> dict[str, JsonValue]:
    return {"id": "chatcmpl-standin", "object": kind, "created": _CREATED, "model": model}


def _call(index: int, call: AskedCall) -> dict[str, JsonValue]:
    function: JsonValue = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{index}", "type": "function", "function": function}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _usage(reply: Reply) -> JsonValue:
    written = len(reply.text.split())
    return {"prompt_tokens": 0, "completion_tokens": written, "total_tokens": written}
