"""Names of persons, where the words around them say that they are names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handrail.guardrails.detect.personal.kind import mentions, span_of, words
from handrail.guardrails.vocabulary import Span

_PART = r"[^\W\d_](?:[^\W\d_]|['’.\-](?=[^\W\d_])){0,30}\.?"
_NAMES = re.compile(rf"{_PART}(?:[ \t]{{1,2}}{_PART}){{0,4}}")
_EACH = re.compile(r"[^ \t]+")

_CUES = (
    "name", "mr", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "monsieur", "madame", "señor", "regards",
    "sincerely", "yours", "cheers", "thanks", "best", "dear", "this is", "speaking", "i am", "i'm", "i’m", "call me",
    "holder", "wife", "husband", "son", "daughter", "kid", "child", "partner", "mother", "father", "hi ", "hello",
    "hey", "love", "passenger", "grüße", "gruß", "cordialement", "saludos",
)  # fmt: skip
_CUED = re.compile(
    r"(?<![\w\[])(?=[^\W\d_])(?:(?P<plain>(?:my|his|her|their|our|whose|(?:wife|husband|son|daughter|partner|mother|"
    r"father|kid|child|boss|"
    r"friend|customer|(?:card|account|policy) ?holder)(?:['’]?s)?)(?: (?:full|first|last|middle|maiden|given|"
    r"family|legal|"
    r"real|birth|new|correct|complete|own)){0,2} ?(?:sur)?name|(?:first|last|full|middle|maiden|given|family|"
    r"sur)[ _\-]?name)"
    r"(?:['’]s| is| was| would be| will be| ?[:=])(?: (?:now|actually|also|spelled|is)){0,2}\s{1,4}(?:(?:mr|mrs|"
    r"ms|miss|dr)\.? )?"
    r"|(?:(?<=\n)|(?<=[.;,>|] )|(?<=^))(?:name|passenger|patient|contact|attn|from|signed)(?: name)?:\s{1,8}"
    r"|(?:mr|mrs|ms|miss|mx|dr|prof|sir|herr|frau|monsieur|madame|mme|señora?|sr|sra|signora?)\.?[ \t]"
    r"|(?:under|in) (?:the|my [a-z]{2,10}'?s?) name(?: of)? |name on (?:the|my) [a-z]{3,12} is "
    r"|(?:account|card|policy)[ \-]?holder(?: is|:| named)? |(?:passenger|beneficiary|guardian)(?: is|:| named)? "
    r"|(?:your|the|his|her) (?:full |last |first |middle )?name(?: on the [a-z]{3,12})?\?\s{1,4}(?:user: ?)?"
    r"|(?:(?:mother|father|son|daughter|wife|husband|child|kid|baby|friend) (?:is|was)|i am|i'm|(?:he|she) (?:is|was)) "
    r"(?:called|named) "
    r"|(?:my|our|her|his) (?:late |ex-?|little |older )?(?:wife|husband|son|daughter|kid|child|partner|mother|"
    r"father|brother|"
    r"sister|mom|mum|dad|boss|fianc[ée]e?),? |(?:people |everyone |please |just |they |you can )?calls? me "
    r"|(?:regards|sincerely|cheers|best wishes|best|thanks|thank you|thx|yours(?: truly| faithfully)?|love|greetings|"
    r"(?:viele |liebe |freundlichen )?(?:grüße|grüßen|gruß)|cordialement|saludos),?[ \t]*\n\s{0,6}"
    r"|(?:regards|sincerely|yours truly|yours faithfully),? "
    r"|(?P<greeting>(?:dear|hi|hello|hey) )(?:(?:mr|mrs|ms|miss|dr)\.? )?"
    r"|(?P<self>this is |i am |i['’]?m |it['’]?s )(?:(?:mr|mrs|ms|miss|dr)\.? )?)",
    re.IGNORECASE,
)
_SPEAKS = re.compile(r"(?:speaking|on the line)\b")
_SPEAKING = re.compile(r"(?<![\w\[.])(?P<name>" + _NAMES.pattern + r") " + _SPEAKS.pattern)
_SELF_ENDS = re.compile(
    r",? (?:from|here|speaking|calling|again|writing|and (?:my|i)|with (?:the|my)|at|originally|[,.])|\s*$|[,.!]|\n"
)
_GREETING_ENDS = re.compile(r"[,!:\n]|\s*$| and | I['’ ]| my | this ")
_PARTICLES = frozenset(
    words("de da do dos del della di van von der den het la le el al bin ibn ten ter zu af av y e st st. mc")
)
_NO_NAMES = frozenset(
    words(
        "the a an is was not on in at and or but my your his her our their its i im i'm you we they it wrong "
        "correct incorrect misspelled mispelled spelled still listed showing shown changed change different no "
        "yes missing there here this that to for from with by of as under please sir madam ma'am maam team "
        "support customer service all everyone everybody agent bot assistant somebody someone anyone guys folks "
        "friend friends hello hi hey thanks thank good morning afternoon evening very so just really now what who "
        "how why where when which can could would will should if because since also actually already being going "
        "getting trying having looking calling writing asking unable sorry sure happy afraid interested new "
        "account card email phone number address date name first last middle full id order company business user "
        "both only too again well do does did have has had be been are were am me him them us one same following "
        "ok okay alexa siri google facebook amazon american canadian british german french spanish italian indian "
        "english monday tuesday wednesday thursday friday saturday sunday january february march april may june "
        "july august september october november december gonna about after before than then it's dont don't "
        "doesn't isn't wasn't can't i'd i've i'll you're he she registered representative manager operator "
        "recipient hiring sirs"
    )
)
_LOOSE_LENGTH = 3
_REACH = 160


def names(text: str) -> Iterator[Span]:
    """Names behind "my name is", a title, a greeting, in a signature, or before "speaking". No list of names is kept.

    Names without such words around them are not found: telling them from products and places takes a model.
    """
    if not mentions(text, _CUES):
        return
    for cue in _CUED.finditer(text):
        found = _NAMES.match(text, cue.end(), cue.end() + _REACH)
        if found is None:
            continue
        loose = cue["plain"] is not None
        end = _name_end(text, found, loose=loose)
        if end is None:
            continue
        behind = text[end : end + 20]
        several = " " in text[found.start() : end]
        if cue["self"] is not None and not (_SELF_ENDS.match(behind) and (several or behind.strip(" ,.!\n"))):
            continue
        if cue["greeting"] is not None and not _GREETING_ENDS.match(behind):
            continue
        yield Span(start=found.start(), end=end)
    yield from _speakers(text)


def _speakers(text: str) -> Iterator[Span]:
    """Names before "speaking" and "on the line"."""
    done = 0
    for told in _SPEAKS.finditer(text):
        match = _SPEAKING.search(text, max(done, told.start() - _REACH), told.end())
        done = told.end()
        if match is not None and _name_end(text, match, loose=False, limit=match.end("name")) == match.end("name"):
            yield span_of(match, "name")


def _name_end(text: str, found: re.Match[str], *, loose: bool, limit: int | None = None) -> int | None:
    """Where the name ends that begins `found`: capitalised words, or with `loose` up to three words of any case."""
    end: int | None = None
    small = False
    for count, token in enumerate(_EACH.finditer(text, found.start(), found.end() if limit is None else limit)):
        word = token.group()
        bare = word.rstrip(".").lower()
        if bare in _NO_NAMES and not (count and len(bare) == 1 and word[0].isupper()):
            break
        if word[0].isupper() or (loose and count < _LOOSE_LENGTH and (count == 0 or small)):
            small = small or word[0].islower()
            end = token.end()
        elif bare not in _PARTICLES:
            break
        if word.endswith(".") and len(word) > 3:
            break
    if end is not None and text[end - 1] == "." and end - found.start() > 2:
        end -= 1
    return end
