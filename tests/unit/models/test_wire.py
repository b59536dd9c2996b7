"""Reading what an endpoint sends: limits, gaps and nonsense."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.agent.models.wire import MAX_BODY, MAX_CALLS, MAX_TEXT, Answer, TooLarge, Unusable, read_answer
from handrail.agent.ports import PortError


async def sent(*pieces: bytes) -> AsyncIterator[bytes]:
    """A response body in pieces."""
    for piece in pieces:
        yield piece


def chunk(delta: object, finish: str | None = None) -> bytes:
    """One event of a stream."""
    return (
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"
    )


async def streamed(*pieces: bytes) -> Answer:
    """The answer of a stream."""
    return await read_answer(sent(*pieces), streamed=True)


async def test_a_stream_is_put_together_across_any_cut() -> None:
    """Pieces may end anywhere, comments and usage chunks are passed over, and a carriage return does no harm."""
    whole = b": ping\r\n\r\n" + chunk({"content": "Héllo "}) + chunk({"content": "there"}) + chunk({}, "stop")
    whole += b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\ndata: [DONE]\n\n'
    answer = await streamed(*(whole[index : index + 1] for index in range(len(whole))))
    assert (answer.text, answer.calls()) == ("Héllo there", ())


async def test_calls_are_put_together_by_their_index() -> None:
    """Two calls whose pieces come interleaved stay apart; ids are ours."""
    answer = await streamed(
        chunk({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "one", "arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "x", "function": {"name": "two", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}, "tool_calls"),
    )
    assert [(call.call_id, call.tool, call.arguments) for call in answer.calls()] == [
        ("model-1", "one", {"a": 1}),
        ("model-2", "two", {}),
    ]


async def test_an_answer_sent_whole_is_read_as_well() -> None:
    """Servers that ignore `stream` send one JSON body."""
    body = {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
    assert (await read_answer(sent(json.dumps(body).encode()), streamed=False)).text == "Hello"


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ((chunk({"content": "half"}),), "ended in the middle"),
        ((chunk({"content": "half"}), b"data: [DONE]\n\n"), "ended in the middle"),
        ((chunk({"content": "cut"}, "length"),), "cut off"),
        ((chunk({"content": "cut"}, "content_filter"),), "cut off"),
        ((chunk({"content": "  "}, "stop"),), "nothing"),
        ((b"data: {broken\n\n",), "no chat completion"),
        ((b"data: [1, 2]\n\n",), "no chat completion"),
        ((b'data: {"choices": [{"delta": {"content": 5}}]}\n\n',), "no chat completion"),
        ((b'data: {"error": {"message": "no"}}\n\n',), "reported an error"),
        ((b"<html></html>",), "ended in the middle"),
        ((chunk({"tool_calls": [{"function": {"name": "a", "arguments": "[1]"}}]}, "stop"),), "not an object"),
        ((chunk({"tool_calls": [{"function": {"name": "a", "arguments": "{"}}]}, "stop"),), "not JSON"),
        ((chunk({"tool_calls": [{"function": {"arguments": "{}"}}]}, "stop"),), "without naming it"),
        ((chunk({"tool_calls": [{"function": {"name": "a", "arguments": "[" * 30_000}}]}, "stop"),), "not JSON"),
    ],
)
async def test_broken_answers_are_unusable(pieces: tuple[bytes, ...], message: str) -> None:
    """Each kind of break has a sentence of its own, and another attempt may mend it."""
    with pytest.raises(Unusable, match=message):
        await streamed(*pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        (chunk({"content": "x" * (MAX_TEXT + 1)}, "stop"),),
        tuple(chunk({"content": "x" * 1000}) for _ in range(70)),
        (chunk({"tool_calls": [{"index": n, "function": {"name": "a"}} for n in range(MAX_CALLS + 1)]}),),
        (chunk({"tool_calls": [{"function": {"name": "a", "arguments": "x" * 40_000}}]}),),
        (b"data: " + b"x" * 65_536,) * (MAX_BODY // 65_536 + 1),
    ],
)
async def test_answers_beyond_a_limit_are_broken_off(pieces: tuple[bytes, ...]) -> None:
    """Text, calls, arguments and raw size are bounded while they are read."""
    with pytest.raises(TooLarge):
        await streamed(*pieces)


@given(st.lists(st.binary(max_size=60), max_size=8))
async def test_no_bytes_break_the_reader(pieces: list[bytes]) -> None:
    """Whatever comes over the wire, the reader ends with an answer or a PortError."""
    with pytest.raises(PortError):
        await streamed(*(b"data: " + piece + b"\n" for piece in pieces))
