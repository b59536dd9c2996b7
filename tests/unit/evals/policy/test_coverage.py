"""Coverage counts what tests look at, of what can occur, and writes the missing cases for somebody to answer."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import yaml

from handrail.evals.policy.case_run import CaseResult, run_case
from handrail.evals.policy.case_shapes import CasesFile
from handrail.evals.policy.cases import PlacedCase, load_cases
from handrail.evals.policy.coverage import Atlas, Cell, Coverage, Missing, coverage, decides
from handrail.evals.policy.coverage_text import FILL_IN, cases, lines, plain
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import Stage
from tests.unit.evals.policy.planted import rewrite


@pytest.fixture(scope="module")
def atlas(small: Bundle) -> Atlas:
    """What can occur in the small bundle."""
    return Atlas(small)


@pytest.fixture(scope="module")
def possible(atlas: Atlas) -> frozenset[Cell]:
    """Every cell of the small bundle that some input produces."""
    return frozenset(atlas.possible())


def results(bundle: Bundle, *texts: str) -> list[CaseResult]:
    """Cases given as YAML, run; each has to pass."""
    held = CasesFile.model_validate({"cases": [{"name": "one", **yaml.safe_load(f"{{{text}}}")} for text in texts]})
    ran = [run_case(bundle, PlacedCase(case, {}, "tests/one.yaml:1")) for case in held.cases]
    assert [one.failures for one in ran] == [()] * len(ran)
    return ran


def covered(bundle: Bundle, atlas: Atlas, *texts: str) -> Coverage:
    """What these cases look at."""
    return coverage(bundle, results(bundle, *texts), atlas)


def test_only_what_some_input_produces_is_asked_for(possible: frozenset[Cell], small: Bundle) -> None:
    """A rule about how-to questions has no cell for incidents, and who asks one is in the segment."""
    assert {cell.need for cell in possible if cell.rule == "turn.serve"} == {"how_to", "incident", "unknown"}
    assert Cell("turn.serve", "how_to", "none") in possible
    assert Cell("segment.how_to", "how_to", "how_to") in possible
    assert {cell.rule for cell in possible} == {rule.id for rule in small.policy.rules}
    assert {cell.segment for cell in possible} == {"none", "how_to", "enterprise", "reopen_prone"}


def test_a_rule_that_can_never_determine_anything_has_no_cell(small_copy: Path) -> None:
    """Nor is a dimension asked for that another rule always decides."""

    def overruled(content: dict[str, object]) -> None:
        content["rules"] += [  # type: ignore[operator]
            {"id": "turn.first", "stage": "apply_policy", "reason": "POLICY_DEFAULT_QUEUE", "why": "All of them.",
             "queue": {"value": "identity", "precedence": 99}, "priority": "urgent"},
            {"id": "turn.never", "stage": "apply_policy", "reason": "POLICY_DEFAULT_QUEUE", "why": "Nobody.",
             "when": {"all": [{"plan": {"known": True}}, {"plan": {"known": False}}]}, "tags": ["nobody"]},
        ]  # fmt: skip

    rewrite(small_copy, "rules/all.yaml", overruled)  # type: ignore[arg-type]
    bundle = load(small_copy)
    found = coverage(bundle, [], Atlas(bundle))
    rules = {cell.rule for cell in found.possible}
    assert "turn.first" in rules
    assert not {"turn.queue", "turn.never"} & rules
    assert set(found.dimensions["reopen_prone"]) == {"obligations"}
    assert set(found.dimensions["enterprise"]) == {"skills", "first_response_minutes"}


def test_a_rule_of_any_tool_counts_for_the_tool_that_it_can_determine(small_copy: Path) -> None:
    """Not only for the first by name: get_status is read, and a rule about what is written is not about it."""

    def about_writes(content: dict[str, object]) -> None:
        content["rules"].append(  # type: ignore[attr-defined]
            {"id": "tools.writes", "stage": "authorize_tools", "reason": "TOOL_HIGH_RISK", "why": "Writes.",
             "when": {"tool_access": "write"}, "effect": "refuse"}
        )  # fmt: skip

    rewrite(small_copy, "rules/all.yaml", about_writes)  # type: ignore[arg-type]
    bundle = load(small_copy)
    atlas = Atlas(bundle)
    assert "tools.writes" in {cell.rule for cell in atlas.possible()}
    about = {one.subject for one in atlas.missing(frozenset()) if one.rule == "tools.writes"}
    assert about == {"issue_refund"}


def test_a_case_counts_only_at_the_stages_that_it_looks_at(small: Bundle, atlas: Atlas) -> None:
    """It exercises the rules that determine the decision it expects something of, in every segment it is in."""
    found = covered(small, atlas, "facts: {need_state: how_to, plan: enterprise}, expect: {gate_risk: {effect: allow}}")
    assert found.hit == {Cell("gate.baseline", "how_to", one) for one in ("none", "how_to", "enterprise")}
    more = covered(small, atlas, "facts: {need_state: how_to}, expect: {apply_policy: {effect: allow}}")
    assert Cell("turn.serve", "how_to", "how_to") in more.hit
    assert Cell("turn.queue", "how_to", "none") in more.hit
    assert not [cell for cell in more.hit if cell.rule.startswith(("gate.", "tools.", "turn.person"))]
    assert covered(small, atlas, "expect: {segments: {outside: [how_to]}}").hit == frozenset()


@pytest.mark.parametrize(
    ("expected", "segment", "name", "count"),
    [
        ("depth: detailed", "how_to", "depth", 1),
        ("tags: [how_to]", "how_to", "tags", 1),
        ("tags_not: [finance]", "how_to", "tags", 0),
        ("obligations: [cite_sources]", "how_to", "obligations", 1),
        ("obligations_not: [confirm]", "how_to", "obligations", 0),
        ("effect: allow", "how_to", "depth", 0),
        ("skills: [enterprise]", "enterprise", "skills", 1),
        ("skills: []\n, effect: allow", "enterprise", "skills", 0),
        ("first_response_minutes: 60", "enterprise", "first_response_minutes", 1),
        ("first_response_minutes: 60", "enterprise", "priority", 0),
        ("queue: senior", "reopen_prone", "queue", 1),
        ("obligations: [offer_human]", "how_to", "soft0.obligations", 1),
        ("obligations: [cite_sources]", "how_to", "soft0.obligations", 0),
    ],
)
def test_a_dimension_counts_where_the_expectation_looks_at_it(
    small: Bundle, atlas: Atlas, expected: str, segment: str, name: str, count: int
) -> None:
    """Of words, an expectation has to name one that the segment says: what is absent anyway is not looked at."""
    facts = "need_state: how_to, plan: enterprise, tickets_reopened_30d: 1, signals: [STILL_UNRESOLVED]"
    found = covered(small, atlas, f"facts: {{{facts}}}, expect: {{apply_policy: {{{expected}}}}}")
    assert found.dimensions[segment][name] == count


def test_a_dimension_that_another_rule_decides_does_not_count(small: Bundle, atlas: Atlas) -> None:
    """A queue of the default rule, looked at while nobody is in the segment, is not the segment's."""
    found = covered(small, atlas, "expect: {apply_policy: {queue: general}}")
    assert found.dimensions["reopen_prone"]["queue"] == 0
    assert Cell("turn.queue", "unknown", "none") in found.hit


