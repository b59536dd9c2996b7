"""Examples of the API's bodies and answers, for its description. Tests read each as the model it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import JsonValue

Table: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Example:
    """What is sent to an operation, and what it answers. None where there is no JSON."""

    answer: JsonValue = None
    body: JsonValue = None


def _error(code: str, message: str, hint: str) -> JsonValue:
    return {"error": {"code": code, "message": message, "hint": hint}}


_AGAIN = "Repeat the request with the same Idempotency-Key after the seconds in Retry-After."
ERRORS: Final[Mapping[str, JsonValue]] = {
    "400": _error("malformed_json", "The body is not valid JSON.", "Send UTF-8 encoded JSON."),
    "401": _error("token_expired", "The customer token has expired.", "Send a fresh one."),
    "403": _error("origin_not_allowed", "Pages of this origin may not call this.", "List it in HANDRAIL_SITE_KEYS."),
    "404": _error("unknown_conversation", "There is no such conversation.", "Open one with POST /v1/conversations."),
    "408": _error("too_slow", "The body did not arrive in time.", "Send it again."),
    "409": _error("busy", "Another message of this conversation is still being answered.", _AGAIN),
    "413": _error("body_too_large", "The body is larger than 65536 bytes.", "Send less; nothing of it was stored."),
    "415": _error("file_refused", "This kind of file is not taken.", "Send a PNG, JPEG, WebP, GIF, PDF or text file."),
    "422": _error("invalid_request", "text: Field required.", "Compare the request with /openapi.json."),
    "429": _error("rate_limited", "That was more often than 20 times in 60 seconds.", _AGAIN),
    "503": _error("unavailable", "A part of the service is not available.", _AGAIN),
}
"""One example for each status; `docs/api.md` lists the codes."""

_AT = "2026-05-04T09:30:00Z"
_LATER = "2026-05-04T10:30:00Z"
_WAITING: Table = {
    "team": "the billing team",
    "position": 2,
    "due_at": _LATER,
    "open_now": True,
    "opens_at": None,
}
_STAGE: Table = {
    "stage": "gate_risk",
    "subject": "turn",
    "effect": "allow",
    "reasons": ["RISK_CHARGE_DISPUTE"],
    "rules": ["risk.charge_dispute"],
    "obligations": [],
}
_TURN: Table = {
    "turn_id": "t_7ead3146",
    "conversation_id": "c_5f0c1a",
    "reply": "The code is valid for ten minutes. Did a text message arrive?",
    "status": "bot",
    "citations": [{"doc_id": "mfa-sms-code-missing", "title": "Sign-in codes by text message do not arrive"}],
    "quick_replies": ["Yes", "No"],
    "checklist": [],
    "confirmation": None,
    "handoff": None,
    "debug": None,
}
_QUEUED_TURN: Table = {
    **_TURN,
    "reply": "I am handing you over to the billing team.",
    "status": "queued",
    "citations": [],
    "quick_replies": [],
    "handoff": _WAITING,
}
_MESSAGE: Table = {
    "message_id": "m_2",
    "role": "operator",
    "text": "I have looked at both charges. One of them goes back today.",
    "at": _AT,
}
_APPROVAL: Table = {
    "approval_id": "a_91",
    "conversation_id": "c_5f0c1a",
    "call": {"call_id": "k_1", "tool": "issue_refund", "arguments": {"invoice": "INV-2041", "amount": "24.00"}},
    "digest": "9f2c",
    "state": "pending",
    "queue": "billing",
    "requested_at": _AT,
    "expires_at": "2026-05-05T09:30:00Z",
    "decided_by": None,
    "decided_at": None,
    "assents": [{"by": "m.ortiz", "digest": "9f2c", "at": _AT, "edited": False}],
    "proposers": [],
}
_CASE: Table = {
    "conversation_id": "c_5f0c1a",
    "channel": "web",
    "customer_id": "dana",
    "identity": "identified",
    "status": "accepted",
    "holder": "m.ortiz",
    "opened_at": _AT,
    "packet": {
        "handoff_id": "h_1",
        "wants": "The second charge for invoice INV-2041 back.",
        "collected": [{"name": "invoice_id", "value": "INV-2041", "source": "m_1"}],
        "tried": [],
        "tools": ["get_invoice: succeeded"],
        "at_stake": ["24.00 EUR"],
        "promises": [],
        "segments": ["billing_dispute"],
        "risk": "high",
        "reasons": ["RISK_CHARGE_DISPUTE"],
        "next_step": "Compare the two payments of the invoice.",
        "queue": "billing",
        "skills": ["billing"],
        "priority": "high",
        "due_at": _LATER,
        "identity": "identified",
    },
    "messages": [_MESSAGE],
    "approvals": [_APPROVAL],
    "files": [
        {
            "file_id": "f_1",
            "name": "statement.png",
            "media_type": "image/png",
            "size": 48211,
            "sha256": "9f2c0a",
            "at": _AT,
        }
    ],
    "turns": [{"turn_id": "t_7ead3146", "reasons": ["RISK_CHARGE_DISPUTE"], "decisions": [_STAGE]}],
}
_SUMMARY: Table = {
    "conversation_id": "c_5f0c1a",
    "status": "queued",
    "holder": None,
    "queue": "billing",
    "priority": "high",
    "due_at": _LATER,
    "since": _AT,
    "wants": "The second charge for invoice INV-2041 back.",
    "awaits_approval": True,
}
_FILE: Table = {
    "event": "file.attached",
    "file_id": "f_1",
    "name": "statement.png",
    "media_type": "image/png",
    "size": 48211,
}
_DECIDED: Table = {"approval": _APPROVAL, "turn": _TURN}
_ONE = "/v1/conversations/{conversation_id}"
_HELD = "/v1/operator/conversations/{conversation_id}"
_ASKED = "/v1/operator/approvals/{approval_id}"
_KNOWN = "/v1/context/customers/{customer_id}"

EXAMPLES: Final[Mapping[str, Example]] = {
    "POST /v1/conversations": Example(
        {"conversation_id": "c_5f0c1a", "status": "bot", "visitor_key": "6b1f..."}, body={"channel": "web"}
    ),
    f"GET {_ONE}": Example(
        {
            "conversation_id": "c_5f0c1a",
            "channel": "web",
            "status": "queued",
            "opened_at": _AT,
            "confirmation": None,
            "handoff": _WAITING,
        }
    ),
    f"POST {_ONE}/messages": Example(_TURN, body={"text": "The sign-in code does not arrive on my phone."}),
    f"GET {_ONE}/messages": Example({"messages": [_MESSAGE], "next_after": 2}),
    f"POST {_ONE}/handoff": Example(_QUEUED_TURN),
    f"POST {_ONE}/rating": Example({"score": 5}, body={"score": 5, "comment": "Quick and clear."}),
    f"POST {_ONE}/consent": Example(
        {"purpose": "ai_assistance", "given": False, "turn": _QUEUED_TURN},
        body={"purpose": "ai_assistance", "given": False},
    ),
    f"POST {_ONE}/files": Example(_FILE),
    "GET /v1/widget": Example(
        {
            "name": "Fernwell",
            "disclosure": "I am Fernwell's automatic assistant.",
            "person_disclosure": "A person from Fernwell is writing to you.",
            "model": "embedded",
            "languages": ["en"],
            "message_characters": 8000,
            "texts": {"placeholder": "Ask about your workspace…"},
        }
    ),
    "POST /v1/operator/session": Example(
        {"token": "hro_...", "expires_at": "2026-05-04T21:30:00Z", "name": "m.ortiz", "display": "Maria"},
        body={"name": "m.ortiz", "password": "..."},
    ),
    "GET /v1/operator/queue": Example([_SUMMARY]),
    f"GET {_HELD}": Example(_CASE),
    f"POST {_HELD}/claim": Example(_CASE),
    f"POST {_HELD}/messages": Example(_MESSAGE, body={"text": _MESSAGE["text"]}),
    f"POST {_HELD}/release": Example(_CASE, body={"to": "queue"}),
    f"POST {_HELD}/resolve": Example(_CASE, body={"note": "Second payment refunded."}),
    "GET /v1/operator/approvals": Example([_APPROVAL]),
    f"POST {_ASKED}/approve": Example(_DECIDED, body={"digest": "9f2c"}),
    f"POST {_ASKED}/deny": Example(_DECIDED),
    f"POST {_ASKED}/edit": Example(_DECIDED, body={"arguments": {"amount": "20.00"}}),
    f"PUT {_KNOWN}/attributes": Example(
        {"received": 1, "changed": 1},
        body={"source": "billing", "observed_at": _AT, "attributes": {"plan": "business"}},
    ),
    f"POST {_KNOWN}/events": Example(
        {"received": 1, "changed": 1, "uncounted": []},
        body={
            "source": "support",
            "events": [{"event_id": "ticket-991-1", "kind": "ticket_reopened", "observed_at": _AT}],
        },
    ),
    "GET /healthz": Example({"status": "alive"}),
    "GET /readyz": Example({"status": "ready", "revision": "b1946ac92492d234"}),
    "GET /demo/customers": Example(
        [
            {
                "id": "mia",
                "name": "Mia Lindqvist",
                "about": "owner of a trial, setting things up",
                "plan": "trial",
                "role": "admin",
            }
        ]
    ),
    "POST /demo/token": Example({"token": "eyJ..."}, body={"customer_id": "mia"}),
    "GET /demo/conversations/{conversation_id}/turns": Example(
        [
            {
                "turn_id": "t_7ead3146",
                "reasons": [{"code": "RISK_CHARGE_DISPUTE", "title": "Disputed charge"}],
                "decisions": [_STAGE],
            }
        ]
    ),
}
"""By method and path; an operation whose module brings its own is not listed."""
