"""langgraph.json: what it names can be loaded by path and gives the graph of the turn."""

import importlib.util
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest
from langgraph.graph.state import CompiledStateGraph

from handrail.agent import langgraph_entry
from handrail.agent.channels import TurnState
from handrail.agent.flow import TURN, build_graph
from handrail.agent.following import Following
from handrail.agent.operators import Operators
from handrail.agent.room import Room
from handrail.agent.service import Service
from handrail.agent.settings import Settings

ROOT = Path(__file__).parents[2]
Graph = CompiledStateGraph[TurnState, None, TurnState, TurnState]


def test_every_graph_is_a_file_of_the_repository_and_a_name_in_it() -> None:
    """Paths are relative to langgraph.json, as its loaders read them."""
    assert _graphs()
    for target in _graphs().values():
        path, _, name = target.partition(":")
        assert (ROOT / path).is_file()
        assert callable(getattr(_loaded(target), name))


async def test_the_named_factory_yields_the_compiled_graph_of_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded by path and not by import, with a stand-in for the ports, it yields the steps of the turn."""
    target = _graphs()["turn"]
    module = _loaded(target)
    monkeypatch.setattr(module, "running", _without_ports)
    factory = cast("Callable[[], AbstractAsyncContextManager[Graph]]", getattr(module, target.partition(":")[2]))
    async with factory() as graph:
        assert isinstance(graph, CompiledStateGraph)
        assert set(graph.get_graph().nodes) == {"__start__", "__end__", *(stage.value for stage, _ in TURN)}


def test_importing_the_entry_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader may import it just to look at it: no folder is made and no setting is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDRAIL_PORT", "not a port")
    _loaded(_graphs()["turn"])
    assert list(tmp_path.iterdir()) == []


def test_the_entry_is_reachable_by_import_too() -> None:
    """Embedding code imports it like every other module."""
    assert langgraph_entry.turn is not None


def _graphs() -> dict[str, str]:
    return cast("dict[str, str]", json.loads((ROOT / "langgraph.json").read_text("utf-8"))["graphs"])


def _loaded(target: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("loaded_by_path", ROOT / target.partition(":")[0])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def _without_ports(_settings: Settings) -> AsyncIterator[Service]:
    room = cast(Room, SimpleNamespace())
    following, operators = cast(Following, SimpleNamespace()), cast(Operators, SimpleNamespace())
    yield Service(room, build_graph(room), following=following, operators=operators)
