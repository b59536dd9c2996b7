"""Reading YAML with the place of everything in it."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.guardrails.vocabulary import Frozen, RiskTier
from handrail.guardrails.yamlsource import MAX_DEPTH, MAX_NODES, Problem, parse, read


class Inner(Frozen):
    name: str
    count: int


class Outer(Frozen):
    title: str
    tier: RiskTier = RiskTier.LOW
    on: date | None = None
    parts: tuple[Inner, ...] = ()


def content(text: str) -> JsonValue:
    """The content of a text in which nothing is wrong."""
    problems: list[Problem] = []
    document = parse(text, "a.yaml", problems)
    assert problems == []
    assert document is not None
    return document.content


def wrong(text: str, model: type[Frozen] = Outer) -> list[str]:
    """Everything that is wrong in a text, as YAML and as `model`."""
    problems: list[Problem] = []
    document = parse(text, "a.yaml", problems)
    if document is not None:
        document.parse(model, problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("true", True), ("False", False), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"),
        ("", None), ("~", None), ("null", None), ('""', ""), ("'true'", "true"),
        ("12", 12), ("-3", -3), ("0123", 123), ("1_000", "1_000"), ("08:30", "08:30"), ("12:30", "12:30"),
        ("0.85", 0.85), (".5", 0.5), ("1e3", 1000.0), ("1.2.3", "1.2.3"), ('"5"', "5"),
        (".inf", ".inf"), (".nan", ".nan"), ("1e999", "1e999"), ("9" * 400, "9" * 400),
        ("2027-03-31", "2027-03-31"), ("[no, on]", ["no", "on"]), ("{no: on}", {"no": "on"}),
        ("&a [1]", [1]),
    ],
)  # fmt: skip
def test_plain_words_follow_yaml_1_2(text: str, wanted: JsonValue) -> None:
    """`no` and `on` are words, times and dates are text, and only finite numbers are numbers."""
    found = content(f"a: {text}")
    assert found == {"a": wanted}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(wanted)


def test_the_words_no_and_on_may_be_keys() -> None:
    """A text in Norwegian is not a text under False."""
    assert content("no: Hei\non: x\nyes: y\n") == {"no": "Hei", "on": "x", "yes": "y"}


def test_every_path_knows_its_line() -> None:
    """Keys and list items have lines; what is missing has the line of what should hold it."""
    document = parse("title: x\nparts:\n  - name: a\n    count: 1\n  - name: b\n", "a.yaml", [])
    assert document is not None
    assert document.line(("parts", 0, "count")) == 4
    assert document.line(("parts", 1)) == 5
    assert document.line(("parts", 1, "count")) == 5
    assert document.line(("nothing",)) == 1


def test_every_mistake_in_a_model_is_reported_with_its_line() -> None:
    """Unknown and missing fields, wrong types and values outside a scale, all at once."""
    text = "title: x\ntier: lowest\non: someday\nparts:\n  - name: a\n    count: many\n    colour: red\n  - count: 2\n"
    found = wrong(text)
    assert [line.split(": ", 1)[0] for line in found] == ["a.yaml:2", "a.yaml:3", "a.yaml:6", "a.yaml:7", "a.yaml:8"]
    assert "tier: input should be 'low', 'medium', 'high' or 'critical'" in found[0]
    assert "parts.0.count: input should be a valid integer" in found[2]
    assert found[3] == "a.yaml:7: parts.0.colour: unknown field; check the spelling, or remove it"
    assert found[4] == "a.yaml:8: parts.1.name: this field is missing"


def test_a_missing_field_at_the_top_is_named() -> None:
    """The name of what is missing stands in the message, although it stands nowhere in the file."""
    assert wrong("tier: low\n") == ["a.yaml:1: title: this field is missing"]


def test_a_field_of_the_same_name_elsewhere_confuses_nobody() -> None:
    """`name` exists in the first part; it is still the second one's that is missing."""
    assert wrong("title: x\nparts:\n  - name: name\n    count: 1\n  - count: 1\n") == [
        "a.yaml:5: parts.1.name: this field is missing"
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "a.yaml:1: the file is empty; fill it or remove it"),
        ("# only a comment\n", "a.yaml:1: the file is empty; fill it or remove it"),
        ("a: 1\nb: [1,\n", "a.yaml:3: not valid YAML"),
        ("a: 1\n b: 2\n", "a.yaml:2: not valid YAML"),
        ("a: 1\n\tb: 2\n", "a.yaml:2: not valid YAML"),
        ("a: *b\n", "a.yaml:1: not valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: not valid YAML"),
        ("a: 'x\n", "a.yaml:2: not valid YAML"),
        ("a: \x00\n", "a.yaml:1: not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: the key 'a' stands here for the second time"),
        ("x:\n  - a: 1\n    a: 1\n", "a.yaml:3: the key 'a' stands here for the second time"),
        ("? {a: b}\n: c\n", "a.yaml:1: a key must be a single word"),
        ("a: &a [*a]\n", f"a.yaml:1: nested more than {MAX_DEPTH} levels deep"),
        ("[" * 2000 + "]" * 2000, f"a.yaml:1: nested more than {MAX_DEPTH} levels deep"),
    ],
)
def test_text_that_is_no_good_yaml_is_one_problem(text: str, wanted: str) -> None:
    """The place and the cause, and no traceback."""
    (found,) = wrong(text)
    assert found.startswith(wanted)


def test_anchors_cannot_blow_up_a_file() -> None:
    """Nine lines that stand for a thousand million entries end as one problem."""
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [
        f"{this}: &{this} [{','.join([f'*{before}'] * 10)}]"
        for before, this in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    (found,) = wrong("\n".join(lines))
    assert f"more than {MAX_NODES} entries" in found


def test_a_file_that_is_not_utf_8_is_a_problem_with_its_line(tmp_path: Path) -> None:
    """The line of the first bad byte, and what to do."""
    path = tmp_path / "a.yaml"
    path.write_bytes("title: x\nname: Jürgen\n".encode("latin-1"))
    problems: list[Problem] = []
    assert read(path, "a.yaml", problems) is None
    assert problems == [Problem("a.yaml", 2, "the file is not UTF-8 here; save it as UTF-8")]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A missing file and a folder are problems, not exceptions."""
    problems: list[Problem] = []
    assert read(tmp_path / "none.yaml", "none.yaml", problems) is None
    assert read(tmp_path, "folder", problems) is None
    assert [str(one) for one in problems] == [
        "none.yaml:1: cannot read the file: No such file or directory",
        "folder:1: cannot read the file: Is a directory",
    ]
