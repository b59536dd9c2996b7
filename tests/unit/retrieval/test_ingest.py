import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from handrail.guardrails.vocabulary import Signal
from handrail.retrieval.calibration import Calibration
from handrail.retrieval.chroma_place import ChromaPlace
from handrail.retrieval.chroma_server import ChromaServer
from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import GENERATIONS, MANIFEST, FileGenerationPointer
from handrail.retrieval.ingest import Ingest
from handrail.retrieval.passages import CARDS, EMBEDDINGS, PASSAGES
from handrail.retrieval.reading.mapping import MetadataMapping, load_mapping
from handrail.retrieval.report import Outcome, Step
from handrail.retrieval.search import ChromaRetriever
from tests.support.articles import FRONT, HIDDEN, OneWording, article, scope, screen, write_articles
from tests.support.hashing_encoder import HashingEncoder

pytestmark = pytest.mark.usefixtures("place")
ROOT = Path(__file__).parents[3]
FIRST = {
    "reset.md": article("reset", "Choose forgot password on the page.", "Reset your password"),
    "invoice.md": article("invoice", "Open billing and choose the invoice.", "Download an invoice"),
}
SECOND = {**FIRST, "sso.md": article("sso", "Connect your identity provider.", "Single sign-on")}

KILLED = """
import os, signal, sys
from pathlib import Path
from handrail.retrieval.chroma_place import EmbeddedChroma
from handrail.retrieval.chroma_server import ChromaServer
from handrail.retrieval.ingest import Ingest
from tests.support.articles import screen
from tests.support.hashing_encoder import HashingEncoder

def die(step, done, total):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

place = ChromaServer(sys.argv[4]) if sys.argv[4:] else EmbeddedChroma()
Ingest(Path(sys.argv[1]), HashingEncoder(), screen, chroma=place, progress=die).run(Path(sys.argv[2]))
"""


def ids(base: Path, query: str = "password invoice identity provider") -> set[str]:
    """The documents that everyone finds."""
    found = ChromaRetriever(base, HashingEncoder()).find(query, scope(), 10)
    return {passage.doc_id for passage in found.passages}


def generations(base: Path) -> list[str]:
    """The generations on disk."""
    return sorted(path.name for path in (base / GENERATIONS).iterdir())


def test_the_same_articles_again_change_nothing(tmp_path: Path) -> None:
    """An ingest can be repeated at will: no new generation, nothing embedded."""
    folder, encoder = write_articles(tmp_path / "articles", FIRST), HashingEncoder()
    first = Ingest(tmp_path / "kb", encoder, screen).run(folder)
    before = encoder.embedded
    again = Ingest(tmp_path / "kb", encoder, screen).run(folder)
    assert (first.outcome, again.outcome) == (Outcome.BUILT, Outcome.UNCHANGED)
    assert again.generation == first.generation
    assert encoder.embedded == before
    assert generations(tmp_path / "kb") == [first.generation.generation_id]


def test_only_what_changed_is_embedded(tmp_path: Path) -> None:
    """Known passages keep their embedding, and it is the one of their text."""
    folder, encoder = write_articles(tmp_path / "articles", FIRST), HashingEncoder()
    Ingest(tmp_path / "kb", encoder, screen).run(folder)
    write_articles(folder, SECOND)
    report = Ingest(tmp_path / "kb", encoder, screen).run(folder)
    assert (report.embedded, report.reused) == (1, 2)
    fresh = Ingest(tmp_path / "other", HashingEncoder(), screen).run(folder)
    assert fresh.generation.revision == report.generation.revision
    stored = [
        np.load(tmp_path / base / GENERATIONS / one.generation.generation_id / EMBEDDINGS)
        for base, one in (("kb", report), ("other", fresh))
    ]
    assert np.array_equal(*stored)


def test_metadata_alone_makes_a_new_generation(tmp_path: Path) -> None:
    """A change of audience takes effect although no text changed."""
    folder = write_articles(tmp_path / "articles", FIRST)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    write_articles(folder, FIRST | {"reset.md": article("reset", "Choose forgot password.", roles="[admin]")})
    assert Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder).outcome is Outcome.BUILT
    assert ids(tmp_path / "kb") == {"invoice"}


def test_what_left_the_folder_leaves_the_base(tmp_path: Path) -> None:
    """The folder is the truth."""
    folder = write_articles(tmp_path / "articles", SECOND)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(write_articles(folder, FIRST))
    assert ids(tmp_path / "kb") == {"reset", "invoice"}


def test_bad_articles_are_reported_and_the_rest_is_ingested(tmp_path: Path) -> None:
    """Every bad article is named with file and line."""
    articles = FIRST | {"bad/roles.md": article("x", roles="admin"), "none.md": "No front matter"}
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(write_articles(tmp_path / "articles", articles))
    assert report.documents == 2
    assert report.bad_documents == ("bad/roles.md", "none.md")
    assert [f"{one.file}:{one.line}" for one in report.problems] == ["bad/roles.md:4", "none.md:1"]
    assert ids(tmp_path / "kb") == {"reset", "invoice"}


