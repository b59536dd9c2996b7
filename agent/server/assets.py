"""Files for browsers: the widget's script and the demo page, each with the policy a browser holds it to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from handrail.guardrails.errors import ConfigError

CACHE: Final = "public, max-age=300"
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""What a page of ours may do: load from here, ask here, show what it was given. No inline script, no other host."""

STATIC: Final = Path(__file__).with_name("static")
_MEDIA_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of `static/` and the path it is served at."""

    path: str
    file: Path


def widget_assets() -> tuple[Asset, ...]:
    """The widget's script, and the modules that it loads, whichever there are."""
    parts = sorted(STATIC.glob("widget/*.js"))
    return (Asset("/widget.js", STATIC / "widget.js"), *(Asset(f"/widget/{each.name}", each) for each in parts))


def demo_assets() -> tuple[Asset, ...]:
    """The demo page at `/demo`, and what it loads below."""
    parts = (each for each in sorted(STATIC.glob("demo.*")) if each.suffix in _MEDIA_TYPES)
    return tuple(Asset("/demo" if each.suffix == ".html" else f"/demo/{each.name}", each) for each in parts)


class _Served:
    """An asset in memory, answered from there."""

    def __init__(self, asset: Asset) -> None:
        try:
            self._content = asset.file.read_bytes()
        except OSError as error:
            raise ConfigError(
                [f"{asset.file.name} is not part of this installation ({error}). Install it again."]
            ) from error
        self._headers = {
            "etag": f'"{hashlib.sha256(self._content).hexdigest()[:32]}"',
            "cache-control": CACHE,
            "content-security-policy": PAGE_POLICY,
            "content-type": f"{_MEDIA_TYPES[asset.file.suffix]}; charset=utf-8",
            "vary": "Origin",
        }

    async def __call__(self, request: Request) -> Response:
        """The file, or that it has not changed."""
        known = request.headers.get("if-none-match", "")
        if any(each.strip().removeprefix("W/") == self._headers["etag"] for each in known.split(",")):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=self._headers)
        return Response(self._content, headers=self._headers)


def router(assets: tuple[Asset, ...]) -> APIRouter:
    """A route for each asset. Raises ConfigError when a file is missing."""
    routes = APIRouter()
    for asset in assets:
        routes.add_api_route(asset.path, _Served(asset).__call__, methods=["GET", "HEAD"], include_in_schema=False)
    return routes
