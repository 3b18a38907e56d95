"""What the workspace serves besides the Web API and the page: sockets, response URLs, files."""

from __future__ import annotations

from aiohttp import web

from bot.workspace.api.handler import read_arguments, refusal
from bot.workspace.core import Workspace
from bot.workspace.errors import SlackError
from bot.workspace.model import JsonObject
from bot.workspace.texts import parse_json
from bot.workspace.uploads import write_file


class Routes:
    """`/link` for Socket Mode, `/actions` for response URLs, `/upload` and `/files-pri` for files."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/link/", self.link)
        app.router.add_post("/actions/{team}/{secret}", self.respond)
        app.router.add_post("/upload/v1/{file}", self.upload)
        app.router.add_get("/files-pri/{file}/{name}", self.download)

    async def link(self, request: web.Request) -> web.StreamResponse:
        """One Socket Mode connection; its address works once."""
        try:
            app_id = self._workspace.sockets.redeem(request.query.get("ticket", ""))
        except SlackError as error:
            raise web.HTTPForbidden(text=error.code) from error
        return await self._workspace.sockets.serve(request, app_id)

    async def respond(self, request: web.Request) -> web.Response:
        """A message to a response URL."""
        try:
            body = await _response_body(request)
            self._workspace.responses.by_url(request.match_info["secret"], body)
        except SlackError as error:
            gone = error.code in ("used_url", "expired_url", "invalid_url")
            answer = refusal(error)
            answer.set_status(404 if gone else 400)
            return answer
        return web.Response(text="ok")

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file, raw or in a form."""
        file = self._workspace.file(request.match_info["file"])
        if file is None or file.complete:
            raise web.HTTPNotFound(text="not found")
        content = await _uploaded_bytes(request)
        if len(content) != file.size:
            raise web.HTTPBadRequest(text=f"expected {file.size} bytes, got {len(content)}")
        await write_file(self._workspace.book, file, content)
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file's bytes for an app with `files:read`."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        book = self._workspace.book
        readers = {
            credentials.bot_token
            for app_id, credentials in book.credentials.items()
            if "files:read" in book.apps[app_id].scopes
        } - book.revoked
        file = self._workspace.file(request.match_info["file"])
        if token not in readers:
            raise web.HTTPForbidden(text="invalid_auth")
        if file is None or not file.complete:
            raise web.HTTPNotFound(text="not found")
        headers = {"Content-Type": file.mimetype, "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(self._workspace.file_path(file.id), headers=headers)


async def _response_body(request: web.Request) -> JsonObject:
    raw = await request.read()
    try:
        body = parse_json(raw)
    except (ValueError, RecursionError):
        form = await read_arguments(request)
        payload = form.get("payload")
        if not isinstance(payload, str):
            raise SlackError("invalid_payload") from None
        try:
            body = parse_json(payload)
        except (ValueError, RecursionError) as error:
            raise SlackError("invalid_payload") from error
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    return body


async def _uploaded_bytes(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    for value in form.values():
        if isinstance(value, web.FileField):
            return value.file.read()
        if isinstance(value, bytes):
            return value
    raise web.HTTPBadRequest(text="no file in the form")
