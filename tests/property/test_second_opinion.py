"""Whatever a second opinion says: nothing that detection found is lost, and nothing is less risky (S5.1, S5.2)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from handrail.agent.facts import message_facts
from handrail.agent.opinion import CONFIDENCE, USED, joined
from handrail.agent.ports import Opinion
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.facts import Facts, fact
from handrail.guardrails.vocabulary import Decision, Detection, NeedState, Signal, Stage

BUNDLE = load(Path(str(files("handrail.guardrails") / "policies")))
STATE_OF = BUNDLE.detection.need_state_of
CODES = tuple(signal.code for signal in BUNDLE.detection.signals)


@st.composite
def named(draw: st.DrawFn) -> tuple[NeedState | None, str | None]:
    """A need state, perhaps unknown, and perhaps an intent of it."""
    state = draw(st.none() | st.sampled_from(NeedState))
    intents = [intent for intent, of in STATE_OF.items() if of is state]
    return state, draw(st.none() | st.sampled_from(intents)) if intents else None


@st.composite
def readings(draw: st.DrawFn) -> Detection:
    """What detection might say."""
    state, intent = draw(named())
    more = draw(st.lists(st.sampled_from(NeedState), max_size=2)) if state is not None else []
    signals = draw(st.lists(st.sampled_from(CODES), max_size=3, unique=True))
    return Detection(
        need_state=state,
        intent=intent,
        confidence=draw(st.floats(0, 1)),
        need_states=tuple(dict.fromkeys((state, *more))) if state is not None else (),
        alternatives=(),
        signals=tuple(Signal(code=code, detector="drawn", score=1.0) for code in signals),
        language="en",
    )


def risk(detection: Detection) -> Decision:
    """What the risk gate says of a message that begins a matter."""
    return BUNDLE.policy.decide(
        Stage.GATE_RISK, Facts.of((*message_facts(detection), fact("earlier_risk", "low", "conversation")))
    )


@given(readings(), named())
def test_an_opinion_only_adds(local: Detection, said: tuple[NeedState | None, str | None]) -> None:
    """Signals and need states stay, the gate lets no more pass, confidence is capped, and an opinion is marked."""
    after, outcome = joined(local, Opinion(need_state=said[0], intent=said[1]), BUNDLE.policy)
    assert set(local.signals) <= set(after.signals)
    assert set(local.need_states) <= set(after.need_states)
    before, now = risk(local), risk(after)
    assert now.effect >= before.effect
    assert now.dimensions.risk >= before.dimensions.risk
    assert now.dimensions.automation >= before.dimensions.automation
    assert set(before.obligations) <= set(now.obligations)
    used = any(signal.code == USED for signal in after.signals)
    assert used is (outcome == "used") is (after != local)
    if used:
        assert after.confidence in {local.confidence, CONFIDENCE}
        assert now.dimensions.risk.value != "low"
    if used and after.need_state is not local.need_state:
        assert after.confidence == CONFIDENCE


@given(named())
def test_an_unknown_need_is_filled(said: tuple[NeedState | None, str | None]) -> None:
    """Any need state is taken for a message that detection could not place, and unknown leaves it so."""
    state, intent = said
    local = Detection(
        need_state=None, intent=None, confidence=0.3, need_states=(), alternatives=(), signals=(), language="en"
    )
    after, outcome = joined(local, Opinion(need_state=state, intent=intent), BUNDLE.policy)
    assert (after.need_state, after.intent) == said
    assert outcome == ("unknown" if state is None else "used")
