"""Findings in SARIF 2.1.0, for code review (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from handrail import __version__
from handrail.evals.policy.lint.checks import CODES
from handrail.evals.policy.lint.finding import Code, Level, LintFinding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LOAD = Code(
    "LOAD",
    Level.ERROR,
    "The bundle does not load, so nothing starts with it.",
    "Mend what the message names; everything that is wrong is reported at once.",
)
BASE = "BUNDLE"
"""What the paths of results start from: the bundle folder."""

_PLACED = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+): (?P<message>.*)$", re.DOTALL)


def sarif(findings: Iterable[LintFinding], revision: str | None, base: str) -> dict[str, JsonValue]:
    """A SARIF log with one run. `base` is the URI of the bundle folder, `revision` None when it does not load."""
    rules = (LOAD, *CODES)
    positions = {code.id: position for position, code in enumerate(rules)}
    driver: dict[str, JsonValue] = {
        "name": "handrail policy lint",
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in rules],
    }
    run: dict[str, JsonValue] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"uri": base}},
        "results": [_result(finding, positions[finding.code]) for finding in findings],
    }
    if revision is not None:
        run["properties"] = {"revision": revision}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def load_problems(problems: Iterable[str]) -> Iterator[LintFinding]:
    """What stops the start, as findings; a problem without a place is one of the manifest."""
    for problem in problems:
        match = _PLACED.match(problem)
        yield LintFinding(
            code=LOAD.id,
            level=LOAD.level,
            kind="bundle",
            subject=match["file"] if match else "bundle.yaml",
            message=match["message"] if match else problem,
            file=match["file"] if match else "bundle.yaml",
            line=int(match["line"]) if match else 1,
        )


def _rule(code: Code) -> JsonValue:
    return {
        "id": code.id,
        "name": "".join(part.capitalize() for part in code.id.split("_")),
        "shortDescription": {"text": code.says},
        "help": {"text": f"{code.says} {code.remedy}", "markdown": f"{code.says}\n\n**What to do:** {code.remedy}"},
        "defaultConfiguration": {"level": code.level.value},
    }


def _result(finding: LintFinding, position: int) -> JsonValue:
    return {
        "ruleId": finding.code,
        "ruleIndex": position,
        "level": finding.level.value,
        "message": {"text": f"{finding.subject}: {finding.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.file, "uriBaseId": BASE},
                    "region": {"startLine": finding.line},
                },
                "logicalLocations": [{"name": finding.subject, "kind": finding.kind}],
            }
        ],
        "partialFingerprints": {"finding/v1": f"{finding.code}:{finding.kind}:{finding.subject}"},
    }
