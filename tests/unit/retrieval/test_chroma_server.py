"""Chroma as a server: shared by bases, gone, frozen, emptied, or no Chroma at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import chromadb
import httpx
import pytest
from chromadb.api import ClientAPI
from chromadb.config import Settings
from pydantic import SecretStr

from handrail.retrieval import chroma_server
from handrail.retrieval.chroma_place import EmbeddedChroma
from handrail.retrieval.chroma_server import BASE_ID, ChromaServer
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import GENERATIONS, FileGenerationPointer
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.report import IngestReport, Outcome, Step
from handrail.retrieval.scope import CLASS_FIELD
from handrail.retrieval.search import ChromaRetriever
from tests.support.articles import article, scope, screen, write_articles
from tests.support.chroma_server import RunningChroma, free_port, running_chroma
from tests.support.fixed_answers import answering
from tests.support.hashing_encoder import HashingEncoder

SECRET = "token-of-the-server"
APPLES = {"a.md": article("a", "Red apples.")}
MORE = {**APPLES, "b.md": article("b", "Blue sky above red apples.")}


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RunningChroma]:
    """A server that a test may kill."""
    with running_chroma(tmp_path / "chroma") as server:
        yield server


@pytest.fixture
def client(chroma: RunningChroma) -> Iterator[ClientAPI]:
    """Somebody else's way into the server."""
    other = chromadb.HttpClient(
        "127.0.0.1", int(chroma.url.rpartition(":")[2]), settings=Settings(anonymized_telemetry=False)
    )
    yield other
    other._server._session.close()  # type: ignore[attr-defined]
    other._admin_client._server._session.close()  # type: ignore[attr-defined]


def ingest(folder: Path, place: ChromaServer, articles: dict[str, str]) -> IngestReport:
    """Make `articles` the base in `folder`."""
    return Ingest(folder / "kb", HashingEncoder(), screen, chroma=place).run(
        write_articles(folder / "articles", articles)
    )


def reader(folder: Path, place: ChromaServer) -> ChromaRetriever:
    """Searches the base in `folder`."""
    return ChromaRetriever(folder / "kb", HashingEncoder(), chroma=place)


def found(retriever: ChromaRetriever) -> list[str]:
    """The documents about red apples."""
    return [passage.doc_id for passage in retriever.find("red apples", scope(), 5).passages]


def collections(client: ClientAPI, folder: Path) -> list[str]:
    """The generations of the base in `folder` that the server has."""
    prefix = f"handrail-{(folder / 'kb' / BASE_ID).read_text()}-"
    names = [one.name for one in client.list_collections()]
    return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def test_bases_share_a_server(tmp_path: Path, chroma: RunningChroma, client: ClientAPI) -> None:
    """Each finds its own, and removes only its own old generations."""
    place, one, two = ChromaServer(chroma.url, seconds=20.0), tmp_path / "one", tmp_path / "two"
    client.get_or_create_collection("somebody-elses", embedding_function=None)
    ingest(one, place, APPLES)
    ingest(two, place, {"c.md": article("c", "Red apples again.")})
    made = [ingest(one, place, {"a.md": article("a", f"Red apples {number}.")}) for number in range(3)]
    assert (found(reader(one, place)), found(reader(two, place))) == (["a"], ["c"])
    assert collections(client, one) == [report.generation.generation_id for report in made[-2:]]
    assert len(collections(client, two)) == 1
    assert "somebody-elses" in {one.name for one in client.list_collections()}
    assert not list((one / "kb" / GENERATIONS).glob("*/chroma"))


def test_many_collections_of_others_hide_none(tmp_path: Path, chroma: RunningChroma, client: ClientAPI) -> None:
    """The list has pages."""
    for number in range(101):
        client.get_or_create_collection(f"aaa-{number}", embedding_function=None)
    place = ChromaServer(chroma.url, seconds=20.0)
    made = [ingest(tmp_path, place, {"a.md": article("a", f"Red apples {number}.")}) for number in range(3)]
    assert collections(client, tmp_path) == [report.generation.generation_id for report in made[-2:]]


