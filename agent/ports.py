"""What the flow needs from outside, as protocols. Adapters are built in the composition root only.

Every method may raise, hang or answer nonsense: the flow turns each of these into a `SYS_*` reason and a safe reply or
a person (spec S1.2). Adapters do their own bounded retries and then raise `PortError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from handrail.guardrails.errors import HandrailError
from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import (
    Depth,
    Detection,
    Draft,
    FactContent,
    Frozen,
    IdentityLevel,
    Message,
    NeedState,
    Obligation,
    Passage,
    Signal,
    Tone,
    ToolCall,
    ToolResult,
)


class PortError(HandrailError):
    """A dependency failed after its retries. The flow escalates with the `SYS_*` reason of that port."""


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """The current instant, with time zone UTC."""
        ...


class Detectors(Protocol):
    """Reads one message. CPU-bound and synchronous; the flow runs it in a bounded executor."""

    def detect(self, text: str, earlier: Sequence[str] = ()) -> Detection:
        """All readings and signals of `text`; `earlier` are the customer's previous messages, oldest first."""
        ...

    @property
    def passage_screen(self) -> str:
        """The revision of `screen_passage`: what another screen of this revision has passed need not be read again."""
        ...

    def screen_passage(self, text: str) -> tuple[Signal, ...]:
        """Signals of instructions to the model in a passage; none means that there are none."""
        ...

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """Signals of instructions to the model in what a tool answered, keys included."""
        ...


class Retriever(Protocol):
    """Finds passages inside a scope; out-of-scope text never leaves it."""

    async def search(self, query: str, scope: ScopePlan, limit: int) -> Retrieved:
        """At most `limit` eligible passages for `query`."""
        ...

    async def titles(self, doc_ids: Sequence[str]) -> Mapping[str, str]:
        """The titles of documents by id, as far as the live base has them."""
        ...


class AttributeValue(Frozen):
    """One attribute of a customer as a source system reported it."""

    name: str
    content: FactContent
    source: str
    observed_at: datetime


class CustomerEvent(Frozen):
    """Something that happened to a customer elsewhere (article viewed, ticket reopened, payment failed)."""

    event_id: str
    kind: str
    at: datetime
    source: str
    details: dict[str, str] = {}


class CustomerContext(Protocol):
    """What the company knows about a customer."""

    async def attributes(self, site: str, customer_id: str) -> tuple[AttributeValue, ...]:
        """The latest value of every attribute known."""
        ...

    async def events(self, site: str, customer_id: str, since: datetime) -> tuple[CustomerEvent, ...]:
        """Events at or after `since`, oldest first, at most 500."""
        ...


class CallFacts(Frozen):
    """Facts about a proposed call, fresh, as the tool's owner states them. A missing one is unknown."""

    values: dict[str, FactContent]


class Toolbox(Protocol):
    """The company's own systems behind tools. `customer_id` is always the authenticated one, never an argument."""

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """The declared facts of `call` (who owns this invoice, how much was paid), read now."""
        ...

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Run the call at most once per idempotency `key`; a repeat returns the first outcome.

        Raises `ToolRefused` when the company's system says no (nothing happened), `PortError` when it may or may
        not have happened.
        """
        ...

    async def outcome(self, key: str) -> JsonValue:
        """The outcome recorded under `key`, or None when no call with that key ever ran."""
        ...


class ToolRefused(HandrailError):
    """The company's system declined the call; nothing happened. The text is for the model and the operator."""


class StepUp(Protocol):
    """Raises the identity level of a customer by a code sent to the address on record."""

    async def start(self, customer_id: str, key: str) -> str:
        """Send a code once per `key`; returns the masked address it went to."""
        ...

    async def check(self, customer_id: str, code: str, key: str) -> bool:
        """Whether `code` is the current one. A wrong code counts as an attempt; three use it up.

        The same code under the same `key` is one attempt and gets one answer: whoever asked may have died before they
        could store it.
        """
        ...


class ToolOffer(Frozen):
    """A tool as the model sees it: name, purpose and JSON Schema of the arguments."""

    name: str
    description: str
    parameters: dict[str, JsonValue]


class Prompt(Frozen):
    """Everything a model may see in one call. `system` is rendered from a versioned template.

    Passages and tool results are untrusted: adapters put them into delimited blocks, never into `system`.
    `guidance` is what a repair must mend, in words for the model; empty on the first call. `said` is the beginning of
    the reply, which the customer has read already: what is wanted is what follows it. `allowed` are the commitments
    that policy allows in this turn, `promised` those made earlier in the conversation.
    """

    template: str
    system: str
    history: tuple[Message, ...]
    message: str
    need_state: str | None
    intent: str | None
    tone: Tone
    depth: Depth
    obligations: tuple[Obligation, ...]
    passages: tuple[Passage, ...]
    tools: tuple[ToolOffer, ...]
    results: tuple[ToolResult, ...]
    known: dict[str, str] = {}
    guidance: tuple[str, ...] = ()
    said: str = ""
    allowed: tuple[str, ...] = ()
    promised: tuple[str, ...] = ()
    identity: IdentityLevel = IdentityLevel.ANONYMOUS


class Listener(Protocol):
    """Hears a model's text while it is written. Neither method waits or raises."""

    def hear(self, text: str) -> None:
        """The next piece of the text."""
        ...

    def forget(self) -> bool:
        """Take back all that was heard, to begin anew. False when that cannot be done, because some of it has left."""
        ...


class Model(Protocol):
    """Writes a draft. Never trusted: whatever it returns goes through the tool gate and the output checks."""

    @property
    def name(self) -> str:
        """Name and revision for the audit log."""
        ...

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """A draft within `seconds`, or `PortError`. What `listener` hears meanwhile is the beginning of its text.

        A model that writes all at once need not let anything be heard.
        """
        ...


class Relayed(Frozen):
    """What an application asks a model, in the wire format of chat completions: nothing of it is ours.

    Untrusted parts stand in delimited blocks already. `options` are parameters of the request such as a temperature.
    """

    messages: tuple[dict[str, JsonValue], ...]
    tools: tuple[dict[str, JsonValue], ...] = ()
    options: dict[str, JsonValue] = {}


class Upstream(Protocol):
    """The model behind the proxy. Never trusted, as no model is."""

    @property
    def model(self) -> str:
        """What it is called at its endpoint."""
        ...

    async def relay(self, asked: Relayed, seconds: float) -> Draft:
        """A draft within `seconds`, or `PortError`."""
        ...


class Enquiry(Frozen):
    """What a model is asked about one message. `system` is rendered from a versioned template.

    `text` is the customer's, masked and untrusted: adapters put it into a delimited block, never into `system`.
    `choices` are the need states that may be named, each with its intents.
    """

    template: str
    system: str
    text: str
    choices: dict[NeedState, tuple[str, ...]]


class Opinion(Frozen):
    """What a model takes a message to be about: a need state, or None for unknown, and perhaps an intent of it."""

    need_state: NeedState | None
    intent: str | None


class SecondOpinion(Protocol):
    """Says what a message is about that detection could not place. Never trusted: it can only add to a reading."""

    @property
    def name(self) -> str:
        """Name and revision for the audit log."""
        ...

    async def ask(self, enquiry: Enquiry, seconds: float) -> Opinion:
        """An opinion within `seconds`, or `PortError`. One attempt, without retries: the customer waits meanwhile."""
        ...
