"""`QuotingModel`: the embedded model. It quotes passages, tells records, and never writes a fact of its own."""

from __future__ import annotations

import re

from handrail.agent.models.overlap import sentences
from handrail.agent.models.proposals import proposal
from handrail.agent.models.quotes import Quote, quotes
from handrail.agent.models.telling import told
from handrail.agent.ports import Listener, Prompt
from handrail.guardrails.vocabulary import Draft, Role

NAME = "quoting-1"
ABOUT_ITSELF = (
    "I am an automatic assistant, not a person and not a large language model: I look up our help centre and quote it, "
    "and I follow fixed steps. A person can take over whenever you like."
)
NOTHING_FOUND = (
    "I did not find anything in our help centre that answers this. Could you tell me a little more, or would you like "
    "me to bring in a person?"
)
NOTHING_NEW = "I have nothing beyond what I have shown you already. Would you like me to bring in a person?"

_WHAT_ARE_YOU = re.compile(
    r"""\b(?:are\s+you|am\s+i\s+(?:talking|speaking|chatting|writing)\s+(?:to|with)|is\s+this|u)\s+(?:\w+\s+){0,3}?
        (?:ai|a\.i\.|llm|bot|chat\s?bot|robot|machine|computer|human|real|person|automated|gpt|chatgpt|claude|gemini)\b
      | \b(?:which|what)\s+(?:\w+\s+){0,2}?(?:model|llm|ai)\s+(?:is\s+this|are\s+you|do\s+you|powers|runs|am\s+i)
      | \bwhat\s+are\s+you\b | \bwho\s+(?:are\s+you|am\s+i\s+talking\s+to)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_RISKY = re.compile(
    r"""\d|[€$£%] | \b(?:will|shall|guarantee\w*|promise\w*|refund\w*|credit\w*|free|always|never|immediately|at\s+once
        |entitled|liab\w+|legal\w*|password|key|https?|www)\b | @ | \w\.\w{2,}""",
    re.IGNORECASE | re.VERBOSE,
)


class QuotingModel:
    """Deterministic: the same prompt gives the same draft. Needs no key, no network and no files."""

    @property
    def name(self) -> str:
        """Name and revision for the audit log."""
        return NAME

    async def complete(self, prompt: Prompt, seconds: float, listener: Listener | None = None) -> Draft:
        """A call that the request needs, else what it can say from results and passages. Takes milliseconds."""
        if _WHAT_ARE_YOU.search(prompt.message):
            return _draft(ABOUT_ITSELF)
        call = None if prompt.guidance else proposal(prompt)
        if call is not None:
            return Draft(text="", calls=(call,), author=f"model:{NAME}")
        answer = _answer(prompt)
        return _mended(answer) if prompt.guidance else answer


def _answer(prompt: Prompt) -> Draft:
    said = [message.text for message in prompt.history if message.role is not Role.CUSTOMER]
    records = told(prompt.results)
    # Records answer a question about the customer's own account; a quote beside them would answer another one.
    found = () if records else quotes(prompt.message, prompt.passages, prompt.depth, said)
    if records:
        return _draft("\n\n".join(records))
    if not found:
        shown = any(not passage.flagged for passage in prompt.passages)
        return _draft(NOTHING_NEW if shown else NOTHING_FOUND)
    return _draft("\n\n".join(_introduced(found)), tuple(quote.passage.passage_id for quote in found))


def _introduced(found: tuple[Quote, ...]) -> list[str]:
    """Quotes of two documents say where each is from; a single source is named by whoever shows the answer."""
    if len({quote.passage.doc_id for quote in found}) == 1:
        return [quote.text for quote in found]
    return [f"From “{quote.passage.title}”:\n{quote.text}" for quote in found]


def _mended(answer: Draft) -> Draft:
    """The answer without every sentence that a check could have objected to.

    Guidance says what was wrong and not where, so all sentences go that state a number, an address or an assurance.
    """
    kept = [
        " ".join(safe)
        for line in answer.text.splitlines()
        if (safe := [sentence for sentence in sentences(line) if not _RISKY.search(sentence)])
    ]
    steps = re.search(r"^\d+\. ", answer.text, re.MULTILINE) is not None
    if not kept or steps:
        # A list with a step left out would lead somewhere else.
        return _draft(NOTHING_FOUND)
    return answer.model_copy(update={"text": "\n".join(kept)})


def _draft(text: str, cites: tuple[str, ...] = ()) -> Draft:
    return Draft(text=text, cites=cites, author=f"model:{NAME}")
