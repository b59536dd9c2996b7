"""Mistakes of every kind are made in a bundle, the same ones every time, and each is caught, harmless, or survives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.evals.policy.mutate import Bench, Fate, Outcome, Score, findings, made, run, sampled
from handrail.evals.policy.mutation import Edit, Kind, Mutation, items, mutated
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.errors import ConfigError
from handrail.guardrails.yamlsource import read
from tests.unit.evals.policy.planted import Entry, cut, put, rewrite

TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def known(small_folder: Path, small: Bundle) -> tuple[Mutation, ...]:
    """Every mutation of the small bundle."""
    return made(small_folder, small)


@pytest.fixture(scope="module")
def bench(small_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the small bundle in which mistakes are made."""
    return Bench.set_up(small_folder, tmp_path_factory.mktemp("bench"), partial(findings, today=TODAY))


def one(known: tuple[Mutation, ...], containing: str) -> Mutation:
    """The mutation whose name contains this."""
    (found,) = [mutation for mutation in known if containing in mutation.name]
    return found


def test_each_kind_of_mistake_is_made(known: tuple[Mutation, ...]) -> None:
    """In a bundle that has something of everything."""
    assert {mutation.kind for mutation in known} == set(Kind)


def test_a_mutation_changes_one_place_of_one_file(
    known: tuple[Mutation, ...], small_folder: Path, small: Bundle
) -> None:
    """It differs from what stands there, no two of a file are alike, and names are told apart."""
    assert len({mutation.name for mutation in known}) == len(known)
    for mutation in known:
        original = _content(small_folder, mutation.file)
        assert mutation.content != original, mutation.name
    assert made(small_folder, small) == known


def _content(folder: Path, file: str) -> JsonValue:
    document = read(folder / file, file, [])
    assert document is not None
    return document.content


def test_an_edit_leaves_the_rest_as_it_is() -> None:
    """Replacing and taking away, in lists and mappings, deep in a content that itself stays untouched."""
    content: JsonValue = {"rules": [{"id": "one", "when": {"any": [1, 2, 3]}}]}
    path = ("rules", 0, "when", "any", 1)
    gone = mutated("f.yaml", content, Edit(Kind.DROPPED_PART, path, "gone", gone=True))
    swapped = mutated("f.yaml", content, Edit(Kind.MOVED_BOUND, path, "swapped", 7))
    key = mutated("f.yaml", content, Edit(Kind.DROPPED_CONDITION, ("rules", 0, "when"), "gone", gone=True))
    assert gone.content == {"rules": [{"id": "one", "when": {"any": [1, 3]}}]}
    assert swapped.content == {"rules": [{"id": "one", "when": {"any": [1, 7, 3]}}]}
    assert key.content == {"rules": [{"id": "one"}]}
    assert content == {"rules": [{"id": "one", "when": {"any": [1, 2, 3]}}]}
    assert gone.name == "f.yaml rules.0.when.any.1: gone"
    assert list(items(content, "rules", 0, "when", "nothing")) == []
    with pytest.raises(LookupError):
        mutated("f.yaml", content, Edit(Kind.MOVED_BOUND, ("rules", "one", "two"), "nowhere", 7))


def test_a_sample_is_the_same_for_a_seed_and_even_over_kinds(known: tuple[Mutation, ...]) -> None:
    """So that a score can be repeated, and no kind is left out because another is frequent."""
    kinds = {mutation.kind for mutation in known}
    sample = sampled(known, len(kinds), seed=1)
    assert sample == sampled(known, len(kinds), seed=1)
    assert {mutation.kind for mutation in sample} == kinds
    assert sample != sampled(known, len(kinds), seed=2)
    assert len({mutation.name for mutation in sampled(known, 10_000, seed=1)}) == len(known)
    assert sampled((), 5, seed=1) == ()


