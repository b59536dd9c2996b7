"""OUT_UNSOURCED_NAME: a name of a person, a firm or a place that no source of the turn has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.output.evidence import Finding
from handrail.guardrails.output.fold import squash
from handrail.guardrails.output.reading import View

CODE = "OUT_UNSOURCED_NAME"

_PROPER = r"[A-ZÀ-ÖØ-Þ][^\W\d_]*(?:['-][^\W\d_]+)*"
_WITHIN = re.compile(rf"(?<=[\w,;)'] )(?P<name>{_PROPER})(?![\w@/]|\.\w)")
"""A word in capitals that does not begin a sentence, a list item or a quotation."""

_WORD = re.compile(r"(?<!\w)[^\W\d_]{4,}")
_TITLE = 0.7
"""Share of capitals among the words of a heading, which say nothing."""

_SHORTEST = 3
_INTRODUCED = re.compile(
    r"(?<!\w)(?:i'm|i am|this is|talking to|chatting with|ich bin)(?!\w).{0,60}"
    r"(?<!\w)(?:assistant|bot|chatbot|assistent\w*)",
    re.IGNORECASE,
)
"""Words in which the assistant says whose it is; the bundle, not the sources of a turn, knows the company's name."""

_COMPOUND = re.compile(r"(?<![\w.@/-])[a-z]{3,30}(?:-[a-z]{3,30}){1,3}(?![\w@/-]|\.\w)")
"""Words joined by hyphens, all in small letters."""

_ENDING = re.compile(r"(?:'s|'|s')$")
_GERMAN = re.compile(
    r"(?<!\w)(?:und|ist|nicht|sie|für|mit|eine?[nrms]?|kein\w*|ihn?en|ihre?[nrms]?|wir|ich|auf|von|oder|wird|sind|"
    r"haben|der|das|dem|des|dafür|zu[mr]?|bei|beim|es|im|aus|wenn|bitte|auch|um|den|noch|nur|kann|können|ihr)(?!\w)",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"(?<!\w)(?:the|and|is|of|to|you|your|it|for|with|on|are|be|we|from|that|this)(?!\w)", re.IGNORECASE
)


def check(view: View) -> Iterator[Finding]:
    """The first name of the sentence that neither a source, an earlier message nor common knowledge has."""
    line = view.line
    if "-" in line.folded:
        for match in _COMPOUND.finditer(line.folded):
            if _is_look_alike(view, match.group()):
                yield line.finding(CODE, *match.span(), "look-alike")
                return
    for match in _WITHIN.finditer(line.folded):
        name = _ENDING.sub("", match["name"])
        if not _is_known(view, name) and not _is_value(view, match.start()):
            if not _INTRODUCED.search(line.folded) and not _is_heading(line.folded) and not _is_german(line.folded):
                yield line.finding(CODE, *match.span("name"), "name")
            return


def _is_look_alike(view: View, compound: str) -> bool:
    """Whether a proper name of the sources is a part of a small-lettered compound that none of them has.

    fernwell-refunds is how an address of somebody else would look.
    """
    if view.sources.mention(compound) or view.sources.was_said(compound):
        return False
    texts = (view.sources.evidence.system_prompt, *(passage.text for passage, _ in view.sources.passages))
    return any(
        part not in view.wording.names.known_set
        and any(re.search(rf"(?<=[a-z,] ){part.capitalize()}(?!\w)", text) for text in texts)
        for part in compound.split("-")
    )


def _is_heading(text: str) -> bool:
    """Whether most words of a line that no full stop ends have a capital."""
    if text.rstrip("*_ ")[-1:] in {".", "!", "?"}:
        return False
    words = _WORD.findall(text)
    return len(words) > 1 and sum(word[0].isupper() for word in words) >= _TITLE * len(words)


def _is_german(text: str) -> bool:
    """German writes every noun with a capital, so that capitals tell nothing there."""
    return len(_GERMAN.findall(text)) > len(_ENGLISH.findall(text))


def _is_known(view: View, name: str) -> bool:
    """Whether each part of a name is short, an ordinary word, widely known, or in a source or an earlier message."""
    return all(
        len(part) < _SHORTEST
        or part[:2].isupper()
        or is_ordinary(view, part)
        or view.sources.mention(part)
        or view.sources.was_said(part)
        or (len(part) > _SHORTEST and squash(name) in view.sources.customer_squashed)
        or any(part.lower().startswith(word) for word in view.sources.asked_stems if len(word) > _SHORTEST)
        for part in re.split("[-']", name)
    )


def is_ordinary(view: View, part: str) -> bool:
    """Whether a word with a capital is a word of the language, a calendar or a map, and no given name."""
    word = part.lower()
    if word in view.wording.names.known_set or word.removesuffix("s") in view.wording.names.known_set:
        return True
    return word not in view.wording.records.given_names_set and view.wording.lexicon.knows(word)


def _is_value(view: View, at: int) -> bool:
    """Whether the word is a part of a date or another value, which is judged as such."""
    return any(value.start <= at < value.end for value in view.line.values)
