"""The suite: every detector over one message, and the readings put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from handrail.guardrails.detect.articles import ArticleScreen
from handrail.guardrails.detect.config import INJECTION, DetectionConfig
from handrail.guardrails.detect.detectors import Detector, build_detectors
from handrail.guardrails.detect.dialogue import settle
from handrail.guardrails.detect.foundation import SHIPPED, Foundation
from handrail.guardrails.detect.injection import InjectionScreen
from handrail.guardrails.detect.intent import IntentReader, IntentReading
from handrail.guardrails.detect.language import LanguageReader
from handrail.guardrails.detect.likeness import Likeness
from handrail.guardrails.detect.reading import Reading, read
from handrail.guardrails.detect.seen import Seen
from handrail.guardrails.detect.spelling import Speller
from handrail.guardrails.detect.trained_cache import load_or_train
from handrail.guardrails.encoder import Encoder
from handrail.guardrails.vocabulary import Detection, NeedState, Signal


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A message to be read, with the customer's earlier messages, oldest first."""

    text: str
    earlier: tuple[str, ...] = ()


class DetectorSuite:
    """Reads messages; deterministic for one configuration and encoder, and safe to share between threads."""

    def __init__(self, config: DetectionConfig, encoder: Encoder, likeness: Likeness) -> None:
        self._config = config
        self._encoder = encoder
        self._likeness = likeness
        self._detectors: tuple[Detector, ...] = build_detectors(config, likeness)
        self._intents = IntentReader(config, likeness)
        self._language = LanguageReader(config.languages)
        self._speller = Speller.of(config, likeness.foundation.space.lexicon.terms, encoder.knows)
        self._screen = InjectionScreen(config, likeness, encoder)
        self._articles = ArticleScreen(config)

    @classmethod
    def build(
        cls, config: DetectionConfig, encoder: Encoder, cache_dir: Path | None, model: Path | None = None
    ) -> DetectorSuite:
        """Load the weights for `config` from `cache_dir`, or train them (seconds) and keep them there.

        `model` is a file of `handrail train`; None takes the shipped one.

        Raises:
            ConfigError: the model cannot be read, or belongs to another encoder.
        """
        return cls.on(Foundation.load(model or SHIPPED, encoder.revision), config, encoder, cache_dir)

    @classmethod
    def on(
        cls, foundation: Foundation, config: DetectionConfig, encoder: Encoder, cache_dir: Path | None
    ) -> DetectorSuite:
        """The same on a foundation that is at hand."""
        trained = load_or_train(config, encoder, foundation, cache_dir)
        return cls(config, encoder, Likeness.of(config, foundation, trained))

    @property
    def foundation(self) -> Foundation:
        """What the detectors stand on."""
        return self._likeness.foundation

    def detect(self, text: str, earlier: Sequence[str] = ()) -> Detection:
        """All readings and signals of `text`; `earlier` are the customer's previous messages, oldest first."""
        written = read(text)
        reading, signals, outcome = self._read_alone(written)
        if earlier and self._intents.continues(reading, outcome, signals):
            outcome = self._with_subject_of(self._intents.answered(outcome, reading, signals), earlier)
        language = self._language.language(written)  # before slips are undone: words of other languages are none
        if not self._language.is_covered(language, written):
            outcome = self._intents.unknown(outcome)
        return Detection(
            need_state=outcome.need_state,
            intent=outcome.intent,
            confidence=outcome.confidence,
            need_states=outcome.need_states,
            alternatives=outcome.alternatives,
            signals=(*outcome.signals, *signals),
            language=language,
        )

    def detect_many(self, inquiries: Iterable[Inquiry]) -> tuple[Detection, ...]:
        """One detection per inquiry, in order, each the same as from `detect`.

        A batch is not faster than its members: the encoder computes texts one by one, so that none moves another.
        """
        return tuple(self.detect(inquiry.text, inquiry.earlier) for inquiry in inquiries)

    def screen(self, text: str) -> tuple[Signal, ...]:
        """Signals of instructions to the model in untrusted text: a tool result, an attachment, what was pasted."""
        return self._screen.screen(text)

    def screen_json(self, content: JsonValue) -> tuple[Signal, ...]:
        """The same for a structure."""
        return self._screen.screen_json(content)

    @property
    def passage_screen(self) -> str:
        """The revision of what `screen_passage` judges by."""
        return self._articles.revision

    def screen_passage(self, text: str) -> tuple[Signal, ...]:
        """Signals of instructions to the model in a passage, judged as its whole article is at ingest."""
        return self._articles(text)

    def _read_alone(self, written: Reading) -> tuple[Reading, tuple[Signal, ...], IntentReading]:
        reading = self._speller.mended(written)
        seen = Seen.of(reading, self._likeness, self._encoder)
        found = tuple(signal for detector in self._detectors for signal in detector.detect(seen))
        if (pasted := reading.pasted_text) and all(signal.code != INJECTION for signal in found):
            # What is pasted is somebody else's text, as a passage is; it is no part of what the message looks like.
            found += tuple(signal.model_copy(update={"span": None}) for signal in self._screen.screen(pasted))
        signals = settle(found, reading)
        return reading, signals, self._intents.read(seen, signals)

    def _with_subject_of(self, own: IntentReading, earlier: Sequence[str]) -> IntentReading:
        """The newest earlier message that has a subject lends it; small talk and calls for a person have none."""
        limits = self._config.thresholds
        look_back = limits.look_back
        for text in reversed(earlier[-look_back:] if look_back else ()):
            outcome = self._read_alone(read(text))[2]
            clear = outcome.confidence >= limits.several_above
            if clear and outcome.need_state not in {None, NeedState.OUT_OF_SCOPE, NeedState.HUMAN_REQUEST}:
                return self._intents.taken_over(own, outcome)
        return own
