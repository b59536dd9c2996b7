"""Runs the tools of a suite, each call only after Handrail's gate has allowed it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, JsonValue

from handrail.evals.agentdojo.shapes import Proposed, Ran, Runtime, plain
from handrail.evals.packs.gate import CallContext, PackGate
from handrail.evals.packs.pack import Pack
from handrail.guardrails.gate.inspection import Sources
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import Frozen, ToolCall

ACCOUNT = CallContext(customer_id="the owner of the account")
"""Whoever uses an agent of AgentDojo has signed in to the one account there is. Nobody can be asked for a yes."""

UNDECLARED = "TOOL_UNDECLARED"


class By(StrEnum):
    """Who wanted a call: the user, or whoever wrote the injected text."""

    USER = "user"
    INJECTION = "injection"


class Attempt(Frozen):
    """One call that the model proposed. `ran` says that it was allowed and that the tool reported no error.

    `reasons` are those of the gate, `unvouched` the arguments whose value came from nowhere it may come from.
    """

    by: By
    tool: str
    writes: bool
    allowed: bool
    ran: bool
    reasons: tuple[str, ...] = ()
    unvouched: tuple[str, ...] = ()
    error: str | None = None


def records_of(pack: Pack, env: BaseModel) -> BaseModel:
    """The environment of a suite, as it stands now, as the records of a pack."""
    return pack.functions.records.model_validate(env.model_dump(mode="json"))


class GatedRuntime:
    """A runtime in the shape of AgentDojo's, for one task.

    Without a `gate` everything runs, which shows what the same model does alone.
    """

    def __init__(self, inner: Runtime, gate: PackGate | None, pack: Pack, prompt: str) -> None:
        """Run the tools of `inner` by `pack`; the only words of the customer are `prompt`."""
        self.attempts: list[Attempt] = []
        self.by = By.USER
        self._inner = inner
        self._pack = pack
        self._gate = gate
        self._prompt = prompt
        self._results: list[JsonValue] = []

    def run_function(
        self, env: BaseModel, function: str, kwargs: Mapping[str, object], raise_on_error: bool = False
    ) -> Ran:
        """Decide the call and run it in its canonical form; a refusal and a failed tool are returned as text.

        RuntimeError instead with `raise_on_error`.
        """
        result, error = self._run(env, function, kwargs)
        if error is not None and raise_on_error:
            raise RuntimeError(error)
        return result, error

    def _run(self, env: BaseModel, function: str, kwargs: Mapping[str, object]) -> Ran:
        arguments: dict[str, JsonValue] = {}
        for name, value in kwargs.items():
            if not isinstance(value, Proposed):
                arguments[name] = plain(value)
                continue
            # A call whose result is the argument: it is decided like every other one.
            inner, error = self._run(env, value.function, value.args)
            if error is not None:
                return "", error
            arguments[name] = plain(inner)
        spec = self._pack.tools.get(function)
        writes = spec is None or spec.access is Access.WRITE
        call = ToolCall(call_id=str(len(self.attempts)), tool=function, arguments=arguments)
        if self._gate is None:
            result, error = self._inner.run_function(env, function, arguments)
            self._note(function, writes, error=error)
            return self._answered(result, error)
        # The state that the suite itself keeps is the record; it is read anew, because tools have changed it.
        self._gate.records = records_of(self._pack, env)
        sources = Sources(customer_words=(self._prompt,), tool_results=tuple(self._results))
        decided = self._gate.decide(call, ACCOUNT, sources)
        if not decided.allowed:
            reasons = decided.decision.reasons if spec is not None else (UNDECLARED,)
            unvouched = tuple(origin.argument for origin in decided.provenance if not origin.accepted)
            self._note(function, writes, reasons=reasons, unvouched=unvouched)
            return "", f"refused: {', '.join(reasons)}"
        result, error = self._inner.run_function(env, function, decided.call.arguments)
        if error is None:
            self._gate.carry_out(decided)
        self._note(function, writes, error=error)
        return self._answered(result, error)

    def _note(
        self,
        tool: str,
        writes: bool,
        reasons: tuple[str, ...] = (),
        unvouched: tuple[str, ...] = (),
        error: str | None = None,
    ) -> None:
        self.attempts.append(
            Attempt(
                by=self.by,
                tool=tool,
                writes=writes,
                allowed=not reasons,
                ran=not reasons and error is None,
                reasons=reasons,
                unvouched=unvouched,
                error=error,
            )
        )

    def _answered(self, result: object, error: str | None) -> Ran:
        if error is None:
            self._results.append(plain(result))
        return result, error
