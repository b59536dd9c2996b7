"""Articles of Intercom, by the fields of its Articles and Help Center APIs.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io/articles
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from pydantic import JsonValue, ValidationError

from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.reading.exported import Exported, Foreign, Groups, Id, Ids, locale_of, wrong_record
from handrail.retrieval.reading.mapping import Subject
from handrail.retrieval.reading.records import Kind, Record

PUBLISHED = "published"

_AUDIENCES = ("audience", "audiences", "audience_id", "audience_ids")
"""The API of articles does not tell whom an article is shown to; an export of another tool that does is believed."""


class _Content(Foreign):
    title: str | None = None
    description: str | None = None
    body: str | None = None
    state: str = "draft"


class _Article(_Content):
    id: Id
    parent_id: Id | None = None
    parent_ids: Ids = ()
    default_locale: str | None = None
    translated_content: dict[str, JsonValue] | None = None


class _Group(Foreign):
    id: Id
    name: str
    parent_id: Id | None = None
    collection_id: Id | None = None


class Intercom:
    """What an export holds, over all its files: collections may be in files of their own."""

    def __init__(self, records: Sequence[Record], problems: list[Problem]) -> None:
        self._groups = Groups()
        self._articles: list[tuple[Record, _Article, dict[str, _Content]]] = []
        for record in records:
            try:
                if record.kind is Kind.INTERCOM_ARTICLE:
                    article = _Article.model_validate(record.content)
                    self._articles.append((record, article, _translations(article)))
                elif record.kind is Kind.INTERCOM_GROUP:
                    group = _Group.model_validate(record.content)
                    self._groups.add(group.id, group.name, group.parent_id or group.collection_id)
            except ValidationError as error:
                problems.extend(wrong_record(record, error))

    def articles(self, notes: list[Problem]) -> Iterator[Exported]:
        """The published articles, each in every language that it is published in; drafts go to `notes`."""
        for record, article, translations in self._articles:
            for locale, content in ({_own_locale(article): article} | translations).items():
                exported = self._exported(record, article, content, locale)
                if content.state == PUBLISHED:
                    yield exported
                else:
                    notes.append(Problem(f"{record.file}#{exported.doc_id}", record.number, "a draft"))

    def _exported(self, record: Record, article: _Article, content: _Content, locale: str) -> Exported:
        parents = list(article.parent_ids) or [one for one in (article.parent_id,) if one is not None]
        subject = Subject(
            record.inside,
            collections=self._groups.called(parents),
            locales=(locale,) if locale else (),
            segments=_segments(record.content),
        )
        description = f"<p>{escape(content.description)}</p>\n" if content.description else ""
        html = description + (content.body or "") if content.body else ""
        return Exported("intercom", record, article.id, locale, content.title or "", html, subject)


def _translations(article: _Article) -> dict[str, _Content]:
    """The other languages; the original one stands in the article itself."""
    own = _own_locale(article)
    return {
        locale_of(locale): _Content.model_validate(content)
        for locale, content in (article.translated_content or {}).items()
        if isinstance(content, dict) and locale_of(locale) != own
    }


def _own_locale(article: _Article) -> str:
    """The language of the article itself: as it says, else that of the translation which it is."""
    if article.default_locale:
        return locale_of(article.default_locale)
    for locale, content in (article.translated_content or {}).items():
        if isinstance(content, dict) and (content.get("title"), content.get("body")) == (article.title, article.body):
            return locale_of(locale)
    return ""


def _segments(content: dict[str, JsonValue]) -> tuple[str, ...]:
    rows = [content.get(name) for name in _AUDIENCES]
    flat = [one for row in rows for one in (row if isinstance(row, list) else [row])]
    return tuple(dict.fromkeys(str(one) for one in flat if one not in (None, "", {}, False)))
