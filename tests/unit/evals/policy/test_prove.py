"""Invariants are proved over all inputs, and a hole is found with the smallest input that really goes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
import z3
from pydantic import JsonValue

from handrail.evals.policy import proof_text
from handrail.evals.policy.claims import holds, relaxes, varies
from handrail.evals.policy.play import ordinary
from handrail.evals.policy.prove import Counterexample, Proof, ProofFault, Prover, prove
from handrail.evals.policy.space import Space
from handrail.evals.policy.witness import Finder, Undecided, Witness
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.invariants import Invariant
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.facts import FactKind
from handrail.guardrails.policy.matcher import Test as Leaf
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.policy.rule import Restrictions, Rule
from handrail.guardrails.vocabulary import Effect, FactContent, Obligation, RiskTier, Stage
from tests.unit.bundle.conftest import Folder
from tests.unit.evals.policy.planted import add_invariant, add_rule, drop_rule, entries, rewrite, set_rule, set_segment

Planted = Callable[[Path], None]


def named(bundle: Bundle, name: str) -> Invariant:
    """The invariant of that id."""
    (found,) = [one for one in bundle.invariants if one.entry.id == name]
    return found


def proof_of(bundle: Bundle, name: str) -> Proof:
    """What becomes of one invariant."""
    return Prover(bundle).prove(named(bundle, name))


def broken_by(bundle: Bundle, name: str) -> Counterexample:
    """The counterexample to one invariant, which there has to be."""
    found = proof_of(bundle, name)
    assert not found.proved
    assert found.counterexample is not None
    return found.counterexample


def breaks(bundle: Bundle, invariant: Invariant, subject: str, witness: Witness) -> bool:
    """Whether `decide`, asked about an input, breaks an invariant that claims something of each decision."""
    entry = invariant.entry
    facts = witness.facts(bundle, entry.stage, subject)
    made = bundle.policy.decide(entry.stage, facts, subject)
    met = invariant.when.truth(facts) is not False
    if entry.always is not None:
        return met and not holds(entry.always, made)
    assert entry.never is not None
    return met and holds(entry.never, made)


def less(bundle: Bundle, witness: Witness) -> list[Witness]:
    """The inputs that deviate from an ordinary turn in one thing less."""
    usual: Mapping[str, FactContent | None] = {**ordinary(bundle), "need_states": ()}
    found = [
        replace(witness, earlier={k: v for k, v in witness.earlier.items() if k != one}) for one in witness.earlier
    ]
    for name, held in witness.beyond.items():
        wanted = "low" if name == "risk" else usual.get(name)
        contents = {key: content for key, content in witness.contents.items() if key != name}
        found.append(replace(witness, contents=contents if wanted is None else {**contents, name: wanted}))
        for member in held if isinstance(held, tuple) else ():
            kept = tuple(one for one in witness.contents[name] if one != member)  # type: ignore[union-attr]  # a set
            found.append(replace(witness, contents={**witness.contents, name: kept}))
    return found


def _held_out(bundle: Path) -> None:
    set_rule(bundle, "turn.person_requested", floor=None)
    holdout: dict[str, JsonValue] = {
        "id": "planted",
        "meaning": "Whether people are needed at all.",
        "status": "ready",
        "share": 0.1,
        "without": ["turn.person_requested"],
        "owner": "nobody",
        "review_by": "2027-01-01",
    }
    rewrite(bundle, "experiments.yaml", lambda content: content["holdouts"].append(holdout))  # type: ignore[union-attr]


def _approval_by_segment(bundle: Path) -> None:
    """Only who is known to be new to the product needs an approval: who is not known to be anything needs none."""
    rewrite(bundle, "bundle.yaml", lambda content: content["limits"].update(runtime_segments=20))  # type: ignore[union-attr]
    set_segment(bundle, "maturity_new", status="active")
    set_rule(bundle, "tools.approve", when={"all": [{"call_approvals": {"below": 1}}, {"segment": "maturity_new"}]})


def _kept_segment(bundle: Path) -> None:
    """No person is offered to who is in a segment only because everybody stays in it for a day."""
    held: JsonValue = {"all": [{"segment": "reopen_prone"}, {"tickets_reopened_30d": {"at_most": 0}}]}
    when: JsonValue = {"all": [{"unresolved_turns": {"at_least": 2}}, {"not": held}]}
    set_rule(bundle, "turn.offer_person", when=when)


def _lets_a_finding_pass(bundle: Path) -> None:
    set_rule(bundle, "output.clean", when={"findings_count": {"at_most": 1}})
    set_rule(bundle, "output.refuse", when={"findings_count": {"above": 1}})
    drop_rule(bundle, "output.repair")


HOLES: Mapping[str, tuple[Planted, str, str, tuple[str, ...]]] = {
    "no approval": (
        lambda bundle: drop_rule(bundle, "tools.approve"),
        "no_harm_without_approval",
        "cancel_subscription",
        ("call_edit: favourable", "identity: verified"),
    ),
    "identified is enough": (
        lambda bundle: set_rule(bundle, "tools.verify", when={"not": {"identity": {"in": ["identified", "verified"]}}}),
        "no_change_without_verification",
        "cancel_subscription",
        ("call_approvals: ",),
    ),
    "nobody asks for a person": (
        lambda bundle: drop_rule(bundle, "turn.person_requested"),
        "person_request_never_refused",
        "turn",
        ("signals: [HUMAN_REQUESTED]",),
    ),
    "refunds at high risk": (
        lambda bundle: set_rule(
            bundle, "tools.high_risk", when={"all": [{"tool_access": "write"}, {"risk": "critical"}]}
        ),
        "no_refund_at_high_risk",
        "issue_refund",
        (),
    ),
    "the gate forgets": (
        lambda bundle: drop_rule(bundle, "risk.kept_critical"),
        "critical_risk_is_kept",
        "turn",
        ("earlier_risk: critical",),
    ),
    "an ignorable segment": (_approval_by_segment, "no_harm_without_approval", "cancel_subscription", ()),
    "a holdout": (_held_out, "person_request_never_refused", "turn", ("holdout:planted: true",)),
    "a kept segment": (
        _kept_segment,
        "second_unresolved_turn_offers_a_person",
        "turn",
        ("in segment reopen_prone since just now",),
    ),
    "a text with findings": (
        _lets_a_finding_pass,
        "nothing_found_leaves",
        "turn",
        ("findings_count: 1",),
    ),
}


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_found_by_the_invariant_that_it_breaks(quick: Folder, shipped: Bundle, hole: str) -> None:
    """Its counterexample breaks the invariant when `decide` is asked, and not with any deviation less."""
    plant, name, subject, shown = HOLES[hole]
    plant(quick.path)
    bundle = load(quick.path)
    found, invariant = broken_by(bundle, name), named(bundle, name)
    assert found.subject == subject
    assert breaks(bundle, invariant, found.subject, found.witness)
    assert found.decision == found.witness.decision(bundle, invariant.entry.stage, found.subject)
    for smaller in less(bundle, found.witness):
        assert not breaks(bundle, invariant, found.subject, smaller), (smaller, found.witness)
    assert not breaks(shipped, named(shipped, name), found.subject, found.witness)
    lines = found.witness.lines()
    for part in shown:
        assert any(part in line for line in lines), lines


def test_the_shipped_bundle_proves_all_its_invariants(shipped_proofs: tuple[Proof, ...], shipped: Bundle) -> None:
    """Every one, of at least twelve, holds for all inputs, and none is empty."""
    assert len(shipped_proofs) == len(shipped.invariants) >= 12
    assert [proof.invariant.entry.id for proof in shipped_proofs if not proof.proved or proof.vacuous] == []


def test_a_rule_about_an_attribute_that_lacks_the_purpose_does_not_even_load(quick: Folder) -> None:
    """Refunds by the value of an account, and risk by plan, are refused by the loader; the prover need not see them."""
    add_rule(
        quick.path,
        "tools.planted",
        stage="authorize_tools",
        tools=["issue_refund"],
        when={"value_tier": "high"},
        effect="allow",
    )
    add_rule(quick.path, "risk.planted", stage="gate_risk", when={"plan": "trial"}, risk="high")
    problems = "\n".join(quick.problems())
    assert "tools.planted sets effect by the value attribute value_tier, which lacks the purpose permission" in problems
    assert "risk.planted sets risk by the firmographic attribute plan, which lacks the purpose risk" in problems


def by_attribute(
    name: str, value: str, stage: Stage, restrictions: Restrictions, permits: Effect | None = None
) -> Rule:
    """A rule that reads an attribute, as it would stand in a bundle if the loader let it."""
    when = Leaf(name, FactKind.WORD, "is", value, lambda content: content == value)
    return Rule(f"planted.{name}", stage, "PLANTED", when, "planted:1", permits=permits, restrictions=restrictions)


@pytest.mark.parametrize(
    ("invariant", "rule"),
    [
        (
            "risk_is_blind_to_who_it_is",
            by_attribute("plan", "trial", Stage.GATE_RISK, Restrictions(risk=RiskTier.HIGH)),
        ),
        (
            "tools_are_blind_to_who_it_is",
            by_attribute("value_tier", "high", Stage.AUTHORIZE_TOOLS, Restrictions(), Effect.ALLOW),
        ),
        (
            "access_to_people_is_blind_to_who_it_is",
            by_attribute("plan", "trial", Stage.GATE_RISK, Restrictions(risk=RiskTier.CRITICAL)),
        ),
    ],
)
def test_two_inputs_that_differ_in_an_attribute_alone_are_shown(shipped: Bundle, invariant: str, rule: Rule) -> None:
    """A rule about who somebody is breaks blindness, at its own stage or through the tier that follows from it."""
    bundle = replace(shipped, policy=PolicySet([*shipped.policy.rules, rule], "planted"))
    entry = named(bundle, invariant).entry
    assert entry.unaffected_by is not None
    found = broken_by(bundle, invariant)
    assert found.other is not None
    assert found.other_decision is not None
    one, other = found.witness.contents, found.other.contents
    differing = {name for name in {*one, *other} if one.get(name) != other.get(name)}
    assert differing == {next(iter(rule.names()))}
    made = [each.decision(bundle, entry.stage, found.subject) for each in (found.witness, found.other)]
    assert [found.decision, found.other_decision] == made
    assert any(varies(aspect, *made) for aspect in entry.unaffected_by.aspects)
    shown = list(proof_text.lines(Proof(named(bundle, invariant), found, vacuous=False, seconds=0.0)))
    assert any("differing in these facts alone" in line for line in shown)


def test_a_signal_that_relaxes_is_shown_as_a_pair(quick: Folder) -> None:
    """Two real inputs, the second with signals more, and a decision that asks less."""
    when: JsonValue = {"not": {"signals": {"has": "FRUSTRATION"}}}
    add_rule(quick.path, "risk.planted", stage="gate_risk", when=when, obligations=["courtesy"])
    bundle = load(quick.path)
    found = broken_by(bundle, "another_risk_signal_never_relaxes_the_gate")
    assert found.other is not None
    assert found.other_decision is not None
    before, after = set(_signals(found.witness)), set(_signals(found.other))
    assert before < after
    made = [each.decision(bundle, Stage.GATE_RISK, found.subject) for each in (found.witness, found.other)]
    assert relaxes("obligations", *made)
    assert Obligation.COURTESY in made[0].obligations
    assert Obligation.COURTESY not in made[1].obligations


def _signals(witness: Witness) -> tuple[str, ...]:
    held = witness.contents["signals"]
    assert isinstance(held, tuple)
    return held


def test_a_signal_that_makes_stricter_breaks_nothing(quick: Folder) -> None:
    """Only lowering counts: a rule that asks more of a frustrated customer does not relax anything."""
    when: JsonValue = {"signals": {"has": "FRUSTRATION"}}
    add_rule(quick.path, "risk.planted", stage="gate_risk", when=when, obligations=["courtesy"], risk="medium")
    assert proof_of(load(quick.path), "another_risk_signal_never_relaxes_the_gate").proved


CLAIMS = [
    ("{stage: apply_policy, never: {reasons: [POLICY_UNKNOWN_FACT]}}", False),
    ("{stage: apply_policy, never: {reasons: [POLICY_NO_PERMIT]}}", False),
    ("{stage: gate_risk, when: {confidence: {known: false}}, always: {reasons: [POLICY_NO_PERMIT]}}", True),
    ("{stage: gate_risk, when: {confidence: {known: false}}, always: {effect: [escalate]}}", True),
    (("{stage: authorize_tools, when: {identity: {known: false}}, tools: [issue_refund], "
     "always: {reasons: [POLICY_UNKNOWN_FACT]}}"), True),
    ("{stage: apply_policy, always: {queue: [general]}}", False),
    ("{stage: apply_policy, never: {flow: [none]}}", False),
    ("{stage: apply_policy, when: {plan: {known: false}}, always: {scope: {authority: [authoritative]}}}", True),
    ("{stage: apply_policy, never: {priority_at_least: urgent}}", False),
    ("{stage: apply_policy, always: {priority_at_least: low}}", True),
    ("{stage: apply_policy, when: {need_state: incident}, always: {priority_at_least: high}}", False),
    ("{stage: apply_policy, when: {need_states: {has: incident}}, always: {priority_at_least: high}}", False),
    (("{stage: apply_policy, when: {all: [{need_states: {has: incident}}, {need_states: {known: true}}]}, "
     "always: {priority_at_least: high}}"), True),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "proved"), CLAIMS)
def test_every_claim_is_read_as_decide_reads_it(quick: Folder, claim: str, *, proved: bool) -> None:
    """Codes that no rule gives, dimensions where nothing is chosen, scope, priority: each proved or really broken."""
    add_invariant(quick.path, "planted", **yaml.safe_load(claim))
    bundle = load(quick.path)
    found = proof_of(bundle, "planted")
    assert found.proved is proved
    if found.counterexample is not None:
        assert breaks(bundle, named(bundle, "planted"), found.counterexample.subject, found.counterexample.witness)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stage": "apply_policy", "always": {"obligations": []}},
        {"stage": "apply_policy", "never": {"scope": {}}},
        {"stage": "apply_policy", "never": {"scope": {"authority": []}}},
        {"stage": "apply_policy", "never": {"scope": {"authority": ["comunity"]}}},
        {"stage": "apply_policy", "never": {"scope": {"plan": ["entreprise"]}}},
        {"stage": "apply_policy", "unaffected_by": {"facts": ["risk"], "aspects": ["effect"]}},
        {"stage": "authorize_tools", "unaffected_by": {"facts": ["tool_access"], "aspects": ["effect"]}},
        {"stage": "guard_output", "when": {"tool_access": "read"}, "never": {"effect": ["allow"]}},
    ],
)
def test_an_invariant_that_could_not_be_broken_does_not_load(quick: Folder, wrong: dict[str, JsonValue]) -> None:
    """What claims nothing, or speaks of words and inputs that do not exist, would be proved whatever policy says."""
    add_invariant(quick.path, "planted", **wrong)
    problems = quick.problems()
    assert problems
    assert all(problem.startswith("invariants.yaml:") for problem in problems)


def test_an_invariant_whose_condition_is_never_met_is_vacuous(quick: Folder) -> None:
    """It is not proved, and the report says so and where it stands."""
    contradiction: JsonValue = {"all": [{"in_flow": {"known": True}}, {"in_flow": {"known": False}}]}
    add_invariant(quick.path, "planted", stage="apply_policy", when=contradiction, never={"effect": ["allow"]})
    found = proof_of(load(quick.path), "planted")
    assert (found.vacuous, found.proved) == (True, False)
    shown = list(proof_text.lines(found))
    assert shown[0].startswith("vacuous  planted")
    assert any("says nothing" in line for line in shown)


def test_a_tool_on_which_the_condition_is_never_met_does_not_make_an_invariant_vacuous(quick: Folder) -> None:
    """It says something where it is met for one of its tools."""
    tools: JsonValue = ["get_status", "issue_refund"]
    when: JsonValue = {"all": [{"tool_access": "write"}, {"call_schema_valid": False}]}
    add_invariant(quick.path, "planted", stage="authorize_tools", tools=tools, when=when, never={"effect": ["allow"]})
    assert proof_of(load(quick.path), "planted").proved


def test_a_fact_of_a_tool_is_read_as_the_tool_declares_it(quick: Folder) -> None:
    """A rule for what cannot be undone speaks of the tools that say so, and of no other."""
    tools: Mapping[bool, list[str]] = {True: [], False: []}
    for name, spec in load(quick.path).tools.items():
        tools[spec.reversible].append(name)
    assert tools[True]
    assert tools[False]
    add_rule(quick.path, "tools.planted", stage="authorize_tools", when={"tool_reversible": False}, effect="escalate")
    claim: JsonValue = {"effect": ["escalate"]}
    add_invariant(quick.path, "planted_never", stage="authorize_tools", tools=[*tools[False]], always=claim)
    add_invariant(quick.path, "planted_other", stage="authorize_tools", tools=[*tools[True]], always=claim)
    bundle = load(quick.path)
    assert proof_of(bundle, "planted_never").proved
    broken = broken_by(bundle, "planted_other")
    assert broken.decision.effect is not Effect.ESCALATE


def test_a_solver_that_gives_up_has_proved_nothing(shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is neither yes nor no is an error that says so, never a proof."""
    monkeypatch.setattr(z3.Solver, "check", lambda *_: z3.unknown)
    monkeypatch.setattr(z3.Solver, "reason_unknown", lambda _: "timeout")
    with pytest.raises(Undecided, match=r"gave up \(timeout\), so nothing is proved"):
        proof_of(shipped, "critical_risk_is_kept")
    with pytest.raises(Undecided):
        Finder(Space([shipped])).smallest(z3.BoolVal(True))


