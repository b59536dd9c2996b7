"""Several toolboxes as one, and how the composition root puts MCP servers beside the company's own tools."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.agent.composition import Substitutes, running
from handrail.agent.mcp.connection import NotReached
from handrail.agent.ports import CallFacts, Toolbox
from handrail.agent.settings import Settings
from handrail.agent.toolboxes import Toolboxes
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import ToolCall
from tests.support.bundles import edited
from tests.support.mcp import EDITS, EXAMPLE, call


class Box:
    """A toolbox that answers with its name, and knows one key."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def call_facts(self, call: ToolCall, customer_id: str) -> CallFacts:
        """Its name."""
        return CallFacts(values={"by": self.name})

    async def execute(self, call: ToolCall, customer_id: str, key: str) -> JsonValue:
        """Its name."""
        return self.name

    async def outcome(self, key: str) -> JsonValue:
        """Its name, for its own key."""
        return self.name if key == self.name else None


class Unused:
    """A port that this test does not reach."""

    passage_screen = ""


async def test_each_call_goes_to_the_owner_of_its_tool() -> None:
    """What nobody else has belongs to the company; a key is asked of everybody."""
    boxes = Toolboxes(Box("own"), {"get_order": Box("shop")})
    assert await boxes.execute(call("get_order"), "mia", "k") == "shop"
    assert await boxes.execute(call("get_profile"), "mia", "k") == "own"
    assert (await boxes.call_facts(call("get_order"), "mia")).values == {"by": "shop"}
    assert [await boxes.outcome(key) for key in ("own", "shop", "none")] == ["own", "shop", None]


def substitutes(folder: Path) -> Substitutes:
    """The shipped bundle with the example's tools, and nothing that is slow to open."""
    unused = Unused()
    bundle = edited(folder / "policies", *EDITS)
    return Substitutes(bundle=bundle, detectors=unused, retriever=unused)  # type: ignore[arg-type]


async def _eventually(toolbox: Toolbox) -> JsonValue:
    """The answer to a read, once the server has started."""
    while True:
        try:
            return await toolbox.execute(call("get_order"), "mia", "k")
        except NotReached:
            await asyncio.sleep(0.1)


async def test_a_server_that_the_settings_do_not_name_stops_the_start(tmp_path: Path) -> None:
    """It says what to set."""
    with pytest.raises(ConfigError, match="name the MCP server shop: add it to HANDRAIL_MCP_SERVERS"):
        async with running(Settings.model_validate({"data_dir": tmp_path / "state"}), substitutes(tmp_path)):
            pass


async def test_the_service_opens_and_closes_the_servers_of_the_bundle(tmp_path: Path) -> None:
    """A server that the settings name and no tool does is not started."""
    marker = tmp_path / "started"
    other = (sys.executable, "-c", f"open({str(marker)!r}, 'w')")
    shop = {"command": (sys.executable, str(EXAMPLE / "shop.py"))}
    settings = Settings.model_validate(
        {"data_dir": tmp_path / "state", "mcp_servers": {"shop": shop, "other": {"command": other}}}
    )
    async with running(settings, substitutes(tmp_path)) as service:
        toolbox = service._room.toolbox
        async with asyncio.timeout(60):
            found = await _eventually(toolbox)
        assert isinstance(found, dict)
        assert found["status"] == "open"
    assert not marker.exists()
    with pytest.raises(NotReached):
        await toolbox.execute(call("get_order"), "mia", "k")
