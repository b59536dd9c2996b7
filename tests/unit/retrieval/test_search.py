import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from handrail.retrieval.chroma_place import ChromaPlace
from handrail.retrieval.chroma_server import BASE_ID
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import EMBEDDED, GENERATIONS, MANIFEST
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.passages import CARDS, CHROMA, EMBEDDINGS, PASSAGES
from handrail.retrieval.search import ChromaRetriever
from tests.support.articles import article, scope, screen, write_articles
from tests.support.hashing_encoder import HashingEncoder

TWIN = "Invoices are issued on the renewal day and charged within one day after that, as agreed in the order."
ARTICLES = {
    "reset.md": article("reset", "Choose forgot password on the page.", "Reset your password"),
    "admin.md": article("admin", "Reset the password of a member.", "Passwords of members", roles="[admin]"),
    "old.md": article("old", "Write a letter to reset the password.", "Old password reset", valid_until="2025-12-31"),
    "twin.md": article("twin", f"{TWIN} Thanks.", "Renewal invoices"),
    "copy.md": article("copy", TWIN, "Renewal invoices", authority="authoritative"),
    "other.md": article("other", TWIN.replace("one day", "1 day"), "Renewal invoices"),
}


pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, place: ChromaPlace) -> Path:
    """A base that tests only read."""
    folder = tmp_path_factory.mktemp("search")
    Ingest(folder / "kb", HashingEncoder(), screen).run(write_articles(folder / "articles", ARTICLES))
    return folder / "kb"


@pytest.fixture
def own_base(tmp_path: Path) -> Path:
    """A base to be damaged."""
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(write_articles(tmp_path / "articles", ARTICLES))
    return tmp_path / "kb"


def files(base: Path) -> Path:
    """The folder of the only generation."""
    (generation,) = (base / GENERATIONS).iterdir()
    return generation


async def test_the_best_passage_comes_first(base: Path) -> None:
    """Passages carry their document, scores fall, and the base says which generation answered."""
    found = await ChromaRetriever(base, HashingEncoder()).search("reset my password", scope(), 5)
    scores = [passage.score for passage in found.passages]
    assert found.passages[0].doc_id == "reset"
    assert found.passages[0].title == "Reset your password"
    assert scores == sorted(scores, reverse=True)
    assert found.good == sum(score >= 0.5 for score in scores) > 0
    assert found.revision.startswith("000001-")


async def test_a_given_executor_runs_the_search(base: Path) -> None:
    """Nothing is computed on the event loop."""
    threads = set()

    class Watching(HashingEncoder):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            threads.add(threading.current_thread().name)
            return super().encode(texts)

    with ThreadPoolExecutor(1, thread_name_prefix="kernel") as executor:
        await ChromaRetriever(base, Watching(), executor=executor).search("password", scope(), 5)
    assert threads == {"kernel_0"}


def test_out_of_scope_and_expired_documents_are_not_found_but_counted(base: Path) -> None:
    """Who is not an admin sees nothing for admins, and nobody sees what has expired."""
    retriever = ChromaRetriever(base, HashingEncoder())
    found = retriever.find("reset the password of a member by letter", scope(), 10)
    assert {"admin", "old"}.isdisjoint(passage.doc_id for passage in found.passages)
    assert found.excluded == {"role": 1, "expired": 1}
    assert found.eligible_documents == 4
    granted = retriever.find("reset the password of a member", scope(role=("admin",)), 10)
    assert granted.passages[0].doc_id == "admin"


def test_a_document_expires_without_an_ingest(base: Path) -> None:
    """The day of the plan counts, not the day of the ingest."""
    before = datetime(2025, 6, 1, tzinfo=UTC)
    found = ChromaRetriever(base, HashingEncoder()).find("letter", scope(on=before), 10)
    assert found.passages[0].doc_id == "old"


def test_near_duplicates_are_merged_unless_a_number_differs(base: Path) -> None:
    """Nearly the same words are said once; another number is another statement."""
    found = ChromaRetriever(base, HashingEncoder()).find("renewal invoices issued and charged", scope(), 10)
    renewal = {passage.doc_id for passage in found.passages if passage.title == "Renewal invoices"}
    assert len(renewal & {"twin", "copy"}) == 1
    assert "other" in renewal


