"""A server whose keys and bundle are known here: what a scenario does with it before the first message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from pydantic import TypeAdapter

from handrail.agent.ports import AttributeValue, Clock, CustomerEvent
from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import Keys
from handrail.agent.server.views import OpenedView
from handrail.evals.api import Api
from handrail.evals.http_dialogue import HttpDialogue, Witnesses
from handrail.evals.known_past import own_attributes, own_events
from handrail.evals.operator_api import OperatorApi
from handrail.evals.scenario import Scenario
from handrail.guardrails.bundle.bundle import Bundle

TOKEN_SECONDS = 30 * 60
CHANNEL = "web"

_OPENED = TypeAdapter(OpenedView)


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server at the address of `api`.

    `records` and `past` are what the company's systems report of each customer before a conversation; the scenario's
    own attributes and events come over them. `operator` is a person with an account there. `clock` is the server's.
    """

    api: Api
    keys: Keys
    operator: OperatorApi
    site: str
    bundle: Bundle
    clock: Clock
    records: Mapping[str, tuple[AttributeValue, ...]] = field(default_factory=dict)
    past: Mapping[str, tuple[CustomerEvent, ...]] = field(default_factory=dict)
    witnesses: Witnesses = field(default_factory=Witnesses)

    async def open(self, scenario: Scenario) -> HttpDialogue:
        """Tell what the company knows, then open a conversation with the customer's token, or anonymously."""
        customer = scenario.customer_id
        headers: dict[str, str] = {}
        if customer is not None:
            await self._tell(customer, scenario)
            token = Gate(self.keys, self.site).sign(customer, TOKEN_SECONDS)
            headers["Authorization"] = f"Bearer {token}"
        # A server's key lifts the limit on how often one address may open conversations.
        sent = headers | self._server_key
        opened = await self.api.ask(_OPENED, "POST", "/v1/conversations", sent, {"channel": CHANNEL})
        if opened.visitor_key is not None:
            headers["X-Visitor-Key"] = opened.visitor_key
        return HttpDialogue(
            api=self.api,
            operator=self.operator,
            bundle=self.bundle,
            witnesses=self.witnesses,
            conversation_id=opened.conversation_id,
            customer=customer,
            headers=headers | self._server_key,
        )

    async def _tell(self, customer: str, scenario: Scenario) -> None:
        """Send attributes and events as the company's own servers do: one request per system and time."""
        now = self.clock.now()
        declared = self.bundle.attributes  # the company knows more than the bundle asks for
        known = {one.name: one for one in self.records.get(customer, ()) if one.name in declared}
        known |= {one.name: one for one in own_attributes(scenario, declared, now)}
        base = f"/v1/context/customers/{customer}"
        for body in _attribute_bodies(known.values()):
            await self.api.send("PUT", f"{base}/attributes", self._server_key, body)
        for body in _event_bodies([*self.past.get(customer, ()), *own_events(scenario, now)]):
            await self.api.send("POST", f"{base}/events", self._server_key, body)

    @property
    def _server_key(self) -> dict[str, str]:
        return {"X-Server-Key": next(iter(self.keys.server.values())).get_secret_value()}


def _attribute_bodies(values: Iterable[AttributeValue]) -> list[dict[str, object]]:
    def origin(one: AttributeValue) -> tuple[str, datetime]:
        return one.source, one.observed_at

    return [
        {
            "source": source,
            "observed_at": observed_at.isoformat(),
            "attributes": {one.name: one.content for one in of_one},
        }
        for (source, observed_at), of_one in groupby(sorted(values, key=origin), key=origin)
    ]


def _event_bodies(events: Iterable[CustomerEvent]) -> list[dict[str, object]]:
    def origin(one: CustomerEvent) -> str:
        return one.source

    return [
        {
            "source": source,
            "events": [
                {
                    "event_id": one.event_id,
                    "kind": one.kind,
                    "observed_at": one.at.isoformat(),
                    "details": one.details,
                }
                for one in of_one
            ],
        }
        for source, of_one in groupby(sorted(events, key=origin), key=origin)
    ]
