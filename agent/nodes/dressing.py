"""Adds to a draft what policy obliges every reply to say: sources, the outcome question, the way to a person."""

from __future__ import annotations

from handrail.agent.channels import DETECTION, DUTIES, NOTE, POLICY, RETRIEVED, SNAPSHOT, SOLVED, View
from handrail.agent.nodes.prompting import NOTHING_FOUND
from handrail.agent.releasing import GAP, after
from handrail.agent.room import Room
from handrail.agent.standing import WITH_PEOPLE
from handrail.guardrails.vocabulary import ConversationStatus, Draft, Obligation, Passage, Role

SAFE = "text:safe_reply"
SAYS_IT_ITSELF = ("text:waiting", SAFE)
"""Fixed texts that already speak of a person."""

SILENCE = Draft(text="", author="text:silence")
"""What the machine says while a person speaks."""


def dress(draft: Draft, view: View, room: Room, said: str = "") -> str:
    """The whole text that would leave; `said` has left of it, and it begins with that."""
    if draft == SILENCE:
        return said
    begun = dressed(draft, view, room, opening(draft, view, room))
    if not said or begun.startswith(said):
        return begun
    return after(said, dressed(draft, view, room, ()))


def goes_on(draft: Draft, view: View, room: Room, said: str) -> bool:
    """Whether a model goes on from what has left with a text of its own, and not with the one that it began."""
    whole = dressed(draft, view, room, opening(draft, view, room))
    return by_model(draft) and not whole.startswith(said)


def opening(draft: Draft, view: View, room: Room) -> tuple[str, ...]:
    """The fixed words in front of a draft of this author, whatever it says."""
    language = view[DETECTION].language
    parts = [room.bundle.text("returned", language)] if returns(view) else []
    obligations = view[POLICY].obligations if view.has(POLICY) else ()
    if by_model(draft) and Obligation.SKIP_BASICS in (*obligations, *view.get(DUTIES, ())):
        parts.append(room.bundle.text("skip_basics", language))
    return tuple(parts)


def by_model(draft: Draft) -> bool:
    """Whether a model wrote it."""
    return draft.author.startswith("model:")


def dressed(draft: Draft, view: View, room: Room, front: tuple[str, ...]) -> str:
    """The draft between `front` and what policy wants at the end."""
    note = () if by_model(draft) else (view.get(NOTE, ""),)
    parts = (*front, *note, draft.text.strip(), *closing(draft, view, room))
    return GAP.join(part for part in parts if part)


def closing(draft: Draft, view: View, room: Room) -> tuple[str, ...]:
    """The fixed words behind a draft: its sources, the outcome question, the way to a person."""
    bundle, language = room.bundle, view[DETECTION].language
    obligations = (*(view[POLICY].obligations if view.has(POLICY) else ()), *view.get(DUTIES, ()))
    parts = []
    if by_model(draft):
        titles = [passage.title for passage in cited(draft, view)]
        if titles:
            parts.append(bundle.text("source", language, titles="; ".join(dict.fromkeys(titles))))
        if Obligation.VERIFY_OUTCOME in obligations:
            parts.append(bundle.text("verify_outcome", language))
    with_people = view[SNAPSHOT].state.status in WITH_PEOPLE
    offered = with_people or draft.author in SAYS_IT_ITSELF or view.get(SOLVED, False)
    if Obligation.OFFER_HUMAN in obligations and not offered:
        parts.append(bundle.text("offer_human", language))
    return tuple(parts)


def returns(view: View) -> bool:
    """Whether the customer heard a person last, or was told that one is here, and now hears the machine again."""
    status, history = view[SNAPSHOT].state.status, view[SNAPSHOT].history
    spoken = next((message.role for message in reversed(history) if message.role is not Role.CUSTOMER), None)
    if status in WITH_PEOPLE:
        return False
    return status is ConversationStatus.RETURNED_TO_BOT or spoken is Role.OPERATOR


def cited(draft: Draft, view: View) -> tuple[Passage, ...]:
    """The passages of this turn that the draft names as its sources, in their order."""
    found = view.get(RETRIEVED, NOTHING_FOUND)
    return tuple(passage for passage in found.passages if passage.passage_id in draft.cites)


def said_before(view: View) -> tuple[str, ...]:
    """What the bot has said in this conversation, as far as the snapshot reaches."""
    return tuple(message.text for message in view[SNAPSHOT].history if message.role is Role.BOT)