def test_what_a_rule_decides_has_the_names_of_expectations(small: Bundle) -> None:
    """A trigger's obligation is told apart from the segment's own."""
    by_id = {rule.id: decides(rule) for rule in small.policy.rules}
    assert by_id["segment.how_to"] == ("obligations", "tags", "depth")
    assert by_id["segment.how_to.soft0"] == ("soft0.obligations",)
    assert by_id["segment.enterprise"] == ("priority", "first_response_minutes", "skills")
    assert by_id["tools.refund"] == ("refund",)


def everything_missing(bundle: Bundle, atlas: Atlas, ran: list[CaseResult]) -> list[Missing]:
    """What coverage would write for cases that ran."""
    found = coverage(bundle, ran, atlas)
    return [*chain(atlas.unlooked(found.dimensions), atlas.missing(found.hit))]


def filled_in(text: str) -> str:
    """The written cases with today's effect in place of what is to be filled in."""
    found: list[str] = []
    today = ""
    for line in text.splitlines(keepends=True):
        comment = re.match(r"  # Today: (\w+),", line)
        today = comment[1] if comment else today
        found.append(line.replace(FILL_IN, today))
    return "".join(found)


def round_trip(folder: Path, bundle: Bundle, missing: list[Missing]) -> list[CaseResult]:
    """The missing cases as they are written, answered with today's effect, read and run."""
    text = "".join(cases(missing, bundle))
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests/missing.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="effect"):
        load_cases(folder, bundle)
    (folder / "tests/missing.yaml").write_text(filled_in(text), encoding="utf-8")
    return [run_case(bundle, one) for one in load_cases(folder, bundle)]


