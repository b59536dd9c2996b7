"""`handrail queue` against the application: what is shown, who acts, and what beginnings of ids mean."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI
from pydantic import JsonValue

from handrail.agent.conversation import ApprovalState, Assent
from handrail.agent.server.app import create_app
from handrail.agent.server.faults import Fault
from handrail.agent.server.keys import demo_password, keys_of
from handrail.agent.settings import OPERATOR_TOKEN, Settings, load_settings
from handrail.commands import operator_sessions, queue
from handrail.commands.operator_sessions import SavedSession, SavedSessions
from handrail.commands.queue_ids import contents
from handrail.commands.queue_text import plain, shortened, when
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import ConversationStatus, Message, Role
from tests.unit.server.fake import FakeService, FixedClock
from tests.unit.server.fake_staff import PASSWORD
from tests.unit.server.samples import NOW, approval

URL = "http://handrail.test"


class Bridge(httpx.BaseTransport):
    """Answers a blocking client's requests by the application, without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.hosts: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(str(request.url))

        async def answered() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
                return await client.request(
                    request.method, request.url, headers=request.headers, content=request.read()
                )

        found = asyncio.run(answered())
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working folder, a state folder, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith("HANDRAIL_") and name != "HANDRAIL_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(operator_sessions, "user_state_path", lambda _name: tmp_path / "state")


@pytest.fixture
def served() -> FakeService:
    """The service behind the server that the commands talk to."""
    return FakeService()


@pytest.fixture(autouse=True)
def bridge(monkeypatch: pytest.MonkeyPatch, served: FakeService, tmp_path: Path) -> Bridge:
    """The server that the commands talk to, whatever its address."""
    settings = Settings.model_validate({"data_dir": tmp_path / "server", "port": 0})
    transport = Bridge(create_app(served, settings, FixedClock()))

    @contextmanager
    def client(url: str) -> Iterator[httpx.Client]:
        with httpx.Client(transport=transport, base_url=url) as opened:
            yield opened

    monkeypatch.setattr(queue, "_client", client)
    served.operators.ends = datetime.now(UTC) + timedelta(hours=12)
    return transport


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch, served: FakeService) -> None:
    """Maria is signed in, by the variable."""
    served.operators.tokens["hro_m"] = "maria"
    monkeypatch.setenv(OPERATOR_TOKEN, "hro_m")


def ran(*words: str, typed: str | None = None) -> Result:
    """A command as the shell calls it."""
    return CliRunner().invoke(queue.queue, [*words, "--url", URL], input=typed)


def said(*words: str, typed: str | None = None) -> str:
    """What a command prints when it succeeds."""
    done = ran(*words, typed=typed)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def asked_for_a_person(served: FakeService, *conversations: str) -> None:
    """These conversations wait for a person."""
    for each in conversations:
        served.casework.asked(each, "ada")


@pytest.mark.usefixtures("acting")
def test_list_as_table_and_json(served: FakeService) -> None:
    """The table has short ids and what is wanted, on one line each; waiting calls follow, whoever has them."""
    assert said("list") == "Nobody waits for a person.\n"
    asked_for_a_person(served, "c_0123456789abcdef", "c_0123456789abcxyz")
    served.store.held["a_1"] = approval("c_other", "a_1")
    lines = said("list").splitlines()
    assert lines[0].split() == [
        *("CONVERSATION", "STATUS", "PRIORITY", "DUE", "QUEUE", "HOLDER", "APPROVAL", "WANTS"),
    ]
    assert [line.split()[0] for line in lines[1:3]] == ["c_0123456789abcd", "c_0123456789abcx"]
    assert "a person" in lines[1]
    assert 'a_1  change_owner(to="u-2")' in "\n".join(lines)
    found = json.loads(said("list", "--json", "--status", "queued", "--queue", "general"))
    assert [each["conversation_id"] for each in found["conversations"]] == ["c_0123456789abcdef", "c_0123456789abcxyz"]
    assert found["approvals"][0]["approval_id"] == "a_1"
    assert served.casework.asked_with[-1] == ({ConversationStatus.QUEUED}, "general", None)
    said("list", "--mine")
    assert served.casework.asked_with[-1][2] == "maria"


