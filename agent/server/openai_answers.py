"""What OpenAI's clients get: completions, chunks and models in OpenAI's form, with our own part under `support`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from pydantic import Field

from handrail.agent.pieces import pieces
from handrail.agent.releasing import after
from handrail.agent.server.openai_bodies import MODEL
from handrail.agent.server.views import Citation, Confirmation, TurnView, Waiting
from handrail.guardrails.vocabulary import ConversationStatus, Frozen, ToolCall

DONE = b"data: [DONE]\n\n"
Finish: TypeAlias = Literal["stop", "tool_calls"]


class UrlCitation(Frozen):
    """A source of the text between two characters. `url` is a URN: the base knows documents, not web addresses."""

    url: str = Field(examples=["urn:handrail:document:mfa-sms-code-missing"])
    title: str
    start_index: int
    end_index: int


class Annotation(Frozen):
    """A remark about a message."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class Support(Frozen):
    """What OpenAI's form has no place for. Send `conversation_id` as X-Conversation-Id with the next message.

    `confirmation` is the exact call that runs if the customer's next message agrees. `reasons` are the turn's reason
    codes; they are there for callers with a server's key only.
    """

    conversation_id: str
    turn_id: str
    status: ConversationStatus
    handoff: Waiting | None
    citations: tuple[Citation, ...]
    quick_replies: tuple[str, ...]
    checklist: tuple[str, ...]
    confirmation: Confirmation | None
    reasons: tuple[str, ...] | None = Field(default=None, exclude_if=lambda reasons: reasons is None)


class CalledFunction(Frozen):
    """What is called; `arguments` is JSON in a text."""

    name: str
    arguments: str


class AskedCall(Frozen):
    """An allowed call that the caller runs."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class AskedCallDelta(AskedCall):
    """The same in a stream, whole."""

    index: int


class AssistantMessage(Frozen):
    """The reply, or the calls that come before it."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: None = None
    annotations: tuple[Annotation, ...]
    tool_calls: tuple[AskedCall, ...] = Field(default=(), exclude_if=lambda calls: not calls)


class Choice(Frozen):
    """The one choice."""

    index: Literal[0] = 0
    message: AssistantMessage
    logprobs: None = None
    finish_reason: Finish = "stop"


class Usage(Frozen):
    """OpenAI's counts of tokens. All are 0: Handrail bills none, and what a model behind it used is not told here."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Completion(Frozen):
    """A whole answer."""

    id: str = Field(examples=["chatcmpl-t_0f9c"])
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: tuple[Choice, ...]
    usage: Usage = Usage()
    support: Support


class Delta(Frozen):
    """What a chunk adds to the message."""

    role: Literal["assistant"] | None = Field(default=None, exclude_if=lambda role: role is None)
    content: str | None = Field(default=None, exclude_if=lambda content: content is None)
    annotations: tuple[Annotation, ...] = Field(default=(), exclude_if=lambda annotations: not annotations)
    tool_calls: tuple[AskedCallDelta, ...] = Field(default=(), exclude_if=lambda calls: not calls)


class ChunkChoice(Frozen):
    """The one choice of a chunk."""

    index: Literal[0] = 0
    delta: Delta
    logprobs: None = None
    finish_reason: Finish | None = None


class Chunk(Frozen):
    """A part of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str = MODEL
    choices: tuple[ChunkChoice, ...]
    usage: Usage | None = Field(default=None, exclude_if=lambda usage: usage is None)
    support: Support | None = Field(default=None, exclude_if=lambda support: support is None)


