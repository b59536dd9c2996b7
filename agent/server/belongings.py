"""Routes for what customers give to a conversation beside messages: a rating, consent, files."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Header, Path, Request, Response

from handrail.agent.feed import FileAttached
from handrail.agent.files import LARGEST_FILE, FileContent, Upload
from handrail.agent.server.asking import ID, Adding, Asking, Calling
from handrail.agent.server.bodies import ConsentBody, RatingBody
from handrail.agent.server.body_limit import FILE_SECONDS, Allowance, read_body
from handrail.agent.server.faults import documented, unknown_file
from handrail.agent.server.views import ConsentView, RatingView
from handrail.agent.server.wire_examples import FILE_BODY, FILE_CONTENT

FileId = Annotated[str, Path(pattern=ID, description="As `file.attached` tells it.", examples=["f_1"])]
FileName = Annotated[
    str | None,
    Header(
        alias="X-File-Name",
        max_length=1000,
        description="What the customer calls the file; letters beyond ASCII percent-encoded as UTF-8.",
    ),
]

_ALLOWED = Allowance(LARGEST_FILE, FILE_SECONDS)


async def rate(desk: Asking, calling: Adding, body: RatingBody) -> RatingView:
    """Rate the conversation, 1 to 5. A later rating replaces an earlier one."""
    await desk.service.rate(desk.site, calling.conversation_id, calling.customer_id, body.score, body.comment)
    return RatingView(score=body.score)


async def consent(desk: Asking, calling: Adding, body: ConsentBody) -> ConsentView:
    """Agree to a purpose, or refuse it. Refusing `ai_assistance` brings a person, and the machine stays silent."""
    turn = await desk.service.consent(
        desk.site, calling.conversation_id, calling.customer_id, body.purpose, given=body.given
    )
    return ConsentView(
        purpose=body.purpose,
        given=body.given,
        turn=None if turn is None else await desk.turn(calling.conversation_id, turn),
    )


async def attach(desk: Asking, calling: Adding, request: Request, x_file_name: FileName = None) -> FileAttached:
    """Attach a file for the people who look after the conversation; no model sees it.

    The body is the file. What it is, its bytes say: a PNG, JPEG, WebP, GIF, PDF or plain text file of at most 5 MiB.
    """
    # Whose conversation this is, is known before five megabytes are read.
    await desk.service.snapshot(desk.site, calling.conversation_id, calling.customer_id)
    content = await read_body(request.headers, request.receive, _ALLOWED)
    upload = Upload(name=unquote(x_file_name or ""), content=content or b"")
    return await desk.service.attach(desk.site, calling.conversation_id, calling.customer_id, upload)


async def read_file(desk: Asking, calling: Calling, file_id: FileId) -> Response:
    """An attached file, for saving; browsers do not show it as a page."""
    found = await desk.service.file(desk.site, calling.conversation_id, calling.customer_id, file_id)
    if found is None:
        raise unknown_file()
    return download(found)


def download(file: FileContent) -> Response:
    """A file as it is sent: to be saved, never run or sniffed."""
    name = quote(file.stored.name, safe="")
    return Response(
        file.content,
        media_type=file.stored.media_type,
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
        },
    )


def router() -> APIRouter:
    """The routes of this module."""
    errors = documented(401, 403, 404, 422, 429, 503)
    routes = APIRouter(prefix="/v1/conversations/{conversation_id}", tags=["conversations"], responses=errors)
    add = routes.add_api_route
    add("/rating", rate, methods=["POST"], responses=documented(409))
    add("/consent", consent, methods=["POST"], responses=documented(409))
    add(
        "/files",
        attach,
        methods=["POST"],
        status_code=201,
        responses=documented(408, 409, 413, 415),
        openapi_extra=FILE_BODY,
    )
    add("/files/{file_id}", read_file, methods=["GET"], response_class=Response, responses=FILE_CONTENT)
    return routes
