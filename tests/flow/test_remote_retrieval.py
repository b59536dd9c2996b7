"""Whole turns with questions embedded at an endpoint and collections on a Chroma server, both over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handrail.agent.composition import Substitutes, running
from handrail.agent.settings import Settings
from handrail.cli import run
from handrail.commands.kb import kb
from handrail.evals.substitutes import OfficeClock
from handrail.guardrails.vocabulary import IdentityLevel, TurnResult
from tests.support.articles import article, write_articles
from tests.support.chroma_server import RunningChroma, running_chroma
from tests.support.embedding_server import Bad, EmbeddingServer, embedding_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from handrail.agent.service import Service

CARD = "4111 1111 1111 1111"
QUESTION = "How do I export my project as a CSV file?"
TEXT = "Open the project and choose export as CSV."
ARTICLES = {"export.md": article("export", TEXT, "Export a project as a CSV file", authority="authoritative")}


@pytest.fixture
def endpoint() -> Iterator[EmbeddingServer]:
    """What embeds."""
    with embedding_server() as served:
        yield served


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[RunningChroma]:
    """Where the collections are."""
    with running_chroma(tmp_path / "chroma") as server:
        yield server


@pytest.fixture
def chosen(
    tmp_path: Path, endpoint: EmbeddingServer, chroma: RunningChroma, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings that name both, after an ingest with them."""
    settings = {"embedding_model": "small", "embedding_base_url": endpoint.url, "chroma_url": chroma.url}
    for name, content in settings.items():
        monkeypatch.setenv(f"HANDRAIL_{name.upper()}", content)
    assert kb_command("ingest", str(write_articles(tmp_path / "articles", ARTICLES)), folder=tmp_path) == 0
    return Settings.model_validate({"data_dir": tmp_path / "data", **settings})


def kb_command(name: str, *arguments: str, folder: Path) -> int:
    """The exit code of a command on the base in `folder`."""
    return run(lambda: kb.main([name, "--data-dir", str(folder / "data"), *arguments], standalone_mode=False))


@asynccontextmanager
async def service_of(settings: Settings) -> AsyncIterator[Service]:
    """The service, in office hours."""
    async with running(settings, Substitutes(clock=OfficeClock())) as service:
        yield service


async def ask(service: Service, site: str, text: str) -> TurnResult:
    """The turn of a first message."""
    conversation = await service.open(site, "docs", "dana", IdentityLevel.IDENTIFIED)
    return await service.say(site, conversation, "dana", text, key="message-1")


async def test_a_question_is_answered(chosen: Settings) -> None:
    """As with everything on this machine."""
    async with service_of(chosen) as service:
        turn = await ask(service, chosen.site, QUESTION)
    assert "choose export as CSV" in turn.reply


async def test_a_question_leaves_the_machine_masked(chosen: Settings, endpoint: EmbeddingServer) -> None:
    """It holds no card number, as the setting for models says; articles go out as they are."""
    assert any(TEXT in text for text in endpoint.texts)
    ingested = len(endpoint.texts)
    async with service_of(chosen) as service:
        await ask(service, chosen.site, f"{QUESTION} My card is {CARD}.")
    (asked,) = endpoint.texts[ingested:]
    assert "export my project" in asked
    assert "[card]" in asked
    assert CARD not in asked


@pytest.mark.parametrize("gone", ["endpoint", "chroma"])
async def test_without_one_of_them_the_customer_is_not_left_alone(
    chosen: Settings, endpoint: EmbeddingServer, chroma: RunningChroma, gone: str
) -> None:
    """The turn ends with a reason that says what failed, and a person."""
    async with service_of(chosen) as service:
        if gone == "chroma":
            chroma.kill()
        else:
            endpoint.bad = [Bad(status=401)] * 10
        turn = await ask(service, chosen.site, QUESTION)
    assert "SYS_RETRIEVAL" in turn.reasons
    assert turn.handoff is not None
    assert turn.reply


def test_status_and_search_tell_of_another_embedding(
    chosen: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both name the one of the base and the one of the settings, and what to do."""
    capsys.readouterr()
    assert kb_command("search", "export", folder=tmp_path) == 0
    assert kb_command("status", folder=tmp_path) == 0
    told = capsys.readouterr()
    assert "embedded by small @ 127.0.0.1" in told.out
    assert f"in Chroma, server {chosen.chroma_url}" in told.out
    assert "another embedding" not in told.err
    monkeypatch.setenv("HANDRAIL_EMBEDDING_MODEL", "large")
    assert kb_command("status", folder=tmp_path) == 0
    assert "large @ 127.0.0.1" in capsys.readouterr().err
    assert kb_command("search", "export", folder=tmp_path) == 2
    assert "embedded by small @ 127.0.0.1" in capsys.readouterr().err


def test_the_threshold_of_the_settings_goes_into_the_base(
    chosen: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores of another embedding may need another one; the same articles are then ingested anew."""
    monkeypatch.setenv("HANDRAIL_PASSAGE_THRESHOLD", "0.97")
    assert kb_command("ingest", str(tmp_path / "articles"), folder=chosen.data_dir.parent) == 0
    assert kb_command("status", folder=tmp_path) == 0
    assert "from a score of 0.97" in capsys.readouterr().out