@pytest.mark.usefixtures("acting")
def test_show_has_everything(served: FakeService) -> None:
    """Packet, messages, the exact call that waits and how to decide it, reasons of each turn."""
    asked_for_a_person(served, "c_abcdef")
    served.store.held["a_123456789abc"] = approval("c_abcdef", "a_123456789abc")
    shown = said("show", "c_abcdef")
    for words in (
        "c_abcdef: queued, nobody has it",
        "customer   ada (identified), by web",
        "wants      a person",
        "next step  reply",
        "reasons    HUMAN_REQUESTED",
        "10:00 customer: A person, please",
        'a_123456789abc  change_owner(to="u-2")',
        "handrail queue approve a_12345678 |",
        "turn-1  INTENT_KNOWN",
    ):
        assert words in shown
    assert json.loads(said("show", "c_abcdef", "--json"))["packet"]["wants"] == "a person"


@pytest.mark.usefixtures("acting")
def test_customers_words_cannot_steer_the_terminal(served: FakeService) -> None:
    """Escape sequences and characters that turn text around are left out, of messages and of the table."""
    asked_for_a_person(served, "c_1")
    bad = "\x1b]0;owned\x07\x1b[2Jpay\u202e1000\x9b5m\nsecond\r line"
    case = served.casework.cases["c_1"]
    message = Message(message_id="m1", role=Role.CUSTOMER, text=bad, at=NOW)
    served.casework.cases["c_1"] = case.model_copy(update={"messages": (message,), "customer_id": "ada\x1b[1m"})
    shown = said("show", "c_1")
    assert not set(shown) & {"\x1b", "\x07", "\u202e", "\x9b", "\r"}
    assert "pay1000" in shown
    assert "    second line" in shown
    assert plain("tab\tstays\n") == "tab\tstays\n"


@pytest.mark.usefixtures("acting")
def test_from_claim_to_resolve(served: FakeService) -> None:
    """A person takes a conversation, answers, gives it back, takes it again and closes it."""
    asked_for_a_person(served, "c_1")
    assert "accepted, maria has it" in said("claim", "c_1")
    assert said("reply", "c_1", "Hello from Maria") == "sent: Hello from Maria\n"
    assert said("reply", "c_1", typed="two\nlines\n") == "sent: two\nlines\n"
    assert "queued, nobody has it" in said("release", "c_1")
    said("claim", "c_1")
    assert "returned_to_bot" in said("release", "c_1", "--to", "bot")
    said("claim", "c_1")
    assert "resolved" in said("resolve", "c_1", "--note", "done")


@pytest.mark.usefixtures("acting")
def test_decisions(served: FakeService) -> None:
    """A call is approved, denied, or approved with other arguments; what the customer was told is shown."""
    for number in "123":
        served.store.held[f"a_{number}"] = approval(f"c_{number}", f"a_{number}")
    assert said("approve", "a_1").startswith('approved: change_owner(to="u-2")\n  told the customer: Done.')
    assert said("deny", "a_2").startswith("denied: ")
    edited = said("edit", "a_3", "amount=20.00", "to=a=b")
    assert 'change_owner(to="a=b", amount="20.00")' in edited
    assert served.store.held["a_1"].decided_by == "maria"
    assert served.store.held["a_2"].state is ApprovalState.DENIED


@pytest.mark.usefixtures("acting")
def test_who_approved_already(served: FakeService) -> None:
    """A request that one person approved says so; an edited one is approved by the digest that is shown beside it."""
    by_omar = Assent(by="omar", digest="d1", at=NOW)
    mine = by_omar.model_copy(update={"by": "maria"})
    for name, assents in (
        ("a_1", (by_omar,)),
        ("a_2", (mine,)),
        ("a_3", (by_omar.model_copy(update={"edited": True, "digest": "d" * 64}),)),
    ):
        request = approval(f"c_{name}", name).model_copy(update={"assents": assents, "proposers": ("lena",)})
        served.store.held[name] = request.model_copy(update={"digest": assents[0].digest})
    lines = said("list")
    assert "approved by omar; waits for another person; expires" in lines
    assert "; not for lena, who wrote what it came of" in lines
    assert "approved by omar, who changed it; waits for another person" in lines
    assert f"handrail queue approve a_3 --digest {'d' * 10} |" in lines
    refused = ran("approve", "a_2")
    assert isinstance(refused.exception, Fault)
    assert "has approved this call already" in str(refused.exception)
    for unseen in ((), ("--digest", "eeee")):
        changed = ran("approve", "a_3", *unseen)
        assert isinstance(changed.exception, Fault)
        assert changed.exception.view.code == "approval_changed"
    assert said("approve", "a_3", "--digest", "dddd").startswith("approved: ")
    assert said("approve", "a_1").startswith("approved: ")


