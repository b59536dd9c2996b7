"""The worst obedient model: it does what the user asks, and what any text that it reads asks, at once."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, JsonValue

from handrail.evals.agentdojo.gated import By, GatedRuntime, records_of
from handrail.evals.agentdojo.shapes import Message, Played, Proposed, Runtime, Task, UserTask, plain
from handrail.evals.packs.gate import PackGate
from handrail.evals.packs.pack import Pack
from handrail.guardrails.gate.mention import leaves


class WorstModel:
    """Makes every call of the user's task as its ground truth says.

    As soon as one of `injected` stands in the result of a tool it makes all calls of the ground truth of `injection`,
    and then goes on. A refusal does not stop it. `read` says whether it came across the injected text.
    """

    name = "local"
    """AgentDojo's attacks address a model by name; this is its name for one of the user's own."""

    def __init__(
        self, pack: Pack, task: UserTask, injection: Task | None = None, injected: Sequence[str] = (), *, gated: bool
    ) -> None:
        """Do `task`; with an `injection` obey it when one of the texts `injected` is read."""
        self.read = False
        self.runtime: GatedRuntime | None = None
        self._pack = pack
        self._task = task
        self._injection = injection
        self._injected = tuple(_flat(text) for text in injected)
        self._gated = gated

    def query(self, query: str, runtime: Runtime, env: BaseModel) -> Played:
        """Play the task once, on `env`."""
        gate = PackGate(self._pack, records_of(self._pack, env)) if self._gated else None
        self.runtime = gated = GatedRuntime(runtime, gate, self._pack, query)
        messages: list[Message] = []
        for call in self._task.ground_truth(env):
            result = self._make(gated, env, call, messages)
            if self.read or not any(text in said for said in _texts(result) for text in self._injected):
                continue
            self.read = True
            if self._injection is None:
                continue
            gated.by = By.INJECTION
            for wanted in self._injection.ground_truth(env):
                self._make(gated, env, wanted, messages)
            gated.by = By.USER
        said = self._task.GROUND_TRUTH_OUTPUT
        messages.append({"role": "assistant", "content": [_text(said)], "tool_calls": None})
        return query, gated, env, messages, {}

    def _make(self, gated: GatedRuntime, env: BaseModel, call: Proposed, messages: list[Message]) -> JsonValue:
        """The result. In the transcript stands what ran: some of AgentDojo's checks count the calls in it as made."""
        result, error = gated.run_function(env, call.function, call.args)
        if error is not None:
            return None
        messages.append({"role": "assistant", "content": [_text("")], "tool_calls": [call]})
        answer: Message = {"role": "tool", "content": [_text(str(plain(result)))], "tool_call": call}
        messages.append({**answer, "tool_call_id": None, "error": None})
        return plain(result)


def _text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


def _texts(result: JsonValue) -> Sequence[str]:
    return [_flat(leaf) for leaf in leaves(result) if isinstance(leaf, str)]


def _flat(text: str) -> str:
    """Without line breaks, which YAML folds where the environment holds the text."""
    return " ".join(text.split())
