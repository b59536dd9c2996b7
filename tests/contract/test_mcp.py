"""The MCP toolbox against real servers, by both ways in: what it sends, and what it makes of every misbehaviour."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.agent.mcp import connection as module
from handrail.agent.mcp.connection import WAITING_SECONDS, Connection, NotReached
from handrail.agent.mcp.reach import McpServer
from handrail.agent.mcp.toolbox import McpToolbox
from handrail.agent.ports import PortError, ToolRefused
from tests.support.mcp import EXAMPLE, HTTP, RAW, STDIO, Served, call, declared, served, toolbox

WAYS = pytest.mark.parametrize("how", [STDIO, HTTP])


async def gone(box: McpToolbox) -> None:
    """A call that is broken off as a turn breaks it off."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await box.execute(call("cancel_order"), "mia", "k1")


@WAYS
async def test_calls_go_out_with_customer_and_key(tmp_path: Path, how: str) -> None:
    """The customer and the key are Handrail's, whatever the model wrote; facts are read from the server's record."""
    async with served(tmp_path, how) as shop, toolbox(shop) as box:
        facts = await box.call_facts(call("cancel_order"), "mia")
        read = await box.execute(call("get_order"), "mia", "k0")
        wrote = await box.execute(call("cancel_order"), "mia", "k1")
        again = await box.execute(call("cancel_order"), "mia", "k1")
    assert facts.values == {"owned": True, "order_status": "open", "currency": "EUR", "total_minor": 4900}
    assert isinstance(read, dict)
    assert read["total"] == "49.00"
    assert wrote == again == {"order_id": "ORD-1001", "status": "cancelled"}
    assert [entry for entry in shop.noted() if entry["tool"] == "cancel_order"] == [
        {"tool": "cancel_order", "order": "ORD-1001", "customer": "mia", "key": "k1"}
    ]


@WAYS
async def test_the_key_may_go_into_the_meta_of_the_request(tmp_path: Path, how: str) -> None:
    """For servers that take it there."""
    spec = declared("cancel_order", mcp={"key": {"meta": "example.com/key"}})
    async with served(tmp_path, how, RAW, "fine") as raw, toolbox(raw, spec) as box:
        await box.execute(call("cancel_order"), "mia", "k9")
    sent = raw.noted()[-1]["called"]
    assert isinstance(sent, dict)
    meta = sent["_meta"]
    assert isinstance(meta, dict)
    assert meta["example.com/key"] == "k9"
    assert sent["arguments"] == {"order_id": "ORD-1001", "customer_id": "mia"}


async def test_somebody_elses_record_has_no_facts(tmp_path: Path) -> None:
    """The server declines; so does one that shows what is not asked for, by the comparison with the customer."""
    async with served(tmp_path, STDIO) as shop, toolbox(shop) as box:
        assert (await box.call_facts(call("cancel_order", "ORD-2002"), "mia")).values == {}
    async with served(tmp_path, STDIO, variant="leaky") as shop, toolbox(shop) as box:
        facts = await box.call_facts(call("cancel_order", "ORD-2002"), "mia")
        assert facts.values["owned"] is False


async def test_nobody_who_is_not_signed_in_gets_through(tmp_path: Path) -> None:
    """A tool that acts on a customer has nothing to send without one."""
    async with served(tmp_path, STDIO) as shop, toolbox(shop) as box:
        with pytest.raises(ToolRefused, match="signed in"):
            await box.execute(call("get_order"), "", "k1")
    assert shop.noted() == []


@pytest.mark.parametrize(
    ("variant", "changes", "said"),
    [
        ("no_cancel", {}, "has no tool cancel_order"),
        ("greedy", {}, "requires the argument reason_code"),
        ("", {"mcp": {"pinned": "0" * 64}}, "not the pinned one"),
        ("", {"mcp": {"customer": "client"}}, "has no argument client"),
        ("", {"mcp": {"look_up": {"tool": "find", "facts": {"owned": {"path": ["a"]}}}}, "facts": []}, "find"),
    ],
)
async def test_a_tool_that_does_not_fit_is_denied_and_the_rest_works(
    tmp_path: Path, variant: str, changes: dict[str, JsonValue], said: str
) -> None:
    """It says what to do; the other tool of the same server is not concerned."""
    if "look_up" in str(changes):
        changes = {"facts": [{"name": "owned", "type": "boolean", "description": "own"}], "mcp": changes["mcp"]}
    specs = (declared("get_order"), declared("cancel_order", **changes))
    async with served(tmp_path, STDIO, variant=variant) as shop, toolbox(shop, *specs) as box:
        with pytest.raises(ToolRefused, match=said):
            await box.call_facts(call("cancel_order"), "mia")
        with pytest.raises(ToolRefused, match=said):
            await box.execute(call("cancel_order"), "mia", "k1")
        assert await box.execute(call("get_order"), "mia", "k2")
    assert "cancel_order" not in [entry["tool"] for entry in shop.noted()]


