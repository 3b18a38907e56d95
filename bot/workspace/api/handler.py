"""From an HTTP request to a method and back: tokens, arguments, scopes, limits, faults."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from pydantic import JsonValue

from bot.workspace.access import need_scope
from bot.workspace.api import basics, chat, conversations, files, reactions, views
from bot.workspace.api.call import METHODS, Call, Method
from bot.workspace.core import Workspace
from bot.workspace.errors import SlackError
from bot.workspace.faults import Fault, FaultKind
from bot.workspace.journal import as_json
from bot.workspace.model import App, JsonObject
from bot.workspace.texts import parse_json, whole

MODULES = (basics, chat, conversations, files, reactions, views)
"""imported so that their methods are in the table"""


class Api:
    """`/api/METHOD`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add_routes(self, app: web.Application) -> None:
        """Mount it."""
        app.router.add_route("*", "/api/{method}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        name = request.match_info["method"]
        fault = self._workspace.faults.take(name)
        if fault is not None and fault.kind is not FaultKind.ACCEPT_AND_HANG:
            return await self._fail(request, fault)
        try:
            body = await self._call(request, name)
        except SlackError as error:
            return refusal(error)
        if fault is not None:
            return await self._fail(request, fault)
        return web.Response(text=as_json({"ok": True, **body}), content_type="application/json")

    async def _call(self, request: web.Request, name: str) -> JsonObject:
        arguments = await read_arguments(request)
        if name == "api.test":
            return _api_test(arguments)
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        app = self._authenticate(request, arguments, method)
        need_scope(app, *method.scopes)
        if method.tier:
            self._workspace.limiter.call(app.id, name, method.tier)
        return await method.run(Call(self._workspace, app, arguments))

    def _authenticate(self, request: web.Request, arguments: Mapping[str, JsonValue], method: Method) -> App:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = str(arguments.get("token") or "")
        token = token.strip()
        if not token:
            raise SlackError("not_authed")
        book = self._workspace.book
        for app_id, credentials in book.credentials.items():
            if token in (credentials.bot_token, credentials.app_token):
                if token in book.revoked:
                    raise SlackError("token_revoked")
                if method.app_token is not (token == credentials.app_token):
                    raise SlackError("not_allowed_token_type")
                return book.apps[app_id]
        raise SlackError("invalid_auth")

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind is FaultKind.ERROR:
            return refusal(SlackError(fault.error))
        if fault.kind is FaultKind.RATE_LIMITED:
            return refusal(SlackError("ratelimited", retry_after=fault.retry_after))
        if fault.kind is FaultKind.HTTP:
            return web.Response(status=fault.status, text="<html><body>Server Error</body></html>")
        if fault.kind is not FaultKind.DROP:
            await self._workspace.faults.released.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


def _api_test(arguments: Mapping[str, JsonValue]) -> JsonObject:
    error = arguments.get("error")
    if isinstance(error, str) and error:
        raise SlackError(error, args=dict(arguments))
    return {"args": dict(arguments)}


def refusal(error: SlackError) -> web.Response:
    """The answer for an error in Slack's form."""
    body: JsonObject = {"ok": False, "error": error.code, **error.details}
    if error.messages:
        body["response_metadata"] = {"messages": list(error.messages)}
    if error.retry_after is None:
        return web.Response(text=as_json(body), content_type="application/json")
    headers = {"Retry-After": str(error.retry_after)}
    return web.Response(status=429, text=as_json(body), content_type="application/json", headers=headers)


async def read_arguments(request: web.Request) -> dict[str, JsonValue]:
    """Arguments of the query and of a form or JSON body. Raises SlackError on a body that is neither."""
    arguments: dict[str, JsonValue] = {whole(name): whole(value) for name, value in request.query.items()}
    if request.content_type == "application/json":
        raw = await request.read()
        if raw.strip():
            arguments |= _json_object(raw)
    elif request.method == "POST":
        form = await request.post()
        arguments |= {whole(name): whole(value) for name, value in form.items() if isinstance(value, str)}
    return arguments


def _json_object(raw: bytes) -> dict[str, JsonValue]:
    try:
        body = parse_json(raw)
    except (ValueError, RecursionError) as error:
        raise SlackError("invalid_json") from error
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body
