"""Values of every kind of personal data in sentences, drawn anew and the same for the same seed.

They are drawn from the public definitions of the real things (registries, numbering plans, documentation of makers)
with arithmetic of their own, so that a mistake in the detectors is not repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from handrail.evals.detection.personal_contacts import CONTACTS
from handrail.evals.detection.personal_drawn import Drawn
from handrail.evals.detection.personal_ids import IDS
from handrail.evals.detection.personal_secrets import SECRETS

SEED = 20_260
DRAWN = 200
"""Values of each kind."""

_KINDS = (*CONTACTS, *IDS, *SECRETS)
_FRAMES = (
    "{}", "please use {} from now on", "Hello, {} thanks!", "I sent it yesterday ({}) and heard nothing.", "it was {}.",
    "Two things: {}, and the app is slow.", "see below\n{}\nregards", 'they wrote "{}" in the form', "is {} correct?",
    "update it to {} please", "> {}", "the old one was {} I think, can you check",
)  # fmt: skip
_NAMED_FRAMES = (
    "my {name} is {}", "{name}: {}", "{name} {}", "The {name} on file is {}, is that right?", "here is the {name}: {}",
    "can you change my {name} to {} today", "{name} = {}", "What is your {name}?\n{}", "my {name}, {}, does not work",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A drawn value in a sentence; `frame` is the sentence without it."""

    name: str
    code: str
    text: str
    frame: str
    start: int
    end: int


def draw(seed: int = SEED, count: int = DRAWN) -> tuple[Value, ...]:
    """`count` values of each kind in sentences; the same for the same seed."""
    random = Random(seed)  # noqa: S311 # drawn for a measure, not for secrecy
    return tuple(_placed(kind, kind.draw(random), random) for kind in _KINDS for _ in range(count))


def _placed(kind: Drawn, value: str, random: Random) -> Value:
    frame = random.choice(_NAMED_FRAMES if kind.called else _FRAMES)
    frame = frame.replace("{name}", random.choice(kind.called)) if kind.called else frame
    start = frame.index("{}")
    return Value(kind.name, kind.code, frame.replace("{}", value), frame.replace("{}", ""), start, start + len(value))
