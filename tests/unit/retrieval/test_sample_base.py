from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from handrail.guardrails.detect.articles import ArticleScreen
from handrail.guardrails.detect.load import load_detection, shipped_detection
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.report import IngestReport
from handrail.retrieval.search import ChromaRetriever
from tests.support.articles import scope
from tests.support.hashing_encoder import HashingEncoder

EXPIRED = {"refunds-policy-2024", "plans-and-prices-2024", "cancel-plan-2024", "api-rate-limits-v1", "retention-2024"}


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, IngestReport]:
    """The articles that come with the package, in a base without a model."""
    base = tmp_path_factory.mktemp("sample")
    screen = ArticleScreen(load_detection(shipped_detection()))
    with as_file(files("handrail") / "kb" / "articles") as articles:
        return base, Ingest(base, HashingEncoder(), screen).run(articles)


def test_every_sample_article_is_well_formed(ingested: tuple[Path, IngestReport]) -> None:
    """`make run` starts with a base without complaints."""
    assert ingested[1].problems == ()
    assert ingested[1].documents > 100


def test_the_article_with_hidden_instructions_is_in_quarantine_and_no_other(
    ingested: tuple[Path, IngestReport],
) -> None:
    """The screen finds the planted comment and leaves ordinary instructions to readers alone."""
    assert [entry.doc_id for entry in ingested[1].quarantined] == ["webhooks-retry-community"]


@pytest.mark.parametrize("query", ["refund within 30 days", "prices 2024", "api v1 rate limit", "cancel by letter"])
def test_expired_articles_are_never_used(ingested: tuple[Path, IngestReport], query: str) -> None:
    """The old refund policy must not answer today's question, whoever asks."""
    everyone = scope(
        on=datetime(2026, 11, 1, tzinfo=UTC),
        role=("admin", "agent", "it", "finance", "end_user"),
        region=("eu", "us"),
        plan=("trial", "team", "business", "enterprise"),
        stack=("okta",),
    )
    found = ChromaRetriever(ingested[0], HashingEncoder()).find(query, everyone, 50)
    assert found.excluded["expired"] == len(EXPIRED)
    assert found.excluded["not_yet_valid"] == 2
    assert EXPIRED.isdisjoint(passage.doc_id for passage in found.passages)
