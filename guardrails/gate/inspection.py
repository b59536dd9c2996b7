"""What a proposed call looks like before policy sees it: its shape, and where each argument comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from handrail.guardrails.detect.labels import LABEL
from handrail.guardrails.gate.argument import Argument, Origin
from handrail.guardrails.gate.canonical import canonical, digest
from handrail.guardrails.gate.declared import fit_facts
from handrail.guardrails.gate.fitting import value_problem
from handrail.guardrails.gate.mention import in_record, in_text, leaves
from handrail.guardrails.gate.writing import record_value
from handrail.guardrails.toolspec import ToolSpec, validate_arguments
from handrail.guardrails.vocabulary import FactContent, Frozen, ToolCall


class Sources(Frozen):
    """Everything a value could have been taken from.

    `customer_words` are the customer's own messages of the conversation. `records` hold only what the company's systems
    themselves wrote (see `results.recorded`) and values of verified attributes. `tool_results` and `passages` are
    untrusted. `established` are digests of calls that passed this very check in an earlier turn of the conversation
    (the pending call): what they rested on may be gone by the time somebody has agreed. `operator` are the arguments
    that an operator has set in such a call, `kept` those that the operator left as they were in it.
    """

    customer_words: tuple[str, ...] = ()
    records: tuple[JsonValue, ...] = ()
    tool_results: tuple[JsonValue, ...] = ()
    passages: tuple[str, ...] = ()
    established: tuple[str, ...] = ()
    operator: dict[str, JsonValue] = {}
    kept: dict[str, JsonValue] = {}


class ArgumentOrigin(Frozen):
    """Where the value of one argument was found, and whether the declaration of the argument accepts it.

    Of a list, `origins` holds every place where one of its values stands; it is accepted when each value is. The fields
    of an object are named one by one, as `attachments.file_id`.
    """

    argument: str
    origins: tuple[Origin, ...]
    accepted: bool


class CallInspection(Frozen):
    """The canonical call, which alone may be shown, agreed to and run; its digest; and what is wrong with it."""

    call: ToolCall
    digest: str
    problems: tuple[str, ...]
    provenance: tuple[ArgumentOrigin, ...]

    @property
    def schema_valid(self) -> bool:
        """Whether the arguments match the declaration."""
        return not self.problems

    @property
    def unvouched(self) -> tuple[str, ...]:
        """Names of the arguments whose value comes from nowhere it may come from."""
        return tuple(origin.argument for origin in self.provenance if not origin.accepted)


def inspect(
    call: ToolCall, spec: ToolSpec, sources: Sources, facts: Mapping[str, FactContent] | None = None
) -> CallInspection:
    """Bring `call` into its canonical form and look at it. Never raises, whatever the arguments are.

    `facts` are fresh facts of this call; those that the tool declares as vouching count as verified records.
    """
    written = canonical(call, spec)
    fit = fit_facts(spec, facts or {})
    vouching = tuple(
        _Vouching(record_value(fact, fit[fact.name]), fact.vouches_for)
        for fact in spec.facts
        if (fact.vouches or fact.vouches_for) and fact.name in fit
    )
    bound = digest(written)
    provenance = [
        origin
        for argument in spec.arguments
        if argument.name in written.arguments
        for origin in _origins(
            argument, written.arguments[argument.name], sources, vouching, bound in sources.established
        )
    ]
    return CallInspection(
        call=written,
        digest=bound,
        problems=validate_arguments(spec, written),
        provenance=tuple(provenance),
    )


@dataclass(frozen=True, slots=True)
class _Vouching:
    """What a fact vouches for; without `paths` it vouches for every argument."""

    content: JsonValue
    paths: tuple[str, ...]


def _origins(
    argument: Argument, value: JsonValue, sources: Sources, vouching: tuple[_Vouching, ...], established: bool
) -> Iterator[ArgumentOrigin]:
    unfit = value_problem(argument, value) is not None
    edited = argument.name in sources.operator and sources.operator[argument.name] == value
    by = frozenset({Origin.OPERATOR} if edited else ())
    established = established or (argument.name in sources.kept and sources.kept[argument.name] == value)
    found: dict[str, list[frozenset[Origin]]] = {}
    accepted: dict[str, bool] = {}
    if not argument.fields:
        # Also a list of nothing, of which every value has its origin.
        found[argument.name], accepted[argument.name] = [], True
    for part in argument.parts(value):
        held = [one.content for one in vouching if not one.paths or part.path in one.paths]
        origins = frozenset({Origin.MODEL}) if unfit else _stands(part.argument, part.value, sources, held, by)
        found.setdefault(part.path, []).append(origins)
        # Every value of a list needs an origin that is accepted, and they need not share one.
        fine = established or not origins.isdisjoint(part.argument.origin)
        accepted[part.path] = accepted.get(part.path, True) and fine
    for path, stands in found.items():
        named = frozenset[Origin]().union(*stands)
        yield ArgumentOrigin(
            argument=path, origins=tuple(one for one in Origin if one in named), accepted=accepted[path]
        )


def _stands(
    argument: Argument, value: JsonValue, sources: Sources, vouching: list[JsonValue], by: frozenset[Origin]
) -> frozenset[Origin]:
    """Where one value stands, beside `by`; it is the model's when that is nowhere."""
    # What was masked for the model stands nowhere: a word of the label may stand in the customer's words by chance.
    if isinstance(value, str) and LABEL.search(value):
        return frozenset({Origin.MODEL})
    return by.union(_found(argument, value, sources, vouching)) or frozenset({Origin.MODEL})


def _found(argument: Argument, value: JsonValue, sources: Sources, vouching: list[JsonValue]) -> Iterator[Origin]:
    if any(in_text(argument, value, text) for text in sources.customer_words):
        yield Origin.CUSTOMER_WORDS
    if any(in_record(argument, value, record) for record in (*sources.records, *vouching)):
        yield Origin.VERIFIED_RECORD
    if any(_in_result(argument, value, result) for result in sources.tool_results):
        yield Origin.TOOL_RESULT
    if any(in_text(argument, value, text) for text in sources.passages):
        yield Origin.PASSAGE


def _in_result(argument: Argument, value: JsonValue, result: JsonValue) -> bool:
    return in_record(argument, value, result) or any(
        in_text(argument, value, leaf) for leaf in leaves(result) if isinstance(leaf, str)
    )
