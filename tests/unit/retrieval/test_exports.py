import json
from pathlib import Path

import pytest

from handrail.guardrails.scope import Family
from handrail.retrieval.prepared import Prepared, PreparedSet
from handrail.retrieval.reading.mapping import MetadataMapping, load_mapping
from tests.support.articles import HIDDEN, read

EXPORTS = Path(__file__).parent / "exports"
EVERYTHING = """
defaults:
  {roles: [admin], stacks: [all], regions: [all], plans: [all], authority: standard, valid_from: 2024-01-01,
   need_states: [how_to], product_area: members}
"""


def mapping(tmp_path: Path, text: str = EVERYTHING) -> MetadataMapping:
    """A mapping file with this text."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def by_id(found: PreparedSet) -> dict[str, Prepared]:
    """The documents by id."""
    return {one.card.doc_id: one for one in found.documents}


def zendesk(tmp_path: Path, article: dict[str, object], rules: str = "") -> PreparedSet:
    """What becomes of one article of Zendesk."""
    export = {"id": 1, "title": "A", "body": "<p>Text</p>", "locale": "en-us", "section_id": 5, "draft": False}
    (tmp_path / "a.json").write_text(json.dumps({"articles": [export | article]}))
    return read(tmp_path / "a.json", mapping=mapping(tmp_path, EVERYTHING + rules))


@pytest.fixture
def centre() -> PreparedSet:
    """A help centre of Zendesk in pages, with its sections and categories in a file of their own."""
    return read(EXPORTS / "zendesk", mapping=load_mapping(EXPORTS / "zendesk.yaml"))


def test_articles_and_translations_are_documents(centre: PreparedSet) -> None:
    """Each language has an id, a title, a language and a text of its own; the original is not there twice."""
    found = by_id(centre)
    assert list(found) == ["zendesk-360021501-en-us", "zendesk-360021501-de", "zendesk-360021504-en-us"]
    german = found["zendesk-360021501-de"]
    assert (german.card.title, german.card.audience.language) == ("Rechnungsadresse ändern", "de")
    assert found["zendesk-360021501-en-us"].card.audience.language == "en"


def test_the_html_of_an_article_is_text_with_headings_lists_and_links(centre: PreparedSet) -> None:
    """Spaces that do not break are spaces, and where a link leads is kept."""
    (passage,) = by_id(centre)["zendesk-360021501-en-us"].passages
    assert passage.heading == "Change it"
    assert "1. Open **Settings → Billing**.\n2. Choose [Address](https://app.fernwell.example/billing)" in passage.text
    assert "Invoices that were sent stay as they are." in passage.text


def test_rules_tell_articles_by_section_category_and_label(centre: PreparedSet) -> None:
    """Names know no letter case; a group stands for all below it, even where groups lie in a circle."""
    found = by_id(centre)
    billing, sign_on = found["zendesk-360021501-en-us"].card, found["zendesk-360021504-en-us"].card
    assert (billing.audience.role, billing.product_area) == (("admin", "finance"), "billing")
    assert billing.audience.need_state == ("update_details",)
    assert (sign_on.audience.role, sign_on.audience.need_state) == (("admin", "it"), ("how_to",))


def test_drafts_are_noted_and_are_no_problem(centre: PreparedSet) -> None:
    """They are left out on purpose, each language by itself."""
    assert [str(note) for note in centre.notes] == [
        "articles-1.json#zendesk-360021501-fr:1: a draft",
        "articles-1.json#zendesk-360021502-en-us:2: a draft",
    ]


def test_problems_name_file_article_and_record(centre: PreparedSet) -> None:
    """Everything else is ingested."""
    said = [str(problem) for problem in centre.problems]
    assert any(one.startswith("articles-2.json#zendesk-360021505-en-us:2: the article has no text") for one in said)
    assert any(one.startswith("articles-2.json#3:3: id: this field is missing") for one in said)
    assert len(said) == 3


def test_a_restricted_article_stays_out_whatever_other_rules_say(centre: PreparedSet) -> None:
    """The rule for its category says `all`, and does not count, because it does not name the segment."""
    (problem,) = [one for one in centre.problems if "restricted" in one.message]
    assert problem.file == "articles-1.json#zendesk-360021503-en-us"
    assert "4410" in problem.message


@pytest.mark.parametrize("restriction", [{"user_segment_id": 4410}, {"user_segment_ids": [7, 4410]}])
def test_a_rule_that_names_the_segment_lets_a_restricted_article_in(
    tmp_path: Path, restriction: dict[str, object]
) -> None:
    """It wins over all other rules, also over later ones."""
    rules = """
