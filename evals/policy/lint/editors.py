"""The schema files that editors check a bundle with, where it has some."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.evals.policy.lint.context import Context
from handrail.evals.policy.lint.finding import Code, Level, LintFinding

STALE = Code(
    "LINT_SCHEMA_STALE",
    Level.WARNING,
    "The schema files beside the bundle do not fit it any more, so editors complete what does not load.",
    "Run `handrail policy schema` on the folder.",
)


def stale(context: Context) -> Iterator[LintFinding]:
    """Schema files that are missing or of an earlier bundle; a folder without any is left alone."""
    from handrail.evals.policy.schema import FOLDER
    from handrail.evals.policy.schema import stale as stale_files

    if context.folder is None or not (context.folder / FOLDER).is_dir():
        return
    for name in stale_files(context.folder, context.bundle):
        message = "does not fit the bundle any more. Run `handrail policy schema` on the folder."
        yield context.found(STALE, "schema", name, message, f"{name}:1")
