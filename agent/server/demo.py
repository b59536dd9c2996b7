"""Routes of the demo page: the sample customers, a token for one of them, and why each turn came out as it did.

They are there with the sample company only: whoever reaches them may be any of its fictional customers.
"""

from __future__ import annotations

from fastapi import APIRouter

from handrail.agent.company.seed_file import read_seed
from handrail.agent.server import assets
from handrail.agent.server.asking import Asking, Calling
from handrail.agent.server.bodies import DemoTokenBody
from handrail.agent.server.demo_views import DemoCustomer, DemoToken, DemoTurn, ReasonView
from handrail.agent.server.face import Declared
from handrail.agent.server.faults import documented, invalid
from handrail.agent.server.views import stages

TOKEN_SECONDS = 3600


async def read_customers() -> tuple[DemoCustomer, ...]:
    """The sample company's customers, who are all made up."""
    seed = read_seed()
    plans = {each.account: each.plan for each in seed.subscriptions}
    return tuple(
        DemoCustomer(id=each.id, name=each.name, about=each.about, plan=plans.get(each.account, ""), role=each.role)
        for each in seed.customers
    )


async def make_token(desk: Asking, body: DemoTokenBody) -> DemoToken:
    """A customer token, as the company's own servers would make it, for one of the sample customers."""
    if body.customer_id not in {each.id for each in read_seed().customers}:
        raise invalid(["customer_id: there is no such sample customer"], "GET /demo/customers lists them.")
    return DemoToken(token=desk.gate.sign(body.customer_id, TOKEN_SECONDS))


async def read_turns(desk: Asking, calling: Calling) -> tuple[DemoTurn, ...]:
    """Why the latest turns came out as they did, oldest first, with the titles of the reason codes."""
    told = await desk.service.recall(desk.site, calling.conversation_id, calling.customer_id)
    return tuple(
        DemoTurn(
            turn_id=each.turn_id,
            reasons=tuple(_titled(desk.service.bundle, code) for code in each.reasons),
            decisions=stages(each.decisions),
        )
        for each in told
    )


def _titled(bundle: Declared, code: str) -> ReasonView:
    known = bundle.reasons.get(code)
    return ReasonView(code=code, title=code if known is None else known.title)


def router() -> APIRouter:
    """The routes of this module."""
    routes = APIRouter(tags=["demo"], responses=documented(401, 403, 422, 503))
    routes.add_api_route("/demo/customers", read_customers, methods=["GET"])
    routes.add_api_route("/demo/token", make_token, methods=["POST"])
    routes.add_api_route(
        "/demo/conversations/{conversation_id}/turns", read_turns, methods=["GET"], responses=documented(404)
    )
    routes.include_router(assets.router(assets.demo_assets()))
    return routes