rules:
  - {when: {segments: ["4410"]}, give: {roles: [it], plans: [enterprise]}}
  - {when: {paths: ["**"]}, give: {roles: [all], plans: [all]}}
"""
    (document,) = zendesk(tmp_path, restriction, rules).documents
    assert document.card.audience.classes(Family.ROLE) == ("it",)
    assert document.card.audience.classes(Family.PLAN) == ("enterprise",)


def test_without_a_mapping_nothing_of_an_export_is_ingested() -> None:
    """An export does not say whom its articles are for, and nobody guesses; each file is named once."""
    found = read(EXPORTS / "zendesk")
    assert found.documents == ()
    assert [problem.file for problem in found.problems] == ["articles-1.json", "articles-2.json", "sections.json"]
    assert all("--mapping" in problem.message for problem in found.problems)


def test_intercom_articles_and_translations_are_documents(tmp_path: Path) -> None:
    """The original language stands in the article itself; several first headings are its sections."""
    rules = '\nrules:\n  - {when: {collections: ["getting*"]}, give: {roles: [all]}}\n'
    found = by_id(read(EXPORTS / "intercom", mapping=mapping(tmp_path, EVERYTHING + rules)))
    assert list(found) == ["intercom-6871119-en", "intercom-6871119-fr", "intercom-6871121-en"]
    (passage,) = found["intercom-6871119-en"].passages
    assert passage.heading == "Invite · Limits"
    assert passage.text.startswith("How to add colleagues & guests\n\n**Invite**\n\nOpen **Members**, then:\n\n- Type")
    assert found["intercom-6871119-fr"].card.audience.language == "fr"
    assert found["intercom-6871119-fr"].card.audience.role == ("all",)
    assert found["intercom-6871121-en"].card.audience.role == ("admin",)


def test_what_intercom_has_not_published_is_noted(tmp_path: Path) -> None:
    """A draft of one language says nothing about the others."""
    notes = read(EXPORTS / "intercom", mapping=mapping(tmp_path)).notes
    assert [str(note) for note in notes] == [
        "articles.json#intercom-6871119-pt-br:1: a draft",
        "articles.json#intercom-6871120:2: a draft",
    ]


def test_an_audience_in_an_intercom_export_restricts(tmp_path: Path) -> None:
    """Who adds it to an export means it."""
    article = {"type": "article", "id": 1, "title": "A", "body": "<p>b</p>", "state": "published", "audience": "staff"}
    (tmp_path / "a.jsonl").write_text(json.dumps(article))
    found = read(tmp_path / "a.jsonl", mapping=mapping(tmp_path))
    assert found.documents == ()
    assert "staff" in found.problems[0].message


def test_json_lines_report_a_broken_line_and_read_the_others(tmp_path: Path) -> None:
    """A download that broke off loses its last article, and says so."""
    article = {"id": 1, "title": "A", "body": "<p>b</p>", "locale": "en-us", "section_id": 5, "draft": False}
    lines = [json.dumps(article | {"id": number}) for number in (1, 2)]
    (tmp_path / "a.ndjson").write_text("\n".join([*lines, "", '{"id": 3, "ti']))
    found = read(tmp_path / "a.ndjson", mapping=mapping(tmp_path))
    assert list(by_id(found)) == ["zendesk-1-en-us", "zendesk-2-en-us"]
    assert [(one.file, one.line) for one in found.problems] == [("a.ndjson", 4)]


@pytest.mark.parametrize(
    "text", ['{"articles": [', "[" * 100_000, '{"id": 1' + "0" * 5_000 + "}", "\ufeff{", "\x00"], ids=range(5)
)
def test_json_that_cannot_be_read_is_a_problem(tmp_path: Path, text: str) -> None:
    """However it is broken, the rest of the folder is ingested."""
    (tmp_path / "broken.json").write_text(text, encoding="utf-8")
    (tmp_path / "good.json").write_text(json.dumps([{"id": 1, "title": "A", "body": "b", "locale": "en-us"}]))
    found = read(tmp_path, mapping=mapping(tmp_path))
    assert list(by_id(found)) == ["zendesk-1-en-us"]
    assert [problem.file for problem in found.problems] == ["broken.json"]


def test_other_json_in_a_folder_is_noted_and_as_a_source_it_is_a_problem(tmp_path: Path) -> None:
    """A folder may hold what it likes; who names a file means it."""
    path = tmp_path / "package.json"
    path.write_text('{"name": "docs"}')
    assert [note.file for note in read(tmp_path, mapping=mapping(tmp_path)).notes] == ["package.json"]
    assert [one.file for one in read(path, mapping=mapping(tmp_path)).problems] == ["package.json"]


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("id", None),
        ("locale", None),
        ("locale", "fil"),
        ("title", None),
        ("title", ""),
        ("body", None),
        ("body", 3),
        ("draft", "perhaps"),
        ("label_names", "x"),
        ("id", "../../etc"),
    ],
)
def test_a_malformed_record_is_reported_and_left_out(tmp_path: Path, field: str, content: object) -> None:
    """Never guessed, never a crash."""
    found = zendesk(tmp_path, {field: content})
    assert found.documents == ()
    assert len(found.problems) >= 1


def test_a_text_that_no_file_can_hold_is_mended(tmp_path: Path) -> None:
    """JSON can spell halves of surrogate pairs and NUL; neither reaches a base."""
    (document,) = zendesk(tmp_path, {"title": "A \ud83d", "body": "<p>x \u0000 \ud83d y</p>"}).documents
    assert document.card.title.encode()
    assert document.passages[0].text.encode().count(b"\0") == 0


def test_hidden_text_of_an_article_is_screened_and_never_shown(tmp_path: Path) -> None:
    """The quarantine names the article and its record."""
    found = zendesk(tmp_path, {"body": f'<p>Shown</p><p style="display: none">{HIDDEN}</p>'})
    assert [(one.quarantine.path, one.quarantine.line) for one in found.documents if one.quarantine] == [
        ("a.json#zendesk-1-en-us", 1)
    ]


def test_the_same_article_on_two_pages_counts_once(tmp_path: Path) -> None:
    """The second is reported with the place of the first."""
    article = {"id": 1, "title": "A", "body": "b", "locale": "en-us", "section_id": 5, "draft": False}
    for page in (1, 2):
        (tmp_path / f"articles-{page}.json").write_text(json.dumps({"articles": [article]}))
    found = read(tmp_path, mapping=mapping(tmp_path))
    assert [one.card.path for one in found.documents] == ["articles-1.json#zendesk-1-en-us"]
    assert "articles-1.json#zendesk-1-en-us" in found.problems[0].message


@pytest.mark.parametrize(
    ("article", "doc_id"),
    [
        ({"translated_content": {"pt-BR": {"title": "A", "body": "b", "state": "draft"}}}, "pt-br"),
        ({"default_locale": "pt_BR", "translated_content": {"pt-BR": {"title": "X", "body": "x"}}}, "pt-br"),
        ({"default_locale": None, "translated_content": None}, ""),
    ],
)  # fmt: skip
def test_the_language_of_an_intercom_article(tmp_path: Path, article: dict[str, object], doc_id: str) -> None:
    """As it says, else that of the translation which it is; a help centre with one language names none."""
    record = {"type": "article", "id": 1, "title": "A", "body": "b", "state": "published", **article}
    (tmp_path / "a.json").write_text(json.dumps({"type": "list", "data": [record]}))
    text = EVERYTHING.replace("{roles", "{language: en, roles") + "\nlanguages: {pt-br: pt-br}\n"
    (document,) = read(tmp_path / "a.json", mapping=mapping(tmp_path, text)).documents
    assert document.card.doc_id == "-".join(part for part in ("intercom-1", doc_id) if part)
    assert document.card.audience.language == (doc_id or "en")
