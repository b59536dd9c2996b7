"""The names that a bundle declares, as closed sets that its files may refer to, each with what it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from handrail.evals.policy.lint.checks import CODES as LINT_CODES
from handrail.evals.policy.schema_conditions import Schema, condition_definitions, one_of
from handrail.evals.policy.schema_words import VALUES
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.bundle.sections import OPENED
from handrail.guardrails.output.lexicon import VALUE_CLASSES
from handrail.guardrails.output.policy import WordsFile
from handrail.guardrails.output.wording import CODES, doing_class, done_class, report_class
from handrail.guardrails.policy.builtin import NO_FLOW
from handrail.guardrails.scope import Authority
from handrail.guardrails.vocabulary import NeedState
from handrail.guardrails.yamlsource import Problem, read

NONE = "none"
"""How invariants and policy tests say that no queue or flow is chosen."""

_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}


def definitions(folder: Path, bundle: Bundle) -> dict[str, Schema]:
    """Every definition that the files of `bundle`, which was loaded from `folder`, may refer to, by name."""
    reasons = {code: entry.title for code, entry in bundle.reasons.items()}
    intents = {one.id: one.title for file in bundle.detection.intents for one in file.intents}
    promises = {one.id: one.meaning for one in bundle.commitments.values()}
    flows = {flow.id: flow.title for flow in bundle.flows.values()}
    tools = {tool.id: tool.description for tool in bundle.tools.values()}
    meanings = {
        "signals": reasons,
        "findings": reasons,
        "intent": intents,
        "flow": {**flows, NO_FLOW: "No guided flow."},
        "tool": tools,
    }
    return {
        **condition_definitions(bundle, meanings),
        **_routes(bundle, flows),
        **_rules(bundle),
        **_suggestions(bundle),
        **_texts(bundle),
        "reason_code": one_of(reasons, reasons),
        "intent_id": one_of(intents, intents),
        "commitment_id": one_of(promises, promises),
        "tool_id": one_of(tools, tools),
        "prompt_id": one_of(bundle.prompts),
        "word_class": one_of(_word_classes(folder, bundle)),
        "deciding_stage": one_of((stage.value for stage in DECIDING_STAGES), VALUES["Stage"]),
        "ages": _ages(bundle),
        "waivers": _waivers(),
        "scope": _scope(bundle),
        "next_steps": _next_steps(reasons),
        "guidance": _guidance(reasons),
    }


def _routes(bundle: Bundle, flows: Mapping[str, str]) -> dict[str, Schema]:
    first = bundle.manifest.languages[0]
    queues = {queue.id: queue.title.get(first, "") for queue in bundle.queues.values()}
    return {
        "queue_id": one_of(queues, queues),
        "queue_or_none": one_of((*queues, NONE), {**queues, NONE: "No queue is chosen."}),
        "flow_or_none": one_of((*flows, NONE), {**flows, NONE: "No guided flow is chosen."}),
        "queue_choice": _choice(one_of(queues, queues), "A queue with its precedence."),
        "flow_choice": _choice(one_of(flows, flows), "A guided flow with its precedence."),
    }


def _choice(value: Schema, description: str) -> Schema:
    """A value that competes with others by precedence."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["value", "precedence"],
        "description": description,
        "properties": {
            "value": {**value, "description": "Which one."},
            "precedence": {
                "type": "integer",
                "description": "The largest wins; a tie with another one is a load error.",
            },
        },
    }


def _rules(bundle: Bundle) -> dict[str, Schema]:
    active = {segment.id for segment in bundle.segments}
    segments = {entry.id: entry.title for entry in bundle.entries.values() if entry.id in active}
    rules = {rule.id: f"{rule.stage.value}: {bundle.reasons[rule.reason].title}" for rule in bundle.policy.rules}
    parts = {f"segment.{name}": f"The segment {title}, whole." for name, title in segments.items()}
    earlier: Schema = {
        name: {"type": "number", "minimum": 0, "description": f"{title}: minutes since it began."}
        for name, title in segments.items()
    }
    return {
        "segment_id": one_of(segments, segments),
        "rule_id": one_of(rules, rules),
        "rule_or_segment": one_of((*rules, *parts), {**parts, **rules}),
        "earlier": {"type": "object", "additionalProperties": False, "properties": earlier},
    }


