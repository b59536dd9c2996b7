"""Reads the second factors of the signed-in customer."""

from __future__ import annotations

from pydantic import JsonValue

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.records import find_devices
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent


class ListDevices(CallArguments):
    """No arguments."""


def _facts(_desk: Desk, _arguments: Arguments) -> dict[str, FactContent]:
    return {}


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    read_arguments(ListDevices, arguments)
    return {
        "sign_in_locked": desk.customer.sign_in_locked,
        "devices": [
            {
                "device_id": device.device_id,
                "kind": device.kind,
                "label": device.label,
                "added_on": device.added_on.isoformat(),
                "last_used_on": device.last_used_on.isoformat() if device.last_used_on else None,
                "status": device.status,
            }
            for device in find_devices(desk.connection, desk.customer.customer_id)
        ],
    }


LIST_DEVICES = CompanyTool("list_devices", Access.READ, _facts, _run)
