from pathlib import Path

import pytest

from handrail.agent.company.context import sample_attributes
from handrail.evals.sample_base import sample_documents
from handrail.evals.scenario_files import FOLDER, Known, load
from handrail.evals.substitutes import OFFICE_HOURS
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load as load_bundle
from handrail.guardrails.errors import ConfigError
from tests.unit.evals.test_scenario import FILE

POLICIES = FOLDER.resolve().parents[1] / "guardrails" / "policies"
REQUIRED = {
    "duplicate_charge",
    "chargeback_word",
    "refund_hostile_model",
    "cancel_trial",
    "cancel_enterprise_renewal",
    "mfa_lockout_solved",
    "mfa_lockout_fails_twice",
    "email_changed",
    "sso_setup_okta_admin",
    "sso_setup_azure_admin",
    "sso_setup_end_user",
    "outage_during_incident",
    "dpa_question",
    "still_not_working",
    "ask_for_person",
    "unanswerable",
}


@pytest.fixture(scope="module")
def known() -> Known:
    """Everything that a shipped scenario may name."""
    bundle: Bundle = load_bundle(POLICIES)
    return Known.of(bundle, sample_documents(), frozenset(sample_attributes(OFFICE_HOURS)))


def folded(text: str) -> str:
    """Text without differences of case, white space and quotes."""
    return " ".join(text.casefold().replace("’", "'").split())


def test_shipped_scenarios_name_only_what_exists(known: Known) -> None:
    """Codes, segments, documents, tools, queues and customers are all there."""
    shipped = {file.scenario.id for file in load((FOLDER,), known)}
    assert shipped >= REQUIRED


def test_a_file_is_called_like_its_scenario() -> None:
    """So that a failure leads to its file."""
    assert [file.document.file for file in load()] == [f"scenarios/{file.scenario.id}.yaml" for file in load()]


def test_no_wording_stands_in_the_bundle() -> None:
    """A scenario that repeats an example of the bundle would measure memory, not understanding."""
    bundle = "\n".join(folded(path.read_text(encoding="utf-8")) for path in sorted(POLICIES.rglob("*.yaml")))
    copied = [
        f"{file.scenario.id}: {line}"
        for file in load()
        for lines in file.scenario.wordings.values()
        for line in lines
        if folded(line).strip(" .!?") in bundle
    ]
    assert copied == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("reasons_exclude: [HUMAN_REQUESTDE]", "there is no reason code 'HUMAN_REQUESTDE'"),
        ("segments_include: [trail]", "there is no segment 'trail'"),
        ("sources_any: [no-such-page]", "there is no document 'no-such-page'"),
        ("tools_not_ran: [refund]", "there is no tool 'refund'"),
        ("confirmation: refund", "there is no tool 'refund'"),
        ("handoff: {queue: nowhere}", "there is no queue 'nowhere'"),
        ("handoff: {reasons_include: [NO_CODE]}", "there is no reason code 'NO_CODE'"),
        ("route: {queue: nowhere}", "there is no queue 'nowhere'"),
    ],
)
def test_a_misspelt_name_is_reported(tmp_path: Path, known: Known, line: str, words: str) -> None:
    """A misspelt name under an exclusion would hold for ever."""
    (tmp_path / "sample.yaml").write_text(FILE.replace("status: [bot]", line), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"sample\.yaml:10: ") as caught:
        load((tmp_path,), known)
    assert words in str(caught.value)


def test_an_unknown_customer_and_attribute_are_reported(tmp_path: Path, known: Known) -> None:
    """Both problems come together."""
    text = FILE.replace("customer: dana", "customer: nobody\nattributes: {colour: blue}")
    (tmp_path / "sample.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load((tmp_path,), known)
    assert len(caught.value.problems) == 2


def test_two_scenarios_of_one_id_are_refused(tmp_path: Path) -> None:
    """Reports could not tell them apart."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(FILE, encoding="utf-8")
    with pytest.raises(ConfigError, match="the id sample is taken by"):
        load((tmp_path,))


def test_an_empty_folder_and_a_missing_file_are_reported(tmp_path: Path) -> None:
    """Nothing to play is never a success."""
    with pytest.raises(ConfigError) as caught:
        load((tmp_path, tmp_path / "gone.yaml"))
    assert len(caught.value.problems) == 2
