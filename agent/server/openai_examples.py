"""Examples of the OpenAI-compatible endpoints for the description of the API; tests read each as what it stands for."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

REQUEST: Final[dict[str, JsonValue]] = {
    "model": "handrail",
    "messages": [{"role": "user", "content": "The sign-in code does not arrive on my phone."}],
    "stream": False,
    "metadata": {"conversation_id": "chat-17"},
}
COMPLETION: Final[dict[str, JsonValue]] = {
    "id": "chatcmpl-t_7ead3146",
    "object": "chat.completion",
    "created": 1777887000,
    "model": "handrail",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "The code is valid for ten minutes. Did a text message arrive?",
                "refusal": None,
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "url": "urn:handrail:document:mfa-sms-code-missing",
                            "title": "Sign-in codes by text message do not arrive",
                            "start_index": 0,
                            "end_index": 61,
                        },
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "support": {
        "conversation_id": "c_5f0c1a",
        "turn_id": "t_7ead3146",
        "status": "bot",
        "handoff": None,
        "citations": [{"doc_id": "mfa-sms-code-missing", "title": "Sign-in codes by text message do not arrive"}],
        "quick_replies": ["Yes", "No"],
        "checklist": [],
        "confirmation": None,
        "reasons": ["RISK_ASSESSED", "RETRIEVAL_GOOD", "OUTPUT_CLEAN"],
    },
}
PROXIED: Final[dict[str, JsonValue]] = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "You help customers of Fernwell with invoices."},
        {"role": "user", "content": "I was charged twice for invoice INV-2041."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_invoice",
                "parameters": {"type": "object", "properties": {"invoice_id": {"type": "string"}}},
            },
        }
    ],
    "user": "dana",
    "metadata": {"conversation_id": "chat-17"},
}
HANDED_OVER: Final[dict[str, JsonValue]] = {
    "id": "chatcmpl-t_7ead3147",
    "object": "chat.completion",
    "created": 1777887000,
    "model": "gpt-5",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "annotations": [],
                "tool_calls": [
                    {
                        "id": "call_7ead3147_1",
                        "type": "function",
                        "function": {"name": "get_invoice", "arguments": '{"invoice_id": "INV-2041"}'},
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "support": {
        "conversation_id": "c_5f0c1a",
        "turn_id": "t_7ead3147",
        "status": "bot",
        "handoff": None,
        "citations": [],
        "quick_replies": [],
        "checklist": [],
        "confirmation": None,
        "reasons": ["RISK_ASSESSED", "TOOL_OWN_RECORDS", "TOOL_HANDED_OVER"],
    },
}
STREAM: Final = (
    'data: {"id":"chatcmpl-t_7ead3146","object":"chat.completion.chunk",...,"choices":[{"index":0,"delta":'
    '{"content":"The code is valid for ten minutes."},"logprobs":null,"finish_reason":null}]}\n\n'
)
MODEL: Final[dict[str, JsonValue]] = {"id": "handrail", "object": "model", "created": 0, "owned_by": "fernwell"}
MODELS: Final[dict[str, JsonValue]] = {"object": "list", "data": [MODEL]}
ERROR: Final[dict[str, JsonValue]] = {
    "error": {
        "message": "This endpoint needs a key. Send one of the keys in HANDRAIL_SERVER_KEYS as the API key.",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }
}
