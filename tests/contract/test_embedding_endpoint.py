"""`EndpointEmbedder` against a real socket: what it sends, what it takes, and what it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from handrail.agent.models import retrying
from handrail.agent.models.embedding import MAX_INPUTS, MAX_REQUEST, EmbeddingEndpoint, EndpointEmbedder
from handrail.guardrails.encoder import CachingEmbedder
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.search import ChromaRetriever
from tests.support.articles import article, scope, screen, write_articles
from tests.support.chroma_server import free_port
from tests.support.embedding_server import Bad, EmbeddingServer, embedding_server
from tests.support.hashing_encoder import HashingEncoder

KEY = "sk-embedding-secret"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.0)


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    """A good endpoint."""
    with embedding_server() as served:
        yield served


def embedder(
    server: EmbeddingServer, seconds: float = 20.0, *, dimensions: int | None = None, characters: int = 4_096
) -> EndpointEmbedder:
    """The adapter in front of it."""
    return EndpointEmbedder(EmbeddingEndpoint("small", server.url, SecretStr(KEY), dimensions, characters), seconds)


def listed(*embeddings: object) -> bytes:
    """An answer with these embeddings."""
    return json.dumps({"data": [{"index": number, "embedding": one} for number, one in enumerate(embeddings)]}).encode()


@pytest.mark.parametrize(("shuffled", "packed"), [(False, False), (True, False), (False, True)])
def test_vectors_have_length_one_and_the_order_of_the_texts(
    server: EmbeddingServer, *, shuffled: bool, packed: bool
) -> None:
    """Whatever the order, the length and the encoding that they come in."""
    server.shuffled, server.packed = shuffled, packed
    texts = ["reset my password", "download an invoice", "single sign-on"]
    rows = embedder(server).encode(texts)
    assert rows.dtype == np.float32
    assert np.allclose(rows, HashingEncoder().encode(texts), atol=1e-6)
    assert server.asked[0].key == f"Bearer {KEY}"
    assert (server.asked[0].model, server.asked[0].encoding_format) == ("small", "float")
    assert server.asked[0].dimensions is None


def test_dimensions_are_asked_for_if_set_and_learnt_otherwise(server: EmbeddingServer) -> None:
    """The model's own length is known after one request; one that is set needs none."""
    assert embedder(server, dimensions=64).dimensions == 64
    assert server.asked == []
    assert embedder(server, dimensions=64).encode(["a"]).shape == (1, 64)
    assert server.asked[0].dimensions == 64
    own = embedder(server)
    assert own.dimensions == own.dimensions == 384
    assert len(server.asked) == 2
    assert own.encode([]).shape == (0, 384)


def test_requests_are_limited_in_texts_and_in_characters(server: EmbeddingServer) -> None:
    """Nothing is lost at the borders."""
    short, long = [f"text {number}" for number in range(2 * MAX_INPUTS + 1)], ["word " * 700] * 20
    rows = embedder(server).encode(short + long)
    assert server.texts == short + [text.strip() for text in long]
    assert max(len(one.input) for one in server.asked) == MAX_INPUTS
    assert max(sum(map(len, one.input)) for one in server.asked) <= MAX_REQUEST
    assert np.allclose(rows, HashingEncoder().encode(short + long), atol=1e-6)


def test_what_is_too_long_is_cut_and_nothing_is_sent_empty(server: EmbeddingServer) -> None:
    """Models refuse both."""
    embedder(server, characters=300).encode(["x" * 100_000, " \n ", "\ud800 half a character"])
    assert server.texts == ["x" * 300, ".", "? half a character"]