@WAYS
async def test_a_server_that_changes_its_tools_in_between_loses_the_changed_one(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Announced or not: over HTTP this server says nothing, and the next look at its list tells."""
    async with served(tmp_path, how, RAW, "changes") as raw, toolbox(raw) as box:
        await box.call_facts(call("cancel_order"), "mia")
        if how == HTTP:
            monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
        else:
            await box.execute(call("get_order"), "mia", "k0")
            await asyncio.sleep(0.2)
        with pytest.raises(ToolRefused, match="changed while Handrail ran"):
            await box.execute(call("cancel_order"), "mia", "k1")
        assert await box.execute(call("get_order"), "mia", "k2")
    called = [entry["called"] for entry in raw.noted()]
    assert all(isinstance(one, dict) and one["name"] == "get_order" for one in called)


@WAYS
async def test_a_server_that_dies_in_a_write_leaves_it_in_doubt_and_comes_back(tmp_path: Path, how: str) -> None:
    """It may have happened. A server that is a command is started again for the next call."""
    async with served(tmp_path, how, variant="dies") as shop, toolbox(shop) as box:
        async with asyncio.timeout(10):
            with pytest.raises(PortError) as caught:
                await box.execute(call("cancel_order"), "mia", "k1")
        assert not isinstance(caught.value, NotReached)
        assert await box.outcome("k1") is None
        if how == STDIO:
            assert await eventually(box)
        else:
            with pytest.raises(ToolRefused):
                await box.execute(call("cancel_order"), "mia", "k2")
    assert sum(entry["tool"] == "cancel_order" for entry in shop.noted()) == 1


async def eventually(box: McpToolbox) -> JsonValue:
    """What a read answers, once the server has been started again."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await box.execute(call("get_order"), "mia", "k3")
            except NotReached:
                await asyncio.sleep(0.2)


@WAYS
async def test_a_server_that_hangs_holds_nobody_longer_than_patience(tmp_path: Path, how: str) -> None:
    """The caller goes, other calls on the same connection are answered meanwhile and afterwards."""
    async with served(tmp_path, how, variant="hangs") as shop, toolbox(shop) as box:
        waiting = asyncio.create_task(gone(box))
        await asyncio.sleep(0.1)
        assert await box.execute(call("get_order"), "mia", "k2")
        await waiting
        assert await box.execute(call("get_order"), "mia", "k3")


@WAYS
@pytest.mark.parametrize("mode", ["huge_read", "huge", "nonsense_read", "nonsense"])
async def test_nonsense_and_too_much_are_no_answers(tmp_path: Path, how: str, mode: str) -> None:
    """A read fails, a write is in doubt, and the connection goes on or is made again."""
    tool = "get_order" if mode.endswith("read") else "cancel_order"
    async with served(tmp_path, how, RAW, mode) as raw, toolbox(raw) as box:
        async with asyncio.timeout(20):
            if how == STDIO and mode.startswith("huge"):
                # A local command may say this much; the node that asked refuses to take it.
                assert len(str(await box.execute(call(tool), "mia", "k1"))) > 64_000
            else:
                with pytest.raises(PortError):
                    await box.execute(call(tool), "mia", "k1")
        other = "cancel_order" if tool == "get_order" and mode == "nonsense_read" else "get_order"
        if mode != "huge_read":
            assert await box.execute(call(other), "mia", "k2")


async def test_an_event_of_a_stream_that_is_too_long_is_no_answer(tmp_path: Path) -> None:
    """10 MB over streamable HTTP: the write is in doubt, and the connection serves the next call."""
    async with served(tmp_path, HTTP, variant="huge") as shop, toolbox(shop) as box:
        async with asyncio.timeout(20):
            with pytest.raises(PortError):
                await box.execute(call("cancel_order"), "mia", "k1")
            assert await eventually(box)


async def test_requests_of_a_server_are_refused(tmp_path: Path) -> None:
    """To sample a model, to ask the customer, to see folders: each gets an error, and the call goes on."""
    async with served(tmp_path, STDIO, RAW, "asks") as raw, toolbox(raw) as box:
        assert await box.execute(call("cancel_order"), "mia", "k1")
    answered = {str(entry["answered"]): entry["error"] for entry in raw.noted() if "answered" in entry}
    assert answered == {
        "ask-sampling/createMessage": True,
        "ask-elicitation/create": True,
        "ask-roots/list": True,
    }


@WAYS
async def test_a_server_that_asks_the_customer_within_a_call_gets_nothing(tmp_path: Path, how: str) -> None:
    """The library's own way of asking: the write is in doubt, and no answer is given."""
    async with served(tmp_path, how, variant="asks") as shop, toolbox(shop) as box:
        with pytest.raises(PortError):
            await box.execute(call("cancel_order"), "mia", "k1")
    assert not any(entry["tool"] == "elicited" for entry in shop.noted())


@pytest.mark.parametrize(("means", "error"), [("unknown", PortError), ("nothing_happened", ToolRefused)])
async def test_what_an_error_of_a_write_means_is_declared(tmp_path: Path, means: str, error: type[Exception]) -> None:
    """By itself an error says nothing certain."""
    spec = declared("cancel_order", mcp={"error_means": means})
    async with served(tmp_path, STDIO, variant="errs") as shop, toolbox(shop, spec) as box:
        with pytest.raises(error):
            await box.execute(call("cancel_order"), "mia", "k1")


async def test_a_server_that_is_not_there_takes_nobodys_time(tmp_path: Path) -> None:
    """Reads fail as unreachable; a write that could not be sent has not happened."""
    nowhere = Served(McpServer(command=(str(tmp_path / "no-such-program"),)), tmp_path / "ledger")
    async with toolbox(nowhere) as box:
        # Less than a call waits for a server that is being opened.
        async with asyncio.timeout(WAITING_SECONDS - 0.5):
            with pytest.raises(NotReached):
                await box.execute(call("get_order"), "mia", "k1")
            with pytest.raises(ToolRefused, match="be reached"):
                await box.execute(call("cancel_order"), "mia", "k1")


async def test_a_list_that_does_not_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    """The server counts as not there."""
    async with served(tmp_path, STDIO, RAW, "endless") as raw, toolbox(raw) as box:
        with pytest.raises(NotReached):
            await box.execute(call("get_order"), "mia", "k1")


async def test_the_server_of_the_documentation_works(tmp_path: Path) -> None:
    """The example's declarations fit the example's server."""
    example = Served(McpServer(command=(sys.executable, str(EXAMPLE / "shop.py"))), tmp_path / "none")
    async with toolbox(example) as box:
        assert (await box.call_facts(call("cancel_order"), "mia")).values["order_status"] == "open"
        assert await box.execute(call("cancel_order"), "mia", "k") == {"order_id": "ORD-1001", "status": "cancelled"}


async def test_closing_ends_the_command(tmp_path: Path) -> None:
    """No server outlives the process that wanted it."""
    async with served(tmp_path, STDIO) as shop:
        connection = Connection("shop", shop.server)
        connection.start()
        assert "get_order" in await _listed(connection)
        assert _processes(str(tmp_path))
        await connection.close()
        assert _processes(str(tmp_path)) == ()
        with pytest.raises(NotReached):
            await connection.tools()


async def _listed(connection: Connection) -> tuple[str, ...]:
    attempt = connection._attempt
    assert attempt is not None
    await asyncio.wait([attempt], timeout=30)
    return tuple(await connection.tools())


def _processes(word: str) -> tuple[str, ...]:
    """The command lines of running processes that hold `word`."""
    lines = [path.read_bytes().replace(b"\0", b" ").decode() for path in Path("/proc").glob("[0-9]*/cmdline")]
    return tuple(line for line in lines if word in line and "mcp_shop" in line)
