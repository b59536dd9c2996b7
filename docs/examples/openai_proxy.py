"""An application of OpenAI's client behind Handrail: only the base URL and the key are Handrail's."""

import json
import os
import sys

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

client = OpenAI(base_url=os.environ["HANDRAIL_URL"] + "/proxy/v1", api_key=os.environ["HANDRAIL_KEY"])
invoice_id = {"type": "object", "properties": {"invoice_id": {"type": "string"}}, "required": ["invoice_id"]}
tools: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {"name": "get_invoice", "description": "Read an invoice.", "parameters": invoice_id},
    }
]
history: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You help customers of Fernwell with invoices."}
]


def get_invoice(invoice_id: str) -> dict[str, str]:
    """The application's own tool. It is asked only for calls that were allowed."""
    return {"invoice_id": invoice_id, "amount": "52.00", "currency": "USD", "status": "paid"}


for words in sys.argv[1:]:
    history.append({"role": "user", "content": words})
    while True:
        answer = client.chat.completions.create(
            model="any",  # the model is the one that Handrail's settings name
            messages=history,
            tools=tools,
            user="dana",  # the customer, from the session
            extra_headers={"X-Conversation-Id": "chat-1"},
        )
        message = answer.choices[0].message
        calls = [call for call in message.tool_calls or [] if call.type == "function"]
        if not calls:
            break
        asked = [{"id": call.id, "type": "function", "function": call.function.model_dump()} for call in calls]
        history.append({"role": "assistant", "tool_calls": asked})  # type: ignore[typeddict-item]
        for call in calls:
            result = json.dumps(get_invoice(**json.loads(call.function.arguments)))
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})
    history.append({"role": "assistant", "content": message.content})
    support = (answer.model_extra or {})["support"]
    print(">", words, "\n" + (message.content or ""))  # noqa: T201
    print("  ", support["status"], *support["reasons"])  # noqa: T201
