"""`handrail bench detect`: detection on companies that it has not seen, one data set left out after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from handrail.agent.assessment import assess_with
from handrail.evals.detection import rates
from handrail.evals.detection.changes import Stability, measure_stability
from handrail.evals.detection.few_shot import FewShot, few_shot_curve
from handrail.evals.detection.injections import paragraphs, planted, screened
from handrail.evals.detection.need_states import NeedScore, score_needs
from handrail.evals.detection.personal import PersonalMeasure, measure_personal, read_personal_rows
from handrail.evals.detection.rates import Rate
from handrail.evals.detection.speed import Speed, measure_speed
from handrail.evals.detection.told import Tier, Told, tell
from handrail.evals.interval import wilson
from handrail.guardrails.detect.calibration import calibration_error
from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.corpus import CLEAR, Corpus, LabelledRow, Where, read_corpus
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.foundation_training import train_foundation
from handrail.guardrails.detect.lessons import CODES, PLANTED
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.encoder import CachingEncoder, Encoder, MiniLMEncoder
from handrail.guardrails.model_folder import find_model
from handrail.guardrails.vocabulary import Frozen

AUTHORED = Path(__file__).resolve().parents[1] / "authored"
OPEN_FOLDERS = ("needs", "signals", "injection")
REMEMBERED = 120_000  # texts whose vectors are kept between the trainings; 4.6 kB each
STABLE_ROWS = 80  # per data set
SPEED_ROWS = 400
PERSONAL_MESSAGES = 5_000
SCOPE_SET, SCOPE_SPLIT = "clinc150", "val"

Report = Callable[[str], None]


class DetectionBench(Frozen):
    """All that was measured.

    `datasets` leave a whole data set out, `domains` one domain or tenant of it. Rates of `risk`, `people` and `scope`
    come from the models that had not seen the rows' data set; `sealed` from authored rows that no model learns from.
    """

    rows: int
    datasets: tuple[NeedScore, ...]
    domains: tuple[NeedScore, ...]
    pooled_calibration_error: float
    risk: tuple[Rate, ...]
    people: tuple[Rate, ...]
    scope: tuple[Rate, ...]
    sealed: tuple[Rate, ...]
    injection: tuple[Rate, ...]
    few_shot: tuple[FewShot, ...]
    stability: tuple[Stability, ...]
    speed: Speed
    personal: PersonalMeasure | None

    @property
    def dataset_mean(self) -> float | None:
        """Mean macro-F1 over left-out data sets with at least two scored need states."""
        return _mean([one.macro_f1 for one in self.datasets if len(one.states) > 1])

    @property
    def domain_mean(self) -> float | None:
        """Mean macro-F1 over left-out domains and tenants, those with a single scored need state too."""
        return _mean([one.macro_f1 for one in self.domains])

    @property
    def mixed_domain_mean(self) -> float | None:
        """The same over those with at least two scored need states."""
        return _mean([one.macro_f1 for one in self.domains if len(one.states) > 1])


@dataclass(frozen=True, slots=True)
class Bench:
    """What every part of the measurement needs; each worker has its own."""

    corpus: Corpus
    config: DetectionConfig
    encoder: Encoder
    tier: Tier

    @classmethod
    def of(cls, data: Path) -> Bench:
        """The corpus, the bundle that the settings name, and an encoder that remembers."""
        from handrail.agent.composition import bundle_of
        from handrail.agent.settings import load_settings

        settings = load_settings()
        bundle = bundle_of(settings)
        assess = assess_with(bundle.policy)
        encoder = MiniLMEncoder.load(find_model(settings.cache_dir))
        folders = [data / name for name in ("messages", "injection") if (data / name).is_dir()]
        corpus = read_corpus([*folders, *(AUTHORED / name for name in OPEN_FOLDERS)])
        caching = CachingEncoder(encoder, REMEMBERED)
        return cls(corpus, bundle.detection, caching, lambda detection: assess(detection).risk)

    @property
    def messages(self) -> list[LabelledRow]:
        """Rows of other people's messages."""
        return [row for row in self._public if row.is_injection is None]

    @property
    def attacks(self) -> list[LabelledRow]:
        """Rows of other people's sets of attacks."""
        return [row for row in self._public if row.is_injection is not None]

    @property
    def _public(self) -> list[LabelledRow]:
        return [row for row in self.corpus.rows if not row.source.startswith("authored/")]

    def suite(self, foundation: Foundation) -> DetectorSuite:
        """The detectors of the bundle on a foundation."""
        return DetectorSuite.on(foundation, self.config, self.encoder, cache_dir=None)

    def trained(self, corpus: Corpus, *, states_only: bool = False) -> Foundation:
        """A foundation from part of the corpus."""
        return train_foundation(corpus, self.encoder, {}, states_only=states_only)


