from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.retrieval.checking.check import CheckReport, check
from handrail.retrieval.checking.findings import Code, Severity
from tests.support.articles import HIDDEN, article
from tests.support.bases import base_of
from tests.support.bundles import SHIPPED, edited

DAY = date(2026, 6, 1)
PAIR = (
    "A refund can be requested within 14 days of the charge.",
    "A refund can be requested within 30 days of the charge.",
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(SHIPPED)


def checked(folder: Path, bundle: Bundle, articles: Mapping[str, str], day: date = DAY) -> CheckReport:
    """The check of a base with these articles."""
    return check(base_of(folder, articles), bundle, day, timedelta(days=30))


def codes(report: CheckReport) -> list[Code]:
    """Codes of the findings that are about articles."""
    return [finding.code for finding in report.findings if finding.places]


def pair(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Two articles that contradict each other, with these fields."""
    return {
        "a.md": article("a", PAIR[0], "Refunds", **one),
        "b.md": article("b", PAIR[1], "Refunds", **other),
    }


def test_a_sound_base_has_no_findings(tmp_path: Path, bundle: Bundle) -> None:
    """Nothing at all."""
    report = checked(tmp_path, bundle, {"a.md": article("a", valid_until="2027-01-01", authority="authoritative")})
    assert report.findings == ()
    assert report.access.unserved == ()


@pytest.mark.parametrize(
    ("one", "other", "seen"),
    [
        ({}, {}, True),
        ({"roles": "[finance]"}, {"roles": "[finance, admin]"}, True),
        ({"roles": "[finance]"}, {"roles": "[admin]"}, False),
        ({"regions": "[eu]"}, {"regions": "[us]"}, False),
        ({"stacks": "[okta]"}, {"stacks": "[slack]"}, True),
        ({"language": "de"}, {}, False),
        ({"valid_until": "2026-06-30"}, {"valid_from": "2026-06-30"}, True),
        ({"valid_until": "2026-06-29"}, {"valid_from": "2026-06-30"}, False),
        ({"valid_until": "2026-05-31"}, {}, False),
        ({"authority": "community"}, {}, True),
    ],
)
def test_a_contradiction_needs_a_customer_and_a_day(
    tmp_path: Path, bundle: Bundle, one: dict[str, str], other: dict[str, str], seen: bool
) -> None:
    """One who is shown both on one day, now or later; a customer may use several systems."""
    report = checked(tmp_path, bundle, pair(one, other))
    assert (Code.CONTRADICTION in codes(report)) is seen


def test_a_contradiction_names_both_places(tmp_path: Path, bundle: Bundle) -> None:
    """Path, heading, sentence and values."""
    articles = pair({}, {})
    articles["a.md"] = article("a", f"Intro.\n\n## When\n\n{PAIR[0]}", "Refunds")
    (finding,) = (one for one in checked(tmp_path, bundle, articles).findings if one.places)
    first, second = finding.places
    assert (first.path, first.heading, first.sentence, first.values) == ("a.md", "When", PAIR[0], ("14 days",))
    assert (second.path, second.values) == ("b.md", ("30 days",))


def test_ages_are_told_for_the_day(tmp_path: Path, bundle: Bundle) -> None:
    """Expired yesterday, last valid today, last valid in thirty days, in thirty-one, and from tomorrow on."""
    report = checked(
        tmp_path,
        bundle,
        {
            "past.md": article("past", valid_until="2026-05-31"),
            "today.md": article("today", valid_until="2026-06-01"),
            "soon.md": article("soon", valid_until="2026-07-01"),
            "later.md": article("later", valid_until="2026-07-02"),
            "next.md": article("next", valid_from="2026-06-02"),
        },
    )
    assert {finding.places[0].doc_id: finding.code for finding in report.findings if finding.places} == {
        "past": Code.EXPIRED,
        "today": Code.EXPIRES_SOON,
        "soon": Code.EXPIRES_SOON,
        "next": Code.NOT_YET_VALID,
    }


@pytest.mark.parametrize(
    ("field", "text", "severity", "hint"),
    [
        ("roles", "[admn]", Severity.ERROR, "did you mean 'admin'"),
        ("roles", "[admn, finance]", Severity.WARNING, "did you mean 'admin'"),
        ("plans", "[entreprise]", Severity.ERROR, "did you mean 'enterprise'"),
        ("regions", "[apac]", Severity.ERROR, "there are eu, us"),
        ("stacks", "[oktaa]", Severity.ERROR, "did you mean 'okta'"),
        ("need_states", "[howto]", Severity.ERROR, "did you mean 'how_to'"),
    ],
)
def test_words_that_no_customer_has_are_found(
    tmp_path: Path, bundle: Bundle, field: str, text: str, severity: Severity, hint: str
) -> None:
    """Once, with the word that was probably meant; it is grave when nothing else lets somebody in."""
    report = checked(tmp_path, bundle, {"a.md": article("a", **{field: text}), "b.md": article("b")})
    (finding,) = (one for one in report.findings if one.places)
    assert (finding.code, finding.severity) == (Code.UNKNOWN_CLASS, severity)
    assert hint in finding.found


def test_words_of_the_bundle_are_known(tmp_path: Path) -> None:
    """A bundle that declares the role has nothing to complain about; values left open are any values."""
    own = edited(
        tmp_path / "own",
        ("attributes.yaml", "[admin, agent, it, finance, end_user]", "[admin, owner, it, finance, agent, end_user]"),
    )
    assert codes(checked(tmp_path, own, {"a.md": article("a", roles="[owner]")})) == []
    free = edited(tmp_path / "open", ("attributes.yaml", "    values: [eu, us]\n", ""))
    assert codes(checked(tmp_path, free, {"a.md": article("a", regions="[apac]")})) == []


def test_what_no_customer_is_granted_is_never_eligible(tmp_path: Path, bundle: Bundle) -> None:
    """A language that no rule grants; the rule that grants community pages has a customer."""
    report = checked(
        tmp_path,
        bundle,
        {"de.md": article("de", language="de"), "tip.md": article("tip", authority="community"), "a.md": article("a")},
    )
    (finding,) = (one for one in report.findings if one.places)
    assert (finding.code, finding.places[0].doc_id) == (Code.NEVER_ELIGIBLE, "de")
    assert "nobody is granted language de" in finding.found


def test_without_the_rule_community_pages_reach_nobody(tmp_path: Path) -> None:
    """The policy decides, not a list in the check."""
    own = edited(
        tmp_path / "own",
        ("rules/turn.yaml", "    scope: {authority: [community]}\n", "    scope: {authority: [standard]}\n"),
    )
    report = checked(tmp_path, own, {"tip.md": article("tip", authority="community"), "a.md": article("a")})
    assert codes(report) == [Code.NEVER_ELIGIBLE]


def test_quarantine_is_told_with_its_line(tmp_path: Path, bundle: Bundle) -> None:
    """It serves nobody, so it counts as no document in the matrix."""
    report = checked(tmp_path, bundle, {"a.md": article("a", HIDDEN)})
    assert [(one.code, one.places[0].line) for one in report.findings if one.places] == [(Code.QUARANTINED, 15)]
    assert set(report.access.unserved) == set(report.access.needs)


def test_needs_and_groups_without_documents_are_holes(tmp_path: Path, bundle: Bundle) -> None:
    """A need nobody is served in; segments, and a pair of attribute values, that are left without."""
    report = checked(
        tmp_path,
        bundle,
        {
            "how.md": article("how", need_states="[how_to]"),
            "bill.md": article("bill", need_states="[billing_charges]", roles="[finance]"),
            "eu.md": article("eu", need_states="[incident]", regions="[eu]"),
            "us.md": article("us", need_states="[incident]", regions="[us]", plans="[enterprise, business, team]"),
            "law.md": article("law", need_states="[policy_compliance]", authority="authoritative"),
            "std.md": article("std", need_states="[policy_compliance]", roles="[it]"),
        },
    )
    assert report.access.unserved == ("access_restore", "account_changes")
    told = {finding.found for finding in report.findings if finding.code is Code.ACCESS_HOLE}
    assert "For billing_charges segment end_user has no document, although other customers have." in told
    assert "For billing_charges segment workspace_admin has no document, although other customers have." in told
    assert "For incident plan=trial with region=us has no document, although other customers have." in told
    assert not any("segment finance" in one or "role=finance" in one or "how_to" in one for one in told)
    assert not any("role=agent" in one for one in told), "segment end_user says so already"
    cells = {row.group: {cell.need: cell for cell in row.cells} for row in report.access.segments}
    assert cells["end_user"]["billing_charges"].hole
    assert (cells["trial"]["incident"].least, cells["trial"]["incident"].most) == (0, 1)
    assert (
        cells["workspace_admin"]["policy_compliance"].least,
        cells["workspace_admin"]["policy_compliance"].most,
    ) == (1, 1)
    assert "billing_charges" not in cells["how_to"], "nobody is in it with another need"
