"""Tools as data: what a YAML file of `policies/tools` may declare, and the checks that follow from it (spec S7.1).

Money is written as a decimal string with two places ("49.00") wherever a model, a customer or a record states it,
because 49 can be read as 49 cents; in call facts it is an integer of minor units, because rules compare it. Floats
never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field, JsonValue, model_validator

from handrail.guardrails.gate.argument import (
    Argument,
    ArgumentType,
    Choice,
    Name,
    Origin,
    Texts,
)
from handrail.guardrails.gate.fitting import field_problems, object_schema
from handrail.guardrails.gate.mcp_source import McpSource, source_problems
from handrail.guardrails.gate.template import template_problems
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.vocabulary import Frozen, ToolCall

Path: TypeAlias = tuple[str | int, ...]

GATE_FACTS = frozenset({"schema_valid", "provenance_ok", "confirmed", "approvals", "repeated", "over_rate", "edit"})
"""What the gate itself states of every call; no tool may declare a fact of these names."""


class Access(StrEnum):
    """Whether a tool only looks or changes something."""

    READ = "read"
    WRITE = "write"


class Sensitivity(StrEnum):
    """How bad a wrong call would be."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FactType(StrEnum):
    """The type of a call fact. `money` is an integer of minor units, `date` an ISO date as text, `texts` are many."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    ENUM = "enum"
    TEXT = "text"
    TEXTS = "texts"
    MONEY = "money"
    DATE = "date"


_KINDS = {
    FactType.BOOLEAN: FactKind.BOOLEAN,
    FactType.INTEGER: FactKind.NUMBER,
    FactType.NUMBER: FactKind.NUMBER,
    FactType.MONEY: FactKind.NUMBER,
    FactType.ENUM: FactKind.WORD,
    FactType.TEXT: FactKind.WORD,
    FactType.TEXTS: FactKind.SET,
    FactType.DATE: FactKind.WORD,
}


class CallFact(Frozen):
    """Something that policy may ask about a call, as `call_<name>`.

    `vouches` marks a record of the company that does not depend on the arguments beyond the identifier: its value
    counts as the origin of an argument (the rest that can still be refunded, the end of the paid period).
    `vouches_for` is the same for single arguments, or fields of objects as `attachments.file_id`: the addresses of the
    people that the customer named vouch for recipients, and for nothing else that happens to be written like one.
    """

    name: Name
    type: FactType
    description: Annotated[str, Field(min_length=1)]
    values: tuple[str, ...] = ()
    labels: dict[str, Texts] = {}
    currency: Name | None = None
    vouches: bool = False
    vouches_for: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$", max_length=200)], ...] = ()

    @property
    def fact_kind(self) -> FactKind:
        """The kind under which policy sees this fact."""
        return _KINDS[self.type]

    @model_validator(mode="after")
    def _whole(self) -> CallFact:
        if (self.type is FactType.ENUM) != bool(self.values):
            raise ValueError("an enum fact needs values, and nothing else has them")
        if (self.type is FactType.MONEY) != (self.currency is not None):
            raise ValueError("a money fact names the fact that holds its currency, and nothing else does")
        if self.vouches and self.vouches_for:
            raise ValueError("a fact vouches for every argument or for those of vouches_for: write one of the two")
        if set(self.labels) - set(self.values):
            raise ValueError("labels are for declared values only")
        return self


class RateLimit(Frozen):
    """At most `count` successful runs of a tool per customer in `within_minutes`."""

    count: Annotated[int, Field(ge=1)]
    within_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 90)]


class ToolSpec(Frozen):
    """One tool: what a model is told of it, what policy may ask of a call, and the words a customer gets.

    `question` is what the customer agrees to and `done` what is told after success; both are templates over arguments
    and call facts, never the model's words. Of a result, a model may see only the fields in `minimise` (at any depth),
    and only those in `records` count as verified records; all else in a result is untrusted text. Of the
    fields in `masked` a model sees that there is something, and not what. With `mcp`, an MCP server runs the calls.
    """

    id: Name
    title: Texts
    description: Annotated[str, Field(min_length=1, max_length=600)]
    access: Access
    reversible: bool
    sensitivity: Sensitivity
    idempotent: bool
    requires_customer: bool
    arguments: tuple[Argument, ...] = ()
    facts: tuple[CallFact, ...] = ()
    question: Texts | None = None
    done: Texts | None = None
    rate_limit: RateLimit | None = None
    minimise: tuple[Name, ...] = ()
    records: tuple[Name, ...] = ()
    masked: tuple[Name, ...] = ()
    mcp: McpSource | None = None

    def argument(self, name: str) -> Argument | None:
        """The argument called `name`."""
        return next((argument for argument in self.arguments if argument.name == name), None)

    def fact(self, name: str) -> CallFact | None:
        """The call fact called `name` (without `call_`)."""
        return next((fact for fact in self.facts if fact.name == name), None)

    @model_validator(mode="after")
    def _whole(self) -> ToolSpec:
        problems = [*self._name_problems(), *self._text_problems(), *self._result_problems()]
        if self.mcp is not None:
            problems += source_problems(self, self.mcp)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _name_problems(self) -> Iterator[str]:
        names = [argument.name for argument in self.arguments] + [fact.name for fact in self.facts]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"the name {name} is used twice among arguments and facts"
        for fact in self.facts:
            if fact.name in GATE_FACTS:
                yield f"the fact {fact.name} belongs to the gate"
        paths = {path for argument in self.arguments for path in argument.paths()}
        for fact in self.facts:
            for path in sorted(set(fact.vouches_for) - paths):
                yield f"the fact {fact.name} vouches for {path}, which is no argument"
        currencies = {argument.name: argument.currency for argument in self.arguments}
        currencies |= {fact.name: fact.currency for fact in self.facts}
        words = {fact.name for fact in self.facts if fact.fact_kind is FactKind.WORD}
        for owner, currency in currencies.items():
            if currency is not None and currency not in words:
                yield f"{owner}: currency must name a text or enum fact of this tool"

    def _text_problems(self) -> Iterator[str]:
        if self.access is Access.WRITE and (self.question is None or self.done is None):
            yield "a write tool needs a question and a done text"
        shown = (argument for argument in self.arguments if argument.type is not ArgumentType.BOOLEAN)
        known = {argument.name for argument in shown if argument.required}
        known |= {fact.name for fact in self.facts if fact.type is not FactType.BOOLEAN}
        for field, texts in (("question", self.question), ("done", self.done)):
            for language, text in (texts or {}).items():
                for problem in template_problems(text, known):
                    yield f"{field}.{language}: {problem}"
        # INVARIANT: nobody agrees to a sensitive value without having seen it.
        for language, text in (self.question or {}).items():
            for argument in self.arguments:
                if _is_sensitive(argument) and f"{{{argument.name}}}" not in text:
                    yield f"question.{language}: the sensitive argument {argument.name} does not stand in it"

    def _result_problems(self) -> Iterator[str]:
        for name in sorted(set(self.records) - set(self.minimise)):
            yield f"records: {name} is not among the fields that a model may see"
        for name in sorted(set(self.masked) - set(self.minimise)):
            yield f"masked: {name} is not in minimise; what is not there is left out altogether"


def tool_problems(spec: ToolSpec, *, languages: Collection[str]) -> Iterator[tuple[Path, str]]:
    """What is wrong with a tool in a bundle that declares `languages`, each with its path in the file."""
    texts: list[tuple[Path, Texts]] = [(("title",), spec.title)]
    texts += [((field,), text) for field, text in (("question", spec.question), ("done", spec.done)) if text]
    for index, argument in enumerate(spec.arguments):
        for at, choice in enumerate(argument.choices):
            texts.append((("arguments", index, "choices", at, "label"), choice.label))
    for index, fact in enumerate(spec.facts):
        texts += [(("facts", index, "labels", value), label) for value, label in fact.labels.items()]
    for path, text in texts:
        for language in languages:
            if language not in text:
                yield path, f"the text is missing in {language}"


def json_schema(spec: ToolSpec) -> dict[str, JsonValue]:
    """The JSON Schema of the arguments, for the model. It guides; `validate_arguments` is what counts."""
    return object_schema(spec.arguments)


def validate_arguments(spec: ToolSpec, call: ToolCall) -> tuple[str, ...]:
    """Everything wrong with the arguments of `call`, in words for the model; values are never repeated.

    An optional argument may be left out or be null.
    """
    problems = [] if call.tool == spec.id else [f"the call is for another tool than {spec.id}"]
    return (*problems, *field_problems(spec.arguments, call.arguments, "arguments"))


def _is_sensitive(argument: Argument) -> bool:
    return argument.sensitive or any(_is_sensitive(field) for field in argument.fields)


__all__ = [
    "Access",
    "Argument",
    "ArgumentType",
    "CallFact",
    "Choice",
    "FactType",
    "Origin",
    "RateLimit",
    "Sensitivity",
    "ToolSpec",
    "json_schema",
    "tool_problems",
    "validate_arguments",
]
