"""What counts as an agreement: much stricter than a yes in a checklist, because something runs on it (spec S7.3).

A yes is a whole message of agreeing words and nothing else. A message that agrees and says more is no agreement: the
customer is asked again. Taking back is read generously: when in doubt, nothing runs.
"""

from __future__ import annotations

import re

_YES = (
    "yes yep yeah yup y ja sure ok okay sounds confirm confirmed agree agreed absolutely definitely certainly "
    "correct proceed go do"
)
_FILLING = (
    "please thanks thank you it that this ahead and i we of course right exactly fine so with for me us "
    "the my our to want is should all good cheers now pls plz on then day date that's thats it's its let's lets"
)
YES = frozenset(_YES.split(" "))
FILLING = frozenset(_FILLING.split(" "))
LONGEST = 12
"""Words that an agreement may have."""

_WORD = re.compile(r"[a-z']+|\d+|[?]")
_TAKES_BACK = re.compile(
    r"\b(withdraw|stop|wait|don'?t|do not|changed my mind|change of mind|never ?mind|forget (?:it|about it)|no longer"
    r"|abort|undo|hold on|not (?:any ?more|now|yet)|keep (?:my|the|our|it)|rather not|mistake|revoke"
    r"|call (?:it|that) off)\b"
)


def agrees(text: str, about: str) -> bool:
    """Whether `text` as a whole agrees to a call of the tool `about` (whose own words may be repeated)."""
    words = _WORD.findall(text.casefold().replace("’", "'"))
    allowed = YES | FILLING | frozenset(about.split("_"))
    return 0 < len(words) <= LONGEST and not YES.isdisjoint(words[:2]) and allowed.issuperset(words)


def takes_back(text: str) -> bool:
    """Whether `text` may take a request back."""
    return _TAKES_BACK.search(text.casefold().replace("’", "'")) is not None
