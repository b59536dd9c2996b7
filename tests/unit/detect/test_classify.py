"""`handrail classify`, with detectors and policy of the test's own."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from handrail.agent.assessment import Assessment, assess_with
from handrail.commands.classify import Classifier, classify, line_work
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.detect.load import shipped_detection
from handrail.guardrails.detect.suite import DetectorSuite
from handrail.guardrails.vocabulary import Detection, NeedState, RiskTier, Signal, Span


class Echo:
    """Detectors that remember what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def detect(self, text: str, earlier: Sequence[str] = ()) -> Detection:
        """One personal datum and a request for a person, whatever is asked."""
        self.asked.append((text, tuple(earlier)))
        signals = (
            Signal(code="HUMAN_REQUESTED", detector="echo", score=1.0),
            Signal(code="PII_EMAIL", detector="echo", score=1.0, span=Span(start=0, end=3)),
        )
        return Detection(
            need_state=None,
            intent=None,
            confidence=0.1,
            need_states=(),
            alternatives=(),
            signals=signals,
            language="en",
        )


def assess(_detection: Detection) -> Assessment:
    """High risk for everything."""
    return Assessment(risk=RiskTier.HIGH, always_human=True)


def run(*lines: str) -> tuple[int, list[dict[str, object]], list[str], Echo]:
    """Classify `lines`: the number of bad ones, what was written, what was reported, and who was asked."""
    echo, output, reported = Echo(), io.StringIO(), list[str]()
    wrong = line_work(Classifier(echo, assess)).write(lines, output, reported.append)
    return wrong, [json.loads(line) for line in output.getvalue().splitlines()], reported, echo


def test_a_line_gives_a_line_with_every_field() -> None:
    """The fields are the documented ones, and null stands for unknown."""
    wrong, (written,), _, _ = run('{"id": "a", "text": "hi"}')
    assert wrong == 0
    assert list(written) == [
        "id", "need_state", "intent", "confidence", "alternatives", "risk", "always_human", "human_requested",
        "injection", "language", "pii", "signals",
    ]  # fmt: skip
    assert written["need_state"] is None
    assert (written["risk"], written["always_human"]) == ("high", True)
    assert (written["human_requested"], written["injection"]) == (True, False)
    assert written["pii"] == [{"code": "PII_EMAIL", "start": 0, "end": 3}]


def test_only_the_customers_own_history_counts() -> None:
    """Strings and customer objects are passed on; what a bot or an operator said is not."""
    line = {"id": 1, "text": "c", "history": ["a", {"role": "bot", "text": "x"}, {"role": "customer", "text": "b"}]}
    _, _, _, echo = run(json.dumps(line))
    assert echo.asked == [("c", ("a", "b"))]


@pytest.mark.parametrize(
    ("line", "identifier"),
    [
        ("not json", None),
        ("[1]", None),
        ('{"id": "x"}', "x"),
        ('{"text": "no id"}', None),
        ('{"id": "x", "text": 5}', "x"),
        ('{"id": "x", "text": "t", "history": "h"}', "x"),
        ("[" * 100_000, None),
    ],
)
def test_a_bad_line_is_reported_and_the_rest_goes_on(line: str, identifier: str | None) -> None:
    """Line number and reason on one side, id and error on the other, and every line answered."""
    wrong, written, reported, _ = run('{"id": 1, "text": "ok"}', line, "", '{"id": 2, "text": "ok"}')
    assert wrong == 1
    assert [item["id"] for item in written] == [1, identifier, 2]
    assert "error" in written[1]
    assert reported[0].startswith("line 2: ")


def test_the_command_reads_and_writes_standard_streams() -> None:
    """Exit 0 when all is well, 1 after a bad line."""
    runner, obj = CliRunner(), Classifier(Echo(), assess)
    good = runner.invoke(classify, ["-", "-"], input='{"id": 1, "text": "ok"}\n', obj=obj)
    assert good.exit_code == 0
    assert json.loads(good.stdout)["id"] == 1
    bad = runner.invoke(classify, ["-", "-"], input="x\n", obj=obj)
    assert bad.exit_code == 1
    assert bad.stderr.startswith("line 1: not JSON")


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    """The same file on both sides is refused before anything is opened for writing."""
    path = tmp_path / "messages.jsonl"
    path.write_text('{"id": 1, "text": "ok"}\n')
    result = CliRunner().invoke(classify, [str(path), str(path)], obj=Classifier(Echo(), assess))
    assert result.exit_code == 2
    assert path.read_text()


def test_files_are_read_and_written(tmp_path: Path) -> None:
    """One line out per line in; fields of labelled files that are not asked for do no harm."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "grüezi", "label": "x"}\n')
    result = CliRunner().invoke(classify, [str(source), str(target)], obj=Classifier(Echo(), assess))
    assert result.exit_code == 0
    assert len(target.read_text().splitlines()) == 1


def test_help_shows_an_example() -> None:
    """Whoever asks for help can copy a line."""
    assert "handrail classify - -" in CliRunner().invoke(classify, ["--help"]).stdout


@pytest.mark.parametrize(
    ("text", "risk", "always_human"),
    [
        ("there's a payment I never made", RiskTier.CRITICAL, True),
        ("you billed us double in May", RiskTier.HIGH, True),
        ("how do I connect Slack", RiskTier.LOW, False),
    ],
)
def test_risk_comes_from_the_shipped_policy(
    suite: DetectorSuite, text: str, risk: RiskTier, always_human: bool
) -> None:
    """The rules of the risk gate decide over the signals of the message alone."""
    assessment = assess_with(load(shipped_detection().parent).policy)(suite.detect(text))
    assert (assessment.risk, assessment.always_human) == (risk, always_human)


def test_need_states_are_written_by_name(suite: DetectorSuite) -> None:
    """The nine names of the vocabulary."""
    output = io.StringIO()
    line_work(Classifier(suite, assess)).write(['{"id": 1, "text": "reset my password"}'], output, print)
    assert json.loads(output.getvalue())["need_state"] == NeedState.ACCESS_RESTORE.value
