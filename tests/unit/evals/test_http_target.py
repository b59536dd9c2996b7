import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr, TypeAdapter

from handrail.agent.conversation import Approval, ApprovalState
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.server.case_views import CaseView, SessionView
from handrail.agent.server.keys import Keys
from handrail.agent.server.views import Citation, Confirmation, OpenedView, Reasoning, StageView, TurnView
from handrail.evals.api import Api, ServerAnswer
from handrail.evals.http_dialogue import Witnesses
from handrail.evals.http_target import HttpTarget
from handrail.evals.known_server import KnownServer
from handrail.evals.operator_api import OperatorApi
from handrail.evals.runner import Case, Outcome, play
from handrail.evals.scenario import Behaviour, Scenario
from handrail.evals.scenario_files import FOLDER
from handrail.evals.target import StepImpossible
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Dimensions,
    Effect,
    IdentityLevel,
    Priority,
    RiskTier,
    Stage,
    ToolCall,
)
from tests.unit.evals.fake_target import company_call, packet, scenario

KEY = "k" * 32
SERVER = "s" * 32
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(Path(FOLDER).resolve().parents[1] / "guardrails" / "policies")


class Server:
    """Answers like the API, and keeps the requests."""

    def __init__(self, revision: str) -> None:
        self.requests: list[httpx.Request] = []
        self.revision = revision
        self.status = ConversationStatus.BOT
        self.failing = False
        self.waiting: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.failing:
            return httpx.Response(500, text="no")
        if request.url.path.startswith("/v1/operator/"):
            return self._for_operators(request)
        return self._for_customers(request.url.path, request)

    def _for_customers(self, path: str, request: httpx.Request) -> httpx.Response:
        if path == "/v1/conversations":
            key = None if "authorization" in request.headers else "v1"
            opened = OpenedView(conversation_id="c1", status=ConversationStatus.BOT, visitor_key=key)
            return httpx.Response(201, text=opened.model_dump_json())
        if path.startswith("/v1/context/"):
            return httpx.Response(200, json={})
        return httpx.Response(200, text=self.turn().model_dump_json())

    def _for_operators(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/operator/session":
            signed_in = SessionView(token="hro_1", expires_at=NOW, name="demo", display="Robin")
            return httpx.Response(200, text=signed_in.model_dump_json())
        if request.headers.get("authorization") != "Bearer hro_1":
            return httpx.Response(401, text="sign in")
        if path == "/v1/operator/conversations/c1":
            return httpx.Response(200, text=self._case().model_dump_json())
        if path == "/v1/operator/approvals":
            return httpx.Response(200, text=f"[{','.join(self._approval(one) for one in self.waiting)}]")
        decided = {"approval": json.loads(self._approval("c1")), "turn": json.loads(self.turn().model_dump_json())}
        return httpx.Response(200, json=decided)

    def turn(self) -> TurnView:
        """A turn as the API shows it."""
        stage = StageView(
            stage=Stage.APPLY_POLICY,
            subject="turn",
            effect=Effect.ALLOW,
            reasons=("POLICY_NEED_SERVED",),
            rules=(),
            obligations=(),
        )
        return TurnView(
            turn_id="t1",
            conversation_id="c1",
            reply="Hello.",
            status=self.status,
            citations=(Citation(doc_id="cookies", title="Cookies"),),
            quick_replies=(),
            confirmation=Confirmation(tool="issue_refund", arguments={}),
            handoff=None,
            debug=Reasoning(reasons=("SEG_TRIAL",), decisions=(stage,), revision=self.revision),
        )

    def _case(self) -> CaseView:
        return CaseView(
            conversation_id="c1",
            channel="web",
            customer_id="dana",
            identity=IdentityLevel.IDENTIFIED,
            status=self.status,
            holder=None,
            opened_at=NOW,
            packet=packet(risk="high"),
            messages=(),
            approvals=(),
            files=(),
            turns=(),
        )

    def _approval(self, conversation: str) -> str:
        call = ToolCall(call_id="x", tool="issue_refund", arguments={})
        return Approval(
            approval_id=f"a-{conversation}",
            conversation_id=conversation,
            call=call,
            digest="d",
            state=ApprovalState.PENDING,
            queue="accounts",
            requested_at=NOW,
            expires_at=NOW,
        ).model_dump_json()


@pytest.fixture
def server(bundle: Bundle) -> Server:
    """A server that decides by the shipped bundle."""
    return Server(bundle.revision)


class StoppedClock:
    """Always the same instant."""

    def now(self) -> datetime:
        """The instant."""
        return NOW


def known(name: str, content: str, source: str) -> AttributeValue:
    """What a system of the company reported."""
    return AttributeValue(name=name, content=content, source=source, observed_at=NOW)


@pytest_asyncio.fixture
async def target(server: Server, bundle: Bundle) -> AsyncIterator[HttpTarget]:
    """A target that talks to the server above."""
    keys = Keys(identity={"k1": SecretStr(KEY)}, server={"crm": SecretStr(SERVER)}, visitor=SecretStr("v" * 32))
    records = {"dana": (known("plan", "team", "billing"), known("role", "admin", "crm"), known("shoe", "42", "crm"))}
    older = CustomerEvent(event_id="e1", kind="payment_failed", at=NOW - timedelta(days=3), source="billing")
    async with httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://server") as client:
        api = Api(client)
        operator = OperatorApi(api, "demo", SecretStr("p" * 32))
        yield HttpTarget(
            KnownServer(api, keys, operator, "fernwell", bundle, StoppedClock(), records, {"dana": (older,)})
        )


def knowing(target: HttpTarget, witnesses: Witnesses) -> HttpTarget:
    """The target with something that can be asked beside the server."""
    return replace(target, server=replace(target.server, witnesses=witnesses))


class Log:
    """An audit log with one decision in every turn."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    async def decisions(self, turn_id: str) -> tuple[Decision, ...]:
        """The decision."""
        return (self._decision,)


class Sent:
    """An outbox with one code."""

    async def latest_code(self, customer_id: str) -> str | None:
        """The code."""
        return "123456"


def decided(bundle: Bundle, reason: str = "POLICY_NEED_SERVED") -> Decision:
    """The decision that the server shows, with what it does not show."""
    return Decision(
        stage=Stage.APPLY_POLICY,
        subject="turn",
        effect=Effect.ALLOW,
        reasons=(reason,),
        dimensions=Dimensions(risk=RiskTier.HIGH, queue="billing", priority=Priority.URGENT),
        revision=bundle.revision,
    )


def case(one: Scenario) -> Case:
    """The first wording."""
    return Case(scenario=one, wording=1, behaviour=Behaviour.EMBEDDED)


async def test_a_conversation_is_seen_like_in_process(target: HttpTarget) -> None:
    """Reply, status, segments, sources, confirmation and reasons come out of the API."""
    async with target.begin(scenario()) as dialogue:
        turn = await dialogue.say("hello")
    assert (turn.reply, turn.status, turn.segments, turn.sources) == ("Hello.", "bot", ("trial",), ("cookies",))
    assert turn.confirmation is not None
    assert turn.decisions[0].revision == target.revision
    assert (turn.risk, turn.queue, turn.priority) == (None, None, None)


async def test_a_customer_comes_with_a_signed_token(target: HttpTarget, server: Server) -> None:
    """The token names the customer, the site and an end."""
    async with target.begin(scenario(customer="dana")):
        pass
    scheme, token = server.requests[-1].headers["authorization"].split(" ")
    claims = jwt.decode(token, KEY, algorithms=["HS256"], audience="fernwell")
    assert (scheme, claims["sub"], jwt.get_unverified_header(token)["kid"]) == ("Bearer", "dana", "k1")


async def test_a_visitor_uses_the_key_of_the_conversation(target: HttpTarget, server: Server) -> None:
    """An anonymous conversation has no token."""
    async with target.begin(scenario()) as dialogue:
        await dialogue.press()
    assert server.requests[-1].headers["x-visitor-key"] == "v1"
    assert server.requests[-1].url.path == "/v1/conversations/c1/handoff"


async def test_what_the_company_knows_is_told_before_the_conversation(target: HttpTarget, server: Server) -> None:
    """Attributes go by their source, the scenario's own over the sample's; events follow, none in the future."""
    one = scenario(
        customer="dana",
        attributes={"plan": "trial"},
        events=[{"kind": "article_viewed", "minutes_ago": 4, "count": 2}],
    )
    async with target.begin(one):
        pass
    told = [json.loads(request.content) for request in server.requests if request.method == "PUT"]
    assert {body["source"]: body["attributes"] for body in told} == {
        "billing": {"plan": "trial"},
        "crm": {"role": "admin"},
    }
    batches = [json.loads(one.content) for one in server.requests if one.url.path.endswith("events")]
    events = {batch["source"]: [event["kind"] for event in batch["events"]] for batch in batches}
    assert events == {"billing": ["payment_failed"], "support": ["article_viewed", "article_viewed"]}
    assert all(datetime.fromisoformat(event["observed_at"]) < NOW for batch in batches for event in batch["events"])


async def test_a_queued_conversation_brings_its_packet(target: HttpTarget, server: Server) -> None:
    """The packet comes from the list for people, with the risk."""
    server.status = ConversationStatus.QUEUED
    async with target.begin(scenario()) as dialogue:
        turn = await dialogue.say("hello")
    assert turn.handoff is not None
    assert turn.risk == "high"


async def test_an_operator_decides_on_this_conversation_only(target: HttpTarget, server: Server) -> None:
    """What waits elsewhere stays as it is."""
    async with target.begin(scenario()) as dialogue:
        server.waiting = ["other"]
        with pytest.raises(StepImpossible):
            await dialogue.decide("approve")
        server.waiting = ["other", "c1"]
        await dialogue.decide("deny")
    assert server.requests[-1].url.path == "/v1/operator/approvals/a-c1/deny"


async def test_what_the_log_has_beside_the_wire_is_seen(target: HttpTarget, bundle: Bundle) -> None:
    """Risk, queue and priority are in the audit log and not in the API."""
    async with knowing(target, Witnesses(log=Log(decided(bundle)))).begin(scenario()) as dialogue:
        turn = await dialogue.say("hello")
    assert (turn.risk, turn.queue, turn.priority) == (RiskTier.HIGH, "billing", Priority.URGENT)


async def test_a_log_that_tells_another_story_is_an_error(target: HttpTarget, bundle: Bundle) -> None:
    """A decision must be in the log as it was made, or nobody could explain it."""
    other = Witnesses(log=Log(decided(bundle, "RISK_FRAUD")))
    async with knowing(target, other).begin(scenario()) as dialogue:
        with pytest.raises(ServerAnswer, match="tells other decisions"):
            await dialogue.say("hello")


async def test_writes_are_what_the_company_carried_out(target: HttpTarget) -> None:
    """Whatever the server says of itself."""
    async with knowing(target, Witnesses(calls=lambda: (company_call("issue_refund"),))).begin(scenario()) as dialogue:
        turn = await dialogue.say("hello")
    assert turn.executed == ("issue_refund",)


async def test_another_bundle_on_the_server_fails(target: HttpTarget, server: Server) -> None:
    """Expectations belong to a bundle."""
    server.revision = "other"
    result = await play(target, case(scenario()))
    assert result.outcome is Outcome.FAILED
    assert any("by the bundle other" in problem for problem in result.problems)


async def test_an_error_of_the_server_is_a_crash(target: HttpTarget, server: Server) -> None:
    """It is told with its status."""
    server.failing = True
    result = await play(target, case(scenario()))
    assert result.outcome is Outcome.CRASHED
    assert "answered 500" in result.why


async def test_an_answer_that_is_none_is_an_error(target: HttpTarget) -> None:
    """Another program may listen at that address."""
    with pytest.raises(ServerAnswer, match="not of the API"):
        await target.server.api.ask(TypeAdapter(OpenedView), "GET", "/v1/context/x", {})


def test_what_a_running_server_cannot_do_is_said(target: HttpTarget) -> None:
    """Another model, codes that cannot be read, and what would not hold a second time."""
    plain = scenario()
    with_code = scenario(turns=[{"say": "{opening}", "expect": {"status": ["bot"]}}, {"step_up": "code"}])
    approved = scenario(turns=[{"say": "{opening}", "expect": {"status": ["bot"]}}, {"operator": "approve"}])
    denied = scenario(turns=[{"say": "{opening}", "expect": {"status": ["bot"]}}, {"operator": "deny"}])
    assert target.lacks(plain, Behaviour.EMBEDDED) is None
    assert target.lacks(denied, Behaviour.EMBEDDED) is None
    assert "one model, which is embedded" in (target.lacks(plain, Behaviour.LIAR) or "")
    assert "stays changed" in (target.lacks(approved, Behaviour.EMBEDDED) or "")
    assert "the code cannot be read" in (target.lacks(with_code, Behaviour.EMBEDDED) or "")
    assert knowing(target, Witnesses(codes=Sent())).lacks(with_code, Behaviour.EMBEDDED) is None
