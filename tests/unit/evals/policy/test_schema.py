"""Editor help: what the generated schemas accept, what they reject, and how files come by them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with chromadb, without stubs
from pydantic import JsonValue

from handrail.cli import root, run
from handrail.evals.policy.schema import KINDS, MARK, Kind, first_line, name_in_files, nameless, schema_texts, stale
from handrail.evals.policy.schema_conditions import ANY_CALL, condition_at
from handrail.evals.policy.schema_names import definitions
from handrail.evals.policy.schema_words import VALUES
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.compiler import DECIDING_STAGES
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.policy.condition import ConditionReader
from handrail.guardrails.policy.facts import FactKind, FactSpec
from handrail.guardrails.vocabulary import Effect, Obligation, Stage
from handrail.guardrails.yamlsource import Problem, parse, read

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))
BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped bundle that no test changes."""
    return Path(shutil.copytree(SHIPPED, tmp_path_factory.mktemp("bundle") / "policies"))


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    """What that copy says."""
    return load(folder)


@pytest.fixture(scope="module")
def validators(folder: Path, bundle: Bundle) -> dict[str, Draft202012Validator]:
    """A validator by kind."""
    texts = schema_texts(folder, bundle)
    return {kind.name: Draft202012Validator(json.loads(texts[f"schema/{kind.name}.json"])) for kind in KINDS}


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the shipped bundle that a test may change."""
    return Path(shutil.copytree(folder, tmp_path / "policies"))


def command(*arguments: str) -> int:
    """The exit code of `handrail policy schema` with these arguments."""
    return run(lambda: root.main(["policy", "schema", *arguments], standalone_mode=False))


def parsed(text: str) -> JsonValue:
    """YAML as the loader reads it; dates and times stay words, as they do in editors."""
    problems: list[Problem] = []
    document = parse(text, "a.yaml", problems)
    assert document is not None, problems
    return document.content


# --------------------------------------------------------------------------------------------- shipped files


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_shipped_file_is_valid(kind: Kind, folder: Path, validators: dict[str, Draft202012Validator]) -> None:
    """An editor marks nothing in the shipped bundle."""
    for path in folder.glob(kind.pattern):
        document = read(path, path.name, [])
        assert document is not None
        errors = [
            f"{list(error.path)}: {error.message}" for error in validators[kind.name].iter_errors(document.content)
        ]
        assert not errors, path


def test_every_yaml_file_is_of_exactly_one_kind(folder: Path) -> None:
    """No file is left without help, and none would get two schemas."""
    for path in folder.rglob("*.yaml"):
        kinds = [kind.name for kind in KINDS if path in set(folder.glob(kind.pattern))]
        assert len(kinds) == 1, (path, kinds)


def test_every_yaml_file_names_its_schema(folder: Path) -> None:
    """The first line leads from the file to the schema of its kind."""
    for kind in KINDS:
        for path in folder.glob(kind.pattern):
            first = path.read_text(encoding="utf-8").splitlines()[0]
            assert first.startswith(MARK), path
            target = (path.parent / first.removeprefix(MARK)).resolve()
            assert target == (folder / "schema" / f"{kind.name}.json").resolve(), path
            assert target.is_file(), path


def test_shipped_schemas_are_up_to_date(folder: Path, bundle: Bundle) -> None:
    """What is checked in is what the bundle says; otherwise run `handrail policy schema`."""
    assert stale(folder, bundle) == ()


def test_schemas_are_schemas(validators: dict[str, Draft202012Validator]) -> None:
    """Each one holds to draft 2020-12 and lets no unknown field through."""
    for validator in validators.values():
        Draft202012Validator.check_schema(validator.schema)
        assert validator.schema["type"] == "array" or validator.schema["additionalProperties"] is False


def test_every_field_is_explained(validators: dict[str, Draft202012Validator]) -> None:
    """Whatever field the pointer rests on, the editor says what it is."""
    for name, validator in validators.items():
        defined = validator.schema.get("$defs", {})
        for part in (validator.schema, *defined.values()):
            for field, said in part.get("properties", {}).items():
                target = defined.get(said.get("$ref", "").rpartition("/")[2], {})
                assert said.get("description") or target.get("description"), (name, field)


def test_every_effect_obligation_and_stage_is_explained() -> None:
    """The words of the closed sets that matter most each have their meaning."""
    assert set(VALUES["Effect"]) == set(Effect)
    assert set(VALUES["Obligation"]) == set(Obligation)
    assert set(VALUES["Stage"]) == set(Stage)


def test_facts_and_reasons_are_explained(validators: dict[str, Draft202012Validator], bundle: Bundle) -> None:
    """The meaning of a fact and the title of a code stand where editors show them."""
    defined = validators["rules"].schema["$defs"]
    assert "times this intent came up" in defined["fact_same_intent_7d"]["description"].lower()
    codes = defined["reason_code"]
    titles = dict(zip(codes["enum"], codes["enumDescriptions"], strict=True))
    assert titles == {code: entry.title for code, entry in bundle.reasons.items()}


# ------------------------------------------------------------------------------------------- planted mistakes

RULES = """
rules:
  - id: turn.example
    stage: apply_policy
    reason: ESC_LEGAL
    why: An example.
    when:
      all: [{need_state: incident}, {confidence: {at_least: 0.5}}, {signals: {has: RISK_LEGAL}}, {segment: trial},
            {risk: high}]
    effect: not_yet
    obligations: [clarify]
    queue: {value: security, precedence: 1}
    flow: {value: access_restore, precedence: 1}
    scope: {plan: [team]}
  - id: tools.example
    stage: authorize_tools
    reason: TOOL_NOT_YOURS
    why: Another one.
    tools: [issue_refund]
    when: {call_owned: false}
    effect: refuse
  - id: tools.any
    stage: authorize_tools
    reason: TOOL_RATE_LIMIT
    why: One for every tool.
    when: {call_over_rate: true}
    effect: refuse
