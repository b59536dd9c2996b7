"""What detection costs: per message on one core, over growing lengths, and in a batch on all cores."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from handrail.guardrails.vocabulary import Frozen

ROUNDS = 5
BATCH = 500
LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
SENTENCE = "I was charged for the second seat although we had removed it in March, and nobody answers my messages. "
WORDS_20 = "hello I would like to know why my last invoice is so much higher than the one before number {n} please"


class LengthCost(Frozen):
    """Milliseconds for one text of that many characters, median of five."""

    characters: int
    milliseconds: float


class Speed(Frozen):
    """Milliseconds per message of the data (wall and CPU, median of five rounds' medians) and of long texts.

    `embedding_ms` is one pass of the encoder over the same messages in the same rounds; `ratio` is detection divided
    by it. `batch_per_second` are messages of 20 words by `workers` threads.
    """

    messages: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    embedding_ms: float
    ratio: float
    lengths: tuple[LengthCost, ...]
    workers: int
    batch_per_second: float


def measure_speed(
    read: Callable[[str], object], embed: Callable[[str], object], messages: Sequence[str], workers: int = 2
) -> Speed:
    """Time `read`, everything that detection does, beside `embed`, one pass of the encoder. Neither may remember."""
    halves: list[float] = []
    tails: list[float] = []
    processor: list[float] = []
    passes: list[float] = []
    for _ in range(ROUNDS):
        started = time.process_time()
        took = sorted(_milliseconds(read, text) for text in messages)
        processor.append((time.process_time() - started) * 1e3 / len(messages))
        halves.append(took[len(took) // 2])
        tails.append(took[int(len(took) * 0.95)])
        passes.append(statistics.median(_milliseconds(embed, text) for text in messages))
    return Speed(
        messages=len(messages),
        p50_ms=round(statistics.median(halves), 3),
        p95_ms=round(statistics.median(tails), 3),
        cpu_ms=round(statistics.median(processor), 3),
        embedding_ms=round(statistics.median(passes), 3),
        ratio=round(statistics.median(halves) / statistics.median(passes), 2),
        lengths=tuple(_of_length(read, length) for length in LENGTHS),
        workers=workers,
        batch_per_second=round(_batch(read, workers), 1),
    )


def _milliseconds(call: Callable[[str], object], text: str) -> float:
    started = time.perf_counter()
    call(text)
    return (time.perf_counter() - started) * 1e3


def _of_length(read: Callable[[str], object], length: int) -> LengthCost:
    text = (SENTENCE * (length // len(SENTENCE) + 1))[:length]
    return LengthCost(
        characters=length,
        milliseconds=round(statistics.median(_milliseconds(read, text) for _ in range(ROUNDS)), 2),
    )


def _batch(read: Callable[[str], object], workers: int) -> float:
    texts = [WORDS_20.format(n=number) for number in range(BATCH)]
    rates: list[float] = []
    with ThreadPoolExecutor(workers) as pool:
        for _ in range(3):
            started = time.perf_counter()
            for _done in pool.map(read, texts):
                pass
            rates.append(BATCH / (time.perf_counter() - started))
    return statistics.median(rates)
