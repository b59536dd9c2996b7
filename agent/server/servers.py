"""Routes for the company's own servers, with a key: what it knows about customers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from handrail.agent.server.asking import Asking, Server
from handrail.agent.server.bodies import CUSTOMER_ID, AttributesBody, EventsBody, attribute_values
from handrail.agent.server.faults import documented
from handrail.agent.server.views import ChangedView, EventsView

CustomerId = Annotated[str, Path(pattern=CUSTOMER_ID, description="The `sub` of customer tokens.")]


async def put_attributes(desk: Asking, _server: Server, customer_id: CustomerId, body: AttributesBody) -> ChangedView:
    """Store what a source system knows. All or nothing; an older observation never replaces a newer one."""
    values = attribute_values(body, desk.service.bundle.attributes, desk.clock.now())
    changed = await desk.service.store.put_attributes(desk.site, customer_id, values)
    return ChangedView(received=len(values), changed=changed)


async def post_events(desk: Asking, _server: Server, customer_id: CustomerId, body: EventsBody) -> EventsView:
    """Store what happened to a customer. An event id that is known already changes nothing."""
    events = body.stored(desk.clock.now())
    windows = desk.service.bundle.windows
    counted = {one.count for one in windows} | {one.ending.of for one in windows if one.ending is not None}
    changed = await desk.service.store.put_events(desk.site, customer_id, events)
    uncounted = tuple(sorted({each.kind for each in events} - counted))
    return EventsView(received=len(events), changed=changed, uncounted=uncounted)


def router() -> APIRouter:
    """The routes of this module."""
    prefix = "/v1/context/customers/{customer_id}"
    routes = APIRouter(prefix=prefix, tags=["context"], responses=documented(401, 403, 422, 503))
    routes.add_api_route("/attributes", put_attributes, methods=["PUT"])
    routes.add_api_route("/events", post_events, methods=["POST"])
    return routes
