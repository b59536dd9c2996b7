"""A second opinion on a message that detection could not place: asked at most once, bounded, and never a way down.

Whatever goes wrong, the reading of local detection stands (spec S1.2, S5.1).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from handrail.agent.channels import SNAPSHOT, TURN, View
from handrail.agent.conversation import ASSISTANCE, AuditEvent, EventKind, Snapshot
from handrail.agent.facts import SECOND_OPINION_USED, message_facts
from handrail.agent.ports import Enquiry, Opinion, SecondOpinion
from handrail.agent.room import Room, seconds_between, sensible
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.detect.masking import mask
from handrail.guardrails.opinion_prompt import OpinionTemplate, render_opinion
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.vocabulary import (
    ConversationStatus,
    Decision,
    Detection,
    NeedState,
    RiskTier,
    Signal,
    Stage,
)

log = logging.getLogger(__name__)
CONFIDENCE = 0.5
"""How sure a need state of a second opinion counts as. A model's own figure is not calibrated, so none is asked for."""

MAX_TEXT = 4_000
"""Characters of a message that a second opinion is asked about: the beginning, once personal data is masked."""

USED = SECOND_OPINION_USED
NONE = "SECOND_OPINION_NONE"
FAILED = "SECOND_OPINION_FAILED"
CODES = (USED, NONE, FAILED)

CLEAR = frozenset({"HUMAN_REQUESTED", "RESOLVED", "ANSWER_YES", "ANSWER_NO", "CHITCHAT", "INJECTION_SUSPECTED"})
"""With one of these nothing is asked: the message is understood, or tries to choose the answer of a model itself."""

_WITH_BOT = frozenset({ConversationStatus.BOT, ConversationStatus.RETURNED_TO_BOT, ConversationStatus.RESOLVED})
_FOR_PEOPLE = frozenset({NeedState.HUMAN_REQUEST, NeedState.ACCOUNT_TAKEOVER})


@dataclass(frozen=True, slots=True)
class Consulted:
    """The reading after a second opinion, and what the log keeps of it; without one, the reading as it was."""

    detection: Detection
    reasons: tuple[str, ...] = ()
    details: dict[str, JsonValue] | None = None
    audit: tuple[AuditEvent, ...] = ()


def wanting(bundle: Bundle) -> tuple[str, ...]:
    """What a bundle lacks for second opinions, in words; nothing is said of a whole one."""
    template = () if bundle.opinion is not None else ("the template prompts/reading/second_opinion.yaml",)
    return (*template, *(f"the reason code {code}" for code in CODES if code not in bundle.reasons))


async def consult(local: Detection, view: View, room: Room) -> Consulted:
    """The reading `local`, with what a model that is asked can add to it. Raises nothing but cancellation."""
    port, template = room.second_opinion, room.bundle.opinion
    if port is None or template is None or not _wanted(local, view[SNAPSHOT], room):
        return Consulted(local)
    begun = room.clock.now()
    said: dict[str, JsonValue] = {"template": template.revision}
    try:
        said["model"] = str(port.name)[:120]
        opinion = await _asked(port, template, view[TURN].text, room)
        detection, outcome = joined(local, opinion, room.bundle.policy)
        said |= {"need_state": opinion.need_state, "intent": opinion.intent, "outcome": outcome}
    except Exception as error:  # noqa: BLE001 - whatever it is, the message stays as unread as it was
        kind = type(error).__name__
        log.warning("second opinion failed", extra={"turn": view[TURN].turn_id, "error": kind})
        detection, said = local, {"model": "unknown", **said, "outcome": "failed", "error": kind}
    code = FAILED if said["outcome"] == "failed" else NONE if detection is local else USED
    said["local"] = {"need_state": local.need_state, "intent": local.intent, "confidence": local.confidence}
    return Consulted(detection, (code,), said, (_call(said, begun, view, room),))


