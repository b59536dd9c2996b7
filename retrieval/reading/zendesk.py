"""Articles of Zendesk Guide, by the fields of its Help Center API.

https://developer.zendesk.com/api-reference/help_center/help-center-api/articles/ and .../translations/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from handrail.guardrails.yamlsource import Problem
from handrail.retrieval.reading.exported import Exported, Foreign, Groups, Id, Ids, Texts, locale_of, wrong_record
from handrail.retrieval.reading.mapping import Subject
from handrail.retrieval.reading.records import Kind, Record
from handrail.retrieval.reading.unread import sound


class _Translation(Foreign):
    locale: str
    title: str | None = None
    body: str | None = None
    draft: bool = False


class _OfArticle(_Translation):
    source_id: Id
    source_type: str


class _Article(_Translation):
    id: Id
    label_names: Texts = ()
    section_id: Id | None = None
    user_segment_id: Id | None = None
    user_segment_ids: Ids = ()
    translations: tuple[_Translation, ...] = ()


class _Group(Foreign):
    id: Id
    name: str
    category_id: Id | None = None
    parent_section_id: Id | None = None


class Zendesk:
    """What an export holds, over all its files: sections and categories may be in files of their own."""

    def __init__(self, records: Sequence[Record], problems: list[Problem]) -> None:
        self._sections, self._categories = Groups(), Groups()
        self._category_of: dict[str, str] = {}
        self._translations: dict[str, list[_Translation]] = {}
        self._articles: list[tuple[Record, _Article]] = []
        for record in records:
            try:
                self._add(record)
            except ValidationError as error:
                problems.extend(wrong_record(record, error))

    def articles(self, notes: list[Problem]) -> Iterator[Exported]:
        """The published articles, each in every language that it is published in; drafts go to `notes`."""
        for record, article in self._articles:
            seen = set[str]()
            for one in (article, *article.translations, *self._translations.get(article.id, ())):
                locale = locale_of(one.locale)
                # The original language is among the translations, too.
                if locale in seen:
                    continue
                seen.add(locale)
                exported = self._exported(record, article, one, locale)
                if one.draft:
                    notes.append(Problem(f"{record.file}#{exported.doc_id}", record.number, "a draft"))
                else:
                    yield exported

    def _add(self, record: Record) -> None:
        match record.kind:
            case Kind.ZENDESK_ARTICLE:
                self._articles.append((record, _Article.model_validate(record.content)))
            case Kind.ZENDESK_TRANSLATION:
                translation = _OfArticle.model_validate(record.content)
                if translation.source_type.lower() == "article":
                    self._translations.setdefault(translation.source_id, []).append(translation)
            case Kind.ZENDESK_SECTION:
                section = _Group.model_validate(record.content)
                self._sections.add(section.id, section.name, section.parent_section_id)
                if section.category_id is not None:
                    self._category_of[section.id] = section.category_id
            case Kind.ZENDESK_CATEGORY:
                category = _Group.model_validate(record.content)
                self._categories.add(category.id, category.name)

    def _exported(self, record: Record, article: _Article, text: _Translation, locale: str) -> Exported:
        sections = [article.section_id] if article.section_id is not None else []
        categories = [self._category_of[one] for one in self._sections.path(sections) if one in self._category_of]
        one = [] if article.user_segment_id is None else [article.user_segment_id]
        subject = Subject(
            record.inside,
            sections=self._sections.called(sections),
            categories=self._categories.called(categories),
            labels=tuple(map(sound, article.label_names)),
            locales=(sound(locale),),
            segments=tuple(dict.fromkeys((*one, *article.user_segment_ids))),
        )
        return Exported("zendesk", record, article.id, locale, text.title or "", text.body or "", subject)