def test_long_vectors_go_in_smaller_parts(
    tmp_path: Path, chroma: RunningChroma, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request has a limit in bytes, whatever the length of a vector."""
    monkeypatch.setattr(chroma_server, "NUMBERS", 2 * HashingEncoder.dimensions)
    written = []
    place = ChromaServer(chroma.url, seconds=20.0)
    folder = write_articles(tmp_path / "articles", {f"{one}.md": article(one, "Red apples.") for one in "abcde"})
    Ingest(
        tmp_path / "kb",
        HashingEncoder(),
        screen,
        chroma=place,
        progress=lambda step, done, total: written.append(done) if step is Step.INDEX else None,
    ).run(folder)
    assert written == [2, 4, 5]
    assert reader(tmp_path, place).find("red apples", scope(), 5).eligible_documents == 5


def test_a_server_that_is_killed_and_comes_back(tmp_path: Path, mortal: RunningChroma) -> None:
    """Searches fail meanwhile, a start says what to do, and nothing has to be opened anew afterwards."""
    place = ChromaServer(mortal.url)
    ingest(tmp_path, place, APPLES)
    running = reader(tmp_path, place)
    running.open()
    mortal.kill()
    for retriever in (running, reader(tmp_path, place)):
        with pytest.raises(RetrievalError, match=r"cannot be reached.*HANDRAIL_CHROMA_URL"):
            found(retriever)
    with pytest.raises(RetrievalError, match="cannot be reached"):
        ingest(tmp_path, place, MORE)
    mortal.start()
    assert found(running) == ["a"]


def test_a_server_that_hangs_holds_a_search_no_longer_than_its_seconds(tmp_path: Path, mortal: RunningChroma) -> None:
    """Whether it was open already or is opened now."""
    place = ChromaServer(mortal.url)
    ingest(tmp_path, place, APPLES)
    hasty = replace(place, seconds=0.3)
    running = reader(tmp_path, hasty)
    running.open()
    mortal.freeze()
    for retriever in (running, reader(tmp_path, hasty)):
        with pytest.raises(RetrievalError, match=r"within 0\.3 seconds.*HANDRAIL_CHROMA_TIMEOUT_SECONDS"):
            found(retriever)


@pytest.mark.parametrize("step", [Step.EMBED, Step.INDEX])
def test_a_server_that_dies_in_an_ingest_leaves_the_old_base(tmp_path: Path, mortal: RunningChroma, step: Step) -> None:
    """What was half built is removed by the next ingest."""
    place = ChromaServer(mortal.url)
    old = ingest(tmp_path, place, APPLES).generation

    def die(at: Step, done: int, total: int) -> None:
        if at is step:
            mortal.kill()

    many = {f"{number}.md": article(f"d{number}", f"Red apples {number}.") for number in range(2_100)}
    folder = write_articles(tmp_path / "articles", many)
    with pytest.raises(RetrievalError, match="cannot be reached"):
        Ingest(tmp_path / "kb", HashingEncoder(), screen, chroma=place, progress=die).run(folder)
    assert FileGenerationPointer(tmp_path / "kb").get() == old
    mortal.start()
    assert found(reader(tmp_path, place)) == ["a"]
    new = ingest(tmp_path, place, MORE).generation
    names = [
        one["name"]
        for one in httpx.get(
            f"{mortal.url}/api/v2/tenants/default_tenant/databases/default_database/collections"
        ).json()
    ]
    assert sorted(name[-15:] for name in names) == sorted([old.generation_id, new.generation_id])


def test_a_collection_that_was_lost_is_built_again(tmp_path: Path, chroma: RunningChroma, client: ClientAPI) -> None:
    """Readers are told what to run, and the same articles are then no reason to leave it as it is."""
    place = ChromaServer(chroma.url, seconds=20.0)
    ingest(tmp_path, place, APPLES)
    assert ingest(tmp_path, place, APPLES).outcome is Outcome.UNCHANGED
    running = reader(tmp_path, place)
    running.open()
    (generation,) = collections(client, tmp_path)
    client.delete_collection(f"handrail-{(tmp_path / 'kb' / BASE_ID).read_text()}-{generation}")
    for retriever in (running, reader(tmp_path, place)):
        with pytest.raises(RetrievalError, match="kb ingest"):
            found(retriever)
    again = ingest(tmp_path, place, APPLES)
    assert (again.outcome, again.embedded) == (Outcome.BUILT, 0)
    assert found(running) == ["a"]


def test_a_base_is_looked_for_where_it_was_made(tmp_path: Path, chroma: RunningChroma) -> None:
    """The settings and the base name different places: both are named, and an ingest mends it."""
    server, embedded = ChromaServer(chroma.url, seconds=20.0), EmbeddedChroma()
    ingest(tmp_path, server, APPLES)
    with pytest.raises(RetrievalError, match=rf"server {chroma.url}.*set to Chroma, embedded.*HANDRAIL_CHROMA_URL"):
        ChromaRetriever(tmp_path / "kb", HashingEncoder(), chroma=embedded).find("apples", scope(), 5)
    folder = tmp_path / "articles"
    assert Ingest(tmp_path / "kb", HashingEncoder(), screen, chroma=embedded).run(folder).outcome is Outcome.BUILT
    with pytest.raises(RetrievalError, match=rf"embedded, and.*server {chroma.url}"):
        found(reader(tmp_path, server))
    assert ingest(tmp_path, server, APPLES).outcome is Outcome.BUILT
    assert found(reader(tmp_path, server)) == ["a"]


def test_tenant_and_database_are_those_of_the_settings(tmp_path: Path, chroma: RunningChroma) -> None:
    """They are made by whoever runs the server; without them the error names the settings."""
    place = ChromaServer(chroma.url, tenant="shop", database="support", seconds=20.0)
    with pytest.raises(RetrievalError, match=r"HANDRAIL_CHROMA_TENANT and HANDRAIL_CHROMA_DATABASE"):
        ingest(tmp_path, place, APPLES)
    httpx.post(f"{chroma.url}/api/v2/tenants", json={"name": "shop"}).raise_for_status()
    httpx.post(f"{chroma.url}/api/v2/tenants/shop/databases", json={"name": "support"}).raise_for_status()
    ingest(tmp_path, place, APPLES)
    assert found(reader(tmp_path, place)) == ["a"]
    with pytest.raises(RetrievalError, match="no collection"):
        found(reader(tmp_path, ChromaServer(chroma.url, seconds=20.0)))


def test_what_somebody_changes_on_the_server_brings_nothing_into_scope(
    tmp_path: Path, chroma: RunningChroma, client: ClientAPI
) -> None:
    """Every hit is checked against the files of the base, and one that differs is nobody's."""
    place = ChromaServer(chroma.url, seconds=20.0)
    ingest(tmp_path, place, {**APPLES, "x.md": article("x", "Red apples for admins.", roles="[admin]")})
    (generation,) = collections(client, tmp_path)
    name = f"handrail-{(tmp_path / 'kb' / BASE_ID).read_text()}-{generation}"
    collection = client.get_collection(name, embedding_function=None)
    held = collection.get(include=["metadatas"])
    classes = [str(one[CLASS_FIELD]) for one in held["metadatas"] or []]
    collection.update(ids=held["ids"], metadatas=[{CLASS_FIELD: other} for other in reversed(classes)])
    assert len(set(classes)) == 2
    assert found(reader(tmp_path, place)) == []


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"", r"refused access.*HANDRAIL_CHROMA_HEADERS"),
        (403, b'{"error": "AuthError", "message": "Forbidden"}', r"refused access.*HANDRAIL_CHROMA_HEADERS"),
        (403, b"<html>no</html>", r"refused access.*HANDRAIL_CHROMA_HEADERS"),
        (404, b"<html>no such page</html>", r"status 404.*HANDRAIL_CHROMA_URL"),
        (410, b'{"error": "Unimplemented", "message": "The v1 API is deprecated"}', r"status 410"),
        (429, b'{"error": "RateLimitError", "message": "slowly"}', r"RateLimitError: slowly"),
        (500, b"", r"status 500"),
        (502, b"bad gateway", r"status 502"),
        (200, b"<html>welcome</html>", r"no answer of Chroma.*HANDRAIL_CHROMA_URL"),
        (200, b"{}", r"no answer of Chroma"),
        (200, b'[{"name": 1}]', r"no answer of Chroma"),
        (200, b"null", r"no answer of Chroma"),
    ],
)
def test_whatever_else_answers_is_told(
    tmp_path: Path, chroma: RunningChroma, status: int, body: bytes, said: str
) -> None:
    """At an ingest and at a search; what was sent along stays out of it."""
    ingest(tmp_path, ChromaServer(chroma.url, seconds=20.0), APPLES)
    with answering(status, body) as fixed:
        place = ChromaServer(fixed.url.replace("//", "//me:word@"), headers={"x-chroma-token": SecretStr(SECRET)})
        for attempt in (lambda: found(reader(tmp_path, place)), lambda: ingest(tmp_path, place, MORE)):
            with pytest.raises(RetrievalError, match=said) as raised:
                attempt()
            assert SECRET not in str(raised.value)
            assert "word" not in str(raised.value)
    assert {one["x-chroma-token"] for one in fixed.headers} == {SECRET}
    assert found(reader(tmp_path, ChromaServer(chroma.url, seconds=20.0))) == ["a"]


def test_nobody_at_the_address(tmp_path: Path) -> None:
    """The first ingest says so before it reads for long, and leaves no generation."""
    with pytest.raises(RetrievalError, match=r"cannot be reached. Start it, or correct HANDRAIL_CHROMA_URL"):
        ingest(tmp_path, ChromaServer(f"http://127.0.0.1:{free_port()}"), APPLES)
    assert not (tmp_path / "kb" / GENERATIONS).exists()
