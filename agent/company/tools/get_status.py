"""Reads the public status page; nobody has to be signed in for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import JsonValue
from sqlalchemy import select

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.tables import components, incidents
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent

_UPDATES = {"major": timedelta(minutes=30), "partial": timedelta(hours=2)}
"""How often an open incident is updated, by impact."""


class GetStatus(CallArguments):
    """Everything, or one region."""

    region: Literal["eu", "us"] | None = None


def _facts(_desk: Desk, _arguments: Arguments) -> dict[str, FactContent]:
    return {}


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(GetStatus, arguments).region
    states = desk.connection.execute(select(components).order_by(components.c.name, components.c.region))
    opened = desk.connection.execute(
        select(incidents).where(incidents.c.status != "resolved").order_by(incidents.c.started_at.desc())
    )
    return {
        "components": [
            {"component": row.name, "region": row.region, "status": row.status}
            for row in states
            if wanted in {None, row.region}
        ],
        "incidents": [
            {
                "incident_id": row.id,
                "title": row.title,
                "component": row.component,
                "region": row.region,
                "impact": row.impact,
                "status": row.status,
                "started_at": row.started_at.isoformat(timespec="minutes"),
                "updated_at": row.updated_at.isoformat(timespec="minutes"),
                "next_update_at": (row.updated_at + _UPDATES[row.impact]).isoformat(timespec="minutes"),
                "message": row.message,
            }
            for row in opened
            if wanted in {None, row.region}
        ],
    }


GET_STATUS = CompanyTool("get_status", Access.READ, _facts, _run)
