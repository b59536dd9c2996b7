"""A worker process that runs one event of a conversation up to a step, says so, and waits to be killed.

Run as `python -m tests.flow.crashing FOLDER STEP CONVERSATION NOW APPROVAL DETECTION`. Flow, service, store, company
and journal are the real ones; detection is read from the arguments, because it is the one part that is slow to load.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import cast

from handrail.agent.conversation import ApprovalState
from handrail.agent.ports import Model
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.scope import Retrieved, ScopePlan
from handrail.guardrails.vocabulary import Detection, Passage
from tests.flow.aloud import FIRST, HOW_TO, Aloud, never
from tests.flow.stand import CANCEL, SITE, Parts, Scripted, standing, threads
from tests.support.screens import NothingFound

STEPS = {
    "received": ("store", "receive", True),
    "model": ("model", "complete", False),
    "released": ("store", "release", True),
    "checked": ("step_up", "check", True),
    "intended": ("store", "intend", True),
    "executed": ("toolbox", "execute", True),
    "concluded": ("store", "conclude", True),
    "finishing": ("store", "finish", False),
    "finished": ("store", "finish", True),
}
"""Where the worker stops: the port, the method, and whether the method has done its work by then."""


class KnownReading(NothingFound):
    """Detectors that have read the message before."""

    def __init__(self, detection: Detection) -> None:
        self._detection = detection

    def detect(self, text: str, earlier: Sequence[str] = ()) -> Detection:
        """The known reading."""
        return self._detection


class OneArticle:
    """A retriever with a base of one page."""

    async def search(self, query: str, scope: ScopePlan, limit: int) -> Retrieved:
        """One passage that fits."""
        page = Passage(
            passage_id="p1",
            doc_id="members", title="Members", heading="Adding", text="Open the project and choose Members.",
            score=0.9, authority="standard", product_area="projects",
        )  # fmt: skip
        return Retrieved(passages=(page,), good=1, eligible_documents=1, excluded={}, revision="one")

    async def titles(self, doc_ids: Sequence[str]) -> dict[str, str]:
        """None."""
        return {}


async def main(folder: Path, step: str, conversation: str, now: str, approval: str, detection: str) -> None:
    """Go as far as `step`."""
    parts = Parts(
        bundle=load(Path(str(files("handrail.guardrails") / "policies"))),
        encoder=cast(Encoder, None),
        detectors=KnownReading(Detection.model_validate_json(detection)),
        retriever=OneArticle(),
        executor=threads(1),
        base=folder,
        store_file=folder,
        company_file=folder,
    )
    model: Model = Scripted(text="Nothing to say.")
    if step == "released":
        model = Aloud([[f"{FIRST} And then it goes on.", never]])
    async with standing(parts, folder, fresh=False, model=model) as stand:
        stand.conversation = conversation
        stand.clock.at = datetime.fromisoformat(now)
        port, method, afterwards = STEPS[step]
        switch = stand.port(port)
        real = getattr(switch.real, method)

        async def stops(*positional: object, **named: object) -> object:
            if afterwards:
                await real(*positional, **named)
            sys.stdout.write("there\n")
            sys.stdout.flush()
            return await asyncio.Event().wait()

        switch.replaced[method] = stops
        if approval:
            await stand.service.decide(SITE, approval, ApprovalState.APPROVED, "operator-1")
        elif step in ("model", "released"):
            await stand.say(HOW_TO, key="the-key")
        elif step == "checked":
            await stand.say(await stand.code(), key="the-key")
        else:
            await stand.say(CANCEL, key="the-key")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
