"""Being connected to Slack: the check at the start, Socket Mode, and coming back after it was away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.failures import AUTH, error_code

log = structlog.get_logger(__name__)

_LOOK_EVERY = 2.0
_LOST_AFTER = 6.0
_GOODBYE_SECONDS = 0.5


class TokenRefused(Exception):
    """Slack refuses a token for good: `which` is the environment variable, `code` Slack's error."""

    def __init__(self, which: str, code: str) -> None:
        super().__init__(f"{which}: {code}")
        self.which = which
        self.code = code


_CALL_SECONDS = 10


def slack_session() -> aiohttp.ClientSession:
    """The HTTP client for all of Slack, to be closed by the caller. A call that is not answered within ten
    seconds is given up: the SDK's own time-out does not hold for a session that it is given."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS))


def web_client(token: str, base_url: str, session: aiohttp.ClientSession | None) -> AsyncWebClient:
    """A client for Slack's Web API; without `session` it opens one for each call.

    It tries nothing again by itself: a post tried twice is two posts, and the outbox knows better when to.
    """
    return AsyncWebClient(
        token=token, base_url=base_url, session=session, timeout=_CALL_SECONDS, retry_handlers=[]
    )


async def check_tokens(client: AsyncWebClient, app_token: str | None) -> str | None:
    """Ask Slack whether it knows the tokens, and for the address of a first connection.

    Returns that address; None in HTTP mode and when Slack cannot be asked now, which is no reason not to
    start watching. Raises TokenRefused: then there is no point in going on.
    """
    which = "SLACK_BOT_TOKEN"
    try:
        await client.auth_test()
        if app_token is None:
            return None
        which = "SLACK_APP_TOKEN"
        opened = await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        code = error_code(error)
        if code in AUTH or code == "not_allowed_token_type":
            raise TokenRefused(which, code) from error
        log.warning("slack_not_ready", detail=code)
        return None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        log.warning("slack_unreachable", detail=type(error).__name__)
        return None
    url = opened.get("url")
    return url if isinstance(url, str) else None


class SocketMode:
    """A Socket Mode connection that is made again whenever it is lost."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        self._app = app
        self._app_token = app_token
        self._handler: AsyncSocketModeHandler | None = None
        self.connected = asyncio.Event()
        """set while there is a connection"""

    async def run(self, first_address: str | None = None) -> None:
        """Stay connected, for ever. `first_address` is one that Slack has given already."""
        logger = logging.getLogger("slack_socket")
        handler = AsyncSocketModeHandler(self._app, self._app_token, logger=logger, ping_interval=5)
        self._handler = handler
        client = handler.client
        connecting: asyncio.Task[None] | None = None
        if first_address is not None:
            client.wss_uri = first_address
            connecting = asyncio.create_task(_connect(client.connect))
        lost = 0.0
        try:
            while True:
                if await client.is_connected():
                    if not self.connected.is_set():
                        log.info("slack_connected")
                    self.connected.set()
                    lost = 0.0
                    await asyncio.sleep(_LOOK_EVERY)
                    continue
                if self.connected.is_set():
                    log.warning("slack_connection_lost")
                    self.connected.clear()
                if lost >= _LOST_AFTER:
                    # The client tries its last address again and again, but each is for one use: when Slack
                    # has been away in between, only a new one helps.
                    client.wss_uri = None
                    lost = 0.0
                if connecting is None or connecting.done():
                    connecting = asyncio.create_task(_connect(client.connect_to_new_endpoint))
                await asyncio.wait([connecting], timeout=_LOOK_EVERY)
                if not await client.is_connected():
                    await asyncio.sleep(_LOOK_EVERY if connecting.done() else 0)
                    lost += _LOOK_EVERY
        finally:
            if connecting is not None:
                connecting.cancel()
                await asyncio.gather(connecting, return_exceptions=True)

    async def close(self) -> None:
        """Close the connection: Slack sends nothing more here."""
        self.connected.clear()
        if self._handler is None:
            return
        client = self._handler.client
        close: Callable[[], Awaitable[None]] = client.close
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await close()
        except TimeoutError:
            # The other side hangs and would be waited for ten seconds: cut the line.
            await client.aiohttp_client_session.close()


async def _connect(attempt: Callable[[], Awaitable[None]]) -> None:
    """One attempt to get connected; that it failed shows in there being no connection."""
    try:
        await attempt()
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.debug("slack_not_connected", detail=type(error).__name__)
