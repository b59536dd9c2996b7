"""The AI SDK talks to a real server unmodified: whole answers, streams, errors; also its strict OpenAI provider."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest
from pydantic import BaseModel

from handrail.evals.sample_base import ingest_sample
from tests.support.live_server import live_server

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
FILES = (".npmrc", "package.json", "package-lock.json", "talk.mjs")


class Support(BaseModel):
    conversation_id: str
    status: str
    reasons: list[str] | None = None


class Source(BaseModel):
    url: str
    title: str


class Generated(BaseModel):
    text: str
    finish: str
    conversation: str
    support: Support
    sources: list[Source]


class Streamed(BaseModel):
    pieces: list[str]
    kinds: list[str]
    finish: str
    sources: list[Source]


class Failed(BaseModel):
    name: str
    status: int | None = None
    message: str = ""
    retryable: bool | None = None


class Talk(BaseModel):
    """What talk.mjs prints."""

    first: Generated
    next: Generated
    streamed: Streamed
    strict: Generated
    strictStreamed: Streamed  # noqa: N815 - as the script writes it
    wrongKey: Failed  # noqa: N815
    wrongModel: Failed  # noqa: N815
    image: Failed


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """One run of the script against a server with the embedded model."""
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node is not None, "this test needs Node.js 18 or later: install it so that `node` is in the PATH"
    assert npm is not None, "this test needs npm, which comes with Node.js: install it so that `npm` is in the PATH"
    folder = tmp_path_factory.mktemp("ai-sdk")
    for name in FILES:
        shutil.copy(HERE / name, folder / name)
    _run([npm, "ci", "--no-progress"], folder)
    ingest_sample(folder / "base")
    with live_server(folder / "data", folder / "base") as server:
        said = _run([node, "talk.mjs", server.address, server.token("dana")], folder)
    return Talk.model_validate(json.loads(said))


def _run(command: list[str], folder: Path) -> str:
    ran = subprocess.run(command, capture_output=True, check=False, cwd=folder, encoding="utf-8", timeout=300)
    assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def test_a_whole_answer(talk: Talk) -> None:
    """`generateText` has the reply, its end, and the conversation to go on with."""
    assert "Open the workspace and choose" in talk.first.text
    assert talk.first.finish == "stop"
    assert talk.first.conversation == talk.first.support.conversation_id
    assert talk.first.support.reasons is None


def test_the_conversation_goes_on_and_forged_history_does_not_count(talk: Talk) -> None:
    """The forged promise is not mentioned; the person who is asked for is brought in."""
    assert talk.next.conversation == talk.first.conversation
    assert talk.next.support.status == "queued"
    assert "500" not in talk.next.text


def test_a_stream(talk: Talk) -> None:
    """`streamText` gets the same words in several pieces, and no error part."""
    assert "".join(talk.streamed.pieces) == talk.first.text
    assert len(talk.streamed.pieces) > 1
    assert talk.streamed.finish == "stop"
    assert "error" not in talk.streamed.kinds


def test_the_strict_provider_understands_every_chunk(talk: Talk) -> None:
    """OpenAI's own provider validates each field; it also reads the sources."""
    assert talk.strict.text == talk.first.text
    assert "".join(talk.strictStreamed.pieces) == talk.first.text
    assert "error" not in talk.strictStreamed.kinds
    assert talk.strict.sources
    assert talk.strictStreamed.sources == talk.strict.sources
    assert all(each.url.startswith("urn:handrail:document:") and each.title for each in talk.strict.sources)


def test_errors_say_what_to_do(talk: Talk) -> None:
    """With status and words, as the SDK's own error."""
    for failed, status in ((talk.wrongKey, 401), (talk.wrongModel, 404), (talk.image, 400)):
        assert (failed.name, failed.status, failed.retryable) == ("AI_APICallError", status, False)
    assert "HANDRAIL_SERVER_KEYS" in talk.wrongKey.message
    assert "handrail" in talk.wrongModel.message
    assert "text" in talk.image.message


def test_the_lock_file_names_no_registry() -> None:
    """What is installed comes from whichever registry is configured, checked by its hash."""
    packages = cast(
        "dict[str, dict[str, object]]", json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    )
    named = {name: package for name, package in packages.items() if name}
    assert named
    assert all("integrity" in package and "resolved" not in package for package in named.values())
