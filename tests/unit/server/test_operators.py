"""What people who take handoffs can do over HTTP, and that nobody else can."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from handrail.agent.conversation import ApprovalState
from handrail.agent.server.identity import Gate
from handrail.guardrails.vocabulary import ConversationStatus
from tests.unit.server.fake import FakeService
from tests.unit.server.fake_staff import PASSWORD
from tests.unit.server.samples import approval
from tests.unit.server.test_conversations import Headers, code, opened

OPERATOR = "/v1/operator"
CASE = f"{OPERATOR}/conversations/c1"

# Every route of operators but signing in, with a body that it takes; a new route has to be added here.
ROUTES: dict[tuple[str, str], object] = {
    ("DELETE", f"{OPERATOR}/session"): None,
    ("GET", f"{OPERATOR}/queue"): None,
    ("GET", CASE): None,
    ("POST", f"{CASE}/claim"): None,
    ("POST", f"{CASE}/messages"): {"text": "hello"},
    ("POST", f"{CASE}/release"): {"to": "bot"},
    ("POST", f"{CASE}/resolve"): {"note": "n"},
    ("GET", f"{CASE}/files/f1"): None,
    ("GET", f"{OPERATOR}/approvals"): None,
    ("POST", f"{OPERATOR}/approvals/a1/approve"): None,
    ("POST", f"{OPERATOR}/approvals/a1/deny"): None,
    ("POST", f"{OPERATOR}/approvals/a1/edit"): {"arguments": {"amount": "1.00"}},
}


@pytest.fixture
async def case(client: httpx.AsyncClient, service: FakeService, ada: Headers) -> str:
    """A conversation of ada's in which she asked for a person and a call waits for approval."""
    path, _ = await opened(client, ada)
    await client.post(f"{path}/handoff", headers=ada)
    service.store.held["a1"] = approval("c1")
    return CASE


async def test_no_route_is_forgotten(client: httpx.AsyncClient) -> None:
    """The table above names every route of operators."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    found = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    filled = {"{conversation_id}": "c1", "{approval_id}": "a1", "{file_id}": "f1"}
    named = set()
    for method, path in found:
        if path.startswith(OPERATOR) and (method, path) != ("POST", f"{OPERATOR}/session"):
            for name, content in filled.items():
                path = path.replace(name, content)  # noqa: PLW2901 - filled in place
            named.add((method, path))
    assert named == ROUTES.keys()


Forgery = Callable[[Gate, Headers], Headers]
FORGERIES: dict[str, Forgery] = {
    "nothing": lambda _gate, _ada: {},
    "a customer's token": lambda _gate, ada: ada,
    "a server's key": lambda gate, _ada: {"X-Server-Key": next(iter(gate.keys.server.values())).get_secret_value()},
    "a server's key as a token": lambda gate, _ada: {
        "Authorization": f"Bearer {next(iter(gate.keys.server.values())).get_secret_value()}"
    },
    "a visitor's key": lambda gate, _ada: {"X-Visitor-Key": gate.visitor_key("c1")},
    "a visitor's key as a token": lambda gate, _ada: {"Authorization": f"Bearer {gate.visitor_key('c1')}"},
    "a made-up token": lambda _gate, _ada: {"Authorization": "Bearer hro_maria"},
    "another scheme": lambda _gate, _ada: {"Authorization": "Basic bWFyaWE6eA=="},
    "an operator's name": lambda _gate, _ada: {"X-Operator": "maria", "X-Remote-User": "maria"},
    "all of a customer and a server": lambda gate, ada: {
        **ada,
        "X-Server-Key": next(iter(gate.keys.server.values())).get_secret_value(),
        "X-Visitor-Key": gate.visitor_key("c1"),
    },
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_only_signed_in_operators(
    client: httpx.AsyncClient, service: FakeService, gate: Gate, ada: Headers, case: str, forgery: str
) -> None:
    """Every route answers 401 to whoever is not signed in, with good and bad bodies alike, and nothing happens."""
    headers = FORGERIES[forgery](gate, ada)
    for (method, path), good in ROUTES.items():
        for body in (good, {"text": 1}, None):
            answer = await client.request(method, path, json=body, headers=headers)
            assert (answer.status_code, code(answer)) == (401, "operator_token_invalid"), path
            assert answer.headers["www-authenticate"] == "Bearer"
    assert service.store.held["a1"].state is ApprovalState.PENDING
    assert service.casework.cases["c1"].status is ConversationStatus.QUEUED


async def test_sign_in_and_out(client: httpx.AsyncClient) -> None:
    """A token opens the operators' side until it is given back."""
    body = {"name": "maria", "password": PASSWORD}
    answer = await client.post(f"{OPERATOR}/session", json=body)
    assert answer.status_code == 200
    session = answer.json()
    assert session["token"].startswith("hro_")
    assert session["expires_at"] == "2026-05-04T22:00:00Z"
    assert (session["name"], session["display"]) == ("maria", "Maria")
    assert PASSWORD not in answer.text
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert (await client.get(f"{OPERATOR}/queue", headers=headers)).status_code == 200
    assert (await client.delete(f"{OPERATOR}/session", headers=headers)).status_code == 204
    assert (await client.get(f"{OPERATOR}/queue", headers=headers)).status_code == 401