def test_written_cases_pass_once_answered_and_cover_what_they_were_written_for(
    tmp_path: Path, small: Bundle, atlas: Atlas, possible: frozenset[Cell]
) -> None:
    """Before they are answered they do not load; afterwards nothing is missing any more."""
    missing = everything_missing(small, atlas, [])
    assert {one.stage for one in missing} == set(Stage) & {
        Stage.GATE_RISK, Stage.APPLY_POLICY, Stage.RETRIEVE, Stage.AUTHORIZE_TOOLS, Stage.GUARD_OUTPUT,
    }  # fmt: skip
    ran = round_trip(tmp_path, small, missing)
    assert len(ran) == len(missing)
    assert [(one.placed.case.name, one.failures) for one in ran if one.failures] == []
    found = coverage(small, ran, atlas)
    assert {(cell.rule, cell.need) for cell in found.hit} == {(cell.rule, cell.need) for cell in possible}
    assert found.rules_missed() == ()
    # An effect alone looks at no dimension of a segment, so these are asked for again.
    again = [one.about for one in missing if not one.about.startswith("need ")]
    assert [one.about for one in everything_missing(small, atlas, ran)] == again


def test_cases_of_the_shipped_bundle_pass_once_answered_too(tmp_path: Path, shipped: Bundle) -> None:
    """With its flows, holds, holdouts, facts of calls and tools: every rule that can determine something here."""
    needs = shipped.facts["need_state"].values
    assert needs is not None
    others = [need for need in needs if need not in {"unknown", "access_restore"}]
    hit = frozenset(Cell(rule.id, need, "none") for rule in shipped.policy.rules for need in others)
    missing = list(Atlas(shipped).missing(hit))
    assert len(missing) > 100
    ran = round_trip(tmp_path, shipped, missing)
    assert [(one.placed.case.name, one.failures) for one in ran if one.failures] == []


def test_today_is_what_is_decided(small: Bundle, atlas: Atlas) -> None:
    """The comment above a written case names effect and reasons of the input that it gives."""
    missing = [one for one in everything_missing(small, atlas, []) if one.rule == "tools.approve"]
    text = "".join(cases(missing[:1], small))
    made = missing[0].witness.decision(small, Stage.AUTHORIZE_TOOLS, missing[0].subject)
    assert f"  # Today: {made.effect}, {', '.join(made.reasons)}\n" in text
    (case,) = yaml.safe_load(text)["cases"]
    assert case["tool"] == "issue_refund"
    assert case["expect"] == {"authorize_tools": {"effect": FILL_IN, "rules": ["tools.approve"]}}


def test_who_is_held_in_a_segment_is_written_in_minutes(small: Bundle, atlas: Atlas) -> None:
    """Seconds since a segment was entered become the minutes that `earlier` takes."""
    missing = next(iter(everything_missing(small, atlas, [])))
    for age, minutes in ((0.0, 0.0), (1800.0, 30.0), (10.0**9, 525_600.0)):
        held = replace(missing, witness=replace(missing.witness, earlier={"reopen_prone": age}))
        (case,) = yaml.safe_load("".join(cases([held], small)))["cases"]
        assert case["earlier"] == {"reopen_prone": minutes}


def test_the_report_says_what_is_looked_at_of_what_can_occur(small_folder: Path, small: Bundle, atlas: Atlas) -> None:
    """As a table, with the rules and dimensions that nobody looks at, and the same for programs."""
    ran = [run_case(small, one) for one in load_cases(small_folder, small)]
    found = coverage(small, ran, atlas)
    text = list(lines(found))
    assert any(line.startswith("turn.serve ") and "2/4" in line for line in text)
    missed = next(line for line in text if line.startswith("Rules that no test looks at: "))
    assert missed.endswith(", ".join(found.rules_missed()))
    assert "gate.kept" in missed
    assert "  enterprise: first_response_minutes" in text
    assert f"Rules: {17 - len(found.rules_missed())} of 17 looked at" in text
    told = plain(found)
    assert (told["possible"], told["hit"]) == (len(found.possible), len(found.hit))
    assert len(told["missing"]) == len(found.possible) - len(found.hit)  # type: ignore[arg-type]
    assert told["rules_missed"] == list(found.rules_missed())


def test_a_bundle_that_asks_for_no_need_state_has_one_column_for_each(small_copy: Path) -> None:
    """Tests are still told by need state, though it makes no difference."""

    def without(content: dict[str, object]) -> None:
        rules: list[dict[str, object]] = content["rules"]  # type: ignore[assignment]
        content["rules"] = [one for one in rules if one["id"] != "turn.serve"]

    rewrite(small_copy, "rules/all.yaml", without)  # type: ignore[arg-type]
    bundle = load(small_copy)
    needs = bundle.facts["need_state"].values
    found = coverage(
        bundle,
        results(bundle, "facts: {need_state: incident}, expect: {apply_policy: {queue: general}}"),
        Atlas(bundle),
    )
    assert {cell.need for cell in found.possible if cell.rule == "turn.queue"} == set(needs or ())
    assert found.hit == {Cell("turn.queue", "incident", "none"), Cell("turn.read", "incident", "none")}