def _suggestions(bundle: Bundle) -> dict[str, Schema]:
    """Names that stand in the same file as what refers to them, or nowhere: editors offer them and take others."""
    events = {kind.kind: kind.meaning for kind in bundle.events.values()}
    opened = {**events, OPENED: "The moment at which the conversation was opened."}
    decided = (entry.decisions.skills for entry in bundle.entries.values())
    selected = (rule.selections.skills for rule in bundle.policy.rules)
    held = (queue.skills for queue in bundle.queues.values())
    metrics = (entry.metrics for entry in bundle.entries.values())
    return {
        "event_known": one_of(events, events),
        "event_kind": _offered(events, _NAME, events),
        "event_or_opening": _offered(opened, _NAME, opened),
        "language": _offered(bundle.manifest.languages, {"type": "string"}),
        "skill": _offered((name for names in (*decided, *selected, *held) for name in names), _NAME),
        "metric": _offered((name for names in metrics for name in names), _NAME),
    }


def _offered(values: Iterable[str], others: Schema, meanings: Mapping[str, str] | None = None) -> Schema:
    return {"anyOf": [one_of(values, meanings), others]}


def _texts(bundle: Bundle) -> dict[str, Schema]:
    """Customer texts: of one entry by language, and all fixed ones of one language by key."""
    languages = list[JsonValue](bundle.manifest.languages)
    words = bundle.texts[bundle.manifest.languages[0]]
    by_language: Schema = {str(one): {"type": "string", "description": f"The text in {one}."} for one in languages}
    fixed: Schema = {key: {"type": "string", "description": words.get(key, key)} for key in words}
    text: Schema = {"type": "string"}
    return {
        "text_by_language": {
            "type": "object",
            "minProperties": 1,
            "required": languages,
            "properties": by_language,
            "additionalProperties": text,
        },
        "fixed_texts": {
            "type": "object",
            "required": list[JsonValue](sorted(words)),
            "properties": fixed,
            "additionalProperties": text,
        },
    }


def _scope(bundle: Bundle) -> Schema:
    """Classes of documents by family. Articles may have classes that no attribute names, so others are taken too."""
    classes: dict[str, Iterable[str]] = {
        "authority": tuple(Authority),
        "language": bundle.manifest.languages,
        "need_state": tuple(NeedState),
        **{family: _values(bundle, family) for family in ("role", "stack", "region", "plan")},
    }
    families: Schema = {
        family: {
            "type": "array",
            "items": _offered([str(word) for word in words], {"type": "string"}),
            "description": f"Classes of the family {family} that are granted.",
        }
        for family, words in classes.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": families}


def _waivers() -> Schema:
    """Why a finding of lint is meant to be so, by code."""
    known: Schema = {code.id: {"type": "string", "minLength": 10, "description": code.says} for code in LINT_CODES}
    return {"type": "object", "additionalProperties": False, "properties": known}


def _ages(bundle: Bundle) -> Schema:
    """How old attributes are in a policy test."""
    known: Schema = {
        name: {"type": "number", "minimum": 0, "description": f"Days since it was observed: {attribute.meaning}."}
        for name, attribute in bundle.attributes.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": known}


def _values(bundle: Bundle, family: str) -> tuple[str, ...]:
    held = (one for one in bundle.attributes.values() if one.scope_family == family)
    return tuple(value for one in held for value in one.values or ())


def _next_steps(reasons: Mapping[str, str]) -> Schema:
    told = {**reasons, **{need.value: f"The need state {need.value}." for need in NeedState}}
    steps: Schema = {name: {"type": "string", "description": title} for name, title in told.items()}
    steps["default"] = {"type": "string", "description": "When nothing else fits."}
    return {"type": "object", "additionalProperties": False, "required": ["default"], "properties": steps}


def _guidance(reasons: Mapping[str, str]) -> Schema:
    told: Schema = {
        code: {"type": "string", "minLength": 10, "maxLength": 400, "description": reasons.get(code, code)}
        for code in CODES
    }
    required = list[JsonValue](sorted(CODES))
    return {"type": "object", "additionalProperties": False, "required": required, "properties": told}


def _word_classes(folder: Path, bundle: Bundle) -> Iterator[str]:
    """Every class that a pattern may name; the loaded wording keeps words, so the file is asked for their classes."""
    problems: list[Problem] = []
    document = read(folder / "output" / "words.yaml", "output/words.yaml", problems)
    words = None if document is None else document.parse(WordsFile, problems)
    yield from () if words is None else words.classes
    yield from VALUE_CLASSES.values()
    yield from ("done", "doing", "reports")
    for action in bundle.wording.actions.actions:
        yield from (done_class(action), doing_class(action), report_class(action))
