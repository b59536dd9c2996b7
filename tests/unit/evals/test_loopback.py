import socket

import httpx
import pytest
from fastapi import FastAPI

from handrail.evals.loopback import HOST, answering


def greeting() -> FastAPI:
    """An application with one route."""
    app = FastAPI()

    async def hello() -> str:
        return "hello"

    app.add_api_route("/", hello)
    return app


async def test_an_application_answers_on_a_socket_until_it_is_closed() -> None:
    """Real HTTP on the loopback interface, and nothing is left listening."""
    async with answering(greeting()) as address, httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/")).json() == "hello"
    port = httpx.URL(address).port
    assert port is not None
    with socket.socket() as after, pytest.raises(ConnectionRefusedError):
        after.connect((HOST, port))


async def test_two_applications_do_not_share_a_port() -> None:
    """Cases run at the same time."""
    async with answering(greeting()) as one, answering(greeting()) as other:
        assert one != other
