"""The two places of Chroma, so that what holds for one is tested for the other."""

from collections.abc import Iterator

import pytest

from handrail.retrieval import ingest, search
from handrail.retrieval.chroma_place import ChromaPlace, EmbeddedChroma
from handrail.retrieval.chroma_server import ChromaServer
from tests.support.chroma_server import RunningChroma, running_chroma


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChroma]:
    """A server for tests that leave it running; bases share it."""
    with running_chroma(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture(scope="module", params=["embedded", "server"])
def place(request: pytest.FixtureRequest) -> Iterator[ChromaPlace]:
    """Where collections are in a test that names no place: in the folder of the base, then on a server."""
    if request.param == "embedded":
        yield EmbeddedChroma()
        return
    server = ChromaServer(request.getfixturevalue("chroma").url, seconds=20.0)
    with pytest.MonkeyPatch.context() as patch:
        for module in (ingest, search):
            patch.setattr(module, "EmbeddedChroma", lambda: server)
        yield server
