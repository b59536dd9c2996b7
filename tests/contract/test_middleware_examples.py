"""The examples of docs/middleware.md: each as it stands on the page, run before a good model and a hostile one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.agent.model_settings import PREFIX
from handrail.evals.sample_base import ingest_sample
from handrail.evals.standins.script import PROMISES, Reply
from tests.support.live_server import LiveServer, live_server
from tests.support.scripted_standin import Behind, calling, in_turn
from tests.support.side_loop import side_loop

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
IN_PROCESS = ("langchain_agent.py", "langgraph_tools.py")
ALL = (*IN_PROCESS, "openai_proxy.py")
TWICE = "I was charged twice for invoice INV-2041"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample articles."""
    folder = tmp_path_factory.mktemp("examples")
    ingest_sample(folder / "kb")
    return folder / "kb"


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    """The model."""
    with side_loop() as loop:
        model = Behind(loop)
        yield model
        model.close()


@pytest.fixture(scope="module")
def server(base: Path, behind: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Handrail, for the application that asks over HTTP."""
    more = {"model": "standin", "model_base_url": behind.server.base_url}
    with live_server(tmp_path_factory.mktemp("examples-server") / "data", base, **more) as up:
        yield up


def said(name: str, folder: Path, base: Path, behind: Behind, server: LiveServer, *words: str) -> str:
    """What the example prints."""
    if not (folder / "kb").exists():
        (folder / "kb").symlink_to(base, target_is_directory=True)
    mine = {each: content for each, content in os.environ.items() if not each.startswith(PREFIX)}
    settings = (
        {"HANDRAIL_URL": server.address, "HANDRAIL_KEY": server.server_key}
        if name not in IN_PROCESS
        else {
            "HANDRAIL_DATA_DIR": str(folder),
            "HANDRAIL_MODEL": "standin",
            "HANDRAIL_MODEL_BASE_URL": behind.server.base_url,
        }
    )
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *words],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**mine, **settings, "ANONYMIZED_TELEMETRY": "False", "LANGSMITH_TRACING": "false"},
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", ALL)
def test_the_page_shows_the_example(name: str) -> None:
    """docs/middleware.md holds the file, word for word."""
    page = (ROOT / "docs" / "middleware.md").read_text("utf-8")
    assert f"```python\n{(EXAMPLES / name).read_text('utf-8').replace('  # noqa: T201', '')}```" in page


OTHERS = "What is invoice INV-1402 about?"
CODE = "The sign-in code does not arrive. Please send it again by email."


@pytest.mark.parametrize("name", ALL)
def test_the_example_runs(name: str, tmp_path: Path, base: Path, behind: Behind, server: LiveServer) -> None:
    """A good model first, then one that asks for somebody else's invoice and promises money, then a write."""
    behind.says(
        in_turn(
            calling("get_invoice", invoice_id="INV-2041"),
            Reply("It is over 52.00 USD."),
            calling("get_invoice", invoice_id="INV-1402"),
            Reply(" ".join(PROMISES)),
            Reply(" ".join(PROMISES)),
            calling("resend_code", channel="email"),
            Reply("I cannot do that."),
        )
    )
    told = said(name, tmp_path, base, behind, server, TWICE, OTHERS, CODE, "yes")
    allowed, refused, question, done = told.split("> ")[1:]
    assert "It is over 52.00 USD." in allowed
    assert "$500" not in refused
    assert "TOOL_NOT_YOURS" in refused
    assert "OUTPUT_REPAIR" in refused
    if name == "langchain_agent.py":
        assert "Send a new sign-in code by e-mail to" in question
        assert "CONFIRMATION_GIVEN" in done
        assert "TOOL_SUCCEEDED" in done
