"""Answers in the middle of a checklist and near misses between charges, read with the shipped bundle."""

import pytest

from handrail.guardrails.detect.suite import DetectorSuite


def codes(suite: DetectorSuite, text: str) -> set[str]:
    """The codes that `text` gives."""
    return {signal.code for signal in suite.detect(text).signals}


@pytest.mark.parametrize("text", ["yes! I'm in", "that did it, logged in", "the code was accepted, thanks"])
def test_success_is_a_yes_and_solves(suite: DetectorSuite, text: str) -> None:
    """Whoever got in is not asked again."""
    found = codes(suite, text)
    assert {"ANSWER_YES", "RESOLVED"} <= found
    assert "STILL_UNRESOLVED" not in found


@pytest.mark.parametrize("text", ["it let me in yesterday, today it fails", "none of this worked", "that never worked"])
def test_success_that_is_denied_or_past_solves_nothing(suite: DetectorSuite, text: str) -> None:
    """A word of success alone does not close a case."""
    assert not codes(suite, text) & {"ANSWER_YES", "RESOLVED"}


def test_two_debits_are_no_fraud_and_no_dispute_with_the_bank(suite: DetectorSuite) -> None:
    """Details are collected first unless fraud or the bank's help is named."""
    found = codes(suite, "our statement has the monthly fee on it two times, taken on one day")
    assert "RISK_CHARGE_DISPUTE" in found
    assert not found & {"RISK_FRAUD", "RISK_CHARGEBACK"}


def test_a_question_about_signing_asks_for_no_commitment(suite: DetectorSuite) -> None:
    """The same words as a demand do."""
    assert "COMMITMENT_REQUESTED" not in codes(suite, "do you sign data processing agreements")
    assert "COMMITMENT_REQUESTED" in codes(suite, "we require the agreement signed by your company")
