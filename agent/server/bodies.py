"""What callers may send, and the check of customer attributes against their declarations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, SecretStr, StringConstraints

from handrail.agent.casework import ReleasedTo
from handrail.agent.ports import AttributeValue, CustomerEvent
from handrail.agent.server.faults import invalid
from handrail.guardrails.bundle.sections import Attribute
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.vocabulary import FactContent, Frozen

CLOCK_SKEW = timedelta(minutes=5)
"""An observation from further ahead is refused: it would hide every later one until then."""

_WORD_CHARACTERS = 100
_LARGEST = 2**53
"""Beyond it neighbouring whole numbers are the same in JSON readers."""

_SET_WORDS = 200

Source = Literal["crm", "billing", "product", "support"]
_NO_NUL = r"^[^\x00]*$"
Said = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
"""Words: not only white space, and nothing that a database refuses."""

CUSTOMER_ID = r"^[^\x00-\x1f\x7f]{1,200}$"
"""The `sub` of customer tokens: no control characters."""

Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class OpenBody(Frozen):
    """A new conversation."""

    channel: Name = Field(default="api", description="Where it takes place.", examples=["web"])


class MessageBody(Frozen):
    """A customer's message. Who says it, and what was said before, is not the client's to tell."""

    text: Said = Field(examples=["I do not get the code on my phone."])


class AttributesBody(Frozen):
    """What one source system knows about a customer."""

    source: Source
    observed_at: AwareDatetime = Field(examples=["2026-05-04T09:30:00Z"])
    attributes: dict[str, JsonValue] = Field(
        min_length=1, max_length=100, examples=[{"plan": "business", "renewal_days": 40}]
    )


class EventBody(Frozen):
    """Something that happened to a customer."""

    event_id: Short = Field(examples=["ticket-991-reopened"])
    kind: Name = Field(examples=["ticket_reopened"])
    observed_at: AwareDatetime
    details: dict[Name, Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]] = Field(
        default={}, max_length=20
    )


class EventsBody(Frozen):
    """Events from one source system. An event id that is known already changes nothing."""

    source: Source
    events: tuple[EventBody, ...] = Field(min_length=1, max_length=100)

    def stored(self, now: datetime) -> tuple[CustomerEvent, ...]:
        """The events as they are stored. Raises Fault (422) for events from the future."""
        ahead = [each.event_id for each in self.events if each.observed_at > now + CLOCK_SKEW]
        if ahead:
            raise invalid([f"{event_id}: observed_at is in the future" for event_id in ahead], _FUTURE)
        return tuple(
            CustomerEvent(
                event_id=each.event_id, kind=each.kind, at=each.observed_at, source=self.source, details=each.details
            )
            for each in self.events
        )


class RatingBody(Frozen):
    """How the customer found it."""

    score: int = Field(ge=1, le=5, strict=True, examples=[5])
    comment: Annotated[str, StringConstraints(max_length=1000, pattern=_NO_NUL)] | None = Field(
        default=None, examples=["Quick and clear."]
    )


class ConsentBody(Frozen):
    """What the customer agrees to or refuses."""

    purpose: Name = Field(examples=["ai_assistance"])
    given: bool = Field(strict=True)


class SignInBody(Frozen):
    """An operator's name and password."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(examples=["dana"])
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class ReplyBody(Frozen):
    """What a person writes to the customer."""

    text: Said = Field(examples=["I have looked at both charges. One of them will go back today."])


class ReleaseBody(Frozen):
    """To whom the conversation goes back."""

    to: ReleasedTo


class ResolveBody(Frozen):
    """Why the matter is closed; for colleagues, not for the customer."""

    note: Annotated[str, StringConstraints(max_length=2000, pattern=_NO_NUL)] | None = None


class ApproveBody(Frozen):
    """Which call was seen: the digest of the request. It is asked for once a colleague has changed the call."""

    digest: Annotated[str, Field(max_length=128)] | None = Field(default=None, examples=["9f2c"])


class EditBody(Frozen):
    """The arguments that change; those that are not named stay as they are."""

    arguments: dict[Name, JsonValue] = Field(min_length=1, max_length=50, examples=[{"amount": "20.00"}])


class DemoTokenBody(Frozen):
    """Which of the sample customers somebody wants to be."""

    customer_id: Short = Field(examples=["mia"])


_FUTURE = "Check the clock of the sending server, and send times with their zone."


def attribute_values(
    body: AttributesBody, declared: Mapping[str, Attribute], now: datetime
) -> tuple[AttributeValue, ...]:
    """The attributes as they are stored. Raises Fault (422) with everything wrong: names, sources, contents."""
    if body.observed_at > now + CLOCK_SKEW:
        raise invalid(["observed_at is in the future"], _FUTURE)
    values: list[AttributeValue] = []
    problems: list[str] = []
    for name, content in body.attributes.items():
        attribute = declared.get(name)
        if attribute is None:
            problems.append(_unknown(name, declared))
        elif attribute.source != body.source:
            problems.append(f"{name}: comes from {attribute.source}, not from {body.source}")
        else:
            fitting = _fit(content, attribute)
            if fitting is None:
                problems.append(f"{name}: must be {_shape(attribute)}")
            else:
                values.append(
                    AttributeValue(name=name, content=fitting, source=body.source, observed_at=body.observed_at)
                )
    if problems:
        raise invalid(problems, "Attributes are declared in the bundle's attributes.yaml; nothing was stored.")
    return tuple(values)


def _fit(content: JsonValue, attribute: Attribute) -> FactContent | None:
    """The content as a fact, or None when it is not of the declared kind and values."""
    known = attribute.values
    if attribute.kind is FactKind.BOOLEAN:
        return content if isinstance(content, bool) else None
    if attribute.kind is FactKind.NUMBER:
        if isinstance(content, bool) or not isinstance(content, int | float):
            return None
        return content if -_LARGEST <= content <= _LARGEST else None  # NaN and infinity fit no range
    if attribute.kind is FactKind.WORD:
        return content if isinstance(content, str) and _word(content, known) else None
    if not isinstance(content, list) or len(content) > _SET_WORDS:
        return None
    words = sorted({each for each in content if isinstance(each, str) and _word(each, known)})
    return tuple(words) if all(each in words for each in content) else None


def _word(word: str, known: tuple[str, ...] | None) -> bool:
    return word in known if known is not None else len(word) <= _WORD_CHARACTERS and word.isprintable() and word != ""


def _shape(attribute: Attribute) -> str:
    words = f"one of {', '.join(attribute.values)}" if attribute.values else "a word"
    return {
        FactKind.BOOLEAN: "true or false",
        FactKind.NUMBER: "a number",
        FactKind.WORD: words,
        FactKind.SET: f"a list, each {words}",
    }[attribute.kind]


def _unknown(name: str, declared: Mapping[str, Attribute]) -> str:
    close = get_close_matches(name, declared, n=1)
    return f"{name[:60]}: no such attribute" + (f", did you mean {close[0]}?" if close else "")
