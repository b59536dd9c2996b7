"""A difference between two bundles tells every change once, with an example that both bundles really decide so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.evals.policy import diff_text
from handrail.evals.policy.diff import Change, Difference, compared, direction_of
from handrail.evals.policy.direction import Direction
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.vocabulary import Decision, Effect
from tests.unit.bundle.conftest import Folder
from tests.unit.evals.policy.planted import Entry, add_rule, cut, drop_rule, put, rewrite, set_rule, set_segment

Plant = Callable[[Path], None]


def _decisions(segment: str, **fields: JsonValue) -> Plant:
    """Give the decisions of a segment other fields."""
    file = f"segments/{segment}.yaml"
    return lambda bundle: rewrite(bundle, file, lambda content: content["decisions"].update(fields))  # type: ignore[union-attr]


def _at_most_one_reset(content: Entry) -> None:
    content["actions"] = {"allow": ["resend_code", "list_devices"], "deny": []}


EDITS: Mapping[str, tuple[Plant, tuple[str, ...], tuple[str, ...]]] = {
    "a stricter tier": (
        lambda bundle: set_rule(bundle, "risk.regulated", risk="critical"),
        ("gate_risk: risk high -> critical",),
        ("always_human",),
    ),
    "a rule of the gate is gone": (
        lambda bundle: drop_rule(bundle, "risk.injection"),
        ("gate_risk: automation restricted -> answer", "gate_risk: obligations -no_commitments"),
        (),
    ),
    "another effect": (
        lambda bundle: set_rule(bundle, "tools.high_risk", effect="refuse"),
        ("effect escalate -> refuse",),
        (),
    ),
    "a permit is gone": (
        lambda bundle: drop_rule(bundle, "turn.serve_unread"),
        ("apply_policy: effect allow -> escalate",),
        (),
    ),
    "an obligation more": (
        lambda bundle: set_rule(
            bundle, "risk.vulnerability", obligations=["offer_human", "no_commitments", "courtesy"]
        ),
        ("gate_risk: obligations +courtesy",),
        (),
    ),
    "a text may leave": (
        lambda bundle: add_rule(
            bundle, "output.planted", stage="guard_output", when={"speaker": "text"}, effect="escalate"
        ),
        ("guard_output: effect allow -> escalate", "guard_output: effect refuse -> escalate"),
        (),
    ),
    "one more question": (
        lambda bundle: set_rule(bundle, "retrieve.out_of_questions", effect="refuse"),
        ("retrieve: effect escalate -> refuse",),
        (),
    ),
    "another queue": (
        _decisions("incident", queue={"value": "senior", "precedence": 55}),
        ("apply_policy: queue incidents -> senior",),
        ("incident",),
    ),
    "a shorter time": (
        _decisions("enterprise", first_response_minutes=45, priority="urgent"),
        ("apply_policy: first_response_minutes 60 -> 45", "apply_policy: priority high -> urgent"),
        ("enterprise",),
    ),
    "other words": (
        _decisions("trial", tags=["tryout"], skills=[]),
        ("apply_policy: tags -trial", "apply_policy: tags +tryout", "apply_policy: skills -trial"),
        ("trial",),
    ),
    "another manner": (
        _decisions("prefers_short", depth={"value": "standard", "precedence": 90}),
        ("apply_policy: depth brief -> standard",),
        ("prefers_short",),
    ),
    "a tool is no longer granted": (
        lambda bundle: rewrite(bundle, "segments/access_restore.yaml", _at_most_one_reset),
        (
            "authorize_tools of reset_mfa: effect allow -> refuse",
            "authorize_tools of reset_mfa: effect not_yet -> refuse",
        ),
        ("access_restore",),
    ),
    "more to read": (
        lambda bundle: set_rule(bundle, "turn.scope_standard", scope={"authority": ["standard", "community"]}),
        ("apply_policy: scope +authority community",),
        (),
    ),
    "another reason": (
        lambda bundle: set_rule(bundle, "turn.close", reason="POLICY_COURTESY"),
        ("apply_policy: reasons -POLICY_SOLVED", "apply_policy: reasons +POLICY_COURTESY"),
        (),
    ),
}


def said(decision: Decision, change: Change, word: str) -> bool:
    """Whether a decision has what a change names."""
    name = change.dimension
    if name == "effect":
        return decision.effect.value == word
    if name in {"obligations", "reasons"}:
        return word in getattr(decision, name)
    if name == "scope":
        family, _, kind = word.partition(" ")
        return kind in decision.dimensions.scope.get(family, ())
    held = getattr(decision.dimensions, name)
    return word in held if isinstance(held, tuple) else str("none" if held is None else held) == word


def check_examples(found: Difference, before: Bundle, after: Bundle) -> None:
    """Every example is decided by `decide` as the change says, by the one bundle and by the other."""
    for change in found.changes:
        made = [one.policy.decide(
            change.stage, change.example.witness.facts(one, change.stage, change.subjects[0]), change.subjects[0]
        ) for one in (before, after)]  # fmt: skip
        assert [change.example.before, change.example.after] == made
        assert not change.before or said(made[0], change, change.before), change
        assert not change.after or said(made[1], change, change.after), change
        assert not change.before or not said(made[1], change, change.before), change
        assert not change.after or not said(made[0], change, change.after), change


TOGETHER = (
    ("a stricter tier", "another queue", "a tool is no longer granted", "a text may leave", "one more question"),
    ("a rule of the gate is gone", "another effect", "other words"),
    ("a permit is gone", "a shorter time", "another manner"),
    ("an obligation more", "more to read", "another reason"),
)
"""Edits that do not touch each other, so that one difference tells them all."""


@pytest.mark.parametrize("edits", TOGETHER)
def test_edits_give_their_changes(quick: Folder, shipped: Bundle, edits: tuple[str, ...]) -> None:
    """With stage, dimension, before and after, in which segments alone, and examples that reproduce."""
    for edit in edits:
        EDITS[edit][0](quick.path)
    after = load(quick.path)
    found = compared(shipped, after)
    told = {diff_text.headline(change): change for change in found.changes}
    for line, only_in in ((line, EDITS[edit][2]) for edit in edits for line in EDITS[edit][1]):
        matching = [change for headline, change in told.items() if line in headline]
        assert matching, (line, sorted(told))
        for change in matching:
            assert change.only_in == only_in, line
            assert change.direction is direction_of(change.dimension, change.before, change.after)
    check_examples(found, shipped, after)
    assert not found.same


def test_every_edit_is_tried() -> None:
    """In one of the groups."""
    assert sorted(edit for edits in TOGETHER for edit in edits) == sorted(EDITS)


def test_equal_bundles_decide_alike(shipped: Bundle, quick: Folder) -> None:
    """Another copy, with everything at other lines, differs in nothing."""
    rules = (quick.path / "rules/turn.yaml").read_text(encoding="utf-8")
    (quick.path / "rules/turn.yaml").write_text(f"# One line more.\n{rules}", encoding="utf-8")
    found = compared(shipped, load(quick.path))
    assert found.same
    assert not found.touched
    assert list(diff_text.lines(found))[-1] == "No input is decided differently."


def test_a_hold_of_another_length_is_told(shipped: Bundle, quick: Folder) -> None:
    """Who entered a segment longer ago than the one hold and shorter than the other is in it for one bundle alone."""
    set_segment(quick.path, "reopen_prone", hold_minutes=60)
    after = load(quick.path)
    found = compared(shipped, after)
    assert set(found.members) == {"reopen_prone"}
    assert found.members["reopen_prone"].earlier == {"reopen_prone": 3600.0}
    check_examples(found, shipped, after)
    assert any("in segment reopen_prone since 60 minutes ago" in line for line in diff_text.lines(found))


def test_a_segment_that_comes_or_goes_is_told(shipped: Bundle, quick: Folder) -> None:
    """With somebody who enters or leaves it, and what that changes."""
    set_segment(quick.path, "finance", status="ready")
    rewrite(quick.path, "bundle.yaml", lambda content: content["limits"].update(runtime_segments=20))  # type: ignore[union-attr]
    set_segment(quick.path, "high_effort", status="active")
    after = load(quick.path)
    found = compared(shipped, after)
    assert set(found.members) == {"finance", "high_effort"}
    assert found.members["finance"].contents["role"] == "finance"
    assert found.touched["segments"].changed == ("finance", "high_effort")
    assert found.touched["rules"].removed == ("segment.finance",)
    assert found.touched["rules"].added == ("segment.high_effort",)
    check_examples(found, shipped, after)


def test_a_tool_that_only_one_bundle_has_is_told(shipped: Bundle, quick: Folder) -> None:
    """What its calls can come to, because without it every call is refused; nothing about it is skipped silently."""
    tool = (quick.path / "tools/get_status.yaml").read_text(encoding="utf-8")
    (quick.path / "tools/get_news.yaml").write_text(tool.replace("id: get_status", "id: get_news"), encoding="utf-8")
    set_rule(quick.path, "tools.status", tools=["get_status", "get_news"])
    after = load(quick.path)
    gained, lost = compared(shipped, after), compared(after, shipped)
    assert [(one.tool, one.gained) for one in gained.tools] == [("get_news", True)]
    assert set(gained.tools[0].effects) == {Effect.ALLOW, Effect.REFUSE}
    assert [(one.tool, one.gained) for one in lost.tools] == [("get_news", False)]
    assert gained.touched["tools"].added == ("get_news",)
    assert (gained.same, lost.same) == (False, False)
    text = "\n".join(diff_text.lines(gained))
    assert "TOOLS GAINED (1)" in text
    assert "get_news: its calls can be refuse, allow" in text
    assert "No input is decided differently." not in text
    assert "TOOLS LOST (1)" in "\n".join(diff_text.lines(lost))


def test_what_changes_no_decision_is_listed_all_the_same(shipped: Bundle, quick: Folder) -> None:
    """Queues, attributes, texts, limits, experiments and invariants that differ are named, by kind."""
    rewrite(quick.path, "queues.yaml", put(77, "queues", 0, "handling_minutes"))
    rewrite(quick.path, "attributes.yaml", put(1, "attributes", 0, "max_age_days"))
    rewrite(quick.path, "bundle.yaml", put(2, "limits", "tool_rounds"))
    rewrite(quick.path, "invariants.yaml", cut("invariants", -1))
    rewrite(quick.path, "experiments.yaml", put(0.2, "holdouts", 0, "share"))
    found = compared(shipped, load(quick.path))
    assert found.same
    assert {kind: (held.added, held.removed, held.changed) for kind, held in found.touched.items()} == {
        "queues": ((), (), ("general",)),
        "attributes": ((), (), ("plan",)),
        "settings": ((), (), ("limits",)),
        "invariants": ((), (shipped.invariants[-1].entry.id,), ()),
        "holdouts": ((), (), (shipped.holdouts[0].id,)),
    }
    text = list(diff_text.lines(found))
    assert "  queues changed: general" in text
    assert text[-1] == "No input is decided differently."


def test_more_permissive_changes_come_first_and_json_says_the_same(shipped: Bundle, quick: Folder) -> None:
    """The order of changes is the order in which to look at them."""
    drop_rule(quick.path, "risk.injection")
    set_rule(quick.path, "risk.regulated", risk="critical")
    found = compared(shipped, load(quick.path))
    order = [list(Direction).index(change.direction) for change in found.changes]
    assert order == sorted(order)
    assert found.changes[0].direction is Direction.MORE_PERMISSIVE
    told = json.loads(json.dumps(diff_text.plain(found)))
    assert len(told["changes"]) == len(found.changes)
    assert told["changes"][0]["direction"] == "more permissive"
    assert told["touched"]["rules"] == {"added": [], "removed": ["risk.injection"], "changed": ["risk.regulated"]}
    short, long = list(diff_text.lines(found)), list(diff_text.lines(found, verbose=True))
    assert len(long) > len(short)
    assert any(line.strip().startswith("before allow:") for line in long)


@pytest.mark.parametrize(
    ("dimension", "before", "after", "direction"),
    [
        ("effect", "allow", "refuse", Direction.STRICTER),
        ("effect", "escalate", "not_yet", Direction.MORE_PERMISSIVE),
        ("risk", "high", "low", Direction.MORE_PERMISSIVE),
        ("automation", "answer", "human_first", Direction.STRICTER),
        ("obligations", "", "confirm", Direction.STRICTER),
        ("obligations", "confirm", "", Direction.MORE_PERMISSIVE),
        ("scope", "", "authority community", Direction.MORE_PERMISSIVE),
        ("scope", "authority community", "", Direction.STRICTER),
        ("queue", "general", "senior", Direction.OTHERWISE),
        ("reasons", "", "TURN_ANSWER", Direction.OTHERWISE),
    ],
)
def test_directions(dimension: str, before: str, after: str, direction: Direction) -> None:
    """A smaller scale, an obligation less and a class more are freedom; routing and reasons are neither."""
    assert direction_of(dimension, before, after) is direction
