"""How much is retrieved follows from the depth of the answer that policy wants."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Depth, Stage
from tests.flow.segments import HOW_TO, Pair, introduce
from tests.flow.stand import Parts, standing

IN_SHORT = Pair(attributes={"answer_style": "short"})
AS_USUAL = Pair("Where do you store our data, and do you have a DPA?")


@pytest.mark.parametrize(
    ("pair", "depth"),
    [(IN_SHORT, Depth.BRIEF), (AS_USUAL, Depth.STANDARD), (Pair(HOW_TO), Depth.DETAILED)],
)
async def test_as_many_passages_as_the_depth_says(parts: Parts, tmp_path: Path, pair: Pair, depth: Depth) -> None:
    """The shipped bundle has three numbers, one for each depth."""
    limits: list[int] = []

    async def search(query: str, scope: ScopePlan, limit: int) -> Retrieved:
        limits.append(limit)
        return await parts.retriever.search(query, scope, limit)

    async with standing(parts, tmp_path, customer="somebody") as stand:
        await introduce(stand, "somebody", pair)
        stand.retriever.replaced["search"] = search  # type: ignore[assignment]
        result = await stand.say(pair.text)
    (wanted,) = {one.dimensions.depth for one in result.decisions if one.stage is Stage.APPLY_POLICY}
    assert wanted is depth
    assert limits == [parts.bundle.manifest.limits.passages.of(depth)]
    assert len({parts.bundle.manifest.limits.passages.of(one) for one in Depth}) == len(Depth)
