"""The sample knowledge base, ingested for a run."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from handrail.guardrails.detect.articles import ArticleScreen
from handrail.guardrails.detect.load import load_detection, shipped_detection
from handrail.guardrails.encoder import CachingEncoder, MiniLMEncoder
from handrail.guardrails.model_folder import default_cache_dir, find_model
from handrail.retrieval.ingest import Ingest


def ingest_sample(base: Path) -> None:
    """Ingest the sample articles into the folder `base`; a few seconds. Raises EncoderUnavailable, RetrievalError."""
    encoder = CachingEncoder(MiniLMEncoder.load(find_model(default_cache_dir())))
    with as_file(files("handrail") / "kb" / "articles") as articles:
        Ingest(base, encoder, ArticleScreen(load_detection(shipped_detection()))).run(articles)


def sample_documents() -> frozenset[str]:
    """The ids of the sample articles: the names of their files."""
    with as_file(files("handrail") / "kb" / "articles") as articles:
        return frozenset(path.stem for path in articles.rglob("*.md"))
