from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from handrail.guardrails.scope import (
    Audience,
    Cause,
    Retrieved,
    ScopePlan,
    Validity,
    retrieval_reasons,
)
from handrail.guardrails.vocabulary import Passage
from handrail.retrieval.documents import DocumentCard
from handrail.retrieval.reading.files import parse_document
from handrail.retrieval.scope import ScopeCatalogue, admits
from tests.support.articles import ON, article, scope


def card(doc_id: str = "a", **front: str) -> DocumentCard:
    """The card of an article with this front matter."""
    document = parse_document(article(doc_id, **front), f"{doc_id}.md", "digest", [])
    assert document is not None
    return document.card


def cause(plan: ScopePlan, **front: str) -> Cause | None:
    """Why the plan keeps such an article out."""
    return plan.cause(card(**front).audience)


def test_a_family_without_grants_admits_only_documents_for_all() -> None:
    """Unknown role, region, plan or stack never widens what a customer sees."""
    assert cause(scope()) is None
    assert cause(scope(), roles="[admin]") is Cause.ROLE
    assert cause(scope(role=()), roles="[admin]") is Cause.ROLE
    assert cause(scope(role=("admin",)), roles="[it, admin]") is None
    assert cause(scope(role=("all",)), roles="[admin]") is Cause.ROLE


def test_need_state_is_open_without_a_grant() -> None:
    """A need state narrows the search only when policy says so."""
    assert cause(scope(), need_states="[how_to]") is None
    assert cause(scope(need_state=("incident",)), need_states="[how_to]") is Cause.NEED_STATE


def test_authority_and_language_must_be_granted() -> None:
    """No document is for `all` in these families, so nothing is admitted by silence."""
    assert cause(scope(authority=())) is Cause.AUTHORITY
    assert cause(scope(authority=("authoritative",)), authority="community") is Cause.AUTHORITY
    assert cause(scope(language=())) is Cause.LANGUAGE


def test_an_unknown_family_is_refused() -> None:
    """A misspelt family must not silently grant nothing or everything."""
    with pytest.raises(ValidationError, match="unknown families roles"):
        ScopePlan(families={"roles": ("admin",)}, on=ON)


def test_validity_holds_on_both_ends_and_in_utc() -> None:
    """The day is that of UTC, wherever the clock stands."""
    validity = Validity(first=date(2026, 1, 1), last=date(2026, 1, 31))
    assert validity.cause(date(2025, 12, 31)) is Cause.NOT_YET_VALID
    assert validity.cause(date(2026, 1, 1)) is None
    assert validity.cause(date(2026, 1, 31)) is None
    assert validity.cause(date(2026, 2, 1)) is Cause.EXPIRED
    late = datetime(2026, 1, 31, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert ScopePlan(families={}, on=late).day == date(2026, 2, 1)


def test_a_moment_without_time_zone_is_refused() -> None:
    """Nobody could say which day it is."""
    with pytest.raises(ValidationError):
        ScopePlan(families={}, on=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_documents_count_once_under_their_first_cause() -> None:
    """The counts add up to the documents that are kept out."""
    cards = [
        card("a"),
        card("b", roles="[it]", regions="[eu]", valid_until="2025-06-01"),
        card("c", regions="[eu]"),
        card("d", valid_until="2025-06-01"),
        card("e", valid_from="2028-01-01"),
        card("f"),
    ]
    closed = [False, True, False, True, False, True]
    compiled = ScopeCatalogue.build(cards, closed, ON.date()).compile(scope())
    assert compiled.eligible.tolist() == [True, False, False, False, False, False]
    assert compiled.excluded == {"role": 1, "region": 1, "expired": 1, "not_yet_valid": 1, "quarantined": 1}


def test_documents_of_one_audience_and_validity_share_a_class() -> None:
    """The class is a matter of who a document is for, whatever it is called."""
    cards = [
        card("a"),
        card("b", roles="[it]"),
        card("c", roles="[it]"),
        card("d", roles="[it]", valid_until="2026-01-01"),
    ]
    catalogue = ScopeCatalogue.build(cards, [False] * 4, ON.date())
    assert catalogue.name(1) == catalogue.name(2)
    assert len({catalogue.name(number) for number in range(4)}) == 3


def test_documents_that_expired_since_the_ingest_are_not_eligible() -> None:
    """Their class is still admitted for the others."""
    cards = [card("a"), card("b", valid_until="2026-07-01")]
    later = scope(on=datetime(2026, 8, 1, tzinfo=UTC))
    assert ScopeCatalogue.build(cards, [False] * 2, ON.date()).compile(later).eligible.tolist() == [True, False]
    assert not admits(later, cards[1])


def test_all_stands_alone() -> None:
    """`all` beside another class says two things at once."""
    with pytest.raises(ValidationError, match="stands alone"):
        Audience.model_validate(card().audience.model_dump() | {"role": ("all", "it")})


def found(good: int, eligible: int, **excluded: int) -> Retrieved:
    """A search with so many good passages and eligible documents."""
    passage = Passage(
        passage_id="p", doc_id="d", title="t", heading="", text="x", score=0.9, authority="standard", product_area="a"
    )
    return Retrieved(
        passages=(passage,) * good, good=good, eligible_documents=eligible, excluded=excluded, revision="r"
    )


@pytest.mark.parametrize(
    ("retrieved", "reasons"),
    [
        (found(1, 3), ("RETRIEVAL_PASSAGES_FOUND",)),
        (found(0, 3, role=2), ("RETRIEVAL_NOTHING_GOOD", "RETRIEVAL_SCOPE_EXCLUDED")),
        (found(0, 0, role=2), ("RETRIEVAL_SCOPE_EMPTY", "RETRIEVAL_SCOPE_EXCLUDED")),
        (found(1, 3, quarantined=1), ("RETRIEVAL_PASSAGES_FOUND", "RETRIEVAL_QUARANTINED")),
    ],
)
def test_every_search_has_a_reason(retrieved: Retrieved, reasons: tuple[str, ...]) -> None:
    """The determining code comes first."""
    assert retrieval_reasons(retrieved) == reasons
