"""The workspace as a server on a loopback address."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.workspace.api.handler import Api
from bot.workspace.control import Control
from bot.workspace.core import Workspace
from bot.workspace.errors import WorkspaceError
from bot.workspace.faults import Faults
from bot.workspace.guard import guard, is_loopback
from bot.workspace.manifest import Manifest, parse_manifest, read_manifest
from bot.workspace.model import App, Credentials
from bot.workspace.page import add_routes
from bot.workspace.routes import Routes
from bot.workspace.seed import seed
from bot.workspace.settings import RateLimits, Timings

_LARGEST_BODY = 64 * 1024 * 1024
_SHUTDOWN_SECONDS = 2.0

ManifestSource = Manifest | Path | Mapping[str, object]


@dataclass(frozen=True)
class Running:
    """A workspace that listens."""

    url: str
    """of the page, without a slash at the end"""
    workspace: Workspace
    credentials_path: Path
    """a JSON file that only its owner can read"""

    @property
    def api_url(self) -> str:
        """The base of the Web API, with a slash at the end, for `AsyncWebClient(base_url=…)`."""
        return f"{self.url}/api/"

    @property
    def faults(self) -> Faults:
        """What can go wrong on purpose."""
        return self.workspace.faults

    @property
    def app(self) -> App:
        """The first app. Raises WorkspaceError when none is installed."""
        for app in self.workspace.apps():
            return app
        raise WorkspaceError("No app is installed: start the workspace with a manifest.")

    @property
    def credentials(self) -> Credentials:
        """The first app's tokens and signing secret."""
        return self.workspace.book.credentials[self.app.id]

    @property
    def bot_token(self) -> str:
        """The first app's bot token."""
        return self.credentials.bot_token

    @property
    def app_token(self) -> str:
        """The first app's app-level token, for Socket Mode."""
        return self.credentials.app_token

    @property
    def signing_secret(self) -> str:
        """The first app's signing secret, for HTTP mode."""
        return self.credentials.signing_secret


class _Entrance:
    """The listening socket, which a fault can close for a while."""

    def __init__(self, runner: web.AppRunner, host: str, port: int, workspace: Workspace) -> None:
        self._runner = runner
        self._host = host
        self._port = port
        self._workspace = workspace
        self._site: web.TCPSite | None = None
        self._return: asyncio.TimerHandle | None = None
        self._kept: socket.socket | None = None
        """keeps the port while nobody listens: else a connection of somebody else may come to have it"""
        self._returning = asyncio.Lock()

    async def open(self) -> int:
        """Listen and return the port. Raises WorkspaceError when it is taken."""
        site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            raise WorkspaceError(
                f"Port {self._port} on {self._host} can't be used ({error.strerror}): choose another one.",
                "port_in_use" if error.errno == errno.EADDRINUSE else "port_unusable",
                host=self._host,
                port=self._port,
            ) from error
        self._site = site
        self._port = self._runner.addresses[-1][1]
        self.give_up_port()
        return self._port

    async def away(self, seconds: float) -> None:
        """Cut everything and take no connections for a while."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()
            self._keep_port()
        self._workspace.sockets.drop()
        if self._runner.server is not None:
            for connection in self._runner.server.connections:
                connection.force_close()
        loop = asyncio.get_running_loop()
        self._return = loop.call_later(seconds, lambda: self._workspace.delivery.start(self.back()))

    async def back(self) -> None:
        """Take connections again."""
        if self._return is not None:
            self._return.cancel()
            self._return = None
        # The time is over and somebody calls it back: both may be at the same instant.
        async with self._returning:
            if self._site is None:
                await self.open()

    def _keep_port(self) -> None:
        """Hold the port without listening: whoever connects is refused."""
        with suppress(OSError):
            family, kind, number, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM
            )[0]
            kept = socket.socket(family, kind, number)
            self._kept = kept
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.bind(address)

    def give_up_port(self) -> None:
        """Hold it no longer."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _manifests(source: ManifestSource | Sequence[ManifestSource] | None) -> list[Manifest]:
    if source is None:
        return []
    if isinstance(source, Manifest):
        return [source]
    if isinstance(source, Path):
        return [read_manifest(source)]
    if isinstance(source, Mapping):
        try:
            return [parse_manifest(source)]
        except ValueError as error:
            raise WorkspaceError(f"This is not a Slack app manifest: {error}") from error
    return [manifest for one in source for manifest in _manifests(one)]


