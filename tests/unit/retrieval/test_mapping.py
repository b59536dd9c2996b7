from pathlib import Path

import pytest

from handrail.guardrails.errors import ConfigError
from handrail.retrieval.reading.mapping import MetadataMapping, Subject, load_mapping


def mapping(tmp_path: Path, text: str) -> MetadataMapping:
    """A mapping file with this text."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def test_a_later_rule_wins_field_by_field(tmp_path: Path) -> None:
    """The general comes first and the special after it; what the later one does not say stays."""
    text = """
defaults: {roles: [admin], authority: standard}
rules:
  - {when: {paths: ["**"]}, give: {roles: [it], product_area: general}}
  - {when: {paths: ["billing/*"]}, give: {roles: [finance]}}
"""
    given = mapping(tmp_path, text).metadata(Subject("billing/a.md"))
    assert given == {"roles": ["finance"], "authority": "standard", "product_area": "general"}


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.md", "a.md", True),
        ("*.md", "x/a.md", False),
        ("**/*.md", "a.md", True),
        ("**/*.md", "x/y/a.md", True),
        ("x/**", "x/y/a.md", True),
        ("x/**", "xx/a.md", False),
        ("x/*", "x/y/a.md", False),
        ("x/?.md", "x/a.md", True),
        ("X/a.md", "x/a.md", False),
        ("a+b.(c).md", "a+b.(c).md", True),
        ("a.md", "aXmd", False),
    ],
)
def test_globs_over_paths(tmp_path: Path, glob: str, path: str, fits: bool) -> None:
    """One star stays within a folder, two cross folders."""
    found = mapping(tmp_path, f'rules: [{{when: {{paths: ["{glob}"]}}, give: {{roles: [it]}}}}]')
    assert bool(found.metadata(Subject(path))) is fits


def test_every_condition_of_a_rule_must_fit_and_any_pattern_of_a_condition(tmp_path: Path) -> None:
    """Names know no letter case."""
    text = 'rules: [{when: {labels: ["x", "Inter*"], locales: ["en-*"]}, give: {roles: [it]}}]'
    found = mapping(tmp_path, text)
    assert found.metadata(Subject("a", labels=("Internal",), locales=("en-us",)))
    assert not found.metadata(Subject("a", labels=("Internal",), locales=("de",)))
    assert not found.metadata(Subject("a", locales=("en-us",)))


def test_restricted_documents_get_roles_from_rules_for_their_segments_only(tmp_path: Path) -> None:
    """Not from defaults, nor from rules about something else, whatever their order; segments may be globs."""
    text = """
defaults: {roles: [all], plans: [all]}
rules:
  - {when: {segments: ["44*"]}, give: {roles: [it], plans: [team]}}
  - {when: {paths: ["**"]}, give: {roles: [all], plans: [all]}}
"""
    found = mapping(tmp_path, text)
    assert found.metadata(Subject("a", segments=("4410",))) == {"roles": ["it"], "plans": ["team"]}
    assert "roles" not in found.metadata(Subject("a", segments=("7",)))


def test_languages_of_locales(tmp_path: Path) -> None:
    """Without a word in the file it is the first part."""
    found = mapping(tmp_path, "languages: {pt-br: pt-br}")
    assert [found.language(locale) for locale in ("pt-br", "en-us", "de")] == ["pt-br", "en", "de"]


def test_rules_that_fit_nothing_are_told(tmp_path: Path) -> None:
    """A misspelt name would leave its documents to the defaults without a word."""
    text = 'rules:\n  - {when: {paths: ["a"]}, give: {roles: [it]}}\n  - {when: {paths: ["bb"]}, give: {roles: [it]}}\n'
    found = mapping(tmp_path, text)
    found.metadata(Subject("a"))
    assert [(note.line, "fits no document" in note.message) for note in found.unused()] == [(3, True)]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("rules:\n  - when: {path: [a]}\n    give: {roles: [it]}", 2, "unknown field"),
        ("rules:\n  - when: {}\n    give: {roles: [it]}", 2, "at least one of"),
        ("rules:\n  - when: {paths: []}\n    give: {roles: [it]}", 2, "at least 1"),
        ("rules:\n  - when: {paths: [a]}\n    give: {roles: it}", 3, "roles"),
        ("rules:\n  - when: {paths: [a]}\n    give: {roles: [all, it]}", 3, "stands alone"),
        ("rules:\n  - when: {segments: ['1']}\n    give: {plans: [team]}", 2, "must give roles"),
        ("rules:\n  - when: {paths: [a]}\n    give: {id: x}", 3, "unknown field"),
        ("defaults: {authority: high}", 1, "authority"),
        ("defaults: {valid_from: soon}", 1, "valid_from"),
        ("languages: {EN: en}", 1, "languages"),
        ("defaults: [", 2, "not valid YAML"),
        ("", 1, "empty"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    """Nothing is ingested by a file that may not mean what it says."""
    with pytest.raises(ConfigError) as wrong:
        mapping(tmp_path, text)
    assert any(f"mapping.yaml:{line}: " in problem and said in problem for problem in wrong.value.problems)


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_mapping(tmp_path / "none.yaml")


def test_the_example_in_the_documentation_is_a_mapping(tmp_path: Path) -> None:
    """Whoever starts from it starts from something that works."""
    page = (Path(__file__).parents[3] / "docs" / "knowledge-base.md").read_text("utf-8")
    found = mapping(tmp_path, page.partition("```yaml\n")[2].partition("```")[0])
    invoice = Subject("a", sections=("Invoices 2026",), categories=("Billing",), labels=("EU",), locales=("pt-br",))
    given = found.metadata(invoice)
    assert (given["roles"], given["regions"], found.language("pt-br")) == (["admin", "finance"], ["eu"], "pt-br")
    assert found.metadata(Subject("guides/admin/x/a.md"))["roles"] == ["admin", "it"]
    assert "roles" not in found.metadata(Subject("a", categories=("Billing",), segments=("1",)))