@dataclass(frozen=True, slots=True)
class _Fold:
    """One data set, told by a model that had not seen it."""

    name: str
    told: tuple[Told, ...]
    few_shot: tuple[FewShot, ...]
    stability: tuple[Stability, ...]
    injection: tuple[Rate, ...]


_mine: Bench | None = None


def _start(data: Path) -> None:
    global _mine  # noqa: PLW0603 - a worker process is told once what it works on
    _mine = Bench.of(data)


def _bench() -> Bench:
    if _mine is None:
        raise RuntimeError("a worker was asked before it was started")
    return _mine


def run_bench(data: Path, report: Report, workers: int = 2) -> DetectionBench:
    """Measure on `messages`, `injection` and `pii` of the folder `data`, those that are there, and on authored rows.

    Takes minutes per data set. Sets of attacks are left out together with a data set of messages: the k-th with the
    k-th.

    Raises:
        ConfigError: a file cannot be read.
    """
    bench = Bench.of(data)
    messages = bench.messages
    names = sorted({row.dataset for row in messages})
    domains = [source for source in sorted({row.source for row in messages}) if source not in names]
    scored = [source for source in domains if score_needs(source, _untold(messages, source)) is not None]
    with ProcessPoolExecutor(workers, get_context("spawn"), _start, (data,)) as pool:
        of_sets = [pool.submit(_fold, number, name) for number, name in enumerate(names)]
        of_domains = [pool.submit(_domain, source) for source in scored]
        folds: list[_Fold] = []
        for fold in of_sets:
            folds.append(fold.result())
            report(f"Left out {folds[-1].name}.")
        parts: list[NeedScore | None] = []
        for source, part in zip(scored, of_domains, strict=True):
            parts.append(part.result())
            report(f"Left out {source}.")
    datasets = [score for fold in folds if (score := score_needs(fold.name, fold.told)) is not None]
    single = [score for score in datasets if any(row.source == score.source for row in messages)]
    told = [one for fold in folds for one in fold.told]
    texts = [row.text for row in messages]
    report("Training on all but the sealed themes ...")
    sealed = read_corpus([AUTHORED / "sealed"]).rows
    opened = bench.corpus
    for source in sorted({row.source for row in sealed}):
        opened = opened.without(source)  # need states of the same themes were authored too
    suite = bench.suite(bench.trained(opened))
    return DetectionBench(
        rows=len(bench.corpus.rows),
        datasets=tuple(datasets),
        domains=(*single, *(part for part in parts if part is not None)),
        pooled_calibration_error=calibration_error(step for score in datasets for step in score.steps),
        risk=(*(rates.grave_by_data(fold.name, fold.told) for fold in folds), rates.grave_by_data("all", told)),
        people=(*(rates.human_request(fold.name, fold.told) for fold in folds), rates.human_request("all", told)),
        scope=tuple(_scope(told)),
        sealed=tuple(_sealed(bench, suite, sealed)),
        injection=(*(rate for fold in folds for rate in fold.injection), *_sealed_injection(suite, sealed, messages)),
        few_shot=tuple(point for fold in folds for point in fold.few_shot),
        stability=tuple(_together([fold.stability for fold in folds if fold.stability])),
        speed=_speed(bench, suite, texts),
        personal=_personal(data, texts),
    )