@pytest.mark.parametrize(
    "bad",
    [
        Bad(status=500),
        Bad(status=503, body=b"<html>busy</html>"),
        Bad(status=429, headers={"retry-after": "0"}),
        Bad(body=b"<html>welcome</html>"),
        Bad(body=b'{"data": []}'),
        Bad(body=listed([1.0, 2.0], [1.0, 2.0])),
        Bad(body=listed([float("nan"), 1.0])),
        Bad(body=listed([0.0, 0.0])),
        Bad(body=listed("not Base64!")),
    ],
    ids=lambda bad: f"{bad.status} {bad.body[:30]!r}",
)
def test_a_fault_that_passes_is_survived(server: EmbeddingServer, bad: Bad) -> None:
    """Overload, server errors and broken answers are tried again."""
    server.bad = [bad, bad]
    assert np.allclose(embedder(server).encode(["a b"]), HashingEncoder().encode(["a b"]), atol=1e-6)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Bad(status=401), "HANDRAIL_EMBEDDING_API_KEY"),
        (Bad(status=404), "HANDRAIL_EMBEDDING_MODEL"),
        (Bad(status=400), "HANDRAIL_EMBEDDING_CHARACTERS"),
        (Bad(status=429), "status 429"),
        (Bad(status=502), "status 502"),
        (Bad(body=b"not JSON"), "HANDRAIL_EMBEDDING_BASE_URL"),
        (Bad(body=b"[" * 100_000), "HANDRAIL_EMBEDDING_BASE_URL"),
        (Bad(body=b"{}"), "no list of embeddings"),
        (Bad(body=listed()), "0 embeddings for 2 texts"),
        (Bad(body=listed([1.0], [1.0], [1.0])), "3 embeddings for 2 texts"),
        (Bad(body=b'{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}'), "not numbered"),
        (Bad(body=b'{"data": [{"index": 1, "embedding": [1]}, {"index": 2, "embedding": [1]}]}'), "not numbered"),
        (Bad(body=listed([1.0], [1.0, 2.0])), "differ in length"),
        (Bad(body=listed([], [])), "empty"),
        (Bad(body=listed([1.0], [0.0])), "no direction"),
        (Bad(body=listed([1.0], [float("inf")])), "no direction"),
        (Bad(body=listed([1.0], [None])), "no list of embeddings"),
        (Bad(body=listed("AAA=", "AAA=")), "Base64"),
        (Bad(body=b" " * 10_000_000), "larger than"),
    ],
    ids=lambda one: f"{one.status} {one.body[:30]!r}" if isinstance(one, Bad) else "",
)
def test_a_fault_that_stays_says_what_to_do(server: EmbeddingServer, bad: Bad, said: str) -> None:
    """Every one is a RetrievalError that names the model, and holds neither the key nor the endpoint's words."""
    server.bad = [bad] * 10
    with pytest.raises(RetrievalError, match=said) as raised:
        embedder(server).encode(["one text", "and another"])
    assert "small @ 127.0.0.1" in str(raised.value)
    assert KEY not in str(raised.value)
    assert "not JSON" not in str(raised.value)


def test_another_length_than_before_is_refused(server: EmbeddingServer) -> None:
    """A model that was exchanged behind its name is noticed."""
    asking = embedder(server)
    assert asking.dimensions == 384
    server.length = 100
    with pytest.raises(RetrievalError, match="vectors of 100 numbers where 384 were agreed"):
        asking.encode(["a"])
    server.bad = [Bad(body=listed([1.0, 2.0]))]
    with pytest.raises(RetrievalError, match=r"vectors of 2 numbers where 384.*HANDRAIL_EMBEDDING_DIMENSIONS"):
        embedder(server, dimensions=384).encode(["a"])


def test_an_endpoint_that_hangs_holds_nobody_longer_than_its_seconds(server: EmbeddingServer) -> None:
    """A turn waits for it, and must be able to say something afterwards."""
    server.bad = [Bad(seconds=60.0)] * 10
    with pytest.raises(RetrievalError, match=r"did not answer within 0\.3 seconds"):
        embedder(server, seconds=0.3).encode(["a"])