FATES = [
    ("HUMAN_REQUESTED is misspelt", Fate.LOAD, "did you mean 'HUMAN_REQUESTED'"),
    ("rules.0.when: confidence is misspelt", Fate.LOAD, "did you mean 'confidence'"),
    ("rules.5: turn.person is gone", Fate.TEST, "a person on request"),
    ("rules.1: gate.kept is gone", Fate.PROVE, "kept: High risk stays."),
    ("rules.10.when: negated", Fate.TEST, "a refund waits"),
    ("rules.12: output.clean is gone", Fate.TEST, "a clean text leaves"),
    ("plan: sla", Fate.LOAD, ""),
    ("plan: compliance", Fate.EQUIVALENT, "no input is decided differently"),
    ("plan: ten times as old", Fate.SURVIVED, "facts are counted or aged differently"),
    ("role: ignore becomes restrict", Fate.EQUIVALENT, "no input is decided differently"),
    ("renewal_days: ten times as old", Fate.EQUIVALENT, "no input is decided differently"),
    ("role: ten times as old", Fate.SURVIVED, "facts are counted or aged differently"),
    ("hold_minutes: nobody is held", Fate.LINT, "LINT_SEGMENT_FLAPS reopen_prone"),
    ("passages_good.at_least: 1 becomes 2", Fate.SURVIVED, "an ordinary turn"),
    ("decisions.first_response_minutes: one minute more", Fate.SURVIVED, "plan: enterprise"),
    ("decisions.queue.value: senior becomes", Fate.LINT, "LINT_QUEUE_UNUSED senior"),
]


@pytest.mark.parametrize(("containing", "fate", "by"), FATES)
def test_what_becomes_of_a_mistake(
    bench: Bench, known: tuple[Mutation, ...], containing: str, fate: Fate, by: str
) -> None:
    """Loader, tests and invariants notice, in this order; what changes nothing is equivalent, the rest survives."""
    found = bench.try_out(one(known, containing))
    assert (found.fate, by in found.by) == (fate, True), found


@pytest.mark.parametrize(
    ("fact", "fate"),
    [
        ("tickets_reopened_30d", Fate.SURVIVED),  # a segment reads it
        ("articles_before_chat", Fate.EQUIVALENT),  # nobody does
        ("low_ratings_14d", Fate.EQUIVALENT),
    ],
)
def test_a_window_counts_only_where_somebody_reads_it(
    bench: Bench, known: tuple[Mutation, ...], small: Bundle, fact: str, fate: Fate
) -> None:
    """Half as long or twice as long makes no difference to a fact that no rule, segment or invariant reads."""
    index = [window.fact for window in small.windows].index(fact)
    for says in ("half as long", "twice as long"):
        found = bench.try_out(one(known, f"windows.{index}.within_minutes: {says}"))
        assert found.fate is fate, found


def test_a_window_that_only_a_shadow_rule_reads_changes_no_decision(small_copy: Path, tmp_path: Path) -> None:
    """What a shadow rule says is recorded, not enforced."""
    shadow: Entry = {
        "id": "turn.shadow", "stage": "apply_policy", "reason": "POLICY_CONTINUES", "why": "Tried.", "status": "shadow",
        "when": {"articles_before_chat": {"at_least": 2}}, "tags": ["read"],
    }  # fmt: skip
    rewrite(small_copy, "rules/all.yaml", lambda content: content["rules"].append(shadow))  # type: ignore[union-attr]
    bundle = load(small_copy)
    bench = Bench.set_up(small_copy, tmp_path / "bench", no_lint)
    index = [window.fact for window in bundle.windows].index("articles_before_chat")
    found = bench.try_out(one(made(small_copy, bundle), f"windows.{index}.within_minutes: half as long"))
    assert found.fate is Fate.EQUIVALENT


def test_another_way_to_say_the_same_is_equivalent(bench: Bench, known: tuple[Mutation, ...]) -> None:
    """At least 1 and above 0 are the same of a count; at least 1 and above 1 are not."""
    like = one(known, "passages_good.at_least: 1 becomes 2")

    def asking(bound: dict[str, JsonValue]) -> Mutation:
        content = _content(bench.folder, like.file)
        assert isinstance(content, dict)
        content["rules"][7]["when"] = {"passages_good": bound}  # type: ignore[index, call-overload]
        return replace(like, content=content)

    assert bench.try_out(asking({"above": 0})).fate is Fate.EQUIVALENT
    assert bench.try_out(asking({"above": 0.5})).fate is Fate.EQUIVALENT
    assert bench.try_out(asking({"above": 1})).fate is Fate.SURVIVED


def test_a_mistake_is_undone_after_it_was_tried(bench: Bench, known: tuple[Mutation, ...], small: Bundle) -> None:
    """Whatever became of it."""
    outcomes = list(run(bench, sampled(known, 5, seed=3)))
    assert len(outcomes) == 5
    assert load(bench.folder).revision == bench.original.revision == small.revision


def no_lint(bundle: Bundle) -> frozenset[str]:
    """A lint that finds nothing."""
    del bundle
    return frozenset()


