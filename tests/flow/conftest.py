"""A fast running service: what is slow to build is built once, what changes is copied for every test."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import pytest

from handrail.evals.sample_base import ingest_sample
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.encoder import CachingEncoder, MiniLMEncoder
from handrail.guardrails.model_folder import default_cache_dir
from handrail.retrieval.search import ChromaRetriever
from tests.flow.stand import Parts, Stand, prepare_files, standing, threads


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample base, ingested once for all workers of a run."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):
        shared = shared.parent
    place = shared / "flow-base"
    place.mkdir(exist_ok=True)
    with (shared / "flow-base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            ingest_sample(place / "kb")
            (place / "done").touch()
    return place / "kb"


@pytest.fixture(scope="session")
def parts(
    tmp_path_factory: pytest.TempPathFactory, shipped: Bundle, minilm: MiniLMEncoder, base: Path
) -> Iterator[Parts]:
    """Everything that is slow to build."""
    folder = tmp_path_factory.mktemp("flow-files")
    store_file, company_file = asyncio.run(prepare_files(folder))
    encoder = CachingEncoder(minilm)
    executor = threads()
    retriever = ChromaRetriever(base, encoder, executor=executor)
    retriever.open()
    yield Parts(
        bundle=shipped,
        encoder=encoder,
        detectors=DetectorSuite.build(shipped.detection, encoder, default_cache_dir()),
        retriever=retriever,
        executor=executor,
        base=base,
        store_file=store_file,
        company_file=company_file,
    )
    executor.shutdown(wait=False, cancel_futures=True)


class Stands(Protocol):
    """Opens services that are closed at the end of the test."""

    def __call__(self, **options: object) -> Awaitable[Stand]:
        """See `standing` for the options."""
        ...


@pytest.fixture
async def stands(parts: Parts, tmp_path: Path) -> object:
    """Opens services with options of `standing`, each in a folder of its own."""
    async with AsyncExitStack() as until:
        count = 0

        async def opened(**options: object) -> Stand:
            nonlocal count
            count += 1
            folder = tmp_path / f"stand-{count}"
            folder.mkdir()
            return await until.enter_async_context(standing(parts, folder, **options))  # type: ignore[arg-type]

        yield opened


@pytest.fixture
async def stand(stands: Callable[..., Awaitable[Stand]]) -> Stand:
    """A service with a conversation of the owner of a trial."""
    return await stands()
