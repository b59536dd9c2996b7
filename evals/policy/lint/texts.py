"""Customer texts that are too long, empty, or not in the languages of the bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding
from handrail.guardrails.gate.template import placeholders
from handrail.guardrails.toolspec import FactType, ToolSpec
from handrail.guardrails.vocabulary import Effect, Stage

# A question or a reason is read at a glance beside a button or before a handoff: two sentences, about 50 words.
LONGEST_SENTENCE = 320
# A message of its own fills a chat widget on a phone, about 380 pixels wide, without scrolling.
LONGEST_MESSAGE = 1_200

TOO_LONG = Code(
    "LINT_TEXT_TOO_LONG",
    Level.WARNING,
    f"A customer text is longer than {LONGEST_SENTENCE} characters (reasons, tools) or {LONGEST_MESSAGE} (messages).",
    "Say it in fewer words.",
)
LANGUAGE = Code(
    "LINT_TEXT_LANGUAGE",
    Level.WARNING,
    "A customer text lacks a language of the bundle, or is in one that the bundle does not declare.",
    "Add the text, declare the language in bundle.yaml, or remove the text.",
)
EMPTY = Code(
    "LINT_TEXT_EMPTY",
    Level.WARNING,
    "A text that a customer gets to read is empty: a fixed text, a title, or the reason why a tool may not run.",
    "Write the text.",
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text by language: what it belongs to, what it is called, and how long it may be; `needed` ones are shown."""

    kind: str
    subject: str
    named: str
    texts: Mapping[str, str]
    longest: int
    needed: bool = True


def too_long(context: Context) -> Iterator[LintFinding]:
    """Texts over their limit, in any language."""
    for one in _spoken(context):
        for language, text in one.texts.items():
            if len(text) > one.longest:
                message = f"{one.named} ({language}) has {len(text)} characters; {one.longest} are enough. Shorten it."
                yield _at(context, TOO_LONG, one, language, message)


def languages(context: Context) -> Iterator[LintFinding]:
    """Texts that nobody will ever get to read, and values of call facts that have no words in a language."""
    declared = context.bundle.manifest.languages
    for one in _spoken(context):
        for language in sorted(set(one.texts) - set(declared)):
            message = (
                f"{one.named} is in {language!r}, which the bundle does not declare, so nobody is ever answered in it. "
                "Declare the language in bundle.yaml, or remove the text."
            )
            yield _at(context, LANGUAGE, one, language, message)
    for tool in context.bundle.tools.values():
        for name, value, language in _unlabelled(tool, declared):
            message = (
                f"the value {value!r} of the call fact {name} stands in a customer text and has no label in "
                f"{language!r}. Add one."
            )
            yield context.found(LANGUAGE, "tool", tool.id, message)


def _unlabelled(tool: ToolSpec, declared: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """(fact, value, language) of every value that a customer would read as policy spells it."""
    shown = {
        name for texts in (tool.question, tool.done) for text in (texts or {}).values() for name in placeholders(text)
    }
    for fact in tool.facts:
        if fact.type is FactType.ENUM and fact.name in shown:
            for value in fact.values:
                lacking = [language for language in declared if language not in fact.labels.get(value, {})]
                yield from ((fact.name, value, language) for language in lacking)


def empty(context: Context) -> Iterator[LintFinding]:
    """Texts without a word that a customer would get to see."""
    for one in _spoken(context):
        for language in context.bundle.manifest.languages:
            if one.needed and language in one.texts and not one.texts[language].strip():
                told = ": a customer whose call is refused learns no reason" if one.kind == "reason" else ""
                yield _at(context, EMPTY, one, language, f"{one.named} ({language}) is empty{told}. Write it.")


def _at(context: Context, code: Code, one: Spoken, language: str, message: str) -> LintFinding:
    where = context.place("text", f"{language}:{one.subject}") if one.kind == "text" else None
    return context.found(code, one.kind, one.subject, message, where)


def _spoken(context: Context) -> Iterator[Spoken]:
    """Every text that is written for customers."""
    bundle = context.bundle
    told = _told(context)
    for code, entry in bundle.reasons.items():
        yield Spoken("reason", code, "the text for customers", entry.customer, LONGEST_SENTENCE, code in told)
    for name, tool in bundle.tools.items():
        parts = {"the title": tool.title, "the question": tool.question, "the done text": tool.done}
        yield from (Spoken("tool", name, part, texts, LONGEST_SENTENCE) for part, texts in parts.items() if texts)
    for name, queue in bundle.queues.items():
        yield Spoken("queue", name, "the title", queue.title, LONGEST_SENTENCE)
    keys = sorted({key for texts in bundle.texts.values() for key in texts})
    for key in keys:
        held = {language: texts[key] for language, texts in bundle.texts.items() if key in texts}
        yield Spoken("text", key, "the text", held, LONGEST_MESSAGE)
    for name, flow in bundle.flows.items():
        yield from (Spoken("flow", name, f"the text {part}", texts, LONGEST_MESSAGE) for part, texts in _of(flow, ""))


def _told(context: Context) -> frozenset[str]:
    """The reasons whose words a customer gets: why a call that they agreed to does not run (S2.5)."""
    final = (Effect.REFUSE, Effect.ESCALATE)
    at_tools = (rule for rule in context.bundle.policy.rules if rule.stage is Stage.AUTHORIZE_TOOLS)
    return frozenset(rule.reason for rule in at_tools if rule.restrictions.effect in final)


def _of(part: BaseModel, path: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every text of a flow with its path: mappings to sentences, which are by language but for two."""
    for name in type(part).model_fields:
        content: object = getattr(part, name)
        here = f"{path}.{name}" if path else name
        for item in content if isinstance(content, tuple) else (content,):
            if isinstance(item, BaseModel):
                called = next((str(getattr(item, key)) for key in ("id", "name", "value") if hasattr(item, key)), "")
                yield from _of(item, f"{here}.{called}" if called else here)
            elif isinstance(item, dict) and name not in NO_TEXTS:
                texts = {str(language): text for language, text in item.items() if isinstance(text, str)}
                if texts:
                    yield here, texts


NO_TEXTS = frozenset({"keep", "to"})
"""Mappings of a flow to words that are not by language: slots to paths, and choices to steps."""