@pytest.mark.usefixtures("acting")
def test_beginnings_of_ids(served: FakeService) -> None:
    """The beginning of an id is enough if it is unique; a call is also found by its conversation."""
    asked_for_a_person(served, "c_aa1", "c_aa2", "c_aa")
    assert "c_aa1:" in said("show", "c_aa1")
    assert "c_aa:" in said("show", "c_aa")  # the whole id of one, though others begin so
    several = ran("show", "c_a")
    assert several.exit_code == 2
    assert "c_aa1, c_aa2" in several.output
    served.store.held["a_1"] = approval("c_aa1", "a_1")
    served.store.held["a_2"] = approval("c_bb", "a_2")
    assert "a_1, a_2" in ran("deny", "a_").output
    assert said("deny", "c_b").startswith("denied")
    assert said("deny", "a_").startswith("denied")  # by now only one of them waits
    nothing = ran("approve", "c_zz")
    assert nothing.exit_code == 2
    assert "No request for approval" in nothing.output
    with pytest.raises(Fault, match="no such conversation"):
        raise_of(ran("show", "c_zz"))


def raise_of(done: Result) -> None:
    """Raise what a command failed with; the command line turns it into a message."""
    assert done.exception is not None
    raise done.exception


@pytest.mark.usefixtures("acting")
@pytest.mark.parametrize(
    "words",
    [
        ("edit", "a_1"),
        ("edit", "a_1", "amount"),
        ("edit", "a_1", "=1"),
        ("reply", "c_1"),
        ("release", "c_1", "--to", "somebody"),
        ("list", "--status", "lost"),
    ],
)
def test_wrong_use(served: FakeService, words: tuple[str, ...]) -> None:
    """What cannot be meant ends with 2 before anything happens."""
    asked_for_a_person(served, "c_1")
    served.store.held["a_1"] = approval("c_1", "a_1")
    assert ran(*words, typed="").exit_code == 2
    assert served.store.held["a_1"].state is ApprovalState.PENDING


@pytest.mark.usefixtures("acting")
def test_refusals_say_who_has_it(served: FakeService) -> None:
    """What the server refuses is said in its words."""
    asked_for_a_person(served, "c_1")
    case = served.casework.cases["c_1"]
    served.casework.cases["c_1"] = case.model_copy(update={"holder": "omar"})
    with pytest.raises(Fault, match="omar has this conversation"):
        raise_of(ran("claim", "c_1"))


def test_new_arguments_keep_their_kind() -> None:
    """Texts are taken as typed, other kinds as JSON; what is new is a text."""
    now: dict[str, JsonValue] = {"amount": "5.00", "seats": 3, "now": True, "tags": ["a"]}
    typed = {"amount": "20.00", "seats": "4", "now": "false", "tags": '["b"]', "new": "7"}
    assert contents(typed, now) == {"amount": "20.00", "seats": 4, "now": False, "tags": ["b"], "new": "7"}
    with pytest.raises(click.UsageError, match="seats"):
        contents({"seats": "four"}, now)