@pytest.mark.parametrize("query", ["", "   ", "\n", "zzz qqq", "x" * 100_000, "\ud800 password", "🙂"])
def test_any_query_is_answered(base: Path, query: str) -> None:
    """Nothing a customer types breaks the search."""
    found = ChromaRetriever(base, HashingEncoder()).find(query.encode(errors="replace").decode(), scope(), 3)
    assert len(found.passages) <= 3


def test_nothing_in_scope_gives_nothing(base: Path) -> None:
    """A scope that admits no document is an answer, not an error."""
    found = ChromaRetriever(base, HashingEncoder()).find("password", scope(language=("fr",)), 5)
    assert (found.passages, found.good, found.eligible_documents) == ((), 0, 0)


def test_a_limit_below_one_is_a_programming_error(base: Path) -> None:
    """It is not silently corrected."""
    with pytest.raises(ValueError, match="limit"):
        ChromaRetriever(base, HashingEncoder()).find("password", scope(), 0)


async def test_a_missing_base_says_what_to_run(tmp_path: Path) -> None:
    """The first start without an ingest is explained."""
    with pytest.raises(RetrievalError, match="handrail kb ingest"):
        await ChromaRetriever(tmp_path, HashingEncoder()).search("x", scope(), 1)


def test_another_encoder_is_refused(base: Path) -> None:
    """Vectors of two encoders cannot be compared."""
    with pytest.raises(RetrievalError, match=r"hashing \(hashing-1\).*uses hashing \(hashing-2\).*kb ingest"):
        ChromaRetriever(base, HashingEncoder("hashing-2")).find("x", scope(), 1)


def test_an_open_retriever_notices_a_new_generation(tmp_path: Path) -> None:
    """Readers need no restart."""
    folder = write_articles(tmp_path / "articles", {"a.md": article("a", "Red apples.")})
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    retriever = ChromaRetriever(tmp_path / "kb", HashingEncoder())
    assert retriever.find("apples", scope(), 5).passages[0].doc_id == "a"
    for name in ("b", "c", "d"):
        write_articles(folder, {"x.md": article(name, "Red apples.")})
        Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    assert [passage.doc_id for passage in retriever.find("apples", scope(), 5).passages] == ["d"]


@pytest.mark.parametrize("name", [MANIFEST, CARDS, PASSAGES, EMBEDDINGS, None])
def test_a_missing_file_is_named(own_base: Path, place: ChromaPlace, name: str | None) -> None:
    """A damaged base is an error that says what to run, never an empty answer."""
    of_chroma = files(own_base) / CHROMA if place.name == EMBEDDED else own_base / BASE_ID
    path = of_chroma if name is None else files(own_base) / name
    path.rename(path.with_name("gone"))
    with pytest.raises(RetrievalError, match="kb ingest"):
        ChromaRetriever(own_base, HashingEncoder()).find("password", scope(), 5)


def test_a_document_without_visible_text_is_no_trouble(tmp_path: Path) -> None:
    """It is in scope and has no passage to give."""
    folder = write_articles(tmp_path / "articles", {"a.md": article("a", "## To be written")})
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    found = ChromaRetriever(tmp_path / "kb", HashingEncoder()).find("article", scope(), 5)
    assert (found.passages, found.eligible_documents) == ((), 1)


def test_unreadable_passages_are_left_out(own_base: Path) -> None:
    """A damaged line costs its own passage; the others keep their places."""
    path = files(own_base) / PASSAGES
    lines = path.read_text().split("\n")
    damaged = [line[:-5] if '"admin#' in line else line for line in lines]
    path.write_text("\n".join(damaged))
    found = ChromaRetriever(own_base, HashingEncoder()).find("reset the password", scope(role=("admin",)), 10)
    assert damaged != lines
    assert found.passages[0].doc_id == "reset"
    assert "admin" not in {passage.doc_id for passage in found.passages}


def test_a_truncated_list_of_passages_is_damage(own_base: Path) -> None:
    """Embeddings and passages must belong together."""
    path = files(own_base) / PASSAGES
    path.write_text("\n".join(path.read_text().split("\n")[:2]))
    with pytest.raises(RetrievalError, match="damaged"):
        ChromaRetriever(own_base, HashingEncoder()).find("password", scope(), 5)
