from xml.etree import ElementTree as ET

from handrail.evals.html_report import html_page
from handrail.evals.junit import junit
from handrail.evals.report import RunReport, failure, report, summary
from handrail.evals.runner import CaseResult, Outcome, TurnSeen
from handrail.evals.scenario import Behaviour
from handrail.guardrails.vocabulary import ConversationStatus


def turn(text: str, *differences: str, reply: str = "Hello.") -> TurnSeen:
    """A turn with these differences."""
    return TurnSeen(
        speaker="customer",
        text=text,
        reply=reply,
        status=ConversationStatus.BOT,
        reasons=("INTENT_READ",),
        segments=("trial",),
        sources=(),
        ran=(),
        queue=None,
        differences=differences,
    )


def result(scenario: str, wording: int, outcome: Outcome, *turns: TurnSeen, why: str = "") -> CaseResult:
    """The result of one case."""
    return CaseResult(
        scenario=scenario,
        title=f"About {scenario}",
        wording=wording,
        behaviour=Behaviour.EMBEDDED,
        outcome=outcome,
        turns=turns,
        why=why,
    )


FAILED = result("a", 2, Outcome.FAILED, turn("hi"), turn("<b>\x00bye</b>", "the reply is <wrong>"), turn("later"))
RUN: RunReport = report(
    "in process",
    "abc",
    [
        result("a", 1, Outcome.PASSED, turn("hi")),
        FAILED,
        result("b", 1, Outcome.CRASHED, turn("hi"), why="turn 2: ConnectionError: gone"),
        result("b", 2, Outcome.NOT_RUN, why="no code can be read"),
    ],
)


def test_outcomes_are_counted_apart() -> None:
    """A crash and a case that was not run stay out of the share."""
    counts = RUN.tally
    assert (counts.passed, counts.failed, counts.crashed, counts.not_run, counts.total) == (1, 1, 1, 1, 4)
    assert (counts.held.successes, counts.held.n) == (1, 2)
    assert not counts.all_well


def test_a_run_in_which_nothing_was_played_is_not_well() -> None:
    """Otherwise a wrong address would look like success."""
    assert not report("x", None, [result("a", 1, Outcome.NOT_RUN, why="no")]).tally.all_well
    assert report("x", None, [result("a", 1, Outcome.PASSED)]).tally.all_well


def test_a_failure_is_told_up_to_the_turn_that_went_wrong() -> None:
    """What was said, what differed, and the reasons of that turn."""
    lines = failure(FAILED).splitlines()
    assert lines[0] == "FAILED  a[2]  About a"
    assert "          × the reply is <wrong>" in lines
    assert not any("later" in line for line in lines)


def test_the_summary_names_every_scenario_and_what_was_not_run() -> None:
    """The last line has n and the interval."""
    text = summary(RUN)
    assert "a  1 passed, 1 failed" in text
    assert "not run (1): no code can be read" in text
    assert text.splitlines()[-1].startswith("held: 1 of 2 (50%, 95 % interval 9%–91%)")


def test_junit_tells_failures_errors_and_skipped_apart() -> None:
    """The XML is well-formed whatever a customer typed."""
    root = ET.fromstring(junit(RUN))  # noqa: S314 - our own text
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    assert [suite.get("name") for suite in root] == ["a", "b"]
    assert [case.get("name") for case in root.iter("testcase")] == ["a[1]", "a[2]", "b[1]", "b[2]"]
    found = root.find(".//failure")
    assert found is not None
    assert found.get("message") == "turn 2: the reply is <wrong>"


def test_the_page_escapes_everything_that_was_said() -> None:
    """Hostile models write markup; a report must not run it."""
    page = html_page(RUN)
    assert "<b>\x00bye" not in page
    assert "&lt;b&gt;" in page
    assert "the reply is &lt;wrong&gt;" in page


def test_the_page_needs_nothing_else_and_opens_what_went_wrong() -> None:
    """No script, no link; failures stand open."""
    page = html_page(RUN)
    assert not any(word in page for word in ("<script", "http://", "https://", "src="))
    assert '<details class="failed" open>' in page
    assert '<details class="passed">' in page


def test_the_run_is_written_as_json_and_read_back() -> None:
    """So that two runs can be compared."""
    assert RunReport.model_validate_json(RUN.model_dump_json()) == RUN


def test_the_summary_says_how_often_a_stand_in_was_asked() -> None:
    """A hostile model that was never asked proves nothing."""
    asked = turn("hi").model_copy(update={"reasons": ("DRAFT_MODEL",)})
    hostile = {"behaviour": Behaviour.LIAR}
    run = report(
        "x",
        None,
        [
            result("a", 1, Outcome.PASSED, asked).model_copy(update=hostile),
            result("a", 2, Outcome.PASSED, turn("hi")).model_copy(update=hostile),
            result("a", 3, Outcome.PASSED, asked),
        ],
    )
    assert "stand-in models were asked in 1 of 2 cases" in summary(run)