def test_sample_operator_needs_no_password(served: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sample installation on this machine, its operator acts; the session is kept for the user only."""
    settings = load_settings()
    keys_of(settings)  # as the server that runs there has made them
    served.operators.accounts["demo"] = served.operators.accounts["maria"].model_copy(update={"name": "demo"})
    monkeypatch.setattr("tests.unit.server.fake_staff.PASSWORD", demo_password(settings).get_secret_value())
    here = ["list", "--url", "http://127.0.0.1:8321"]
    assert CliRunner().invoke(queue.queue, here).exit_code == 0
    kept = list(Path("state/sessions").iterdir())
    assert len(kept) == 1
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(kept[0].parent.stat().st_mode) == 0o700
    assert CliRunner().invoke(queue.queue, here).exit_code == 0
    assert list(served.operators.tokens.values()) == ["demo"]  # signed in once


@pytest.mark.parametrize(("url", "name"), [("http://elsewhere.test", None), ("http://127.0.0.1:8321", "maria")])
def test_sample_password_goes_nowhere_else(bridge: Bridge, url: str, name: str | None) -> None:
    """The sample's password is sent to this machine only, and for its own operator only; nobody else can be asked."""
    keys_of(load_settings())
    words = ["list", "--url", url, *(["--as", name] if name else [])]
    done = CliRunner().invoke(queue.queue, words)
    assert isinstance(done.exception, ConfigError)
    assert OPERATOR_TOKEN in str(done.exception)
    assert "handrail operator add" in str(done.exception)
    assert not bridge.hosts


def test_asked_at_a_terminal(served: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal name and password are asked for, once; then the session is kept for the next command."""
    asks: list[tuple[str, bool]] = []

    def prompt(text: str, *, hide_input: bool = False, err: bool = False) -> str:
        assert err
        asks.append((text, hide_input))
        return PASSWORD if hide_input else "omar"

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(operator_sessions, "_at_terminal", lambda: True)
    said("list")
    assert [hidden for _, hidden in asks] == [False, True]
    said("list")
    assert len(asks) == 2
    said("list", "--as", "maria")
    assert [hidden for _, hidden in asks] == [False, True, True]
    assert list(served.operators.tokens.values()) == ["omar", "maria"]


def test_session_that_is_over_is_renewed(served: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept session that the server does not know any more is dropped, and its person signs in again."""
    sessions = SavedSessions()
    ends = datetime.now(UTC) + timedelta(hours=1)
    sessions.keep(SavedSession(url=URL, name="omar", token="hro_gone", expires_at=ends))
    monkeypatch.setattr(operator_sessions, "_credentials", lambda _url, name, _settings: (name, PASSWORD))
    said("list")
    assert list(served.operators.tokens.values()) == ["omar"]
    saved = sessions.latest(URL, None, datetime.now(UTC))
    assert saved is not None
    assert saved.token in served.operators.tokens


def test_variable_that_is_over_is_an_error(monkeypatch: pytest.MonkeyPatch, bridge: Bridge) -> None:
    """A token that was given is not replaced by somebody else's session."""
    monkeypatch.setenv(OPERATOR_TOKEN, "hro_gone")
    with pytest.raises(Fault, match="signed-in operators"):
        raise_of(ran("list"))
    assert len(bridge.hosts) == 1


def test_kept_sessions_are_told_apart(tmp_path: Path) -> None:
    """A session is used at its address, for its person, and while it lasts; a damaged file is none."""
    sessions = SavedSessions(tmp_path / "kept")
    now = datetime.now(UTC)
    assert sessions.latest(URL, None, now) is None
    for name, hours in (("maria", 2), ("omar", 5), ("late", -1)):
        sessions.keep(SavedSession(url=URL, name=name, token=f"hro_{name}", expires_at=now + timedelta(hours=hours)))
    sessions.keep(SavedSession(url="http://x", name="x", token="hro_x", expires_at=now + timedelta(hours=9)))
    (tmp_path / "kept" / "broken.json").write_text("{")
    latest = sessions.latest(URL, None, now)
    assert latest is not None
    assert latest.name == "omar"
    assert sessions.latest(URL, "late", now) is None
    assert sessions.of_token(URL, "hro_x") is None
    found = sessions.latest(URL, "maria", now)
    assert found is not None
    sessions.forget(found)
    assert sessions.latest(URL, "maria", now) is None


@pytest.mark.parametrize("url", ["handrail.test", "ftp://handrail.test", ""])
def test_address_needs_its_scheme(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """An address that is none is told before anything is asked."""
    monkeypatch.undo()
    done = CliRunner().invoke(queue.queue, ["list", "--url", url])
    assert done.exit_code == 2
    assert "http://" in done.output


def test_default_address_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch, bridge: Bridge) -> None:
    """Without --url the server of the settings is meant; one on any free port has to be named."""
    monkeypatch.setenv(OPERATOR_TOKEN, "hro_gone")
    for host, expected in (("0.0.0.0", "http://127.0.0.1:9000/"), ("::1", "http://[::1]:9000/")):  # noqa: S104 - the case
        monkeypatch.setenv("HANDRAIL_HOST", host)
        monkeypatch.setenv("HANDRAIL_PORT", "9000")
        CliRunner().invoke(queue.queue, ["list"])
        assert bridge.hosts[-1].startswith(expected)
    monkeypatch.setenv("HANDRAIL_PORT", "0")
    done = CliRunner().invoke(queue.queue, ["list"])
    assert done.exit_code == 2
    assert "--url" in done.output


def test_times_and_ids_as_they_are_shown() -> None:
    """Instants are told from now; ids are as short as they can be told apart, and not shorter than can be read."""
    assert when(None, NOW) == "-"
    assert when(NOW + timedelta(minutes=59, seconds=59), NOW) == "in 59 min"
    assert when(NOW - timedelta(minutes=5), NOW) == "5 min ago"
    assert when(NOW + timedelta(hours=23, minutes=4), NOW) == "in 23 h 04 min"
    assert when(NOW - timedelta(days=3), NOW) == "3 d ago"
    assert shortened(["c_1", "c_1234567890a", "c_1234567890b"]) == {
        "c_1": "c_1",
        "c_1234567890a": "c_1234567890a",
        "c_1234567890b": "c_1234567890b",
    }