"""
SEGMENT = """
id: example
title: An example
purpose: To try it
tier: runtime
status: ready
reason: SEG_TRIAL
entry: {at_least: {count: 1, of: [{plan: trial}, {same_intent_7d: {above: 1}}]}}
exit: {not: {plan: {known: true}}}
decisions: {tags: [example], tone: {value: calm, precedence: 3}}
actions: {allow: [], deny: [issue_refund]}
escalation: {hard: [{when: {risk: high}, reason: ESC_LEGAL}], soft: []}
metrics: [time_to_human]
owner: somebody
review_by: 2027-03-31
"""
INVARIANTS = """
invariants:
  - id: example
    says: An example.
    stage: gate_risk
    when: {signals: {has: RISK_LEGAL}}
    always: {risk_at_least: high, reasons: [RISK_LEGAL], queue: [none, security]}
  - id: growth
    says: Another one.
    stage: apply_policy
    never_relaxed_by: {fact: signals, members: [RISK_LEGAL]}
  - id: blind
    says: A third one.
    stage: gate_risk
    unaffected_by: {facts: [plan], aspects: [risk]}
"""
TESTS = """
base: {need_state: incident, plan: null}
cases:
  - name: an example
    facts: {signals: [RISK_LEGAL], "holdout:no_segments": false}
    earlier: {trial: 3}
    tool: issue_refund
    expect:
      segments: {inside: [trial]}
      apply_policy: {effect: escalate, reasons: [ESC_LEGAL], rules: [risk.legal], queue: none}
"""
FLOW = """
id: example
version: 1.0.0
title: An example
need_states: [how_to]
max_failed_attempts: 1
unclear: {en: a}
exhausted: {en: a}
card_refused: {en: a}
entry: look
steps:
  - {id: look, kind: propose, tool: get_status, tried: looked, next: end, refused: end}
  - {id: end, kind: hand_off, text: {en: a}, reason: ESC_LEGAL}
"""
HOLDOUTS = """
holdouts:
  - {id: example, meaning: An example, status: ready, share: 0.1, without: [segment.how_to],
     owner: a, review_by: 2027-01-01}
