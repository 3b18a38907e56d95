"""A Bolt app that acknowledges `/guardian` and does nothing else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def _ack(ack: AsyncAck) -> None:
    await ack()


async def _run() -> None:
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = AsyncApp(client=client, process_before_response=True)
    app.command("/guardian")(_ack)
    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    start: Callable[[], Awaitable[None]] = handler.start_async
    await start()


if __name__ == "__main__":
    asyncio.run(_run())
