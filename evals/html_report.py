"""The result of a run as one HTML page that needs nothing else: every conversation, and what differed."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from handrail.evals.report import RunReport, Tally, by_scenario
from handrail.evals.runner import CaseResult, Outcome, TurnSeen

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c1c1e; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
details { border: 1px solid #d0d0d5; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } .word { font-weight: 600; }
.passed .word { color: #17692b; } .failed .word, .crashed .word { color: #a3131f; } .not_run .word { color: #6a5300; }
.turn { border-top: 1px solid #e6e6ea; padding: .5rem 0; } .said { white-space: pre-wrap; overflow-wrap: anywhere; }
.codes { color: #55555c; font-size: 13px; overflow-wrap: anywhere; } ul.wrong { color: #a3131f; margin: .3rem 0; }
"""


def html_page(run: RunReport) -> str:
    """The page. Everything that was said is escaped: a conversation may hold markup, and some are hostile."""
    groups = by_scenario(run.cases)
    rows = "\n".join(_row(name, run.scenarios[name]) for name in groups)
    cases = "\n".join(_case(result) for results in groups.values() for result in results)
    bundle = f"Bundle {escape(run.revision)}. " if run.revision else ""
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Handrail scenarios</title><style>{_STYLE}</style></head>
<body>
<h1>Scenarios</h1>
<p>{escape(run.target)}. {bundle}Held: {escape(str(run.tally.held))}.
{run.tally.passed} passed, {run.tally.failed} failed, {run.tally.crashed} crashed, {run.tally.not_run} not run.</p>
<table>
<thead><tr><th>scenario</th><th>passed</th><th>failed</th><th>crashed</th><th>not run</th><th>held</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<h2>Conversations</h2>
{cases}
</body>
</html>
"""


def _row(name: str, counts: Tally) -> str:
    cells = (counts.passed, counts.failed, counts.crashed, counts.not_run, counts.held)
    return f"<tr><td>{escape(name)}</td>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"


def _case(result: CaseResult) -> str:
    wrong = result.outcome in (Outcome.FAILED, Outcome.CRASHED)
    word = result.outcome.value.replace("_", " ")
    turns = "\n".join(_turn(number, turn) for number, turn in enumerate(result.turns, 1))
    return f"""<details class="{result.outcome.value}"{" open" if wrong else ""}>
<summary><span class="word">{word}</span> {escape(result.name)}: {escape(result.title)}</summary>
<p class="codes">model: {escape(result.behaviour.value)}</p>
{_wrong([result.why] if result.why else [])}
{turns}
</details>"""


def _turn(number: int, turn: TurnSeen) -> str:
    parts = (
        ("reasons", turn.reasons),
        ("segments", turn.segments),
        ("sources", turn.sources),
        ("tools run", turn.ran),
        ("handed to", (turn.queue,) if turn.queue else ()),
    )
    codes = "<br>".join(f"{name}: {escape(', '.join(values))}" for name, values in parts if values)
    return f"""<div class="turn">
<div><b>{number}. {escape(turn.speaker)}</b></div><div class="said">{escape(turn.text)}</div>
<div><b>reply ({escape(turn.status.value)})</b></div><div class="said">{escape(turn.reply)}</div>
{_wrong(turn.differences)}
<div class="codes">{codes}</div>
</div>"""


def _wrong(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="wrong">{items}</ul>' if items else ""
