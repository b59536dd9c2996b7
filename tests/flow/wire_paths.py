"""Every path on which something that a model wrote could leave the server, and how it is walked."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from uuid import uuid4

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from tests.flow.wire import ENOUGH, QUESTION, Wire, deltas
from tests.flow.wire_models import KINDS
from tests.support.live_server import LiveServer

_CALL = re.compile(r'{"id":"call_[^"]*","type":"function","function":{"name":"[^"]*","arguments":"(?:[^"\\]|\\.)*"}')
"""A call for the application, in an answer or a piece of one, but for its last brace."""
ROUNDS = 8
"""More than the bundle grants a model that asks for calls."""


async def says(wire: Wire) -> None:
    """The customer writes."""
    await wire.say()


async def says_and_streams(wire: Wire) -> None:
    """The customer writes and reads the turn as events."""
    headers = wire.headers | {"Accept": "text/event-stream"}
    answer = await wire.post(f"{wire.path}/messages", {"text": QUESTION}, headers)
    wire.told += deltas(answer.text)


async def follows(wire: Wire, last: str | None = None) -> None:
    """Listens while the customer writes elsewhere; with `last`, comes later and resumes behind that event."""
    if last is not None:
        await wire.say()
    headers = wire.headers | ({} if last is None else {"Last-Event-ID": last})
    lines: list[str] = []
    saying: asyncio.Task[None] | None = None
    async with asyncio.timeout(ENOUGH), wire.http.stream("GET", f"{wire.path}/events", headers=headers) as answer:
        if last is None:
            saying = asyncio.create_task(wire.say())
        async for line in answer.aiter_lines():
            lines.append(line)
            if '"role":"bot"' in line:
                break
    if saying is not None:
        await saying
    wire.told += deltas("\n".join(lines))


async def reads(wire: Wire, what: str) -> None:
    """The customer writes, and reads something."""
    await wire.say()
    await wire.get(f"{wire.path}{what}")


async def asks_for_person(wire: Wire) -> None:
    """The customer writes, and presses the button."""
    await wire.say()
    await wire.ask_for_person()
    await wire.get(f"{wire.path}/messages")


async def refuses_the_machine(wire: Wire) -> None:
    """The customer writes, and refuses the machine."""
    await wire.say()
    await wire.post(f"{wire.path}/consent", {"purpose": "ai_assistance", "given": False})
    await wire.get(f"{wire.path}/messages")


async def rates(wire: Wire) -> None:
    """The customer writes, and rates."""
    await wire.say()
    await wire.http.post(f"{wire.path}/rating", json={"score": 1}, headers=wire.headers)


async def erases(wire: Wire) -> None:
    """The customer writes, and erases it all."""
    await wire.say()
    answer = await wire.http.delete(wire.path, headers=wire.headers)
    assert answer.is_success, answer.text


async def chats(wire: Wire, *, stream: bool) -> None:
    """The customer writes as OpenAI's clients do."""
    body = {"model": "handrail", "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
    answer = await wire.post("/v1/chat/completions", body)
    if stream:
        wire.told += deltas(answer.text)


async def asks_by_proxy(wire: Wire, *, stream: bool) -> None:
    """An application asks the model for its customer, with instructions of its own, and runs the calls that it gets."""
    headers = {
        "Authorization": f"Bearer {wire.server.server_key}",
        "X-Customer-Id": wire.customer,
        "X-Conversation-Id": uuid4().hex,
    }
    instructions = ". ".join(each.decode() for each in KINDS["the prompt"])
    messages: list[object] = [{"role": "system", "content": instructions}, {"role": "user", "content": QUESTION}]
    tools = [{"type": "function", "function": {"name": name}} for name in ("get_status", "get_invoice")]
    for _ in range(ROUNDS):
        body = {"model": "any", "messages": messages, "tools": tools, "stream": stream}
        answer = await wire.post("/proxy/v1/chat/completions", body, headers)
        if stream:
            wire.told += deltas(answer.text)
        calls = [json.loads(each + "}") for each in _CALL.findall(answer.text)]
        if not calls:
            return
        messages.append({"role": "assistant", "tool_calls": calls})
        messages += [{"role": "tool", "tool_call_id": each["id"], "content": _status(wire)} for each in calls]
    raise AssertionError("the application was asked for calls again and again")


def _status(wire: Wire) -> str:
    """What the application's own status page answers: the same text that the company's does."""
    with closing(sqlite3.connect(wire.server.folder / "company.db", timeout=ENOUGH)) as company:
        (message,) = company.execute("select message from incidents").fetchone()
    return json.dumps({"status": "investigating", "message": message})


async def why(wire: Wire) -> None:
    """The demo page asks why."""
    await wire.say()
    await wire.get(wire.path.replace("/v1/", "/demo/") + "/turns")


async def lists_the_queue(wire: Wire) -> None:
    """An operator looks at the queue."""
    await wire.say()
    await wire.ask_for_person()
    await wire.get("/v1/operator/queue", wire.operator)


async def looks_at_the_case(wire: Wire) -> None:
    """An operator looks at the case."""
    await wire.say()
    await wire.ask_for_person()
    await wire.get(wire.case, wire.operator)


async def takes_over(wire: Wire, then: str | None = None, body: object = None) -> None:
    """An operator takes the conversation and does something with it."""
    await wire.say()
    await wire.claim()
    if then is not None:
        await wire.post(f"{wire.case}/{then}", body, wire.operator)
    await wire.say("And what now?")
    await wire.get(f"{wire.path}/messages")


async def lists_approvals(wire: Wire) -> None:
    """An operator looks at what waits for approval."""
    await approval_of(wire)
    await wire.say()
    await wire.get("/v1/operator/approvals", wire.operator)


async def decides(wire: Wire, how: str, body: object = None) -> None:
    """An operator decides about a call."""
    approval = await approval_of(wire)
    await wire.post(f"/v1/operator/approvals/{approval}/{how}", body, wire.operator)
    await wire.say()
    await wire.get(f"{wire.path}/messages")


async def approval_of(wire: Wire) -> str:
    """Bring a cancellation to the point where it waits for an operator. The model obliges, and misbehaves after it."""
    wire.customer = "mia"
    await wire.open()
    await wire.say("please cancel my subscription")
    await wire.say(await latest_code(wire.server, "mia"))
    await wire.say("yes")
    wire.misbehave()
    listed = (await wire.get("/v1/operator/approvals?state=pending", wire.operator)).json()
    own = [each["approval_id"] for each in listed if each["conversation_id"] in wire.path]
    return str(own[0])


async def latest_code(server: LiveServer, customer: str) -> str:
    """The code that was sent last."""
    database = CompanyDatabase(open_engine(server.folder / "company.db"))
    try:
        code = await Outbox(database).latest_code(customer)
    finally:
        await database.close()
    assert code is not None
    return code


Play = Callable[[Wire], Awaitable[None]]
C = "/v1/conversations/{conversation_id}"
O = "/v1/operator/conversations/{conversation_id}"  # noqa: E741 - beside C
A = "/v1/operator/approvals/{approval_id}"
PATHS: dict[str, Play] = {
    f"POST {C}/messages": says,
    f"POST {C}/messages (as events)": says_and_streams,
    f"GET {C}/messages": partial(reads, what="/messages"),
    f"GET {C}/events": follows,
    f"GET {C}/events (resumed)": partial(follows, last="1"),
    f"GET {C}": partial(reads, what=""),
    f"DELETE {C}": erases,
    f"POST {C}/handoff": asks_for_person,
    f"POST {C}/consent": refuses_the_machine,
    f"POST {C}/rating": rates,
    "POST /v1/chat/completions": partial(chats, stream=False),
    "POST /v1/chat/completions (as a stream)": partial(chats, stream=True),
    "POST /proxy/v1/chat/completions": partial(asks_by_proxy, stream=False),
    "POST /proxy/v1/chat/completions (as a stream)": partial(asks_by_proxy, stream=True),
    "GET /demo/conversations/{conversation_id}/turns": why,
    "GET /v1/operator/queue": lists_the_queue,
    f"GET {O}": looks_at_the_case,
    f"POST {O}/claim": takes_over,
    f"POST {O}/messages": partial(takes_over, then="messages", body={"text": "I am here."}),
    f"POST {O}/release": partial(takes_over, then="release", body={"to": "bot"}),
    f"POST {O}/resolve": partial(takes_over, then="resolve"),
    "GET /v1/operator/approvals": lists_approvals,
    f"POST {A}/approve": partial(decides, how="approve"),
    f"POST {A}/deny": partial(decides, how="deny"),
    f"POST {A}/edit": partial(decides, how="edit", body={"arguments": {"effective_on": "2026-11-25"}}),
}
"""Every path on which something that a model wrote could leave, and how it is walked."""

OBLIGED = tuple(each for each in PATHS if "/approvals" in each)
"""Those that need a model that behaves well at first."""

SPEAKING = (
    f"POST {C}/messages",
    f"POST {C}/messages (as events)",
    f"GET {C}/messages",
    f"GET {C}/events",
    f"GET {C}/events (resumed)",
    "POST /v1/chat/completions",
    "POST /v1/chat/completions (as a stream)",
    "POST /proxy/v1/chat/completions",
    "POST /proxy/v1/chat/completions (as a stream)",
    f"GET {O}",
)
"""Those on which a released reply leaves."""

STREAMING = (
    f"POST {C}/messages (as events)",
    f"GET {C}/events",
    "POST /v1/chat/completions (as a stream)",
)
"""Those on which text leaves in pieces, while the model writes."""

SILENT: dict[str, str] = {
    "GET /openapi.json": "describes the API",
    "GET /": "lists the endpoints",
    "GET /healthz": "says that the process lives",
    "GET /readyz": "says that the store answers",
    "POST /v1/conversations": "answers an id and a key",
    f"POST {C}/files": "answers what is known of the customer's file",
    f"GET {C}/files/{{file_id}}": "answers the customer's own bytes",
    f"GET {O}/files/{{file_id}}": "answers the customer's own bytes",
    "GET /v1/widget": "fixed texts of the bundle",
    "GET /v1/models": "names the one model",
    "GET /v1/models/{model}": "names the one model",
    "GET /proxy/v1/models": "names the model of the settings",
    "GET /proxy/v1/models/{model:path}": "names the model of the settings",
    "POST /v1/operator/session": "answers a token",
    "DELETE /v1/operator/session": "answers nothing",
    "PUT /v1/context/customers/{customer_id}/attributes": "counts what was stored",
    "POST /v1/context/customers/{customer_id}/events": "counts what was stored",
    "GET /demo/customers": "lists the sample customers",
    "POST /demo/token": "answers a token",
    "GET /demo/code": "answers the code that the sample company sent",
}
"""Routes on which nothing that a model wrote can leave, and what they do instead."""
