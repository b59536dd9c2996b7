"""Plays scenarios against a server over its JSON API, as a widget, a company's server and an operator would."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Literal, Protocol, TypeVar

import httpx
import jwt
from pydantic import BaseModel, TypeAdapter, ValidationError

from handrail.agent.conversation import Approval, QueuedHandoff
from handrail.agent.server.identity import ALGORITHM
from handrail.agent.server.keys import Keys
from handrail.agent.server.views import DecidedView, OpenedView, TurnView
from handrail.evals.invariants import approval_tools
from handrail.evals.observed import Observed, observe
from handrail.evals.scenario import Behaviour, Scenario, StepUp
from handrail.evals.target import Dialogue, StepImpossible
from handrail.evals.writes import write_tools
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.errors import HandrailError
from handrail.guardrails.vocabulary import ConversationStatus, Decision, FactContent, Handoff, ToolCall, TurnResult

TOKEN_MINUTES = 30
REQUEST_SECONDS = 60.0
OPERATOR = "scenario-operator"

ModelT = TypeVar("ModelT", bound=BaseModel)
_APPROVALS = TypeAdapter(tuple[Approval, ...])
_HANDOFFS = TypeAdapter(tuple[QueuedHandoff, ...])


class ServerAnswer(HandrailError):
    """The server answered with an error, or with something that is not of its API."""


class Codes(Protocol):
    """Where the codes can be read that the sample company sent."""

    async def latest_code(self, customer_id: str) -> str | None:
        """The code that the customer got last."""
        ...


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A server at a URL, whose keys and bundle are known here.

    `serves` is how its model behaves: scenarios with other models are not run. `codes` is None when the company's
    outbox is out of reach; scenarios that type a code are not run then. `records` are the attributes of each sample
    customer: they are sent before each conversation, so that what an earlier scenario changed does not stay.
    """

    client: httpx.AsyncClient
    keys: Keys
    site: str
    bundle: Bundle
    serves: Behaviour = Behaviour.EMBEDDED
    codes: Codes | None = None
    records: Mapping[str, Mapping[str, FactContent]] = field(default_factory=dict)

    @property
    def revision(self) -> str | None:
        """The bundle of this checkout; a server that decides by another one fails every scenario."""
        return self.bundle.revision

    @property
    def needs_approval(self) -> AbstractSet[str]:
        """The tools that may run only with a person's approval."""
        return approval_tools(self.bundle.policy)

    def lacks(self, scenario: Scenario, behaviour: Behaviour) -> str | None:
        """Why the scenario cannot be played here."""
        if behaviour is not self.serves:
            return f"the model of the server is {self.serves.value}, not {behaviour.value}"
        if self.codes is None and any(isinstance(turn, StepUp) for turn in scenario.turns):
            return "the outbox of the company is out of reach, so the code cannot be read"
        return None

    def behaving(self, behaviour: Behaviour) -> AbstractAsyncContextManager[None]:
        """Nothing to switch: `lacks` lets only one behaviour through."""
        return nullcontext()

    @asynccontextmanager
    async def begin(self, scenario: Scenario) -> AsyncIterator[Dialogue]:
        """Send what the company knows, then open a conversation."""
        customer = scenario.customer_id
        if customer is not None:
            await self._tell(customer, {**self.records.get(customer, {}), **scenario.attributes}, scenario)
        headers = {} if customer is None else {"Authorization": f"Bearer {self._token(customer)}"}
        opened = await self.ask(OpenedView, "POST", "/v1/conversations", headers=headers, body={"channel": "web"})
        if opened.visitor_key is not None:
            headers["X-Visitor-Key"] = opened.visitor_key
        yield HttpDialogue(self, opened.conversation_id, customer, headers)

    async def ask(
        self,
        model: type[ModelT],
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> ModelT:
        """One request; the answer as `model`. Raises ServerAnswer."""
        content = await self._request(method, path, headers or {}, body)
        try:
            return model.model_validate_json(content)
        except ValidationError as error:
            raise ServerAnswer(f"{method} {path} did not answer with {model.__name__}: {error}") from error

    async def approvals(self) -> tuple[Approval, ...]:
        """What waits for a person's approval, oldest first."""
        return _APPROVALS.validate_json(
            await self._request("GET", "/v1/approvals?state=pending", self.server_key, None)
        )

    async def handoffs(self) -> tuple[QueuedHandoff, ...]:
        """Conversations that wait for a person."""
        return _HANDOFFS.validate_json(await self._request("GET", "/v1/handoffs", self.server_key, None))

    @property
    def server_key(self) -> dict[str, str]:
        """The header of a company's server."""
        return {"X-Server-Key": next(iter(self.keys.server.values())).get_secret_value()}

    async def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, object] | None
    ) -> bytes:
        answer = await self.client.request(method, path, headers=dict(headers), json=body, timeout=REQUEST_SECONDS)
        if answer.is_error:
            raise ServerAnswer(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.content

    async def _tell(self, customer: str, attributes: Mapping[str, FactContent], scenario: Scenario) -> None:
        now = datetime.now(UTC)
        declared = self.bundle.attributes
        by_source = sorted((name for name in attributes if name in declared), key=lambda name: declared[name].source)
        for source, names in groupby(by_source, key=lambda name: declared[name].source):
            told: dict[str, object] = {
                "source": source,
                "observed_at": now.isoformat(),
                "attributes": {name: attributes[name] for name in names},
            }
            await self._request("PUT", f"/v1/context/customers/{customer}/attributes", self.server_key, told)
        events: Sequence[Mapping[str, object]] = [
            {
                "event_id": secrets.token_hex(8),
                "kind": event.kind,
                "observed_at": (now - timedelta(minutes=event.minutes_ago, seconds=20 * number)).isoformat(),
                "details": event.details,
            }
            for event in scenario.events
            for number in range(event.count)
        ]
        if events:
            happened: dict[str, object] = {"source": "support", "events": events}
            await self._request("POST", f"/v1/context/customers/{customer}/events", self.server_key, happened)

    def _token(self, customer: str) -> str:
        name, key = next(iter(self.keys.identity.items()))
        claims = {"sub": customer, "aud": self.site, "exp": datetime.now(UTC) + timedelta(minutes=TOKEN_MINUTES)}
        return jwt.encode(claims, key.get_secret_value(), algorithm=ALGORITHM, headers={"kid": name})


@dataclass(slots=True)
class HttpDialogue:
    """One conversation over the API."""

    target: HttpTarget
    conversation_id: str
    customer: str | None
    headers: dict[str, str]

    async def say(self, text: str) -> Observed:
        """The customer writes."""
        return await self._turn("messages", {"text": text})

    async def press(self) -> Observed:
        """The customer presses the button for a person."""
        return await self._turn("handoff", None)

    async def decide(self, decision: Literal["approve", "deny"]) -> Observed:
        """An operator decides on the call that waits in this conversation."""
        waiting = [one for one in await self.target.approvals() if one.conversation_id == self.conversation_id]
        if not waiting:
            raise StepImpossible("no call waits for approval, so there is nothing to decide")
        path = f"/v1/approvals/{waiting[-1].approval_id}/decision"
        body = {"decision": decision, "by": OPERATOR}
        decided = await self.target.ask(DecidedView, "POST", path, headers=self.target.server_key, body=body)
        return await self._observed(decided.turn)

    async def code(self) -> str:
        """The code that was sent last."""
        found = None
        if self.target.codes is not None and self.customer is not None:
            found = await self.target.codes.latest_code(self.customer)
        if found is None:
            raise StepImpossible("no code was sent to the customer")
        return found

    async def _turn(self, route: str, body: Mapping[str, object] | None) -> Observed:
        headers = {**self.headers, **self.target.server_key, "Idempotency-Key": secrets.token_hex(16)}
        path = f"/v1/conversations/{self.conversation_id}/{route}?debug=true"
        return await self._observed(await self.target.ask(TurnView, "POST", path, headers=headers, body=body))

    async def _observed(self, turn: TurnView) -> Observed:
        packet = await self._packet() if turn.status is ConversationStatus.QUEUED else None
        bundle = self.target.bundle
        segments = {entry.id: entry.reason for entry in bundle.entries.values()}
        seen = observe(_result(turn, packet), segments, write_tools(bundle))
        # The API shows no dimensions beside a decision; the packet of a handoff has its own.
        shown = None if packet is None else packet.risk
        return seen.model_copy(update={"risk": shown, "queue": None, "priority": None})

    async def _packet(self) -> Handoff | None:
        queued = await self.target.handoffs()
        return next((one.handoff for one in queued if one.conversation_id == self.conversation_id), None)


def _result(turn: TurnView, packet: Handoff | None) -> TurnResult:
    """The view of a turn as the result it was made from, as far as the API shows it."""
    debug = turn.debug
    if debug is None:
        raise ServerAnswer("the server shows no reasons; its server key is needed for that")
    call = turn.confirmation
    return TurnResult(
        turn_id=turn.turn_id,
        reply=turn.reply,
        status=turn.status,
        decisions=tuple(
            Decision(
                stage=one.stage,
                subject=one.subject,
                effect=one.effect,
                reasons=one.reasons,
                rules=one.rules,
                obligations=one.obligations,
                revision=debug.revision,
            )
            for one in debug.decisions
        ),
        reasons=debug.reasons,
        citations=tuple(one.doc_id for one in turn.citations),
        quick_replies=turn.quick_replies,
        confirmation=None if call is None else ToolCall(call_id="shown", tool=call.tool, arguments=call.arguments),
        handoff=packet,
    )
