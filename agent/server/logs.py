"""Structured logs: one JSON object a line, without personal data."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("handrail_request_id", default=None)
"""The request that is being answered, for every line logged meanwhile."""

FIELDS: Final = ("method", "route", "status", "milliseconds", "error", "at", "turn")
"""What a line may carry beside its message. Anything else stays out, so that nothing personal slips in."""

_OWN = ("handrail", "uvicorn")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object.

    Of other libraries' records only the place is written: their words may quote what a customer said.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        own = record.name.partition(".")[0] in _OWN
        line: dict[str, str | int | float | None] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if own else f"see {record.module}:{record.lineno}",
        }
        request = REQUEST_ID.get()
        if request is not None:
            line["request_id"] = request
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line |= described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def described(error: BaseException) -> dict[str, str]:
    """An error's type and the place it came from. Not its message, which may quote a customer."""
    trace, place = error.__traceback__, "unknown"
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": place}


def start_logging(level: str, stream: TextIO | None = None) -> None:
    """Send the logs of the whole process to `stream` (standard error) as JSON lines."""
    lines = logging.StreamHandler(stream or sys.stderr)
    lines.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    for name in _OWN:
        logging.getLogger(name).setLevel(level.upper())
