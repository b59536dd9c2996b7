"""Puts together what a model may see: never more than policy granted, and untrusted text only in its own blocks."""

from __future__ import annotations

from handrail.agent.channels import DETECTION, GUIDANCE, POLICY, RESULTS, RETRIEVED, ROUNDS, SNAPSHOT, TURN, View
from handrail.agent.facts import identity_now
from handrail.agent.nodes.gate_risk import facts_of
from handrail.agent.ports import Prompt, ToolOffer
from handrail.agent.releasing import left
from handrail.agent.room import Room
from handrail.guardrails.detect.masking import mask, mask_json
from handrail.guardrails.gate.amounts import windows_of
from handrail.guardrails.gate.facts import tool_facts
from handrail.guardrails.gate.results import veiled
from handrail.guardrails.output.evidence import AllowedCommitment
from handrail.guardrails.policy.facts import Facts, fact, ignorable
from handrail.guardrails.prompts import render
from handrail.guardrails.scope import Retrieved
from handrail.guardrails.toolspec import ToolSpec, json_schema
from handrail.guardrails.vocabulary import Obligation, Stage, ToolResult

NOTHING_FOUND = Retrieved(passages=(), good=0, eligible_documents=0, excluded={}, revision="none")

MANY = 1000
"""More people than any rule asks for."""

ASSUMED = (
    fact("call_schema_valid", True, "assumed"),
    fact("call_provenance_ok", True, "assumed"),
    fact("call_confirmed", True, "assumed"),
    fact("call_approvals", MANY, "assumed"),
    fact("call_repeated", False, "assumed"),
    fact("call_over_rate", False, "assumed"),
    fact("call_edit", "none", "assumed"),
)
"""The most favourable facts that a call can have, whatever the tool."""


def model_prompt(view: View, room: Room) -> Prompt:
    """The prompt of this model call; what has left of the reply is in it, however far the turn got before."""
    turn, snapshot, detection = view[TURN], view[SNAPSHOT], view[DETECTION]
    policy = view[POLICY]
    template = room.bundle.prompts[room.bundle.manifest.prompt]
    found = view.get(RETRIEVED, NOTHING_FOUND)
    return Prompt(
        template=template.revision,
        system=system_text(view, room),
        history=snapshot.history,
        message=turn.text,
        need_state=detection.need_state.value if detection.need_state is not None else None,
        intent=detection.intent,
        tone=policy.dimensions.tone,
        depth=policy.dimensions.depth,
        obligations=policy.obligations,
        passages=found.passages[: found.good],
        tools=offered(view, room),
        results=tuple(_veiled(result, room) for result in view.get(RESULTS, ())),
        guidance=view.get(GUIDANCE, ()),
        said=left(),
        allowed=tuple(commitment.text for commitment in allowed_commitments(view, room, detection.language)),
        promised=tuple(promise.text for promise in snapshot.state.promises),
        identity=identity_now(turn, snapshot.state),
    )


def withheld(prompt: Prompt, kinds: frozenset[str]) -> Prompt:
    """`prompt` with labels for personal data of `kinds` in all that comes from the conversation and from tools.

    Passages are the company's own articles, and `system` is rendered from a template: they stay as they are. The gate
    and the output checks go by what the customer really wrote. Costs CPU.
    """
    if not kinds:
        return prompt
    return prompt.model_copy(
        update={
            "history": tuple(
                message.model_copy(update={"text": mask(message.text, kinds)}) for message in prompt.history
            ),
            "message": mask(prompt.message, kinds),
            "results": tuple(_withheld_result(result, kinds) for result in prompt.results),
            "known": mask_json(dict(prompt.known), kinds),
            "guidance": tuple(mask(line, kinds) for line in prompt.guidance),
            "said": mask(prompt.said, kinds),
            "promised": tuple(mask(line, kinds) for line in prompt.promised),
        }
    )


def allowed_commitments(view: View, room: Room, language: str | None = None) -> tuple[AllowedCommitment, ...]:
    """What policy lets a reply of this turn promise, in every language that it is worded in, or in `language` alone."""
    if not view.has(POLICY) or Obligation.NO_COMMITMENTS in view[POLICY].obligations:
        return ()
    entries = [room.bundle.commitments[name] for name in view[POLICY].dimensions.commitments]
    first = room.bundle.manifest.languages[0]
    return tuple(
        AllowedCommitment(kind=entry.kind, text=text)
        for entry in entries
        for spoken, text in entry.texts.items()
        if language is None or spoken == (language if language in entry.texts else first)
    )


def _withheld_result(result: ToolResult, kinds: frozenset[str]) -> ToolResult:
    call = result.call.model_copy(update={"arguments": mask_json(result.call.arguments, kinds)})
    return result.model_copy(update={"call": call, "content": mask_json(result.content, kinds)})


def _veiled(result: ToolResult, room: Room) -> ToolResult:
    """A result with labels for the fields that its tool masks. What it does not declare was left out when it came."""
    spec = room.bundle.tools.get(result.call.tool)
    content = None if spec is None else veiled(spec, result.content)
    return result.model_copy(update={"content": content})


def system_text(view: View, room: Room) -> str:
    """The rendered system text; the output checks look for leaks of it."""
    policy = view[POLICY]
    template = room.bundle.prompts[room.bundle.manifest.prompt]
    return render(
        template,
        tone=policy.dimensions.tone,
        depth=policy.dimensions.depth,
        obligations=policy.obligations,
        language=view[DETECTION].language or room.bundle.manifest.languages[0],
    )


def offered(view: View, room: Room) -> tuple[ToolOffer, ...]:
    """Tools that some call of could be allowed in this conversation; none once the rounds are used up.

    Offering is a courtesy to the model, not the permission: every call is decided again with its own facts.
    """
    if view.get(ROUNDS, 0) >= room.bundle.manifest.limits.tool_rounds - 1:
        return ()
    facts = facts_of(view).with_facts(ASSUMED)
    return tuple(
        ToolOffer(name=spec.id, description=spec.description, parameters=json_schema(spec))
        for spec in room.bundle.tools.values()
        if could_be_allowed(spec, facts, room)
    )


def could_be_allowed(spec: ToolSpec, facts: Facts, room: Room) -> bool:
    """Whether policy permits the tool for the best call there could be, which is what `facts` assume of a call."""
    stated = (fact(name, content, "bundle") for name, content in tool_facts(spec).items())
    # Declared call facts are unknown before there is a call: here, and only here, unknown does not count against it.
    open_facts = (ignorable(f"call_{declared.name}", "bundle", "there is no call yet") for declared in spec.facts)
    sums = (fact(window.fact, 0, "assumed") for window in windows_of(room.bundle.amounts, spec))
    best = facts.with_facts((*open_facts, *stated, *sums))
    return room.bundle.policy.could_go_ahead(Stage.AUTHORIZE_TOOLS, best, spec.id)
