"""An example is a real input, as ordinary and as empty as it can be."""

from __future__ import annotations

import z3

from handrail.evals.policy.play import completed, ordinary
from handrail.evals.policy.space import Space
from handrail.evals.policy.symbolic import Decisions
from handrail.evals.policy.witness import LONG_AGO, Finder, Witness
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.vocabulary import Stage

TRUE = z3.BoolVal(True)
FALSE = z3.BoolVal(False)


def test_anything_at_all_is_shown_by_an_ordinary_turn(shipped: Bundle, shipped_space: Space) -> None:
    """Nothing is told of it, and each of its facts is what an ordinary turn has."""
    finder = Finder(shipped_space)
    model = finder.smallest(TRUE)
    assert model is not None
    found = finder.witness(model)
    assert (found.lines(), found.beyond, found.earlier) == ((), {}, {})
    usual = completed(ordinary(shipped))
    assert {name for name, content in found.contents.items() if name != "risk" and usual[name] != content} == set()


def test_what_is_not_possible_has_no_example(shipped_space: Space) -> None:
    """A contradiction, and two values of one fact."""
    finder = Finder(shipped_space)
    identity = shipped_space.variables["identity"].values
    one, other = list(identity.values())[:2]
    assert finder.smallest(FALSE) is None
    assert not finder.possible(one, other)
    assert not finder.possible(one, z3.Not(shipped_space.variables["identity"].known))
    assert finder.possible(one)
    assert finder.possible(TRUE)


def test_a_question_leaves_nothing_behind(shipped_space: Space) -> None:
    """The next one is asked of all inputs again, whatever the one before was about."""
    finder = Finder(shipped_space)
    identity = shipped_space.variables["identity"]
    for value, here in identity.values.items():
        model = finder.smallest(here, z3.Or(here, identity.known))
        assert model is not None
        assert finder.witness(model).contents["identity"] == value


def test_wishes_come_true_where_they_can(shipped_space: Space) -> None:
    """In their order, and before what is ordinary."""
    finder = Finder(shipped_space)
    plan, flow = shipped_space.variables["plan"], shipped_space.variables["in_flow"]
    model = finder.smallest(z3.Not(plan.known), prefer=[plan.values["trial"], flow.values[True]])
    assert model is not None
    assert finder.witness(model).lines() == ("in_flow: true",)


def test_what_detection_cannot_give_is_left_out_where_it_is_asked_so(shipped_space: Space) -> None:
    """A main need state that is none of all need states is an input, but no plausible one."""
    need, needs = shipped_space.variables["need_state"], shipped_space.variables["need_states"]
    odd = z3.And(need.values["how_to"], needs.known, z3.Not(needs.values["how_to"]))
    assert Finder(shipped_space).possible(odd)
    assert not Finder(shipped_space, plausible=True).possible(odd)
    assert Finder(shipped_space, plausible=True).possible(z3.And(need.values["unknown"], needs.values["how_to"]))


def test_an_example_is_told_by_what_differs_from_an_ordinary_turn() -> None:
    """Facts by name, what is unknown though it is usually known, and segments with their age."""
    told = Witness(
        contents={"plan": "trial", "signals": ("A", "B"), "in_flow": True, "confidence": 0.5},
        earlier={"how_to": 0.0, "incident": 5400.0, "trial": LONG_AGO},
        beyond={"plan": "trial", "signals": ("A", "B"), "in_flow": True, "confidence": 0.5, "identity": None},
    )
    assert told.lines() == (
        "confidence: 0.5",
        "identity: null",
        "in_flow: true",
        "plan: trial",
        "signals: [A, B]",
        "in segment how_to since just now",
        "in segment incident since 90 minutes ago",
        "in segment trial since long ago",
    )


def test_the_age_of_a_membership_is_as_small_as_its_holds_leave_open(shipped_space: Space) -> None:
    """Who is held has just entered; who is held no more did so when the hold is over, and a second before is held."""
    finder = Finder(shipped_space)
    inside = shipped_space.earlier["reopen_prone"]
    young = shipped_space.younger["reopen_prone", 1440]
    held, over = finder.smallest(inside, young), finder.smallest(inside, z3.Not(young))
    assert held is not None
    assert over is not None
    assert finder.witness(held).earlier == {"reopen_prone": 0.0}
    assert finder.witness(over).earlier == {"reopen_prone": LONG_AGO}
    assert not finder.possible(young, z3.Not(inside))


def test_the_facts_of_an_example_are_those_that_the_stage_sees(shipped: Bundle) -> None:
    """The tier follows from the facts, unless it is not known; a tool brings its own."""
    known = Witness(contents={**ordinary(shipped), "risk": "low", "signals": ("RISK_FRAUD",), "tool_access": "read"})
    unknown = Witness(contents={key: content for key, content in known.contents.items() if key != "risk"})
    assert known.facts(shipped, Stage.APPLY_POLICY).content("risk") == "critical"
    assert unknown.facts(shipped, Stage.APPLY_POLICY).content("risk") is None
    refund = known.facts(shipped, Stage.AUTHORIZE_TOOLS, "issue_refund")
    assert (refund.content("tool"), refund.content("tool_access")) == ("issue_refund", "write")
    assert known.decision(shipped, Stage.AUTHORIZE_TOOLS, "issue_refund").subject == "issue_refund"


def test_tools_share_what_they_read_alike(shipped_decisions: Decisions) -> None:
    """A condition about neither tier nor tool is the same formula for every tool, and so is membership."""
    one = shipped_decisions.reading(Stage.AUTHORIZE_TOOLS, "issue_refund")
    other = shipped_decisions.reading(Stage.AUTHORIZE_TOOLS, "get_status")
    rules = {rule.id: rule for rule in one.bundle.policy.rules}
    assert one.truth(rules["tools.schema"].when) is other.truth(rules["tools.schema"].when)
    assert one.truth(rules["tools.high_risk"].when) is not other.truth(rules["tools.high_risk"].when)
    assert one.members is other.members
