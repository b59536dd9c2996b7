"""Removes one second factor of the signed-in customer and lifts a lock of the sign-in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue
from sqlalchemy import update

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.outbox import MessageKind, send
from handrail.agent.company.records import Device, find_devices
from handrail.agent.company.tables import customers, devices
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent


class ResetMfa(CallArguments):
    """Which device."""

    device_id: Annotated[str, Field(pattern=r"^DEV-[0-9]{4,8}$")]


def _devices(desk: Desk) -> tuple[Device, ...]:
    """The customer's own devices; an administrator does not reach those of other people."""
    return () if desk.known_customer is None else find_devices(desk.connection, desk.known_customer.customer_id)


def _facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(ResetMfa, arguments)
    held = _devices(desk)
    found = next((device for device in held if device.device_id == wanted.device_id), None)
    if found is None:
        return {"owned": False}
    return {
        "owned": True,
        "device_kind": found.kind,
        "device_label": found.label,
        "device_status": found.status,
        "active_devices": sum(device.status == "active" for device in held),
        "sign_in_locked": desk.customer.sign_in_locked,
    }


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(ResetMfa, arguments)
    customer = desk.customer
    held = _devices(desk)
    found = next((device for device in held if device.device_id == wanted.device_id), None)
    if found is None:
        raise ToolRefused("the customer has no device with this id")
    if found.status != "active":
        raise ToolRefused("the device is removed already")
    desk.connection.execute(update(devices).where(devices.c.id == found.device_id).values(status="removed"))
    desk.connection.execute(
        update(customers).where(customers.c.id == customer.customer_id).values(sign_in_locked=False)
    )
    text = f"The sign-in device {found.device_id} was removed. If that was not you, write to security@fernwell.example."
    send(desk.connection, customer, MessageKind.NOTICE, "email", text, desk.now)
    remaining = sum(device.status == "active" for device in held) - 1
    return {"device_id": found.device_id, "status": "removed", "remaining_devices": remaining}


RESET_MFA = CompanyTool("reset_mfa", Access.WRITE, _facts, _run)
