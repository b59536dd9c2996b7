"""A real `handrail serve` in a process of its own, the real command line beside it, and pages of other hosts."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from handrail.agent.server.operator_client import OperatorClient

PATIENCE = 90.0
"""Seconds that a process may take to start or to stop on a busy machine."""

ROOMY = dict.fromkeys(("OPENINGS_PER_MINUTE", "MESSAGES_PER_MINUTE", "CALLER_MESSAGES_PER_MINUTE"), "100000")
"""All pages of the tests come from one address."""


@dataclass
class Server:
    """A running server. `folder` is its data folder, `log` what it writes to standard error."""

    address: str
    folder: Path
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def run(self, *arguments: str) -> str:
        """What `handrail ...` prints, run as the user would in another terminal."""
        command = [sys.executable, "-m", "handrail", *arguments]
        ran = subprocess.run(
            command, env=self.environment, capture_output=True, check=False, text=True, timeout=PATIENCE
        )
        assert ran.returncode == 0, f"handrail {' '.join(arguments)}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def queue(self, *arguments: str) -> str:
        """What `handrail queue ...` prints about this server."""
        return self.run("queue", *arguments, "--url", self.address)

    @contextlib.contextmanager
    def operator(self) -> Iterator[OperatorClient]:
        """The operators' API, signed in as the operator of the sample installation."""
        password = json.loads((self.folder / "secrets.json").read_text())["operator"]
        with httpx.Client(base_url=self.address, timeout=PATIENCE) as client:
            signed_in = client.post("/v1/operator/session", json={"name": "demo", "password": password})
            assert signed_in.status_code < 300, signed_in.text
            yield OperatorClient(client, signed_in.json()["token"])

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        assert code == 0, self.log.read_text()[-2000:]


def serve(folder: Path, base: Path, settings: dict[str, str] | None = None, port: int = 0) -> Server:
    """Start a server with the ingested knowledge base `base`; `settings` without the prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "kb").exists():
        (folder / "kb").symlink_to(base, target_is_directory=True)
    chosen = {"DATA_DIR": str(folder), **ROOMY, **(settings or {})}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    environment |= {f"HANDRAIL_{name}": value for name, value in chosen.items()}
    environment |= {"XDG_STATE_HOME": str(folder / "state"), "PYTHONUNBUFFERED": "1"}
    log = folder / "server.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "handrail", "serve", "--port", str(port)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    return Server(_address(process, log), folder, log, environment, process)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Where it answers, as it says once it does. What else it prints is read and dropped."""
    assert process.stdout is not None
    lines = process.stdout
    for line in lines:
        found = re.search(r"answers on (http://\S+)", line)
        if found:
            return found[1]  # the greeting that follows fits into the pipe
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class _Files(SimpleHTTPRequestHandler):
    """Files of a folder, under the policy that the site declares; nothing is logged."""

    def __init__(self, *given: object, policy: str, directory: str) -> None:
        self._policy = policy
        super().__init__(*given, directory=directory)  # type: ignore[arg-type]  # the three that socketserver gives

    def end_headers(self) -> None:
        """Add the policy to every answer."""
        self.send_header("Content-Security-Policy", self._policy)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Say nothing."""


@contextlib.contextmanager
def other_site(folder: Path, policy: str, port: int) -> Iterator[str]:
    """A web site of somebody else on this machine: another port is another origin."""
    site = ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Files, policy=policy, directory=str(folder)))
    thread = threading.Thread(target=site.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        site.shutdown()
        site.server_close()
        thread.join()
