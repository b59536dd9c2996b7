"""The demo page's letterbox: the step-up code that the sample company "sent" last to a customer."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from pydantic import Field

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.server.asking import Asking, Authorization
from handrail.guardrails.vocabulary import Frozen


class SentCode(Frozen):
    """The latest code, whether or not it is still good; None before the first."""

    code: str | None = Field(examples=["731592"])


class Letterbox:
    """What reaches the sample company's customers, who have no other letterbox."""

    def __init__(self, company_file: Path) -> None:
        self._company_file = company_file

    async def read_code(self, desk: Asking, authorization: Authorization = None) -> SentCode:
        """The code that the customer of this token got last; none for a visitor."""
        customer = desk.gate.caller(authorization).customer_id
        if customer is None or not self._company_file.exists():
            return SentCode(code=None)
        database = CompanyDatabase(open_engine(self._company_file), threads=1)
        try:
            return SentCode(code=await Outbox(database).latest_code(customer))
        finally:
            await database.close()


def router(company_file: Path) -> APIRouter:
    """The route of this module. It is for the demo page alone, and not part of the described API."""
    routes = APIRouter()
    routes.add_api_route("/demo/code", Letterbox(company_file).read_code, methods=["GET"], include_in_schema=False)
    return routes