def test_a_counterexample_that_does_not_reproduce_is_a_fault_not_a_proof(
    shipped: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the logic ever say something else than `decide`, the prover says so instead of reporting either."""
    monkeypatch.setattr("handrail.evals.policy.prove.formula", lambda *_: z3.BoolVal(False))
    with pytest.raises(ProofFault, match=r"critical_risk_is_kept: .* was said to break it and does not"):
        proof_of(shipped, "critical_risk_is_kept")


def test_a_broken_invariant_is_printed_in_the_terms_of_the_bundle(quick: Folder) -> None:
    """The invariant, what it says and where, the input as facts, and the decision with its reasons and rules."""
    drop_rule(quick.path, "turn.person_requested")
    bundle = load(quick.path)
    found = proof_of(bundle, "person_request_never_refused")
    shown = "\n".join(proof_text.lines(found))
    assert shown.startswith("BROKEN   person_request_never_refused")
    assert "A request for a person is never refused, whatever else is true." in shown
    assert "[invariants.yaml:" in shown
    assert "signals: [HUMAN_REQUESTED]" in shown
    assert "-> allow, risk low, automation answer" in shown
    assert "reasons POLICY_UNREAD_TRIED" in shown
    assert "rules turn.serve_unread" in shown
    told = proof_text.plain([found], bundle.revision)
    assert told["proved"] == 0
    (entry,) = entries(told, "invariants")
    assert entry["outcome"] == "broken"
    (example,) = entries(entry, "counterexample")
    assert example["facts"]["signals"] == ["HUMAN_REQUESTED"]  # type: ignore[index, call-overload]


def test_a_tier_that_has_to_be_unknown_is_said_to_be(quick: Folder) -> None:
    """It never is, because the gate finds one; what relies on that is broken all the same, and the report says how."""
    set_rule(quick.path, "turn.critical", when={"all": [{"risk": {"known": True}}, {"risk": "critical"}]})
    bundle = load(quick.path)
    found = broken_by(bundle, "critical_risk_reaches_a_person")
    assert found.witness.lines() == ("risk: null",)
    assert breaks(bundle, named(bundle, "critical_risk_reaches_a_person"), found.subject, found.witness)


def test_an_ordinary_turn_that_breaks_an_invariant_is_called_one(quick: Folder) -> None:
    """When nothing unusual is needed, the report says just that."""
    add_invariant(quick.path, "planted", stage="apply_policy", never={"effect": ["allow"]})
    shown = list(proof_text.lines(proof_of(load(quick.path), "planted")))
    assert any(line.strip() == "(an ordinary turn)" for line in shown)


def test_chosen_invariants_alone_are_proved(shipped: Bundle) -> None:
    """In the order in which they are named."""
    chosen = [named(shipped, "critical_risk_is_kept"), named(shipped, "kept_risk_is_not_lowered")]
    assert [proof.invariant for proof in prove(shipped, chosen)] == chosen
