"""The shape of `pack.yaml`: whose policy a pack is, and which file its records are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handrail.guardrails.vocabulary import Frozen


class PackManifest(Frozen):
    """The version of a pack and what it declares about itself.

    `records` is the JSON file, in the folder that is given as data, from which every task begins; a pack whose records
    are handed over by a program has none.
    """

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    company: Annotated[str, Field(min_length=1)]
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    records: Annotated[str, Field(pattern=r"^[^/\\]+\.json$")] | None = None