class Model(Frozen):
    """A model that can be asked. `created` is 0: it is not known."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str


class Models(Frozen):
    """The models on offer."""

    object: Literal["list"] = "list"
    data: tuple[Model, ...]


class Answered(NamedTuple):
    """What every part of an answer is called, when it began, in seconds since 1970, and the model that it names."""

    id: str
    created: int
    model: str

    @classmethod
    def of(cls, turn_id: str, at: datetime, model: str = MODEL) -> Answered:
        """The answer of a turn."""
        return cls(f"chatcmpl-{turn_id}", int(at.timestamp()), model)


def completion(
    turn: TurnView, content: str | None, reasons: tuple[str, ...] | None, at: datetime, model: str = MODEL
) -> Completion:
    """The answer of a turn that began at `at`. `content` is what the customer reads: all of it has been released."""
    answer = Answered.of(turn.turn_id, at, model)
    message = AssistantMessage(content=content, annotations=_annotations(turn.citations, content or ""))
    return Completion(
        id=answer.id,
        created=answer.created,
        model=answer.model,
        choices=(Choice(message=message),),
        support=Support(
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            status=turn.status,
            handoff=turn.handoff,
            citations=turn.citations,
            quick_replies=turn.quick_replies,
            checklist=turn.checklist,
            confirmation=turn.confirmation,
            reasons=reasons,
        ),
    )


def handed_over(whole: Completion, calls: tuple[ToolCall, ...]) -> Completion:
    """The answer with calls for the caller to run. Their ids are the turn's own: no other answer has the same."""
    turn_id = whole.support.turn_id.removeprefix("t_")[:24]
    asked = tuple(
        AskedCall(
            id=f"call_{turn_id}_{number}",
            function=CalledFunction(name=call.tool, arguments=json.dumps(call.arguments, ensure_ascii=False)),
        )
        for number, call in enumerate(calls, 1)
    )
    message = whole.choices[0].message.model_copy(update={"tool_calls": asked})
    return whole.model_copy(update={"choices": (Choice(message=message, finish_reason="tool_calls"),)})


def beginning(answer: Answered) -> Chunk:
    """The first chunk of a stream."""
    return _chunk(answer, ChunkChoice(delta=Delta(role="assistant", content="")))


def piece(answer: Answered, text: str) -> Chunk:
    """The next piece of the text."""
    return _chunk(answer, ChunkChoice(delta=Delta(content=text)))


def chunks(whole: Completion, *, counts: bool, said: str | None = None) -> Iterator[Chunk]:
    """The same answer in pieces, sentence by sentence; with `counts`, a piece about usage at the end.

    `said` is the text that has been sent before; None when nothing has, not even the beginning.
    """
    answer = Answered(whole.id, whole.created, whole.model)
    choice = whole.choices[0]
    message = choice.message
    if said is None:
        yield beginning(answer)
    for text in pieces(after(said or "", message.content or "")[len(said or "") :]):
        yield piece(answer, text)
    for index, call in enumerate(message.tool_calls):
        asked = AskedCallDelta(index=index, id=call.id, function=call.function)
        yield _chunk(answer, ChunkChoice(delta=Delta(tool_calls=(asked,))))
    last = ChunkChoice(delta=Delta(annotations=message.annotations), finish_reason=choice.finish_reason)
    yield _chunk(answer, last).model_copy(update={"support": whole.support})
    if counts:
        yield _chunk(answer).model_copy(update={"usage": whole.usage})


def _chunk(answer: Answered, *choices: ChunkChoice) -> Chunk:
    return Chunk(id=answer.id, created=answer.created, model=answer.model, choices=choices)


def event(chunk: Chunk) -> bytes:
    """A chunk as it stands on the wire."""
    return b"data: " + chunk.model_dump_json().encode() + b"\n\n"


def _annotations(citations: tuple[Citation, ...], content: str) -> tuple[Annotation, ...]:
    # Clients of OpenAI's own form demand a `url`; a URN is a name that no browser takes for a page.
    return tuple(
        Annotation(
            url_citation=UrlCitation(
                url=f"urn:handrail:document:{quote(each.doc_id, safe='')}",
                title=each.title,
                start_index=0,
                end_index=len(content),
            )
        )
        for each in citations
    )
