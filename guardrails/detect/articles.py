"""Finds text in an article that addresses the model, by the phrases of the bundle's detection section."""

from __future__ import annotations

import hashlib

from handrail.guardrails.detect.config import INJECTION, DetectionConfig
from handrail.guardrails.detect.phrases import PhraseIndex
from handrail.guardrails.detect.reading import read, words_in
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Signal

DETECTOR = "article_phrases"

MODEL_WORDS = frozenset(
    {"ai", "assistant", "assistants", "bot", "bots", "chatbot", "chatgpt", "gpt", "instruction", "instructions", "llm"}
    | {"llms", "model", "models", "prompt", "prompts", "rules", "guidelines", "guardrails", "tool", "tools"}
)
"""In an article "you" is the reader, so a sentence counts only if it also names the model or what governs it."""

JUDGEMENT = "1"
"""Raised whenever this code, or the reading of texts under it, judges otherwise with the same phrases."""


class ArticleScreen:
    """A screen for articles: phrases only, because likeness to customers' messages says little about articles.

    `revision` changes when the same text may be judged otherwise.
    """

    def __init__(self, config: DetectionConfig) -> None:
        spec = config.signal(INJECTION)
        if spec is None:
            raise ConfigError([f"The detection section has no signal {INJECTION}, so articles cannot be screened."])
        self._phrases = PhraseIndex(spec.phrases)
        judged_by = "\n".join((JUDGEMENT, *sorted(MODEL_WORDS), *spec.phrases))
        self.revision = hashlib.sha256(judged_by.encode()).hexdigest()[:16]

    def __call__(self, text: str) -> tuple[Signal, ...]:
        """One signal per phrase that is found in a sentence with one of `MODEL_WORDS`, with its place in `text`."""
        if MODEL_WORDS.isdisjoint(words_in(text)):
            return ()  # most passages; to read one costs ten times as much
        reading = read(text)
        suspect = {token.sentence for token in reading.tokens if token.word in MODEL_WORDS}
        return tuple(
            Signal(code=INJECTION, detector=DETECTOR, score=1.0, span=reading.span(hit.first, hit.end))
            for hit in self._phrases.find(reading.tokens)
            if reading.tokens[hit.first].sentence in suspect
        )