"""
TEXTS = {
    "rules": RULES,
    "segment": SEGMENT,
    "invariants": INVARIANTS,
    "tests": TESTS,
    "flow": FLOW,
    "experiments": HOLDOUTS,
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One edit of a text that is valid, and the last part of the path at which it is reported."""

    kind: str
    old: str
    new: str
    at: str | int


MISTAKES = {
    "misspelt fact": Mistake("rules", "need_state:", "need_statess:", 0),
    "wrong value": Mistake("rules", "need_state: incident", "need_state: incidents", "need_state"),
    "wrong operator": Mistake("rules", "{has: RISK_LEGAL}", "{at_least: RISK_LEGAL}", "signals"),
    "operator of another kind": Mistake("rules", "{at_least: 0.5}", "{has: 0.5}", "confidence"),
    "two comparisons": Mistake("rules", "{at_least: 0.5}", "{at_least: 0.5, below: 1}", "confidence"),
    "word for a number": Mistake("rules", "{at_least: 0.5}", "{at_least: half}", "confidence"),
    "set compared with a word": Mistake("rules", "{has: RISK_LEGAL}", "RISK_LEGAL", "signals"),
    "signal that no detector reports": Mistake("rules", "{has: RISK_LEGAL}", "{has: ESC_LEGAL}", "has"),
    "unknown segment": Mistake("rules", "segment: trial", "segment: trail", "segment"),
    "unknown field": Mistake("rules", "    why: An example.", "    why: An example.\n    whne: {}", 0),
    "missing field": Mistake("rules", "    why: An example.\n", "", 0),
    "unknown reason": Mistake("rules", "reason: ESC_LEGAL", "reason: ESC_LEAGL", "reason"),
    "unknown stage": Mistake("rules", "stage: apply_policy", "stage: apply_polcy", "stage"),
    "stage that decides nothing": Mistake("rules", "stage: apply_policy", "stage: reply", "stage"),
    "fact that is not there yet": Mistake("rules", "stage: apply_policy", "stage: gate_risk", 4),
    "fact of one tool asked of every tool": Mistake("rules", "call_over_rate: true", "call_owned: true", "when"),
    "fact of calls elsewhere": Mistake("rules", "need_state: incident", "call_owned: true", 0),
    "tools elsewhere": Mistake("rules", "    why: An example.", "    why: An example.\n    tools: [get_status]", 0),
    "unknown tool": Mistake("rules", "[issue_refund]", "[isue_refund]", 0),
    "waiver of no finding": Mistake(
        "rules", "    why: One", "    waive: {LINT_NOTHING: it is fine}\n    why: One", "waive"
    ),
    "waiver without a reason": Mistake(
        "rules", "    why: One", "    waive: {LINT_RULE_SHADOWED: ok}\n    why: One", "LINT_RULE_SHADOWED"
    ),
    "unknown effect": Mistake("rules", "effect: not_yet", "effect: not_yte", "effect"),
    "not yet without a next step": Mistake("rules", "    obligations: [clarify]\n", "", 0),
    "unknown obligation": Mistake("rules", "[clarify]", "[clarfy]", 0),
    "unknown queue": Mistake("rules", "value: security", "value: securty", "value"),
    "unknown flow": Mistake("rules", "value: access_restore", "value: access_restor", "value"),
    "unknown family of scope": Mistake("rules", "scope: {plan:", "scope: {plans:", "scope"),
    "blank condition": Mistake("rules", "when: {call_over_rate: true}", "when:", "when"),
    "empty condition": Mistake("rules", "when: {call_over_rate: true}", "when: {}", "when"),
    "count of nothing": Mistake("segment", "{count: 1, ", "{count: 0, ", "count"),
    "risk at assignment": Mistake("segment", "entry: {at_least", "entry: {risk: high, at_least", "entry"),
    "segment at assignment": Mistake("segment", "not: {plan: {known: true}}", "segment: trial", "exit"),
    "known of a word": Mistake("segment", "known: true", "known: 'true'", "plan"),
    "unknown tone": Mistake("segment", "value: calm", "value: clam", "value"),
    "unknown tool of a segment": Mistake("segment", "deny: [issue_refund]", "deny: [refund]", 0),
    "unknown reason of a trigger": Mistake("segment", "reason: ESC_LEGAL", "reason: ESC", "reason"),
    "two kinds of invariant": Mistake(
        "invariants", "    says: Another", "    never: {effect: [allow]}\n    says: A", 1
    ),
    "no kind of invariant": Mistake(
        "invariants", "    never_relaxed_by: {fact: signals, members: [RISK_LEGAL]}\n", "", 1
    ),
    "empty claim": Mistake(
        "invariants", "{risk_at_least: high, reasons: [RISK_LEGAL], queue: [none, security]}", "{}", "always"
    ),
    "unknown reason of a claim": Mistake("invariants", "reasons: [RISK_LEGAL]", "reasons: [RISK]", 0),
    "growth of no set": Mistake("invariants", "fact: signals", "fact: plan", "fact"),
    "growth by no member": Mistake("invariants", "members: [RISK_LEGAL]", "members: [ESC_LEGAL]", 0),
    "blind to no fact": Mistake("invariants", "facts: [plan]", "facts: [plans]", 0),
    "blind to nothing": Mistake("invariants", "{facts: [plan], aspects", "{aspects", "unaffected_by"),
    "unknown rule of a holdout": Mistake("experiments", "segment.how_to", "segment.how_two", 0),
    "share of more than half": Mistake("experiments", "share: 0.1", "share: 0.6", "share"),
    "value of a fact of a test": Mistake("tests", "need_state: incident", "need_state: incidents", "need_state"),
    "word for a set in a test": Mistake("tests", "signals: [RISK_LEGAL]", "signals: RISK_LEGAL", "signals"),
    "unknown holdout of a test": Mistake("tests", "holdout:no_segments", "holdout:none", "facts"),
    "unknown segment of a test": Mistake("tests", "earlier: {trial", "earlier: {trail", "earlier"),
    "unknown rule of a test": Mistake("tests", "rules: [risk.legal]", "rules: [risk.leagl]", 0),
    "stage without a tool in a test": Mistake(
        "tests", "    tool: issue_refund\n    expect:\n", "    expect:\n      authorize_tools: {effect: refuse}\n", 0
    ),
    "field of another step": Mistake("flow", "kind: hand_off,", "kind: hand_off, next: look,", 1),
    "unknown tool of a flow": Mistake("flow", "tool: get_status", "tool: get_stats", 0),
    "text without the declared language": Mistake("flow", "exhausted: {en: a}", "exhausted: {de: a}", "exhausted"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_a_right_text_is_valid(kind: str, validators: dict[str, Draft202012Validator]) -> None:
    """The texts that the mistakes are planted in are accepted as they are."""
    assert [error.message for error in validators[kind].iter_errors(parsed(TEXTS[kind]))] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_marked_in_its_place(name: str, validators: dict[str, Draft202012Validator]) -> None:
    """One mistake, one error, where the mistake is."""
    mistake = MISTAKES[name]
    text = TEXTS[mistake.kind]
    assert text.count(mistake.old) == 1
    errors = list(validators[mistake.kind].iter_errors(parsed(text.replace(mistake.old, mistake.new))))
    assert {error.path[-1] for error in errors} == {mistake.at}, [error.message for error in errors]


# -------------------------------------------------------------------------- the schema and the loader agree


def representatives(bundle: Bundle) -> Iterator[FactSpec]:
    """One fact of each sort: kind, closed or open, and where it exists."""
    seen: set[tuple[object, ...]] = set()
    for spec in bundle.facts.values():
        sort = (spec.kind, spec.values is None, spec.since, spec.only_at, spec.tools is None)
        if sort not in seen:
            seen.add(sort)
            yield spec


def questions(spec: FactSpec) -> Iterator[dict[str, JsonValue]]:
    """Right and wrong ways to ask for a fact."""
    word = min(spec.values) if spec.values else "anything"
    values: tuple[JsonValue, ...] = (word, "no_such_word", True, 2, 0.5, None, [], [word], ["no_such_word"], [2], {})
    operators = ("in", "at_least", "at_most", "above", "below", "has", "has_any", "has_all", "known", "equals")
    for value in values:
        yield {spec.name: value}
        for operator in operators:
            yield {spec.name: {operator: value}}
    yield {spec.name: {"known": True, "in": [word]}}


def combinations() -> Iterator[dict[str, JsonValue]]:
    """Right and wrong ways to combine conditions."""
    one: dict[str, JsonValue] = {"need_state": "incident"}
    wrong: dict[str, JsonValue] = {"need_state": "nothing"}
    yield {}
    for part in (one, wrong, {}):
        yield {"not": part}
        yield {"not": {"not": part}}
        yield {"all": [part]}
        yield {"any": [one, part]}
        yield {"at_least": {"count": 1, "of": [one, part]}}
    yield {"all": []}
    yield {"all": one}
    yield {"any": None}
    for count in (0, 1, True, "1", None):
        yield {"at_least": {"count": count, "of": [one]}}
    yield {"at_least": {"count": 1}}
    yield {"at_least": {"count": 1, "of": [one], "most": 2}}
    yield {"segment": "trial"}
    yield {"segment": "nowhere"}
    yield {"segment": ["trial"]}
    yield {**one, "segment": "trial"}
    yield {"and": [one]}


@pytest.mark.parametrize("stage", [Stage.ASSIGN_SEGMENTS, *DECIDING_STAGES], ids=lambda stage: stage.value)
def test_schema_and_loader_agree_about_conditions(stage: Stage, folder: Path, bundle: Bundle) -> None:
    """What an editor marks is what the loader refuses, for every sort of fact and every way to ask."""
    defined = definitions(folder, bundle)
    active = frozenset(segment.id for segment in bundle.segments)

    def reported(condition: dict[str, JsonValue], tools: frozenset[str] | None) -> bool:
        problems: list[Problem] = []
        document = parse("a: 1", "a.yaml", [])
        assert document is not None
        ConditionReader(document, bundle.facts, active, problems).read(condition, ("when",), stage, tools)
        return bool(problems)

    at_stage = Draft202012Validator({"$ref": f"#/$defs/{condition_at(stage)}", "$defs": defined})
    asked = 0
    for spec in representatives(bundle):
        for condition in questions(spec):
            assert at_stage.is_valid(condition) is not reported(condition, spec.tools), condition
            asked += 1
    for condition in combinations():
        assert at_stage.is_valid(condition) is not reported(condition, None), condition
    assert asked > 1000
    if stage is Stage.AUTHORIZE_TOOLS:
        of_any = Draft202012Validator({"$ref": f"#/$defs/{ANY_CALL}", "$defs": defined})
        for spec in representatives(bundle):
            for condition in questions(spec):
                assert of_any.is_valid(condition) is not reported(condition, None), condition


def test_every_sort_of_fact_is_asked(bundle: Bundle) -> None:
    """The comparison above covers all kinds, open and closed words, and facts of calls."""
    found = list(representatives(bundle))
    assert {spec.kind for spec in found} == set(FactKind)
    assert {spec.values is None for spec in found if spec.kind is FactKind.WORD} == {True, False}
    assert any(spec.tools is not None for spec in found)


# ------------------------------------------------------------------------------------------ files and command


def test_a_new_fact_makes_schemas_stale(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who adds an attribute is told to run the command again, and then has it in completion and check."""
    attributes = copy / "attributes.yaml"
    added = (
        "attributes:\n  - {name: favourite_colour, meaning: the colour they like, kind: word, values: [red, blue],"
        " family: psychographic, source: crm, purposes: [style], max_age_days: 9, inferred: false}\n"
    )
    attributes.write_text(attributes.read_text(encoding="utf-8").replace("attributes:\n", added, 1), encoding="utf-8")
    assert stale(copy, load(copy)) == (
        "schema/invariants.json",
        "schema/rules.json",
        "schema/segment.json",
        "schema/tests.json",
    )
    before = (copy / "schema" / "rules.json").read_bytes()
    assert command("--check", str(copy)) == 1
    written = capsys.readouterr().out
    assert written.splitlines()[1] == f"schema/rules.json: not up to date; run `handrail policy schema {copy}`"
    assert (copy / "schema" / "rules.json").read_bytes() == before
    assert command(str(copy)) == 0
    assert "4 of them new or changed" in capsys.readouterr().out
    assert command("--check", str(copy)) == 0
    assert capsys.readouterr().out == ""
    validator = Draft202012Validator(json.loads((copy / "schema" / "rules.json").read_text(encoding="utf-8")))
    assert validator.is_valid(parsed(RULES.replace("need_state: incident", "favourite_colour: red")))
    assert not validator.is_valid(parsed(RULES.replace("need_state: incident", "favourite_colour: rde")))


def test_a_bundle_without_schemas_gets_them(copy: Path) -> None:
    """Missing files are stale too; what is written is what the check asks for, in one form."""
    shutil.rmtree(copy / "schema")
    assert command("--check", str(copy)) == 1
    assert command(str(copy)) == 0
    assert stale(copy, load(copy)) == ()
    assert {path.name for path in (copy / "schema").iterdir()} == {f"{kind.name}.json" for kind in KINDS}
    for path in (copy / "schema").iterdir():
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_schema_files_are_no_part_of_the_policy(copy: Path) -> None:
    """The loader does not look at them: the revision is the same without them."""
    with_schemas = load(copy).revision
    shutil.rmtree(copy / "schema")
    assert load(copy).revision == with_schemas


def test_a_file_without_a_schema_is_named_and_gets_a_first_line(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """New files are told about; with --name-in-files they get the line, once, and nothing else changes."""
    name_in_files(copy)
    new, windows, marked, own = (copy / "segments" / f"{name}.yaml" for name in ("new", "windows", "marked", "own"))
    segment = re.sub("^id: .*$", "id: {}", SEGMENT.lstrip(), flags=re.MULTILINE)
    new.write_bytes(b"# Something about it.\n" + segment.replace("{}", "new", 1).encode())
    windows.write_bytes(segment.replace("{}", "windows", 1).replace("\n", "\r\n").encode())
    marked.write_bytes(b"\xef\xbb\xbf" + segment.replace("{}", "marked", 1).encode())
    own.write_bytes(b"# A note.\n" + MARK.encode() + b"mine.json\n" + segment.replace("{}", "own", 1).encode())
    before = {path: path.read_bytes() for path in copy.rglob("*.yaml")}
    names = ("segments/marked.yaml", "segments/new.yaml", "segments/windows.yaml")
    assert nameless(copy) == names
    assert command(str(copy)) == 0
    assert f"Editors do not find the schema of {', '.join(names)}" in capsys.readouterr().out
    assert command("--name-in-files", str(copy)) == 0
    line = MARK.encode() + b"../schema/segment.json"
    changed = {path: path.read_bytes() for path in before if path.read_bytes() != before[path]}
    assert changed == {
        new: line + b"\n" + before[new],
        windows: line + b"\r\n" + before[windows],
        marked: b"\xef\xbb\xbf" + line + b"\n" + before[marked].removeprefix(b"\xef\xbb\xbf"),
    }
    assert name_in_files(copy) == ()
    assert {"new", "windows", "marked", "own"} <= set(load(copy).entries)


@pytest.mark.parametrize(
    ("path", "kind", "line"),
    [
        ("bundle.yaml", "bundle", "schema/bundle.json"),
        ("rules/risk.yaml", "rules", "../schema/rules.json"),
        ("tests/deep/a.yaml", "tests", "../../schema/tests.json"),
    ],
)
def test_the_path_of_a_schema_is_seen_from_the_file(path: str, kind: str, line: str) -> None:
    """Editors resolve it against the file that holds it, so a copied folder keeps working."""
    assert first_line(PurePosixPath(path), BY_NAME[kind]) == MARK + line


def test_the_command_refuses_what_it_cannot_do(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use and a bundle that does not load end with 2, and nothing is written."""
    assert command("--check", "--name-in-files", str(copy)) == 2
    manifest = copy / "bundle.yaml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("prompt: answer", "prompt: anser"), encoding="utf-8"
    )
    shutil.rmtree(copy / "schema")
    assert command(str(copy)) == 2
    assert "there is no prompt 'anser'" in capsys.readouterr().err
    assert not (copy / "schema").exists()
