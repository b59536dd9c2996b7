"""Small bases that are made for one test."""

from collections.abc import Mapping
from pathlib import Path

from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.ingest import Ingest
from tests.support.articles import screen, write_articles
from tests.support.hashing_encoder import HashingEncoder


def base_of(folder: Path, articles: Mapping[str, str]) -> Contents:
    """The live generation of a base with these articles, by path, made in `folder`."""
    Ingest(folder / "kb", HashingEncoder(), screen).run(write_articles(folder / "articles", articles))
    return Contents.live(folder / "kb")
