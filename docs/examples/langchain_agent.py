"""Handrail around an agent of LangChain's `create_agent`."""

import asyncio
import sys

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from handrail.agent.composition import running
from handrail.agent.guest.langchain import HandrailMiddleware
from handrail.agent.settings import load_settings


@tool
async def get_invoice(invoice_id: str) -> dict[str, str]:
    """Read an invoice. The bundle declares this tool; whether a call may run is decided by its facts and rules."""
    return {"invoice_id": invoice_id, "amount": "52.00", "currency": "USD", "status": "paid"}


@tool
async def resend_code(channel: str) -> dict[str, str]:
    """Send the sign-in code again. A write: the customer is asked first, and it runs once."""
    return {"channel": channel}


async def main() -> None:
    """The messages of one thread."""
    settings = load_settings()
    model = ChatOpenAI(
        model=settings.model,
        base_url=settings.model_base_url,
        api_key=settings.model_api_key or (lambda: "none"),
    )
    async with running(settings) as service:
        agent = create_agent(
            model,
            system_prompt="You help customers of Fernwell with invoices and sign-in.",
            middleware=[HandrailMiddleware(service, settings.site, [get_invoice, resend_code])],  # the one call
            checkpointer=InMemorySaver(),
        )
        thread = RunnableConfig(configurable={"thread_id": "chat-1"})
        for words in sys.argv[1:]:
            told = {"messages": [HumanMessage(words)], "customer_id": "dana"}  # the customer, from the session
            said = await agent.ainvoke(told, thread)
            print(">", words, "\n" + said["messages"][-1].text)  # noqa: T201
            print("  ", said["support"]["status"], *said["support"]["reasons"])  # noqa: T201


asyncio.run(main())
