"""Routes for the company's own servers, with a key: what it knows about customers, approvals, handoffs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from handrail.agent.conversation import Approval, ApprovalState, QueuedHandoff
from handrail.agent.server.asking import ID, Asking, Server
from handrail.agent.server.bodies import AttributesBody, Choice, DecisionBody, EventsBody, attribute_values
from handrail.agent.server.faults import documented, unknown_approval
from handrail.agent.server.views import ChangedView, DecidedView, EventsView

CustomerId = Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,200}$", description="The `sub` of customer tokens.")]

_STATES = {Choice.APPROVE: ApprovalState.APPROVED, Choice.DENY: ApprovalState.DENIED}


async def put_attributes(desk: Asking, _server: Server, customer_id: CustomerId, body: AttributesBody) -> ChangedView:
    """Store what a source system knows. All or nothing; an older observation never replaces a newer one."""
    values = attribute_values(body, desk.service.bundle.attributes, desk.clock.now())
    changed = await desk.service.store.put_attributes(desk.site, customer_id, values)
    return ChangedView(received=len(values), changed=changed)


async def post_events(desk: Asking, _server: Server, customer_id: CustomerId, body: EventsBody) -> EventsView:
    """Store what happened to a customer. An event id that is known already changes nothing."""
    events = body.stored(desk.clock.now())
    counted = {window.count for window in desk.service.bundle.windows}
    changed = await desk.service.store.put_events(desk.site, customer_id, events)
    uncounted = tuple(sorted({each.kind for each in events} - counted))
    return EventsView(received=len(events), changed=changed, uncounted=uncounted)


async def read_approvals(desk: Asking, _server: Server, state: ApprovalState | None = None) -> tuple[Approval, ...]:
    """Requests for a person's approval, oldest first."""
    return await desk.service.store.approvals(desk.site, state)


async def decide(
    desk: Asking, _server: Server, approval_id: Annotated[str, Path(pattern=ID)], body: DecisionBody
) -> DecidedView:
    """Approve or deny one exact call. An approved call is checked again before it runs, and runs once."""
    store = desk.service.store
    asked = await store.approval(desk.site, approval_id)
    if asked is None:
        raise unknown_approval()
    result = await desk.service.decide(desk.site, approval_id, _STATES[body.decision], body.by)
    approval = await store.approval(desk.site, approval_id) or asked
    return DecidedView(approval=approval, turn=await desk.turn(approval.conversation_id, result, debug=True))


async def read_handoffs(desk: Asking, _server: Server) -> tuple[QueuedHandoff, ...]:
    """Conversations that wait for a person, with their packets, most urgent first."""
    return await desk.service.store.handoffs(desk.site)


def router() -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(prefix="/v1", responses=documented(401, 422, 503))
    customer = "/context/customers/{customer_id}"
    routes.add_api_route(f"{customer}/attributes", put_attributes, methods=["PUT"], tags=["context"])
    routes.add_api_route(f"{customer}/events", post_events, methods=["POST"], tags=["context"])
    routes.add_api_route("/approvals", read_approvals, methods=["GET"], tags=["people"])
    closed = documented(404, 409)
    routes.add_api_route(
        "/approvals/{approval_id}/decision", decide, methods=["POST"], tags=["people"], responses=closed
    )
    routes.add_api_route("/handoffs", read_handoffs, methods=["GET"], tags=["people"])
    return routes
