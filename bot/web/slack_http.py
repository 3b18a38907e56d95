"""Slack's requests in HTTP mode. Bolt checks each one's signature and that it is not older than 5 min."""

from __future__ import annotations

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

LARGEST_REQUEST = 1024 * 1024


def slack_application(app: AsyncApp, path: str) -> web.Application:
    """One route for events, commands and interactions."""

    async def receive(request: web.Request) -> web.Response:
        answer = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    door = web.Application(client_max_size=LARGEST_REQUEST)
    door.router.add_post(path, receive)
    return door
