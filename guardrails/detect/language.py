"""The language of a message, from its script and its frequent short words; None when unsure."""

from __future__ import annotations

import unicodedata
from collections import Counter

from handrail.guardrails.detect.config import DetectionConfig, LanguageFile
from handrail.guardrails.detect.reading import Reading, fold

ENGLISH = "en"
MIN_HITS = 2  # frequent words that speak for a language other than English
MARGIN = 1.3  # how many times as many it must have as English
LONG = 9  # from so many words on, a text without any frequent English word is not taken for English
FEW = 3  # with fewer words, a language that is not recognised is no reason to give up
LETTERS_READ = 600

# Scripts that practically one language of our customers uses; the first word of a character's Unicode name.
SCRIPTS = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "HEBREW": "he",
    "ARABIC": "ar",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
}
LATIN = "LATIN"


def known_languages(config: DetectionConfig) -> frozenset[str]:
    """Every language that a message can be found to be in."""
    return frozenset((*config.languages.languages, *SCRIPTS.values()))


class LanguageReader:
    """Knows the frequent words of the declared languages."""

    def __init__(self, profiles: LanguageFile) -> None:
        self._languages: dict[str, list[str]] = {}
        self._covered = frozenset(profiles.covered)
        for language, words in profiles.languages.items():
            # A single letter is a word in too many languages to speak for one.
            for word in {fold(word)[0] for word in words if len(word) > 1}:
                self._languages.setdefault(word, []).append(language)

    def language(self, reading: Reading) -> str | None:
        """An ISO 639-1 code; short text in plain letters counts as English."""
        script = _script(reading.text)
        if script is not None:
            return script
        hits = Counter(name for word in reading.words for name in self._languages.get(word, ()))
        best, count = max(hits.items(), key=lambda item: (item[1], item[0]), default=(ENGLISH, 0))
        english = hits[ENGLISH]
        if best != ENGLISH and count >= MIN_HITS and count >= MARGIN * english:
            return best if self._leads(hits, best) else None
        if english or len(reading.tokens) < LONG:
            return ENGLISH if english or reading.text.isascii() else None
        return None

    def is_covered(self, language: str | None, reading: Reading) -> bool:
        """Whether needs can be read in the language; a few words of no known one may be of any."""
        return language in self._covered or (language is None and len(reading.tokens) < FEW)

    def _leads(self, hits: Counter[str], best: str) -> bool:
        """Whether no other language has as many hits; relatives share words."""
        return all(count < hits[best] for language, count in hits.items() if language != best)


def _script(text: str) -> str | None:
    """The language of the script that most letters belong to; None for Latin script or no letters.

    Kana beside Han characters means Japanese, however few.
    """
    scripts = Counter(
        name
        for character in text[:LETTERS_READ]
        if character.isalpha() and not character.isascii()
        for name in [unicodedata.name(character, "").partition(" ")[0].partition("-")[0]]
    )
    plain = sum(1 for character in text[:LETTERS_READ] if character.isascii() and character.isalpha())
    if not scripts:
        return None
    if scripts["HIRAGANA"] + scripts["KATAKANA"]:
        return "ja"
    name, count = scripts.most_common(1)[0]
    return SCRIPTS.get(name) if count > plain else None
