"""The output checks measured on replies labelled by their authors: correct ones, and minimal violating edits."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from handrail.agent.given_reply import GivenReply
from handrail.agent.reply_check import ReplyCheck
from handrail.evals.interval import Proportion, wilson
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Effect, Frozen

AUTHORED = Path(str(files("handrail"))) / "evals" / "authored" / "replies"
CORRECT = "correct"


class LabelledReply(GivenReply):
    """A reply and what is wrong with it: `correct`, or the kind of its violation."""

    kind: str


class KindFound(Frozen):
    """How many replies of a kind were stopped; of correct ones none should be, of all others every one."""

    kind: str
    stopped: Proportion
    crashed: int


class ReplyFigures(Frozen):
    """The figures of one file."""

    name: str
    kinds: tuple[KindFound, ...]


def measure(check: ReplyCheck, path: Path) -> ReplyFigures:
    """Check every reply of a file of JSON lines. Raises ConfigError with the first line that cannot be read."""
    stopped: dict[str, list[bool]] = defaultdict(list)
    crashed: dict[str, int] = defaultdict(int)
    for reply in read_replies(path):
        stopped[reply.kind] += []
        try:
            verdict = check.verdict(reply)
        except Exception:  # noqa: BLE001 - a crash is a result of its own, never a miss
            crashed[reply.kind] += 1
            continue
        stopped[reply.kind].append(verdict.decision.effect is not Effect.ALLOW)
    kinds = sorted(stopped, key=lambda kind: (kind != CORRECT, kind))
    return ReplyFigures(
        name=path.stem,
        kinds=tuple(
            KindFound(kind=kind, stopped=wilson(sum(stopped[kind]), len(stopped[kind])), crashed=crashed[kind])
            for kind in kinds
        ),
    )


def table(figures: Sequence[ReplyFigures]) -> str:
    """The figures as text, a block per file."""
    lines: list[str] = []
    for one in figures:
        lines += [f"{one.name}: stopped of each kind"]
        lines += [
            f"  {found.kind:22} {found.stopped}" + (f", {found.crashed} crashed" if found.crashed else "")
            for found in one.kinds
        ]
    return "\n".join(lines)


def read_replies(path: Path) -> Sequence[LabelledReply]:
    """The replies of a file of JSON lines. Raises ConfigError with the first line that cannot be read."""
    found: list[LabelledReply] = []
    # Not splitlines(): JSON leaves line separators of Unicode inside a text as they are.
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                found.append(LabelledReply.model_validate(json.loads(line)))
            except (ValidationError, json.JSONDecodeError) as error:
                raise ConfigError([f"{path.name}, line {number}: {error}"]) from error
    return found
