"""What all drawings and pages of measurements share."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK, SOFT = "#1c1c1e", "#d0d0d5"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c1c1e; }
figure { display: inline-block; margin: .5rem 1rem .5rem 0; vertical-align: top; } figcaption { font-weight: 600; }
pre { background: #f5f5f7; border-radius: 6px; font-size: 12.5px; overflow-x: auto; padding: .8rem; }
svg text { font: 12px system-ui, sans-serif; fill: #1c1c1e; }
"""


def page(title: str, body: str) -> str:
    """A page that needs nothing else; `body` is HTML."""
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>
<body>
{body}</body>
</html>
"""


def figure(title: str, drawing: str) -> str:
    """A drawing under its title."""
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawing}</figure>"


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def svg(width: float, height: float, parts: Sequence[str]) -> str:
    """A drawing of these parts."""
    return f'<svg width="{width:.0f}" height="{height:.0f}" role="img">{"".join(parts)}</svg>'
