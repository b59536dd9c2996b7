"""`kill -9` of the whole server process, real detection, retrieval and endpoint included (spec S13.4)."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from handrail.agent.server.identity import Gate
from handrail.agent.server.keys import keys_of
from handrail.agent.settings import Settings
from handrail.evals.standins.conduct import Conduct
from handrail.evals.standins.openai_server import MODEL, StandIn

READY_SECONDS = 60.0
HOW_TO = "How do I add a member to a project?"
MESSAGES = (HOW_TO, "And how do I remove one?", "Where do I see my invoices?")


class Server:
    """A `handrail serve` of its own, on one data folder, that can be killed and started again."""

    def __init__(self, folder: Path, model: StandIn) -> None:
        self._environment = {
            **os.environ,
            "HANDRAIL_DATA_DIR": str(folder),
            "HANDRAIL_MODEL": MODEL,
            "HANDRAIL_MODEL_BASE_URL": model.base_url,
            "HANDRAIL_MODEL_API_KEY": "of-no-use",
            "HANDRAIL_LOG_LEVEL": "error",
        }
        self._process: asyncio.subprocess.Process | None = None
        self.address = ""

    async def start(self) -> None:
        """Serve on a free port; returns when it answers."""
        self._process = await self._run("serve", "--port", "0", stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_SECONDS):
            while "answers on" not in (line := (await self._process.stdout.readline()).decode()):
                assert line, "the server ended before it was ready"
        self.address = line.rsplit(maxsplit=1)[-1]

    async def kill(self) -> None:
        """End it at once, whatever it does."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def verified(self) -> bool:
        """Whether `handrail audit verify` finds the log whole."""
        verifying = await self._run("audit", "verify", stdout=asyncio.subprocess.DEVNULL)
        return await verifying.wait() == 0

    async def _run(self, *arguments: str, stdout: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "handrail", *arguments, stdout=stdout, env=self._environment
        )


@asynccontextmanager
async def serving(base: Path, folder: Path, model: StandIn) -> AsyncIterator[Server]:
    """A server on a copy of the sample base; killed at the end."""
    shutil.copytree(base, folder / "kb")
    server = Server(folder, model)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def bearer(folder: Path) -> dict[str, str]:
    """The headers of a sample customer."""
    settings = Settings.model_validate({"data_dir": folder})
    return {"Authorization": f"Bearer {Gate(keys_of(settings), settings.site).sign('mia', 3600)}"}


async def ask(server: Server, headers: dict[str, str], path: str, text: str, key: str) -> httpx.Response:
    """Say something under a key."""
    async with httpx.AsyncClient(base_url=server.address, timeout=60, trust_env=False) as client:
        return await client.post(path, json={"text": text}, headers={**headers, "Idempotency-Key": key})


async def opened(server: Server, headers: dict[str, str]) -> str:
    """The path of a new conversation's messages."""
    async with httpx.AsyncClient(base_url=server.address, trust_env=False) as client:
        answer = await client.post("/v1/conversations", headers=headers)
        return f"/v1/conversations/{answer.json()['conversation_id']}/messages"


async def roles(server: Server, headers: dict[str, str], path: str) -> list[str]:
    """Who wrote the messages of the conversation, in order."""
    async with httpx.AsyncClient(base_url=server.address, trust_env=False) as client:
        return [message["role"] for message in (await client.get(path, headers=headers)).json()["messages"]]


async def test_a_server_killed_in_the_model_call(base: Path, tmp_path: Path) -> None:
    """The accepted message is answered after the restart, once; a repeat gets the same answer; the log is whole."""
    async with StandIn(Conduct.STALLING) as model, serving(base, tmp_path, model) as server:
        headers = bearer(tmp_path)
        path = await opened(server, headers)
        lost = asyncio.create_task(ask(server, headers, path, HOW_TO, "first"))
        await model.arrived.wait()
        await server.kill()
        assert isinstance((await asyncio.gather(lost, return_exceptions=True))[0], httpx.HTTPError)
        model.conduct = Conduct.GOOD
        await server.start()
        assert await roles(server, headers, path) == ["customer", "bot"]
        again = await ask(server, headers, path, HOW_TO, "first")
        assert again.status_code == 200
        assert again.json()["reply"]
        assert (await ask(server, headers, path, "thanks", "second")).status_code == 200
        assert await roles(server, headers, path) == ["customer", "bot"] * 2
        await server.kill()
        assert await server.verified()


async def test_a_server_killed_anywhere(base: Path, tmp_path: Path) -> None:
    """Killed at moments that chance chooses, every message is in the end stored once and answered once."""
    moments = random.Random(20)  # noqa: S311 - chooses moments, guards nothing
    async with StandIn() as model, serving(base, tmp_path, model) as server:
        headers = bearer(tmp_path)
        path = await opened(server, headers)
        for number, text in enumerate(MESSAGES):
            asking = asyncio.create_task(ask(server, headers, path, text, f"m{number}"))
            await asyncio.wait([asking], timeout=moments.uniform(0.01, 0.25))
            await server.kill()
            await asyncio.gather(asking, return_exceptions=True)
            await server.start()
            assert (await ask(server, headers, path, text, f"m{number}")).status_code == 200
        assert await roles(server, headers, path) == ["customer", "bot"] * len(MESSAGES)
        await server.kill()
        assert await server.verified()
