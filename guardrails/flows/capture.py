"""Fills the slots of a flow from what the customer has written so far, and remembers where each value came from."""

from __future__ import annotations

from handrail.guardrails.flows.extract import Query, find
from handrail.guardrails.flows.model import Collect
from handrail.guardrails.flows.place import FlowAnswer, FlowPlace


def captured(step: Collect, place: FlowPlace, answer: FlowAnswer) -> FlowPlace:
    """`place` with every value of `step` that the messages hold.

    The newest message wins, so that a customer can correct a value. Once a field is filled, only the current message
    can change it: the earlier ones have been read already. A choice that no words decide is decided by the intent of
    the current message, where an option names it.
    """
    slots, sources = dict(place.slots), dict(place.sources)
    asked = place.asks > 0 and place.step == step.id
    for message in answer.messages:
        current = message is answer.current
        for field in step.fields:
            open_question = asked and current and field.name not in place.slots
            value = find(Query(field, message.text, answer.language, open_question))
            if value is not None and (current or field.name not in place.slots):
                slots[field.name] = value
                sources[field.name] = message.message_id
    for field in step.fields:
        meant = [option.value for option in field.options if answer.intent in option.intents]
        if field.name not in slots and len(meant) == 1:
            slots[field.name] = meant[0]
            sources[field.name] = answer.current.message_id
    return place.model_copy(update={"slots": slots, "sources": sources})