@contextmanager
def _only_one(state_dir: Path) -> Iterator[None]:
    """Keep a second process out of the state directory."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("w")
    except OSError as error:
        raise WorkspaceError(
            f"The state directory {state_dir} can't be used: {error.strerror}.",
            "state_unusable",
            path=str(state_dir),
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WorkspaceError(
                f"Another workspace is running on {state_dir}.", "state_in_use", path=str(state_dir)
            ) from error
        yield


@asynccontextmanager
async def serve(
    state_dir: Path,
    port: int = 0,
    manifest: ManifestSource | Sequence[ManifestSource] | None = None,
    channels: Sequence[str] = ("general",),
    rate_limits: RateLimits | None = None,
    timings: Timings | None = None,
    *,
    bot_in_channels: bool = True,
    host: str = "127.0.0.1",
) -> AsyncIterator[Running]:
    """Run a workspace until the block ends. Port 0 is any free one.

    Raises WorkspaceError with a sentence when it can't listen, another process has the state directory, or
    the manifest is no manifest.
    """
    if not is_loopback(host):
        raise WorkspaceError(f"{host} is not a loopback address: a local workspace is for this machine only.")
    manifests = _manifests(manifest)
    with _only_one(state_dir):
        try:
            workspace = Workspace(state_dir, timings, rate_limits)
        except (sqlite3.Error, ValueError) as error:
            raise WorkspaceError(
                f"The workspace's state in {state_dir} can't be read: {error}.",
                "state_unreadable",
                path=str(state_dir),
            ) from error
        try:
            seed(workspace.book, manifests, channels, bot_in_channels=bot_in_channels)
            async with _listening(workspace, host, port) as url:
                workspace.wire.origin = url
                yield Running(url, workspace, _write_credentials(state_dir, url, workspace))
        finally:
            await workspace.close()


@asynccontextmanager
async def _listening(workspace: Workspace, host: str, port: int) -> AsyncIterator[str]:
    runner = web.AppRunner(
        application(workspace),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    plan = asyncio.get_running_loop().create_task(workspace.plan.run())
    entrance = _Entrance(runner, host, port, workspace)
    try:
        port = await entrance.open()
        workspace.faults.door = entrance
        yield f"http://{host}:{port}"
    finally:
        plan.cancel()
        with suppress(asyncio.CancelledError):
            await plan
        workspace.feed.close()
        workspace.faults.door = None
        await workspace.faults.clear()
        entrance.give_up_port()
        await workspace.sockets.close()
        await workspace.delivery.close()
        await runner.cleanup()


def application(workspace: Workspace) -> web.Application:
    """All routes of a workspace."""
    app = web.Application(middlewares=[guard], client_max_size=_LARGEST_BODY)
    Api(workspace).add_routes(app)
    Routes(workspace).add_routes(app)
    Control(workspace).add_routes(app)
    add_routes(app, workspace)
    return app


def _write_credentials(state_dir: Path, url: str, workspace: Workspace) -> Path:
    """Write tokens where only this user can read them; returns where."""
    path = state_dir / "credentials.json"
    apps = [
        {
            "name": app.name,
            "app_id": app.id,
            "bot_token": workspace.book.credentials[app.id].bot_token,
            "app_token": workspace.book.credentials[app.id].app_token,
            "signing_secret": workspace.book.credentials[app.id].signing_secret,
        }
        for app in workspace.apps()
    ]
    first = apps[0] if apps else {}
    document = {"url": url, "api_url": f"{url}/api/", **first, "apps": apps}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        json.dump(document, file, ensure_ascii=False, indent=2)
    return path
