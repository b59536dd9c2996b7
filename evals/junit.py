"""The result of a run as JUnit XML, for the machinery around a build."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from handrail.evals.report import RunReport, by_scenario, failure, tally
from handrail.evals.runner import CaseResult, Outcome

_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""Characters that XML 1.0 cannot hold, even escaped."""


def junit(run: RunReport) -> str:
    """One test suite per scenario, one test case per wording; a difference is a failure, a crash an error."""
    root = ET.Element(
        "testsuites",
        name="handrail scenarios",
        tests=str(run.tally.total),
        failures=str(run.tally.failed),
        errors=str(run.tally.crashed),
        skipped=str(run.tally.not_run),
    )
    for name, results in by_scenario(run.cases).items():
        counts = tally(results)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(counts.total),
            failures=str(counts.failed),
            errors=str(counts.crashed),
            skipped=str(counts.not_run),
        )
        for result in results:
            _case(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, result: CaseResult) -> None:
    case = ET.SubElement(suite, "testcase", classname=result.scenario, name=result.name)
    if result.outcome is Outcome.NOT_RUN:
        ET.SubElement(case, "skipped", message=_clean(result.why))
    elif result.outcome is not Outcome.PASSED:
        tag = "failure" if result.outcome is Outcome.FAILED else "error"
        element = ET.SubElement(case, tag, message=_clean("; ".join(result.problems)))
        element.text = _clean(failure(result))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
