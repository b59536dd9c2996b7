"""The detection section of the bundle: intents, signals, languages and thresholds, closed and typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from handrail.guardrails.detect.phrases import parse_phrase, spell_out
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Frozen, NeedState

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Utterance = Annotated[str, Field(min_length=1, max_length=400)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

INJECTION = "INJECTION_SUSPECTED"


class IntentSpec(Frozen):
    """One intent and what customers say who have it.

    `search` are words that the knowledge base uses for it, added to the customer's own when it is searched.
    """

    id: Identifier
    title: str
    search: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    examples: Annotated[tuple[Utterance, ...], Field(min_length=5)]


class IntentFile(Frozen):
    """The intents of one need state."""

    need_state: NeedState
    intents: Annotated[tuple[IntentSpec, ...], Field(min_length=1)]


class Negation(StrEnum):
    """What "not" before a phrase does to it."""

    CANCELS = "cancels"
    IGNORED = "ignored"


class Context(StrEnum):
    """Whether a message with this signal continues the subject of the earlier ones."""

    STANDS_ALONE = "stands_alone"
    CONTINUES = "continues"


class SignalSpec(Frozen):
    """One signal that is found by phrases and by likeness to examples.

    Attributes:
        code: The reason code that is reported.
        threshold: From which likeness on the signal is reported. A half is where the foundation, if it knows the
            signal, begins to report it. A phrase reports it from less on (`phrase_floor` of the thresholds).
        negation: What a negation before a phrase does.
        context: Whether such a message gets its intent from the earlier ones.
        implies: The intent that the signal stands for.
        same_as: Intents whose examples are examples of this signal too.
        unclear: Intents whose examples say nothing for or against it.
        words: Named lists of words for the phrases; `{name}` in a bracket stands for all of them.
        phrases: Any of them reports the signal; see `handrail.guardrails.detect.phrases`. Lists are spelled out here.
        hints: Two different ones report it, or one together with some likeness.
        mentions: A clause with one of these only talks about the subject.
        positive: Examples.
        negative: Near misses: what looks alike and is not meant.
    """

    code: Code
    threshold: Probability
    negation: Negation = Negation.CANCELS
    context: Context = Context.STANDS_ALONE
    implies: Identifier | None = None
    same_as: tuple[Identifier, ...] = ()
    unclear: tuple[Identifier, ...] = ()
    words: dict[Identifier, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    phrases: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    positive: Annotated[tuple[Utterance, ...], Field(min_length=8)]
    negative: Annotated[tuple[Utterance, ...], Field(min_length=8)]

    @field_validator("phrases", "hints", "mentions")
    @classmethod
    def _can_be_parsed(cls, phrases: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        lists = info.data.get("words")
        if lists is None:
            return phrases  # the lists are wrong themselves, which is reported
        spelled_out = tuple(spell_out(phrase, lists) for phrase in phrases)
        for phrase in spelled_out:
            parse_phrase(phrase)
        return spelled_out


class LanguageFile(Frozen):
    """Frequent short words per language, and the languages that needs are read in.

    Attributes:
        covered: Languages (ISO 639-1 codes) that the detection model was trained on. In any other the need is unknown:
            who reads a language that nothing was learnt of, guesses.
        languages: Frequent short words per language.
    """

    covered: Annotated[tuple[str, ...], Field(min_length=1)]
    languages: dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], Annotated[tuple[str, ...], Field(min_length=20)]]


class ShorthandFile(Frozen):
    """Short forms and the word that each stands for, both as `handrail.guardrails.detect.reading.fold` leaves them."""

    forms: dict[Annotated[str, Field(pattern=r"^[a-z0-9]+$")], Annotated[str, Field(pattern=r"^[a-z]+$")]]


class Thresholds(Frozen):
    """When a reading of a message counts.

    Attributes:
        unknown_below: The intent is unknown when its need state has less calibrated probability.
        intent_nearest: The need state is told without an intent when no example of that intent has at least this
            cosine similarity.
        several_above: A clause adds its need state, and an earlier message lends its subject, from this probability on.
        alternatives: How many readings are reported.
        look_back: How many earlier messages may supply the subject.
        earlier_discount: Factor on the confidence of a subject from an earlier message.
        signal_nearest: A signal is found by likeness only when one of its examples has at least this cosine similarity.
        signal_lead: And only when no example of something else is nearer by more than this. Both hold for signals that
            the foundation does not know.
        phrase_floor: Likeness below which a phrase of a signal that the foundation knows is taken for a mention.
    """

    unknown_below: Probability
    intent_nearest: Probability
    several_above: Probability
    alternatives: Annotated[int, Field(ge=1, le=10)]
    look_back: Annotated[int, Field(ge=0, le=20)]
    earlier_discount: Probability
    signal_nearest: Probability
    signal_lead: Probability
    phrase_floor: Probability


class DetectionConfig(Frozen):
    """Everything that detection learns from and decides by."""

    thresholds: Thresholds
    intents: tuple[IntentFile, ...]
    signals: tuple[SignalSpec, ...]
    languages: LanguageFile
    shorthand: ShorthandFile

    @classmethod
    def from_documents(
        cls,
        thresholds: Thresholds,
        intents: Sequence[IntentFile],
        signals: Sequence[SignalSpec],
        languages: LanguageFile,
        shorthand: ShorthandFile,
    ) -> DetectionConfig:
        """Put parsed documents together and check what refers to what.

        Raises:
            ConfigError: something is named twice, missing or dangling; it lists everything wrong.
        """
        config = cls(
            thresholds=thresholds,
            intents=tuple(intents),
            signals=tuple(signals),
            languages=languages,
            shorthand=shorthand,
        )
        problems = [*config._problems()]
        if problems:
            raise ConfigError(problems)
        return config

    @property
    def need_state_of(self) -> dict[str, NeedState]:
        """The need state of every intent, by intent id, in the order of the files."""
        return {intent.id: file.need_state for file in self.intents for intent in file.intents}

    @property
    def search_of(self) -> dict[str, str]:
        """The search words of the intents that have some, by intent id."""
        return {one.id: one.search for file in self.intents for one in file.intents if one.search is not None}

    def signal(self, code: str) -> SignalSpec | None:
        """The signal of that code, if it is declared."""
        return next((signal for signal in self.signals if signal.code == code), None)

    def _problems(self) -> Iterator[str]:
        ids = [intent.id for file in self.intents for intent in file.intents]
        for name, times in Counter(ids).items():
            if times > 1:
                yield f"The intent {name} is declared {times} times; keep one."
        for code, times in Counter(signal.code for signal in self.signals).items():
            if times > 1:
                yield f"The signal {code} is declared {times} times; keep one."
        missing = set(NeedState) - {file.need_state for file in self.intents}
        for state in sorted(missing):
            yield f"No intent has the need state {state}; add a file for it."
        for signal in self.signals:
            implied = (signal.implies,) if signal.implies else ()
            for name in (*signal.same_as, *signal.unclear, *implied):
                if name not in ids:
                    yield f"The signal {signal.code} refers to the intent {name}, which is not declared."
        if self.signal(INJECTION) is None:
            yield f"The signal {INJECTION} is missing; passages and tool results cannot be screened without it."
