"""What guarding costs: a reply read by the output checks, and one proposed call decided by the tool gate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

from handrail.agent.composition import settled
from handrail.agent.given_reply import GivenReply
from handrail.agent.reply_check import ReplyCheck
from handrail.evals.bench.drawn_turns import draw
from handrail.evals.bench.samples import Samples
from handrail.evals.replies import AUTHORED, CORRECT, read_replies
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.gate.facts import Standing
from handrail.guardrails.gate.inspection import inspect
from handrail.guardrails.gate.results import sources
from handrail.guardrails.gate.weighing import decide_call
from handrail.guardrails.output.evidence import Evidence
from handrail.guardrails.output.review import review
from handrail.guardrails.output.sources import forget_passages
from handrail.guardrails.policy.facts import Facts
from handrail.guardrails.toolspec import ToolSpec
from handrail.guardrails.vocabulary import (
    Effect,
    FactContent,
    Frozen,
    IdentityLevel,
    Stage,
    ToolCall,
    ToolOutcome,
    ToolResult,
)

REPLIES = 60
WORDS = 150
PASSAGES = 20
CALLS = 60
ROUNDS = 5
SEED = 4
TOOL = "issue_refund"
"""The shipped tool about which policy asks for most facts."""

_TURNS_PER_CALL = 5
AIM_MS = 1.0
_TODAY = date(2026, 3, 12)
_NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
_FACTS: dict[str, FactContent] = {
    "owned": True,
    "role_allows": True,
    "invoice_status": "paid",
    "currency": "EUR",
    "paid_minor": 20_000,
    "refundable_minor": 20_000,
    "duplicate_minor": 10_000,
    "amount_within_paid": True,
    "duplicate_payment": True,
    "already_refunded": False,
    "days_since_payment": 5,
    "cycle": "monthly",
    "last_four": "4242",
}
"""What the company says of every call but the amount."""

_WORD = re.compile(r"\S+")


class GuardFigure(Frozen):
    """Milliseconds of one call: median and 95th percentile of CPU and wall, each the median of the rounds."""

    name: str
    cpu_p50_ms: float
    cpu_p95_ms: float
    wall_p50_ms: float
    wall_p95_ms: float


class GuardBench(Frozen):
    """What `handrail bench guard` prints. `fresh` says what a reply costs whose passages were never read before."""

    rounds: int
    replies: int
    words: int
    passages: int
    calls: int
    allowed: int
    reply: GuardFigure
    fresh: GuardFigure
    gate: GuardFigure


def _figure(name: str, samples: Samples) -> GuardFigure:
    return GuardFigure(
        name=name,
        cpu_p50_ms=samples.cpu_ms(0.5),
        cpu_p95_ms=samples.cpu_ms(0.95),
        wall_p50_ms=samples.wall_ms(0.5),
        wall_p95_ms=samples.wall_ms(0.95),
    )


def drawn_replies(seed: int = SEED) -> Iterator[GivenReply]:
    """Correct replies of the authored files put together to `WORDS` words, with what each of them rests on.

    Passages of other replies make their passages up to `PASSAGES`.
    """
    rows = [row for name in ("a", "b") for row in read_replies(AUTHORED / f"{name}.jsonl") if row.kind == CORRECT]
    random = Random(seed)  # noqa: S311 - draws what is measured, guards nothing
    random.shuffle(rows)
    others = [passage for row in rows for passage in row.passages]
    rest = iter(rows)
    while True:
        taken = []
        text = ""
        while len(text.split()) < WORDS:
            row = next(rest, None)
            if row is None:
                return
            taken.append(row)
            text = "\n\n".join(row.reply for row in taken)
        own = [passage for row in taken for passage in row.passages]
        made = {
            "reply": text[: [*_WORD.finditer(text)][WORDS - 1].end()],
            "passages": (*own, *random.sample(others, PASSAGES))[:PASSAGES],
            "tool_results": tuple(result for row in taken for result in row.tool_results),
            "history": tuple(message for row in taken for message in row.history),
        }
        yield taken[0].model_copy(update=made)


def _reviews(bundle: Bundle, most: int) -> list[Callable[[], object]]:
    # Whether a person was asked for is detection's business, which `handrail bench detect` measures.
    check = ReplyCheck(bundle, _TODAY, lambda _: False)
    given = [*islice(drawn_replies(), most)]
    evidence: list[Evidence] = [check.evidence(one) for one in given]
    return [partial(review, one.reply, rests_on, bundle.wording) for one, rests_on in zip(given, evidence, strict=True)]


@dataclass(frozen=True, slots=True)
class _Proposed:
    """One call, what was said and found before it, and what the toolbox states of it."""

    bundle: Bundle
    spec: ToolSpec
    call: ToolCall
    words: tuple[str, ...]
    results: tuple[ToolResult, ...]
    values: dict[str, FactContent]
    refunded: int
    around: Facts

    def decide(self) -> Effect:
        """What the gate does with a call once its facts are there, as the flow has it done."""
        found = sources(
            customer_words=self.words,
            results=self.results,
            passages=(),
            tools=self.bundle.tools,
            known=(),
            established=(),
        )
        inspection = inspect(self.call, self.spec, found, self.values)
        standing = Standing(
            now=_NOW,
            confirmed=inspection.digest,
            approved=(inspection.digest,),
            totals={"call_refunded_30d": self.refunded},
        )
        return decide_call(
            self.bundle.policy, self.spec, inspection, standing, IdentityLevel.VERIFIED, self.values, self.around
        ).effect


def _proposed(bundle: Bundle, count: int) -> list[_Proposed]:
    spec = bundle.tools[TOOL]
    found: list[_Proposed] = []
    for number, turn in enumerate(draw(bundle, count * _TURNS_PER_CALL, SEED)):
        invoice, amount = f"INV-{4800 + number}", f"{20 + number}.00"
        around = next(one.facts for one in turn if one.stage is Stage.RETRIEVE)
        read = ToolCall(call_id="read", tool="get_invoice", arguments={"invoice_id": invoice})
        found.append(
            _Proposed(
                bundle,
                spec,
                ToolCall(call_id="refund", tool=TOOL, arguments={"invoice_id": invoice, "amount": amount}),
                (
                    "Hello, I was charged twice this month.",
                    f"It is invoice {invoice}, I paid it on 2 March.",
                    f"Yes, please send {amount} EUR back to my card.",
                ),
                (
                    ToolResult(
                        call=read, outcome=ToolOutcome.SUCCEEDED, content={"invoice_id": invoice, "amount": amount}
                    ),
                ),
                {**_FACTS, "amount_minor": (20 + number) * 100},
                (20 + number) * 100,
                around,
            )
        )
    # Where the need of a turn permits no refund at all, policy is asked for less.
    return [one for one in found if one.decide() is not Effect.REFUSE][:count]


def bench_guard(folder: Path, replies: int = REPLIES, calls: int = CALLS, rounds: int = ROUNDS) -> GuardBench:
    """Measure the checks and the gate of the bundle in `folder`."""
    bundle = load(folder)
    reviews, proposed = _reviews(bundle, replies), _proposed(bundle, calls)
    decisions = [one.decide for one in proposed]
    for work in (*reviews, *decisions):
        work()  # words and passages that come every day are known to a process that serves
    known, fresh, gate = Samples(), Samples(), Samples()
    with settled():  # as a server is, once it is built
        for _ in range(rounds):
            known.timed(reviews)
            gate.timed(decisions)
            fresh.timed(reviews, forget_passages)
            for work in reviews:
                work()
    return GuardBench(
        rounds=rounds,
        replies=len(reviews),
        words=WORDS,
        passages=PASSAGES,
        calls=len(decisions),
        allowed=sum(one.decide() is Effect.ALLOW for one in proposed),
        reply=_figure("a reply, passages known", known),
        fresh=_figure("a reply, everything fresh", fresh),
        gate=_figure("a proposed call", gate),
    )


def table(bench: GuardBench) -> str:
    """The figures as text."""
    lines = [
        f"Milliseconds per call, median of {bench.rounds} rounds.",
        f"Replies: {bench.replies} of {bench.words} words, with {bench.passages} passages each.",
        f"Calls: {bench.calls} of {TOOL}; {bench.allowed} are allowed, the others go to a person.",
        "",
        f"{'':28}{'CPU p50':>10}{'p95':>10}{'wall p50':>10}{'p95':>10}",
    ]
    lines += [
        f"{one.name:28}{one.cpu_p50_ms:>10.3f}{one.cpu_p95_ms:>10.3f}{one.wall_p50_ms:>10.3f}{one.wall_p95_ms:>10.3f}"
        for one in (bench.reply, bench.fresh, bench.gate)
    ]
    lines += [
        "",
        f"output guard, passages known: p50 {bench.reply.cpu_p50_ms:.2f} ms of CPU  (aim {AIM_MS:.0f})",
        f"tool gate: p50 {bench.gate.cpu_p50_ms:.2f} ms of CPU  (aim {AIM_MS:.0f})",
    ]
    return "\n".join(lines)