async def test_refused_sign_ins_are_all_alike(client: httpx.AsyncClient) -> None:
    """A wrong name, a wrong password and both get the same bytes."""
    bodies = [
        {"name": "maria", "password": "wrong"},
        {"name": "nobody", "password": PASSWORD},
        {"name": "nobody", "password": "x"},
        {"name": "Maria ", "password": PASSWORD},
    ]
    answers = [await client.post(f"{OPERATOR}/session", json=body) for body in bodies]
    assert {each.status_code for each in answers} == {401}
    assert len({each.content for each in answers}) == 1
    assert code(answers[0]) == "sign_in_refused"


@pytest.mark.parametrize(
    "body", [{}, {"name": "maria"}, {"name": "", "password": "x"}, {"name": "m", "password": "x" * 1025}, {"name": 1}]
)
async def test_bad_sign_ins_quote_nothing(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    """A body that is none is refused without repeating what may be a password."""
    answer = await client.post(f"{OPERATOR}/session", json=body | {"hint": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_closed_account_ends_its_sessions(
    client: httpx.AsyncClient, service: FakeService, maria: Headers
) -> None:
    """Whoever is no operator any more is out at once."""
    del service.operators.accounts["maria"]
    assert (await client.get(f"{OPERATOR}/queue", headers=maria)).status_code == 401


async def test_queue(client: httpx.AsyncClient, service: FakeService, case: str, maria: Headers) -> None:
    """The queue is filtered by status, queue and holder; without a status those with people are meant."""
    found = (await client.get(f"{OPERATOR}/queue", headers=maria)).json()
    assert [(each["conversation_id"], each["awaits_approval"]) for each in found] == [("c1", True)]
    people = {ConversationStatus.QUEUED, ConversationStatus.ACCEPTED, ConversationStatus.HUMAN}
    assert service.casework.asked_with.pop() == (people, None, None)
    query = "status=resolved&status=bot&queue=general&mine=true"
    assert (await client.get(f"{OPERATOR}/queue?{query}", headers=maria)).json() == []
    narrowed = service.casework.asked_with.pop()
    assert narrowed == ({ConversationStatus.RESOLVED, ConversationStatus.BOT}, "general", "maria")
    assert (await client.get(f"{OPERATOR}/queue?status=lost", headers=maria)).status_code == 422


async def test_case_from_claim_to_rating(
    client: httpx.AsyncClient, case: str, maria: Headers, omar: Headers, ada: Headers
) -> None:
    """One takes it, another cannot; the holder writes and resolves; nobody else writes."""
    seen = (await client.get(case, headers=maria)).json()
    assert seen["packet"]["wants"] == "a person"
    assert seen["approvals"][0]["call"]["arguments"] == {"to": "u-2"}
    assert seen["turns"][0]["decisions"][0]["reasons"] == ["INTENT_KNOWN"]
    assert "facts" not in seen["turns"][0]["decisions"][0]
    assert (await client.post(f"{case}/messages", json={"text": "hi"}, headers=maria)).status_code == 409
    claimed = await client.post(f"{case}/claim", headers=maria)
    assert (claimed.json()["status"], claimed.json()["holder"]) == ("accepted", "maria")
    taken = await client.post(f"{case}/claim", headers=omar)
    assert (taken.status_code, code(taken)) == (409, "case_taken")
    assert "maria" in taken.json()["error"]["message"]
    other = await client.post(f"{case}/messages", json={"text": "hi"}, headers=omar)
    assert (other.status_code, code(other)) == (409, "not_holder")
    key = {"Idempotency-Key": "k1"}
    said = await client.post(f"{case}/messages", json={"text": "hello"}, headers=maria | key)
    again = await client.post(f"{case}/messages", json={"text": "hello"}, headers=maria | key)
    assert said.status_code == 201
    assert (said.json()["role"], said.json()["text"]) == ("operator", "hello")
    assert said.json() == again.json()
    released = await client.post(f"{case}/release", json={"to": "queue"}, headers=maria)
    assert (released.json()["status"], released.json()["holder"]) == ("queued", None)
    await client.post(f"{case}/claim", headers=omar)
    resolved = await client.post(f"{case}/resolve", headers=omar)
    assert resolved.json()["status"] == "resolved"
    late = await client.post(f"{case}/messages", json={"text": "hi"}, headers=omar)
    assert (late.status_code, code(late)) == (409, "wrong_status")
    assert "opens again" in late.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("messages", {"text": ""}),
        ("messages", {"text": " \n"}),
        ("messages", {"text": "a\x00"}),
        ("messages", {"text": "a", "name": "The boss"}),
        ("release", {"to": "somebody"}),
        ("release", {}),
        ("resolve", {"note": "x" * 2001}),
    ],
)
async def test_bad_bodies(client: httpx.AsyncClient, case: str, maria: Headers, path: str, body: object) -> None:
    """What cannot be meant is refused; a person's name is the account's, not the body's."""
    await client.post(f"{case}/claim", headers=maria)
    assert (await client.post(f"{case}/{path}", json=body, headers=maria)).status_code == 422


async def test_unknown_case_and_file(client: httpx.AsyncClient, case: str, maria: Headers) -> None:
    """What is not there is told apart for operators: they may see all."""
    unknown = await client.get(f"{OPERATOR}/conversations/c99", headers=maria)
    assert (unknown.status_code, code(unknown)) == (404, "unknown_conversation")
    file = await client.get(f"{case}/files/f9", headers=maria)
    assert (file.status_code, code(file)) == (404, "unknown_file")


async def test_file_of_a_customer(client: httpx.AsyncClient, case: str, ada: Headers, maria: Headers) -> None:
    """Operators save what customers attached; their browser does not open it."""
    content = b"\x89PNG\r\n\x1a\n<script>"
    told = (await client.post("/v1/conversations/c1/files", content=content, headers=ada)).json()
    back = await client.get(f"{case}/files/{told['file_id']}", headers=maria)
    assert back.content == content
    assert back.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in back.headers["content-security-policy"]


async def test_approval_is_decided_once(
    client: httpx.AsyncClient, service: FakeService, case: str, maria: Headers, omar: Headers
) -> None:
    """A decision is carried out under the name of who is signed in, with its reasons; a second one is refused."""
    listed = await client.get(f"{OPERATOR}/approvals?state=pending", headers=maria)
    assert listed.json()[0]["call"]["arguments"] == {"to": "u-2"}
    done = await client.post(f"{OPERATOR}/approvals/a1/approve", headers=maria)
    assert done.status_code == 200
    assert (done.json()["approval"]["state"], done.json()["approval"]["decided_by"]) == ("approved", "maria")
    assert done.json()["turn"]["debug"]["reasons"] == ["INTENT_KNOWN"]
    assert done.json()["turn"]["conversation_id"] == "c1"
    for decision in ("approve", "deny"):
        again = await client.post(f"{OPERATOR}/approvals/a1/{decision}", headers=omar)
        assert (again.status_code, code(again)) == (409, "approval_closed")
    assert service.store.held["a1"].decided_by == "maria"
    assert (await client.get(f"{OPERATOR}/approvals?state=pending", headers=maria)).json() == []
    for decision in ("approve", "deny"):
        never = await client.post(f"{OPERATOR}/approvals/a9/{decision}", headers=maria)
        assert (never.status_code, code(never)) == (404, "unknown_approval")


async def test_denial(client: httpx.AsyncClient, case: str, omar: Headers) -> None:
    """A denial names who denied."""
    done = await client.post(f"{OPERATOR}/approvals/a1/deny", headers=omar)
    assert (done.json()["approval"]["state"], done.json()["approval"]["decided_by"]) == ("denied", "omar")


async def test_edit(client: httpx.AsyncClient, service: FakeService, case: str, maria: Headers) -> None:
    """Named arguments change, the others stay; ones that cannot be are all named, and nothing changes."""
    path = f"{OPERATOR}/approvals/a1/edit"
    wrong = await client.post(path, json={"arguments": {"amout": "1", "tto": "2"}}, headers=maria)
    assert (wrong.status_code, code(wrong)) == (422, "arguments_invalid")
    assert "amout" in wrong.text
    assert "tto" in wrong.text
    assert service.store.held["a1"].state is ApprovalState.PENDING
    bodies: tuple[object, ...] = (
        *({}, {"arguments": {}}, {"arguments": []}, {"arguments": {"Amount!": 1}}),
        {"arguments": {"amount": "1"}, "by": "omar"},
    )
    for body in bodies:
        assert (await client.post(path, json=body, headers=maria)).status_code == 422
    done = await client.post(path, json={"arguments": {"amount": "20.00"}}, headers=maria)
    assert done.json()["approval"]["call"]["arguments"] == {"to": "u-2", "amount": "20.00"}
