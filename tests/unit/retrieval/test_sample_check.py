"""What a check finds in the sample base: by itself, and with contradictions planted once the thresholds were chosen."""

import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

import pytest

from handrail.guardrails.bundle.loader import load
from handrail.guardrails.encoder import MiniLMEncoder
from handrail.retrieval.checking.check import CheckReport, check
from handrail.retrieval.checking.contents import Contents
from handrail.retrieval.checking.findings import Code
from handrail.retrieval.ingest import Ingest
from tests.support.articles import article, screen
from tests.support.bundles import SHIPPED

DAY = date(2026, 11, 27)
BILLING = {"product_area": "billing", "roles": "[admin, finance]", "need_states": "[billing_charges]"}


class _Edit(NamedTuple):
    """A sentence of a sample article, and what it is replaced by."""

    path: str
    old: str
    new: str


EDITS = {
    "deletion in 60 days": _Edit("compliance/gdpr-data-subject-requests.md", "within 30 days", "within 60 days"),
    "three wrong codes": _Edit("identity/mfa-sms-code-missing.md", "After five wrong", "After three wrong"),
    "other shares of a limit": _Edit("forms/build-form.md", "at 80 % and 100 %", "at 70 % and 90 %"),
}
ARTICLES: Mapping[str, str] = {
    "extra-runs": article(
        "extra-runs",
        "## What it costs\nA pack of 10,000 automation runs costs €55 or $60 a month.",
        "Buy more automation runs",
        **{**BILLING, "plans": "[business, enterprise]"},
    ),
    "duplicate-faq": article(
        "duplicate-faq",
        "## How long does it take?\nThe first answer to a report of a duplicate charge usually comes within 3 business "
        "days, the findings within 8 business days.",
        "A charge that appears twice",
        **BILLING,
    ),
    "import-tips": article(
        "import-tips",
        "## How large may it be?\nA file can have up to 35,000 rows and 60 columns.",
        "Tips for importing a CSV file",
        product_area="data",
    ),
    "password-tips": article(
        "password-tips", "## Length\nA password has 8 to 64 characters.", "Choose a good password"
    ),
    "magic-link-short": article(
        "magic-link-short",
        "## Good to know\nA magic link is valid for 30 minutes and works a single time.",
        "Sign in by magic link",
    ),
    "privacy-contact": article(
        "privacy-contact",
        "## Address\nTo object or restrict the use of your data, write to dataprotection@fernwell.example.",
        "Whom to ask about personal data",
        product_area="compliance",
        authority="authoritative",
    ),
}
PLANTED = {*ARTICLES, *(Path(edit.path).stem for edit in EDITS.values())}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, minilm: MiniLMEncoder) -> CheckReport:
    """The check of a copy of the sample articles with the planted contradictions."""
    folder = tmp_path_factory.mktemp("planted")
    with as_file(files("handrail") / "kb" / "articles") as sample:
        shutil.copytree(sample, folder / "articles")
    for edit in EDITS.values():
        path = folder / "articles" / edit.path
        text = path.read_text("utf-8")
        assert text.count(edit.old) == 1
        path.write_text(text.replace(edit.old, edit.new), "utf-8")
    for name, text in ARTICLES.items():
        (folder / "articles" / f"{name}.md").write_text(text, "utf-8")
    Ingest(folder / "kb", minilm, screen).run(folder / "articles")
    return check(Contents.live(folder / "kb"), load(SHIPPED), DAY, timedelta(days=30))


def test_most_planted_contradictions_are_found_and_few_others(report: CheckReport) -> None:
    """Eight of nine; in the sample base itself one pair is right and one is not."""
    pairs = [
        {place.doc_id for place in finding.places} for finding in report.findings if finding.code is Code.CONTRADICTION
    ]
    caught = {name for name in PLANTED if any(name in pair for pair in pairs)}
    assert len(caught) >= 8, sorted(PLANTED - caught)
    others = [pair for pair in pairs if not pair & PLANTED]
    assert len(others) <= 2
    assert {"cancellation-rights-us-2028", "refunds-policy"} in others


def test_what_is_wrong_on_purpose_in_the_sample_base_is_found(report: CheckReport) -> None:
    """The expired articles, those that are not valid yet, and those in a language that no rule grants."""
    told: dict[Code, set[str]] = {}
    for finding in report.findings:
        told.setdefault(finding.code, set()).update(place.doc_id for place in finding.places)
    assert told[Code.EXPIRED] == {
        "refunds-policy-2024",
        "plans-and-prices-2024",
        "cancel-plan-2024",
        "api-rate-limits-v1",
        "retention-2024",
    }
    assert told[Code.NOT_YET_VALID] == {"e-invoicing-eu-2028", "cancellation-rights-us-2028"}
    assert told[Code.NEVER_ELIGIBLE] == {"rechnungen-verstehen-de", "passwort-zuruecksetzen-de"}
    assert Code.UNKNOWN_CLASS not in told
    assert Code.LINK_BROKEN not in told
    assert Code.ACCESS_HOLE not in told
