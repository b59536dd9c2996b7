"""Handrail around a plain LangGraph agent: a model, a tool node, and the edges between them."""

import asyncio
import sys

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import tools_condition

from handrail.agent.composition import running
from handrail.agent.embedding import SupportState
from handrail.agent.guest.langgraph import Guarding
from handrail.agent.settings import load_settings

INSTRUCTIONS = "You help customers of Fernwell with invoices."


@tool
async def get_invoice(invoice_id: str) -> dict[str, str]:
    """Read an invoice."""
    return {"invoice_id": invoice_id, "amount": "52.00", "currency": "USD", "status": "paid"}


async def main() -> None:
    """The messages of one conversation."""
    settings = load_settings()
    model = ChatOpenAI(
        model=settings.model,
        base_url=settings.model_base_url,
        api_key=settings.model_api_key or (lambda: "none"),
    ).bind_tools([get_invoice])

    async def think(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await model.ainvoke([SystemMessage(INSTRUCTIONS), *state["messages"]])]}

    async with running(settings) as service:
        guarding = Guarding(service, settings.site, [get_invoice], instructions=INSTRUCTIONS)
        graph = StateGraph(MessagesState)
        graph.add_node("think", think)
        graph.add_node("tools", guarding.tool_node)  # where ToolNode([get_invoice]) stood
        graph.add_edge(START, "think")
        graph.add_conditional_edges("think", tools_condition)
        graph.add_edge("tools", "think")
        agent = guarding.around(graph.compile())
        state = SupportState(messages=[], customer_id="dana")  # from the session
        for number, words in enumerate(sys.argv[1:]):
            state["messages"] = [*state["messages"], HumanMessage(words, id=str(number))]
            said = await agent.ainvoke(state)
            state = SupportState(
                messages=[*state["messages"], *said["messages"]],
                customer_id="dana",
                conversation_id=said["conversation_id"],
            )
            print(">", words, "\n" + said["messages"][-1].text)  # noqa: T201
            print("  ", said["support"]["status"], *said["support"]["reasons"])  # noqa: T201


asyncio.run(main())