def test_a_pause_beyond_the_deadline_is_not_begun(server: EmbeddingServer) -> None:
    """Who asks for an hour is not waited for."""
    server.bad = [Bad(status=429, headers={"retry-after": "3600"})] * 2
    with pytest.raises(RetrievalError, match="status 429"):
        embedder(server, seconds=5.0).encode(["a"])
    assert len(server.asked) == 1


def test_an_endpoint_that_is_not_there_is_an_error() -> None:
    """With the setting that names it."""
    nobody = EmbeddingEndpoint(model="small", base_url=f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(RetrievalError, match=r"cannot be reached; check HANDRAIL_EMBEDDING_BASE_URL"):
        EndpointEmbedder(nobody, 5.0).encode(["a"])


def test_what_changes_vectors_changes_the_revision_and_nothing_else_does() -> None:
    """A key that is replaced asks for no new ingest; user and password in the address are not written anywhere."""
    plain = EmbeddingEndpoint(model="m", base_url="https://models.example/v1")
    same = EmbeddingEndpoint(model="m", base_url="https://user:word@Models.example/v1/", key=SecretStr("k"))
    assert plain.revision == same.revision
    assert plain.name == same.name == "m @ models.example"
    others = [
        EmbeddingEndpoint(model="n", base_url=plain.base_url),
        EmbeddingEndpoint(model="m", base_url="https://models.example/v2"),
        EmbeddingEndpoint(model="m"),
        EmbeddingEndpoint(model="m", base_url=plain.base_url, dimensions=256),
        EmbeddingEndpoint(model="m", base_url=plain.base_url, characters=500),
    ]
    assert len({one.revision for one in (plain, *others)}) == 6


def test_a_base_of_an_endpoint_is_searched_with_it_alone(server: EmbeddingServer, tmp_path: Path) -> None:
    """The base records its embedding; queries are remembered; another model is refused by name."""
    folder = write_articles(
        tmp_path / "articles", {"a.md": article("a", "Red apples."), "b.md": article("b", "Blue sky.")}
    )
    report = Ingest(tmp_path / "kb", embedder(server), screen).run(folder)
    assert report.embedded == 2
    assert Ingest(tmp_path / "kb", embedder(server), screen).run(folder).outcome.value == "unchanged"
    retriever = ChromaRetriever(tmp_path / "kb", CachingEmbedder(embedder(server)))
    before = len(server.asked)
    for _ in range(3):
        assert retriever.find("apples that are red", scope(), 5).passages[0].doc_id == "a"
    assert len(server.asked) == before + 1
    with pytest.raises(
        RetrievalError, match=r"embedded by small @ 127.*uses hashing.*HANDRAIL_EMBEDDING_MODEL.*kb ingest"
    ):
        ChromaRetriever(tmp_path / "kb", HashingEncoder()).find("apples", scope(), 5)
    server.length = 100
    with pytest.raises(RetrievalError, match=r"384 numbers.*of a query has 100.*kb ingest"):
        ChromaRetriever(tmp_path / "kb", embedder(server)).find("apples", scope(), 5)


def test_an_ingest_that_fails_half_way_leaves_the_old_base(server: EmbeddingServer, tmp_path: Path) -> None:
    """The live generation serves on, whatever was embedded already."""
    folder = write_articles(tmp_path / "articles", {"a.md": article("a", "Red apples.")})
    first = Ingest(tmp_path / "kb", embedder(server), screen).run(folder)
    write_articles(folder, {f"{number}.md": article(f"d{number}", f"Text {number}.") for number in range(80)})
    server.bad = [Bad(body=server.body(["length"], 384)), Bad(status=401)]
    with pytest.raises(RetrievalError, match="HANDRAIL_EMBEDDING_API_KEY"):
        Ingest(tmp_path / "kb", embedder(server), screen).run(folder)
    found = ChromaRetriever(tmp_path / "kb", embedder(server)).find("apples", scope(), 5)
    assert (found.revision, found.passages[0].doc_id) == (first.generation.generation_id, "a")