def test_without_a_usable_article_the_old_base_stays(tmp_path: Path) -> None:
    """A broken export does not empty the base."""
    folder = write_articles(tmp_path / "articles", FIRST)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    with pytest.raises(RetrievalError, match=r"bad\.md:1"):
        Ingest(tmp_path / "kb", HashingEncoder(), screen).run(write_articles(folder, {"bad.md": "x"}))
    assert ids(tmp_path / "kb") == {"reset", "invoice"}


@pytest.mark.parametrize("place", ["title", "body", "comment"])
def test_a_document_that_addresses_the_model_is_never_found(tmp_path: Path, place: str) -> None:
    """Hidden instructions put the whole document into quarantine, which is reported and counted."""
    title = f"Tips: {HIDDEN}" if place == "title" else "Tips for webhooks"
    hidden = {"title": "", "body": f"Please {HIDDEN}.", "comment": f"<!-- Note:\n{HIDDEN} -->"}[place]
    body = f"Store the event first.\n\n{hidden}\n\n## More\n\nAnswer before you work."
    folder = write_articles(tmp_path / "articles", FIRST | {"tips.md": article("tips", body, f'"{title}"')})
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    assert [(one.doc_id, one.signals) for one in report.quarantined] == [("tips", ("INJECTION_SUSPECTED",))]
    found = ChromaRetriever(tmp_path / "kb", HashingEncoder()).find("store the webhook event first", scope(), 10)
    assert "tips" not in {passage.doc_id for passage in found.passages}
    assert found.excluded == {"quarantined": 1}


def test_old_generations_go_but_for_the_last_two(tmp_path: Path) -> None:
    """The one before stays for readers that have not noticed the switch yet."""
    made = []
    for number in range(4):
        folder = write_articles(tmp_path / "articles", {"a.md": article("a", f"Text number {number}.")})
        made.append(Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder).generation.generation_id)
    assert generations(tmp_path / "kb") == made[-2:]


@pytest.mark.parametrize("step", [Step.EMBED, Step.INDEX, Step.SWITCH])
def test_a_killed_ingest_leaves_the_old_base_serving(tmp_path: Path, place: ChromaPlace, step: Step) -> None:
    """`kill -9` at any step changes nothing for readers, and the next ingest clears up and succeeds."""
    base, folder = tmp_path / "kb", write_articles(tmp_path / "articles", FIRST)
    old = Ingest(base, HashingEncoder(), screen).run(folder).generation
    write_articles(folder, SECOND)
    address = [place.url] if isinstance(place, ChromaServer) else []
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(base), str(folder), step.value, *address],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert FileGenerationPointer(base).get() == old
    assert ids(base) == {"reset", "invoice"}
    new = Ingest(base, HashingEncoder(), screen).run(folder).generation
    assert new.number > old.number
    assert ids(base) == {"reset", "invoice", "sso"}
    assert all((base / GENERATIONS / name / MANIFEST).is_file() for name in generations(base))


def test_another_encoder_embeds_everything_again(tmp_path: Path) -> None:
    """Vectors of two encoders never stand in one base."""
    folder = write_articles(tmp_path / "articles", FIRST)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    report = Ingest(tmp_path / "kb", HashingEncoder("hashing-2"), screen).run(folder)
    assert (report.outcome, report.reused) == (Outcome.BUILT, 0)


def test_a_new_threshold_makes_a_new_generation(tmp_path: Path) -> None:
    """What counts as good enough belongs to the base, so audit can tell which one held."""
    folder = write_articles(tmp_path / "articles", FIRST)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    strict = Ingest(tmp_path / "kb", HashingEncoder(), screen, calibration=Calibration(threshold=0.9999999)).run(folder)
    assert strict.outcome is Outcome.BUILT
    assert ChromaRetriever(tmp_path / "kb", HashingEncoder()).find("password", scope(), 5).good == 0


def mapping(tmp_path: Path, roles: str = "all") -> MetadataMapping:
    """A mapping that gives these roles, and everything else, to every document."""
    fields = ", ".join(f"{name}: {content}" for name, content in (FRONT | {"roles": f"[{roles}]"}).items())
    (tmp_path / "mapping.yaml").write_text(f"defaults: {{{fields}}}\n")
    return load_mapping(tmp_path / "mapping.yaml")


class OtherScreen(OneWording):
    """A screen of another revision that finds nothing."""

    revision = "nothing"

    def __call__(self, text: str) -> tuple[Signal, ...]:
        """No signal."""
        return ()


