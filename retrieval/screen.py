"""Finds text in an article that addresses the model, by the phrases of the bundle's detection section."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from handrail.guardrails.detect.config import INJECTION, DetectionConfig
from handrail.guardrails.detect.phrases import PhraseIndex
from handrail.guardrails.detect.reading import read
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Signal
from handrail.retrieval.documents import Document
from handrail.retrieval.generation import Quarantine
from handrail.retrieval.splitter import split

DETECTOR = "article_phrases"

MODEL_WORDS = frozenset(
    {"ai", "assistant", "assistants", "bot", "bots", "chatbot", "chatgpt", "gpt", "instruction", "instructions", "llm"}
    | {"llms", "model", "models", "prompt", "prompts", "rules", "guidelines", "guardrails", "tool", "tools"}
)
"""In an article "you" is the reader, so a sentence counts only if it also names the model or what governs it."""

Screen: TypeAlias = Callable[[str], tuple[Signal, ...]]
"""Reports instructions to the model in a text; no signal means that there are none."""


class ArticleScreen:
    """A screen for ingest: phrases only, because likeness to customers' messages says little about articles."""

    def __init__(self, config: DetectionConfig) -> None:
        spec = config.signal(INJECTION)
        if spec is None:
            raise ConfigError([f"The detection section has no signal {INJECTION}, so articles cannot be screened."])
        self._phrases = PhraseIndex(spec.phrases)

    def __call__(self, text: str) -> tuple[Signal, ...]:
        """One signal per phrase that is found in a sentence with one of `MODEL_WORDS`, with its place in `text`."""
        reading = read(text)
        suspect = {token.sentence for token in reading.tokens if token.word in MODEL_WORDS}
        return tuple(
            Signal(code=INJECTION, detector=DETECTOR, score=1.0, span=reading.span(hit.first, hit.end))
            for hit in self._phrases.find(reading.tokens)
            if reading.tokens[hit.first].sentence in suspect
        )


def screen_document(document: Document, screen: Screen) -> Quarantine | None:
    """Whether a document goes into quarantine: its title or any stretch of its text, comments included, is suspect.

    The whole document goes, because whoever hid one instruction in it may have hidden another one better.
    """
    for line, text in ((1, document.card.title), *_stretches(document)):
        signals = screen(text)
        if signals:
            start = min((signal.span.start for signal in signals if signal.span is not None), default=0)
            return Quarantine(
                doc_id=document.card.doc_id,
                path=document.card.path,
                line=line + text.count("\n", 0, start),
                signals=tuple(sorted({signal.code for signal in signals})),
            )
    return None


def _stretches(document: Document) -> Iterable[tuple[int, str]]:
    for piece in split(document.body, document.body_line):
        yield piece.line, f"{piece.heading}\n{piece.text}" if piece.heading else piece.text