def _fold(number: int, name: str) -> _Fold:
    bench = _bench()
    families = sorted({_family(row) for row in bench.attacks})
    family = families[number] if number < len(families) else None
    own = [row for row in bench.attacks if _family(row) == family]
    corpus = bench.corpus.without(name)
    for source in sorted({row.source for row in own}):
        corpus = corpus.without(source)
    foundation = bench.trained(corpus)
    suite = bench.suite(foundation)
    rows = [row for row in bench.messages if row.dataset == name and row.confidence == CLEAR]
    sample = [row.text for row in rows[:: len(rows) // STABLE_ROWS + 1]]
    return _Fold(
        name=name,
        told=tell(suite, bench.tier, rows),
        few_shot=few_shot_curve(name, rows, foundation, bench.config, bench.encoder, bench.tier),
        stability=measure_stability(sample, lambda text: bench.tier(suite.detect(text))),
        injection=tuple(_of_family(family, suite, own)) if family else (),
    )


def _domain(source: str) -> NeedScore | None:
    bench = _bench()
    suite = bench.suite(bench.trained(bench.corpus.without(source), states_only=True))
    rows = [row for row in bench.messages if row.source == source and row.confidence == CLEAR]
    return score_needs(source, tell(suite, bench.tier, rows))


def _family(row: LabelledRow) -> str:
    """Sets of attacks by the same people are left out together."""
    return row.source.partition("_")[0]


def _of_family(family: str, suite: DetectorSuite, rows: Sequence[LabelledRow]) -> Iterable[Rate]:
    direct = [row for row in rows if row.is_injection and family != "bipia"]
    harmless = [row for row in rows if not row.is_injection]
    if direct or harmless:
        yield screened(f"{family}, typed", suite, direct, harmless)
    attacks = [row for row in rows if row.is_injection]
    if family == "bipia":
        yield screened(f"{family}, planted", suite, [planted(row, number) for number, row in enumerate(attacks)], [])


def _untold(messages: Sequence[LabelledRow], source: str) -> tuple[Told, ...]:
    """Rows before anything is told of them, to see whether there are enough to be scored."""
    return tuple(Told.untold(row) for row in messages if row.source == source and row.confidence == CLEAR)


def _scope(told: Sequence[Told]) -> Iterable[Rate]:
    split = [one for one in told if one.row.dataset == SCOPE_SET and one.row.split == SCOPE_SPLIT]
    if split:
        yield rates.out_of_scope(f"{SCOPE_SET} {SCOPE_SPLIT}", split)
    yield rates.out_of_scope("all data sets", told)


def _sealed(bench: Bench, suite: DetectorSuite, sealed: Sequence[LabelledRow]) -> Iterable[Rate]:
    rows = [row for row in sealed if row.signals is not None]
    told = tell(suite, bench.tier, rows)
    yield rates.grave_by_signals("high or critical", told)
    for theme in sorted({row.source for row in rows}):
        yield rates.grave_by_signals(f"  {theme}", [one for one in told if one.row.source == theme])
    for code in CODES:
        if code != PLANTED and any(code in (row.signals or ()) for row in rows):
            yield rates.one_signal(code, told)


def _sealed_injection(
    suite: DetectorSuite, sealed: Sequence[LabelledRow], messages: Sequence[LabelledRow]
) -> Iterable[Rate]:
    for where in Where:
        harmless = [row for row in sealed if row.is_injection is False and row.where is where]
        attacks = [row for row in sealed if row.is_injection is True and row.where is where]
        yield screened(f"authored, {where.value.replace('_', ' ')}", suite, attacks, harmless)
    yield screened("paragraphs of the sample articles", suite, [], [*paragraphs()])
    sample = messages[:: len(messages) // 3_000 + 1]
    yield screened("customer messages", suite, [], sample)


def _together(measured: Sequence[Sequence[Stability]]) -> Iterable[Stability]:
    for ones in zip(*measured, strict=True):
        moved = wilson(sum(one.moved.successes for one in ones), sum(one.moved.n for one in ones))
        yield Stability(change=ones[0].change, moved=moved)


def _speed(bench: Bench, suite: DetectorSuite, texts: Sequence[str]) -> Speed:
    """The same detectors on an encoder that remembers nothing."""
    from handrail.guardrails.model_folder import default_cache_dir

    plain = MiniLMEncoder.load(find_model(default_cache_dir()))
    detectors = DetectorSuite.on(suite.foundation, bench.config, plain, cache_dir=None)
    return measure_speed(detectors.detect, lambda text: plain.encode([text]), texts[:: len(texts) // SPEED_ROWS + 1])


def _personal(data: Path, texts: Sequence[str]) -> PersonalMeasure | None:
    path = data / "pii" / "dev.jsonl"
    if not path.is_file():
        return None
    return measure_personal(read_personal_rows(path), texts[:: len(texts) // PERSONAL_MESSAGES + 1])


def _mean(scores: Sequence[float]) -> float | None:
    return round(sum(scores) / len(scores), 4) if scores else None
