"""A search that finds what a test says."""

from __future__ import annotations

from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Passage
from tests.flow.stand import Stand


def page(number: int, text: str, screened_by: str = "") -> Passage:
    """A passage that was found."""
    return Passage(
        passage_id=f"p{number}", doc_id=f"d{number}", title="Members", heading="Adding", text=text, score=0.9,
        authority="standard", product_area="projects", screened_by=screened_by,
    )  # fmt: skip


def finding(stand: Stand, *passages: Passage) -> None:
    """Let the search find these passages, all of them good."""

    async def search(query: str, scope: ScopePlan, limit: int) -> Retrieved:
        good = len(passages)
        return Retrieved(passages=passages, good=good, eligible_documents=good, excluded={}, revision="r")

    stand.retriever.replaced["search"] = search  # type: ignore[assignment]
