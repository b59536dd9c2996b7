"""Handrail as one node of another agent's LangGraph graph."""

import asyncio

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from handrail.agent.composition import running
from handrail.agent.embedding import Support, support_node
from handrail.agent.settings import load_settings


class Shop(MessagesState, total=False):
    """The outer graph's state: its messages, and the channels that it shares with the node."""

    customer_id: str | None  # from the session; nothing that anybody wrote
    conversation_id: str
    support: Support


def first(state: Shop) -> str:
    """The outer graph decides when Handrail is asked."""
    return "sales" if "price" in str(state["messages"][-1].content) else "support"


def sales(state: Shop) -> dict[str, list[AIMessage]]:
    """Some other part of the outer agent."""
    return {"messages": [AIMessage("Boards start at 8 euros a month.")]}


def after(state: Shop) -> str:
    """Route on who speaks with the customer from now on."""
    return "alert" if state["support"]["status"] == "queued" else END


def alert(state: Shop) -> None:
    """Whatever the outer agent does when a person was asked for."""
    print("team alerted:", state["support"]["reasons"][-1])  # noqa: T201


async def main() -> None:
    """Three messages of one thread."""
    settings = load_settings()
    async with running(settings) as service:
        graph = StateGraph(Shop)
        graph.add_node("support", support_node(service, settings.site))
        graph.add_node("sales", sales)
        graph.add_node("alert", alert)
        graph.add_conditional_edges(START, first, ["support", "sales"])
        graph.add_conditional_edges("support", after, ["alert", END])
        agent = graph.compile(checkpointer=InMemorySaver())
        thread = RunnableConfig(configurable={"thread_id": "chat-1"})
        for words in ("What is the price?", "I was charged twice for invoice INV-2041", "I want to talk to a person"):
            said = await agent.ainvoke(Shop(messages=[HumanMessage(words)], customer_id="dana"), thread)
            print(">", words, "\n" + str(said["messages"][-1].content))  # noqa: T201


asyncio.run(main())