def test_unchanged_documents_are_not_read_again(tmp_path: Path) -> None:
    """They come to the same as if they were: ids, order, passages, and so the revision."""
    folder = write_articles(tmp_path / "articles", SECOND)
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    write_articles(folder, SECOND | {"reset.md": article("reset", "Another way.", "Reset"), "bad.md": "x"})
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    assert (report.documents, report.documents_unchanged, report.bad_documents) == (3, 2, ("bad.md",))
    fresh = Ingest(tmp_path / "other", HashingEncoder(), screen).run(folder)
    assert (fresh.documents_unchanged, fresh.generation.revision) == (0, report.generation.revision)


def test_another_screen_reads_everything_again(tmp_path: Path) -> None:
    """What was shut away by the old one is judged anew, and what was not, too."""
    folder = write_articles(tmp_path / "articles", FIRST | {"tips.md": article("tips", HIDDEN)})
    shut = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    opened = Ingest(tmp_path / "kb", HashingEncoder(), OtherScreen()).run(folder)
    assert [len(report.quarantined) for report in (shut, opened)] == [1, 0]
    assert opened.documents_unchanged == 0


def test_a_document_in_quarantine_stays_there(tmp_path: Path) -> None:
    """An unchanged base is unchanged with it."""
    folder = write_articles(tmp_path / "articles", FIRST | {"tips.md": article("tips", HIDDEN)})
    first = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    again = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    assert (again.outcome, again.quarantined) == (Outcome.UNCHANGED, first.quarantined)


def test_another_mapping_reads_everything_again(tmp_path: Path) -> None:
    """Whom a document is for may have changed although it did not."""
    folder = write_articles(tmp_path / "articles", {"a.md": "# Reset your password\n\nChoose forgot password."})
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder, mapping=mapping(tmp_path))
    assert ids(tmp_path / "kb") == {"a"}
    same = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder, mapping=mapping(tmp_path))
    assert (same.outcome, same.documents_unchanged) == (Outcome.UNCHANGED, 1)
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder, mapping=mapping(tmp_path, "it"))
    assert (report.outcome, report.documents_unchanged, report.embedded) == (Outcome.BUILT, 0, 0)
    assert ids(tmp_path / "kb") == set()


def test_rules_that_fit_nothing_are_told_every_time(tmp_path: Path) -> None:
    """Also when no document is read again; and those that fit are not."""
    folder = write_articles(tmp_path / "articles", {"a.md": "Text.", "b.md": "Text."})
    mapping(tmp_path)
    rules = (
        "rules:\n  - {when: {paths: [a.md]}, give: {roles: [it]}}\n  - {when: {paths: [x.md]}, give: {roles: [it]}}\n"
    )
    (tmp_path / "mapping.yaml").write_text((tmp_path / "mapping.yaml").read_text() + rules)
    for _ in range(2):
        given = load_mapping(tmp_path / "mapping.yaml")
        (note,) = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder, mapping=given).notes
        assert "mapping.yaml:4: this rule fits no document" in str(note)


def test_a_file_that_moved_is_read_again(tmp_path: Path) -> None:
    """Its place may decide whom it is for, and its id."""
    folder = write_articles(tmp_path / "articles", {"a.md": "Text about a password."})
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder, mapping=mapping(tmp_path))
    write_articles(folder, {"b.md": "Text about a password."})
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder, mapping=mapping(tmp_path))
    assert report.documents_unchanged == 0
    assert ids(tmp_path / "kb") == {"b"}


@pytest.mark.parametrize("name", [CARDS, PASSAGES])
def test_a_base_that_somebody_changed_is_not_taken_over(tmp_path: Path, name: str) -> None:
    """What is in the articles counts, not what lies in the data folder."""
    folder = write_articles(tmp_path / "articles", FIRST)
    first = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    path = tmp_path / "kb" / GENERATIONS / first.generation.generation_id / name
    path.write_text(path.read_text().replace("forgot", "tell us your").replace("reset", "reset2"))
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(folder)
    assert report.documents_unchanged == 0
    assert report.generation.revision == first.generation.revision


def test_exports_are_ingested_like_folders(tmp_path: Path) -> None:
    """And an article that is as it was is not read again, although it stands elsewhere in the file."""
    records = [
        {"id": number, "title": f"Password {number}", "body": "<p>Reset it.</p>", "locale": "en-us", "section_id": 1}
        for number in range(3)
    ]
    export = tmp_path / "export.json"
    export.write_text(json.dumps({"articles": records}))
    Ingest(tmp_path / "kb", HashingEncoder(), screen).run(export, mapping=mapping(tmp_path))
    assert ids(tmp_path / "kb") == {f"zendesk-{number}-en-us" for number in range(3)}
    export.write_text(json.dumps({"articles": [records[2], records[0] | {"body": "<p>Another.</p>"}]}))
    report = Ingest(tmp_path / "kb", HashingEncoder(), screen).run(export, mapping=mapping(tmp_path))
    assert (report.documents, report.documents_unchanged) == (2, 1)
    assert ids(tmp_path / "kb") == {"zendesk-0-en-us", "zendesk-2-en-us"}
