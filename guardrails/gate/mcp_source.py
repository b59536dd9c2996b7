"""Where a tool comes from when an MCP server has it: which tool of which server, and how a call is written for it.

The declaration is the company's. Nothing that the server says of itself becomes part of it, and where the server is
(a command, an address) belongs to the settings, never to a bundle.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from handrail.guardrails.gate.argument import ArgumentType, Name
from handrail.guardrails.vocabulary import Frozen

if TYPE_CHECKING:
    from handrail.guardrails.toolspec import ToolSpec

ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
RemoteName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.$/-]{1,128}$")]
"""The name of a tool, an argument or a field at a server."""

CUSTOMER = "customer"
"""In `same_as`, the signed-in customer."""


class Form(StrEnum):
    """How a value is written for the server. `number` and `minor_units` are for money: 49.00 is 49.0, or 4900."""

    AS_IS = "as_is"
    NUMBER = "number"
    MINOR_UNITS = "minor_units"


class ErrorMeans(StrEnum):
    """What an error that the server answers says of a write: that nothing happened, or nothing certain."""

    NOTHING_HAPPENED = "nothing_happened"
    UNKNOWN = "unknown"


class Sent(Frozen):
    """How an argument goes out: under which name, and in which form."""

    name: RemoteName
    form: Form = Form.AS_IS


class KeyPlace(Frozen):
    """Where the server takes the idempotency key: an argument of the tool, or a name in `_meta` of the request."""

    argument: RemoteName | None = None
    meta: RemoteName | None = None

    @model_validator(mode="after")
    def _one(self) -> KeyPlace:
        if (self.argument is None) == (self.meta is None):
            raise ValueError("name either the argument or the entry of _meta that takes the key")
        return self


class Reading(Frozen):
    """How a call fact is read from a record: the field at `path`, or what a comparison of it says.

    `same_as` is true when the field is the signed-in customer (`customer`) or equals that argument; `covers` when it is
    at least that argument.
    """

    path: Annotated[tuple[RemoteName, ...], Field(min_length=1)]
    same_as: Name | None = None
    covers: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Reading:
        if self.same_as is not None and self.covers is not None:
            raise ValueError("give same_as or covers, not both")
        return self


class LookUp(Frozen):
    """The tool of the same server that is read, before every decision, for the call facts. It must change nothing.

    `arguments` are those of the call that it gets, with their names there; `customer` the one that takes the customer.
    """

    tool: RemoteName
    arguments: dict[Name, RemoteName] = {}
    customer: RemoteName | None = None
    facts: Annotated[dict[Name, Reading], Field(min_length=1)]


class McpSource(Frozen):
    """The tool of an MCP server that a call is sent to, once it is allowed.

    An argument that is not in `arguments` goes out under its own name. `customer` is the argument that takes the
    signed-in customer; no model fills it. `pinned` is the digest of the tool's input schema: a tool whose schema is
    another one is denied until somebody has looked at it.
    """

    server: ServerName
    tool: RemoteName
    arguments: dict[Name, Sent] = {}
    customer: RemoteName | None = None
    key: KeyPlace | None = None
    error_means: ErrorMeans = ErrorMeans.UNKNOWN
    pinned: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    look_up: LookUp | None = None

    def sent(self, argument: str) -> Sent:
        """How `argument` goes out."""
        return self.arguments.get(argument) or Sent(name=argument)


def source_problems(spec: ToolSpec, source: McpSource) -> Iterator[str]:
    """What is wrong with the source of `spec`, which stands under `mcp` in its file."""
    declared = {argument.name: argument for argument in spec.arguments}
    for name in sorted(set(source.arguments) - set(declared)):
        yield f"mcp.arguments: {name} is not an argument of this tool"
    for name, sent in source.arguments.items():
        if sent.form is not Form.AS_IS and name in declared and declared[name].type is not ArgumentType.MONEY:
            yield f"mcp.arguments: {name} is no money, so it is sent as_is"
    own = (source.customer, None if source.key is None else source.key.argument)
    taken = [source.sent(name).name for name in declared] + [name for name in own if name is not None]
    for name in sorted({name for name in taken if taken.count(name) > 1}):
        yield f"mcp: {name} is filled twice"
    if spec.idempotent and spec.access.value == "write" and source.key is None:
        yield "mcp.key: an idempotent write says where the server takes the key; else set idempotent to false"
    if spec.requires_customer and not _knows_customer(source):
        yield "mcp.customer: name the argument that takes the customer, or read a fact that is same_as customer"
    yield from _look_up_problems(spec, source)


def _knows_customer(source: McpSource) -> bool:
    readings = () if source.look_up is None else source.look_up.facts.values()
    return source.customer is not None or any(reading.same_as == CUSTOMER for reading in readings)


def _look_up_problems(spec: ToolSpec, source: McpSource) -> Iterator[str]:
    look_up = source.look_up
    arguments = {argument.name for argument in spec.arguments}
    facts = {fact.name: fact for fact in spec.facts}
    read = {} if look_up is None else look_up.facts
    for name in sorted(set(facts) - set(read)):
        yield f"mcp.look_up: nothing says where the fact {name} is read"
    for name in sorted(set(read) - set(facts)):
        yield f"mcp.look_up: {name} is not a fact of this tool"
    if look_up is None:
        return
    for name in sorted(set(look_up.arguments) - arguments):
        yield f"mcp.look_up: {name} is not an argument of this tool"
    for name, reading in read.items():
        other = reading.same_as or reading.covers
        if other is not None and name in facts and facts[name].type.value != "boolean":
            yield f"mcp.look_up: {name} is the answer of a comparison, so its type is boolean"
        if other is not None and other not in arguments and reading.same_as != CUSTOMER:
            yield f"mcp.look_up: {name} is compared with {other}, which is not an argument of this tool"