def test_lint_counts_what_it_says_beyond_the_original(small_copy: Path, tmp_path: Path) -> None:
    """A finding that was there before notices nothing; a new one does."""

    def lint(bundle: Bundle) -> frozenset[str]:
        rules = {f"RULE {rule.id}" for rule in bundle.policy.rules}
        return frozenset(
            {
                *rules,
                *(
                    f"GONE {name}"
                    for name in ("turn.serve", "gate.kept", "retrieve.flow")
                    if f"RULE {name}" not in rules
                ),
            }
        )

    bench = Bench.set_up(small_copy, tmp_path / "bench", lint)
    known = made(small_copy, load(small_copy))
    assert bench.try_out(one(known, "retrieve.flow is gone")) == Outcome(
        one(known, "retrieve.flow is gone"), Fate.LINT, "GONE retrieve.flow"
    )
    assert bench.try_out(one(known, "retrieve.good is gone")).fate is Fate.SURVIVED


def fail_a_case(folder: Path) -> None:
    """A case that expects something else."""
    rewrite(folder, "tests/all.yaml", put("refuse", "cases", 0, "expect", "apply_policy", "effect"))


def break_an_invariant(folder: Path) -> None:
    """An invariant that does not hold."""
    rewrite(folder, "invariants.yaml", put({"effect": ["refuse"]}, "invariants", 0, "always"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (fail_a_case, "the case 'an ordinary turn is served' fails already; mend it first"),
        (break_an_invariant, "the invariant person does not hold; mend it first"),
    ],
)
def test_a_bundle_that_is_not_in_order_is_refused(
    small_copy: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    """Nothing that fails already could notice a mistake."""
    spoil(small_copy)
    with pytest.raises(ConfigError, match=message):
        Bench.set_up(small_copy, tmp_path / "bench", no_lint)


def test_a_bundle_in_which_there_is_nothing_else_to_choose_has_no_such_mistake(small_copy: Path) -> None:
    """With one tool, one queue, one kind of event and every class granted there is no other to take instead."""
    for tool in ("issue_refund", "resend_code"):
        (small_copy / f"tools/{tool}.yaml").unlink()

    def rules(content: Entry) -> None:
        held: list[Entry] = content["rules"]  # type: ignore[assignment]
        content["rules"] = [rule for rule in held if rule["id"] not in {"tools.refund", "tools.approve"}]
        (read,) = [rule for rule in held if rule["id"] == "turn.read"]
        read["scope"] = {"authority": ["authoritative", "standard", "community"]}

    rewrite(small_copy, "rules/all.yaml", rules)
    rewrite(small_copy, "invariants.yaml", cut("invariants", 1))
    rewrite(
        small_copy,
        "segments/how_to.yaml",
        lambda content: content.update(actions={"allow": ["get_status"], "deny": []}),
    )
    rewrite(
        small_copy,
        "segments/reopen_prone.yaml",
        lambda content: content.update(decisions={"flow": {"value": "verify_before_close", "precedence": 5}}),
    )
    rewrite(small_copy, "attributes.yaml", _one_kind_of_event)
    bundle = load(small_copy)
    names = [mutation.name for mutation in made(small_copy, bundle)]
    assert not [name for name in names if "allow with" in name]
    assert not [name for name in names if "is added" in name and "scope" in name]
    assert not [name for name in names if "verify_before_close becomes" in name]
    assert not [name for name in names if "windows.0.count" in name and "becomes" in name]
    assert any("get_status is no longer in allow" in name for name in names)


def _one_kind_of_event(content: Entry) -> None:
    content.pop("amounts", None)  # its tool is gone
    content["events"] = [{"kind": "ticket_reopened", "meaning": "reopened", "source": "support"}]
    windows: list[Entry] = content["windows"]  # type: ignore[assignment]
    content["windows"] = [window for window in windows if window["fact"] == "tickets_reopened_30d"]


def test_a_score_counts_what_was_noticed_of_what_changes_anything(known: tuple[Mutation, ...]) -> None:
    """Equivalent ones are no test of anything."""
    fates = (Fate.LOAD, Fate.TEST, Fate.TEST, Fate.PROVE, Fate.LINT, Fate.EQUIVALENT, Fate.SURVIVED)
    score = Score(tuple(Outcome(known[0], fate, "") for fate in fates))
    assert (score.caught, score.counting, score.count(Fate.TEST)) == (5, 6, 2)
    assert score.by_kind()[known[0].kind][Fate.TEST] == 2
