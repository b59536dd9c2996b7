"""Routes for the widget: its script, and what it shows beside the conversation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from handrail.agent.server import assets
from handrail.agent.server.asking import Asking
from handrail.agent.server.faults import documented
from handrail.agent.server.views import WidgetView

PREFIX = "widget_"
"""What the keys of texts for the widget begin with in the bundle."""

Language = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z]{2,3}$",
        description="One of `languages`; without it, or with another, the first.",
        examples=["en"],
    ),
]


async def read_widget(desk: Asking, language: Language = None) -> WidgetView:
    """What a widget shows beside the conversation: names, the words that say who speaks, limits."""
    bundle = desk.service.bundle
    manifest = bundle.manifest
    chosen = language if language in manifest.languages else manifest.languages[0]
    return WidgetView(
        name=manifest.company,
        disclosure=bundle.text("disclosure", chosen),
        person_disclosure=bundle.text("person_disclosure", chosen),
        model=desk.model,
        languages=manifest.languages,
        message_characters=manifest.limits.message_characters,
        texts={
            key.removeprefix(PREFIX): words for key, words in bundle.texts[chosen].items() if key.startswith(PREFIX)
        },
    )


def router() -> APIRouter:
    """The routes of this module."""
    routes = APIRouter()
    routes.add_api_route("/v1/widget", read_widget, methods=["GET"], tags=["widget"], responses=documented(403, 422))
    routes.include_router(assets.router(assets.widget_assets()))
    return routes
