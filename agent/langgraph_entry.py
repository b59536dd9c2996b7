"""The turn as LangGraph's own tools load it: `langgraph.json` names `turn` below."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from handrail.agent.composition import running
from handrail.agent.settings import load_settings

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from handrail.agent.channels import TurnState


@asynccontextmanager
async def turn() -> AsyncIterator[CompiledStateGraph[TurnState, None, TurnState, TurnState]]:
    """The graph of one turn with every port of the settings open; the ports close with the context.

    Its input is the state of a turn that has been received (`cause`, `turn`, `snapshot`, `journal`), and it writes
    audit and journal only: a caller that wants a whole turn stored uses `Service.say`. Raises what `load_settings` and
    `running` raise.
    """
    async with running(load_settings()) as service:
        yield service.graph
