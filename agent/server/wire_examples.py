"""What OpenAPI says of bodies and answers that are no JSON: streams of events, and files."""

from __future__ import annotations

from typing import Final

from handrail.agent.server.examples import Table

_REPLY = (
    'id: 4\nevent: message.completed\ndata: {"event":"message.completed","message_id":"m_2","role":"bot","text":"The '
    'code is valid for ten minutes. Did a text message arrive?","at":"2026-05-04T09:30:02Z","turn_id":"t_7ead3146",'
    '"name":null}\n\nid: 5\nevent: quick_replies\ndata: {"event":"quick_replies","message_id":"m_2","replies":["Yes",'
    '"No"]}\n\n'
)
_TYPED = (
    'event: typing\ndata: {"event":"typing","active":true}\n\n'
    'event: typing\ndata: {"event":"typing","active":false}\n\n'
    'event: message.delta\ndata: {"event":"message.delta","message_id":"m_2","text":"The code is valid for ten '
    'minutes.","turn_id":"t_1"}\n\n'
)
_TEXT: Table = {"type": "string"}
_WIRE = "Server-sent events. Each has the event's name, its JSON as data and, if it is stored, its number as id."

STREAM: Final[dict[int | str, dict[str, object]]] = {
    200: {"description": _WIRE, "content": {"text/event-stream": {"schema": _TEXT, "example": _TYPED + _REPLY}}}
}
"""What OpenAPI says of a stream."""

TURN_STREAM: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": f"The turn. With `Accept: text/event-stream`: {_WIRE[0].lower()}{_WIRE[1:]}",
        "content": {"text/event-stream": {"schema": _TEXT, "example": _TYPED + _REPLY}},
    }
}

_BYTES: Table = {"type": "string", "format": "binary"}
FILE_BODY: Final[Table] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _BYTES}}}
}
"""The body is the file itself."""

FILE_CONTENT: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": "The file, with its own media type.",
        "content": {"application/octet-stream": {"schema": _BYTES}},
    }
}
"""The answer is the file itself."""
