"""What of a message is embedded and counted: its words, without what says nothing about the matter.

Case, punctuation, accents and politeness are left out before anything is learnt or read, so that they cannot change
what is detected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_COURTESY = re.compile(
    r"\b(?:good (?:morning|afternoon|evening|day)|excuse me|many thanks|regards|cheers|please|pls|plz|kindly|sir|madam"
    r"|(?:hello|hi|hey|dear)(?: (?:there|all|team|everyone|support|customer (?:service|support|care)|sir or madam))?"
    r"|(?:(?:kind|best|warm) ?(?:est)? )?regards|(?:yours )?(?:sincerely|truly|faithfully)"
    r"|(?:thanks|thank you|thankyou|thank|thx)(?: (?:so|very) much| a lot| a million| in advance)*"
    r"(?: for (?:your|the|any|all your) (?:help|time|support|assistance|attention|patience))?"
    r"|have a (?:nice|good|great|lovely) (?:day|one|weekend|evening))\b"
)
# An apostrophe more or less is no other word, but encoders read "don't" better than "dont".
CONTRACTIONS = {
    **{f"{word}nt": f"{word}n't" for word in ("do", "does", "did", "is", "was", "are", "were", "have", "has", "had")},
    **{f"{word}nt": f"{word}n't" for word in ("could", "would", "should", "ca", "wo", "need", "must")},
    **{f"{word}ve": f"{word}'ve" for word in ("i", "you", "we", "they")},
    **{f"{word}re": f"{word}'re" for word in ("you", "they")},
    **{f"{word}s": f"{word}'s" for word in ("that", "what", "there", "he", "she", "let", "where", "who")},
    "im": "i'm",
    "youll": "you'll",
    "itll": "it'll",
    "theyll": "they'll",
}
FEW = 2  # with fewer words left, courtesy was what the message is about


def telling(words: Sequence[str]) -> tuple[str, ...]:
    """`words`, folded as in a reading, without courtesy; all of them when hardly anything else is there."""
    kept = tuple(_COURTESY.sub(" ", " ".join(words)).split())
    return kept if len(kept) >= FEW else tuple(words)


def is_courtesy(words: Sequence[str]) -> bool:
    """Whether nothing but courtesy is said; no words at all are none."""
    return bool(words) and not _COURTESY.sub(" ", " ".join(words)).split()


def wording(words: Sequence[str]) -> str:
    """The text that is embedded for these telling words."""
    return " ".join(CONTRACTIONS.get(word, word) for word in words)