def _wanted(local: Detection, snapshot: Snapshot, room: Room) -> bool:
    """Whether a model may be asked, and could help.

    Inside a flow, or behind a question, a message that names no need is an answer. Who refuses to be answered by a
    machine, or already speaks with a person, has no message sent to a model.
    """
    state = snapshot.state
    unsure = local.need_state is None or local.confidence < room.ask_below
    busy = state.flow is not None or state.pending is not None or state.status not in _WITH_BOT
    foreign = local.language is not None and local.language not in room.bundle.manifest.languages
    clear = any(signal.code in CLEAR for signal in local.signals) or not _FOR_PEOPLE.isdisjoint(local.need_states)
    return unsure and not (busy or foreign or clear or ASSISTANCE in snapshot.refused)


async def _asked(port: SecondOpinion, template: OpinionTemplate, text: str, room: Room) -> Opinion:
    """One attempt. TimeoutError, TypeError or ValueError when it is late or nonsense; whatever the port raises."""
    seconds = room.patience.second_opinion
    intents = room.bundle.detection.intents
    async with asyncio.timeout(seconds):
        # Masked here, so that no adapter can forget to.
        masked = await room.compute(lambda: mask(text)[:MAX_TEXT], seconds)
        enquiry = Enquiry(
            template=template.revision,
            system=render_opinion(template, room.bundle.manifest.company, intents),
            text=masked,
            choices={file.need_state: tuple(intent.id for intent in file.intents) for file in intents},
        )
        opinion = sensible(await port.ask(enquiry, seconds), Opinion, "the second opinion")
    if opinion.need_state is None:
        return Opinion(need_state=None, intent=None)
    if opinion.intent is not None and opinion.intent not in enquiry.choices.get(opinion.need_state, ()):
        raise ValueError("the second opinion named an intent that is none of its need state")
    return Opinion(need_state=NeedState(opinion.need_state), intent=opinion.intent)


def joined(local: Detection, opinion: Opinion, policy: PolicySet) -> tuple[Detection, str]:
    """`local` with what is new in the opinion, and in a word what became of it.

    INVARIANT: every signal and need state that was found is still there, and policy judges the outcome no less risky.
    """
    same = opinion.need_state is local.need_state
    if opinion.need_state is None:
        return local, "unknown"
    if same and (opinion.intent is None or local.intent is not None):
        return local, "agreed"
    signal = Signal(code=USED, detector="second_opinion", score=CONFIDENCE)
    joined = local.model_copy(
        update={
            "need_state": opinion.need_state,
            "intent": opinion.intent,
            "confidence": local.confidence if same else CONFIDENCE,
            "need_states": tuple(dict.fromkeys((opinion.need_state, *local.need_states))),
            "signals": (*local.signals, signal),
        }
    )
    if _relaxes(_risk(policy, local), _risk(policy, joined)):
        return local, "less_risky"
    return joined, "used"


def _risk(policy: PolicySet, detection: Detection) -> Decision:
    """What the risk gate says of the message alone."""
    used = (*message_facts(detection), fact("earlier_risk", RiskTier.LOW.value, "conversation"))
    return policy.decide(Stage.GATE_RISK, Facts.of(used))


def _relaxes(before: Decision, after: Decision) -> bool:
    """Whether the gate would let more pass after than before."""
    one, other = before.dimensions, after.dimensions
    lower = after.effect < before.effect or other.risk < one.risk or other.automation < one.automation
    return lower or not {*before.obligations} <= {*after.obligations}


def _call(said: dict[str, JsonValue], begun: datetime, view: View, room: Room) -> AuditEvent:
    """The record of the model call, beside those of drafts."""
    now = room.clock.now()
    payload: dict[str, JsonValue] = {
        "model": said["model"],
        "template": said["template"],
        "calls": [],
        "seconds": round(seconds_between(begun, now), 3),
        "repair": False,
    }
    return AuditEvent(kind=EventKind.MODEL_CALL, turn_id=view[TURN].turn_id, at=now, payload=payload)
