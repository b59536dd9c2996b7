"""Schedules the deletion of a workspace; it can be undone until the day it begins."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, JsonValue
from sqlalchemy import update

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.outbox import MessageKind, send
from handrail.agent.company.records import Workspace, find_workspace
from handrail.agent.company.tables import workspaces
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent

WAIT = timedelta(days=14)
"""How long a deletion can be undone."""


class DeleteData(CallArguments):
    """Which workspace."""

    workspace_id: Annotated[str, Field(pattern=r"^WS-[0-9]{4,8}$")]


def _owned(desk: Desk, workspace_id: str) -> Workspace | None:
    if desk.known_customer is None:
        return None
    return find_workspace(desk.connection, desk.known_customer.account_id, workspace_id)


def _facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(DeleteData, arguments)
    allowed = desk.known_customer is not None and desk.known_customer.owner
    found = _owned(desk, wanted.workspace_id)
    if found is None:
        return {"owned": False, "role_allows": allowed}
    return {
        "owned": True,
        "role_allows": allowed,
        "workspace_status": found.status,
        "workspace_name": found.name,
        "members": found.members,
        "deletes_on": (found.deletes_on or desk.today + WAIT).isoformat(),
    }


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(DeleteData, arguments)
    customer = desk.customer
    found = _owned(desk, wanted.workspace_id)
    if found is None:
        raise ToolRefused("the customer's account has no workspace with this id")
    if not customer.owner:
        raise ToolRefused("only the owner of the organisation may delete a workspace")
    if found.status != "active":
        raise ToolRefused("the deletion of this workspace is scheduled already")
    deletes_on = desk.today + WAIT
    mine = workspaces.c.id == found.workspace_id
    desk.connection.execute(update(workspaces).where(mine).values(status="deletion_scheduled", deletes_on=deletes_on))
    text = f"Workspace {found.workspace_id} will be deleted on {deletes_on.isoformat()}. Until then you can undo this."
    send(desk.connection, customer, MessageKind.NOTICE, "email", text, desk.now)
    return {
        "workspace_id": found.workspace_id,
        "status": "deletion_scheduled",
        "deletes_on": deletes_on.isoformat(),
    }


DELETE_DATA = CompanyTool("delete_data", Access.WRITE, _facts, _run)
