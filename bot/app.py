"""The composition root: the only file that knows everyone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta

import aiohttp
import structlog
import typer
from aiohttp import web
from pydantic import SecretStr

from bot import __version__
from bot.assembly import build_probes
from bot.config import RuleBook, Secrets, Settings
from bot.config.secrets import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from bot.engine.board import Board, source_of
from bot.engine.clock import utc_now
from bot.engine.desk import AlertDesk
from bot.engine.guardian import Guardian, Identity
from bot.engine.history import History
from bot.engine.leader import AlreadyRunning, FileLock
from bot.engine.ledger import Ledger
from bot.engine.monitor import Monitor
from bot.engine.notices import Notices
from bot.engine.outbox import DeliveryPolicy, Outbox
from bot.engine.schedule import Schedule
from bot.slack.background import Background
from bot.slack.channels import Channels
from bot.slack.commands import all_commands
from bot.slack.connection import SocketMode, TokenRefused, check_tokens, web_client
from bot.slack.courier import SlackCourier
from bot.slack.dispatch import Dispatcher
from bot.slack.failures import CHANNEL
from bot.slack.listeners import build_app
from bot.slack.manifest import manifest_yaml
from bot.slack.replies import Replies
from bot.store.database import Database
from bot.store.errors import StoreUnavailable, StoreUnusable
from bot.store.leadership import LeadershipTaken
from bot.store.store import Store
from bot.tools.processes import ChildFailed
from bot.trial.local_slack import DEFAULT_PORT, start_local_slack
from bot.web.health import Health
from bot.web.listen import listen
from bot.web.slack_http import slack_application
from messages.render import Voice
from probes.application.http import http_session
from probes.base import Probe

log = structlog.get_logger(__name__)

SLASH = "/guardian"
_FIRST_REPORT_SECONDS = 2.5
"""how long the first report waits for the slowest probe: it must be out within five seconds of the start"""
_DRAIN_SECONDS = 2.0
_ANSWER_SECONDS = 0.5
"""for answers that people wait for when told to stop"""
_STORE_RETRY_SECONDS = 2.0


class CannotStart(Exception):
    """Guardian cannot start: `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def run(settings: Settings, secrets: Secrets | None, trial: bool, port: int | None) -> int:
    """Watch until told to stop (SIGTERM, SIGINT). The exit status: 0 stopped, 1 a bug, 2 could not start."""
    voice = Voice(settings.language, settings.zone)
    for name in (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET):
        # They are in `secrets` now: no program that we start inherits them, and Bolt doesn't read them again.
        os.environ.pop(name, None)
    # What is imported stays for good. Looked through by the garbage collector now and then, it would hold up
    # everything, acknowledgements included, for a tenth of a second each time.
    gc.freeze()
    try:
        return asyncio.run(_run(settings, secrets, trial, port, voice))
    except CannotStart as error:
        typer.echo(error.sentence, err=True)
        return 2
    except KeyboardInterrupt:
        return 0


async def _run(
    settings: Settings, secrets: Secrets | None, trial: bool, port: int | None, voice: Voice
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        lock = FileLock.beside(settings.store_url)
        if lock is not None:
            _take(lock, voice)
            stack.callback(lock.release)
        if trial:
            settings, secrets = await _trial(settings, port, voice, stack)
        if secrets is None:
            raise CannotStart(voice.phrase("run.no_tokens"))
        return await Runtime(settings, secrets, voice, stack, stop).run()


def _take(lock: FileLock, voice: Voice) -> None:
    try:
        lock.acquire()
    except AlreadyRunning as error:
        raise CannotStart(
            voice.phrase("run.already_running", path=str(error.path), pid=error.pid or 0)
        ) from error
    except OSError as error:
        raise CannotStart(
            voice.phrase("run.store_unusable", detail=f"{error.filename}: {error.strerror}")
        ) from error


async def _trial(
    settings: Settings, port: int | None, voice: Voice, stack: contextlib.AsyncExitStack
) -> tuple[Settings, Secrets]:
    """Start the local workspace; the settings and secrets to reach it."""
    slack = settings.slack
    try:
        local = await start_local_slack(
            state=settings.state_directory / "slack",
            port=DEFAULT_PORT if port is None else port,
            manifest=manifest_yaml(
                language=settings.language, private_channels=settings.slack.private_channels
            ),
            channels=(slack.alerts_channel, slack.ops_channel, "general"),
        )
    except ChildFailed as error:
        raise CannotStart(voice.phrase("run.trial_failed", detail=error.said)) from error
    stack.push_async_callback(local.child.stop)
    typer.echo(voice.phrase("run.trial_ready", url=local.url))
    reachable = settings.model_copy(
        update={"slack": slack.model_copy(update={"api_url": local.api_url, "mode": "socket"})}
    )
    return reachable, Secrets(
        bot_token=SecretStr(local.bot_token),
        app_token=SecretStr(local.app_token),
        signing_secret=SecretStr(local.signing_secret),
    )


class Runtime:
    """All parts of a running Guardian, put together from the settings."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        voice: Voice,
        stack: contextlib.AsyncExitStack,
        stop: asyncio.Event,
        policy: DeliveryPolicy | None = None,
        probes: Sequence[Probe] | None = None,
    ) -> None:
        """`policy`: how hard letters are sent. `probes`: what is watched, whatever the settings say."""
        self._settings = settings
        self._secrets = secrets
        self._voice = voice
        self._stack = stack
        self._stop = stop
        self._policy = policy
        self._probes = probes
        self._status = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._endings: list[Callable[[], Awaitable[object]]] = []
        """what has to be done at the end, in the opposite order"""

    async def run(self) -> int:
        """Start everything, watch until told to stop, and end in order; the exit status."""
        try:
            await self._start()
            await self._stop.wait()
        finally:
            # However it ends, also when it could not start: nothing goes on behind a closed database.
            await self._end()
        return self._status

    async def _start(self) -> None:
        started_at = utc_now()
        settings = self._settings
        store = await self._open_store()
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        probe_session = http_session(version=__version__)
        self._stack.push_async_callback(probe_session.close)
        token = self._secrets.bot_token.get_secret_value()
        client = web_client(token, settings.slack.api_url, session)
        app_token = self._app_token()

        rules = RuleBook(settings)
        probes = self._probes
        if probes is None:
            probes = build_probes(settings, lambda: probe_session, os.environ)
        board = Board(probes, rules)
        courier = SlackCourier(client, Channels(client, private=settings.slack.private_channels), self._voice)
        ledger = Ledger(
            store,
            utc_now,
            on_down=lambda detail: notices.store_down(detail),
            on_back=lambda since, kept: notices.store_back(since, kept),
        )
        outbox = Outbox(
            ledger,
            courier,
            utc_now,
            self._policy,
            on_dead=lambda letter, detail: notices.dead_letter(letter, detail),
            on_late=lambda since, letters: notices.delivered_late(since, letters),
            on_blocked=lambda channel, problem: (
                notices.channel_blocked(channel, problem) if problem in CHANNEL else None
            ),
        )
        notices = Notices(
            ledger, outbox, utc_now, settings.name, settings.slack.alerts_channel, settings.slack.ops_channel
        )
        desk = AlertDesk(ledger, outbox, utc_now, settings.slack.alerts_channel, rules)
        history = History(store, utc_now)
        monitor = Monitor(desk, board, history, utc_now, settings.environment, rules)
        schedule = Schedule(monitor, probes, utc_now)
        identity = Identity(settings.name, settings.environment, __version__, started_at)
        guardian = Guardian(identity, board, desk, outbox, ledger, utc_now)
        replies = Replies(session, client, self._voice)
        dispatcher = Dispatcher(guardian, SLASH, all_commands())
        signing = self._secrets.signing_secret if settings.slack.mode == "http" else None
        background = Background()
        app = build_app(
            web_client(token, settings.slack.api_url, None),
            dispatcher,
            replies,
            signing.get_secret_value() if signing else None,
            background,
        )

        await outbox.load()
        await desk.load()
        await desk.release_unwatched(source_of(probe) for probe in probes)
        self._endings += [ledger.flush, history.flush, outbox.close, self._end_tasks]
        self._endings += [lambda: outbox.drain(_DRAIN_SECONDS), schedule.stop]
        schedule.start()
        self._spawn("ledger", ledger.run())
        self._spawn("history", history.run())
        self._spawn("first_report", self._first_report(board, guardian, notices))
        try:
            address = await self._unless_stopped(check_tokens(client, app_token))
        except TokenRefused as error:
            raise CannotStart(
                self._voice.phrase("run.token_refused", variable=error.which, code=error.code)
            ) from error
        sending = self._spawn("outbox", outbox.run())
        # Nothing new may be begun while what is under way is waited for.
        self._endings.append(lambda: _cancelled(sending))
        self._endings.append(lambda: background.close(_ANSWER_SECONDS))
        socket = SocketMode(app, app_token) if app_token is not None else None
        if socket is not None:
            self._endings.append(socket.close)
            self._spawn("socket", socket.run(address))
        else:
            http = settings.slack.http
            await self._open_door(slack_application(app, http.path), http.host, http.port, required=True)
        connected = socket.connected.is_set if socket is not None else lambda: not guardian.delivery_fails
        shortest = min((probe.interval for probe in probes), default=timedelta(minutes=1))
        health = Health(guardian, board, utc_now, connected, shortest)
        await self._open_door(
            health.application(), settings.health.host, settings.health.port, required=False
        )
        log.info("on_watch", probes=len(probes), environment=settings.environment, version=__version__)

    async def _end(self) -> None:
        """End what has begun, the latest first."""
        log.info("stopping")
        for ending in reversed(self._endings):
            await ending()
        await self._end_tasks()
        log.info("stopped")

    async def _unless_stopped(self, question: Coroutine[None, None, str | None]) -> str | None:
        """What `question` answers; None when told to stop before it does."""
        asking = asyncio.ensure_future(question)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            asking.cancel()
            stopping.cancel()

    def _app_token(self) -> str | None:
        if self._settings.slack.mode == "http":
            return None
        secret = self._secrets.app_token
        if secret is None:
            raise CannotStart(self._voice.phrase("run.no_tokens"))
        return secret.get_secret_value()

    async def _open_store(self) -> Store:
        """The store. A server that is away is waited for; a file that cannot be used is a sentence."""
        url = self._settings.store_url
        waiting = False
        while True:
            try:
                database = await Database.open(url)
            except StoreUnusable as error:
                raise CannotStart(self._voice.phrase("run.store_unusable", detail=error.detail)) from error
            except StoreUnavailable as error:
                if url.startswith("sqlite"):
                    raise CannotStart(
                        self._voice.phrase("run.store_unusable", detail=error.detail)
                    ) from error
                if not waiting:
                    log.warning("store_unavailable", detail=error.detail)
                waiting = True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_STORE_RETRY_SECONDS):
                        await self._stop.wait()
                        raise CannotStart(
                            self._voice.phrase("run.store_unusable", detail=error.detail)
                        ) from error
            else:
                store = Store(database)
                self._stack.push_async_callback(store.close)
                await self._lead(database)
                return store

    async def _lead(self, database: Database) -> None:
        leadership = database.leadership()
        if leadership is None:
            return
        try:
            await leadership.acquire()
        except LeadershipTaken as error:
            raise CannotStart(self._voice.phrase("run.already_leading")) from error
        self._stack.push_async_callback(leadership.release)
        self._spawn("leadership", leadership.watch())

    async def _first_report(self, board: Board, guardian: Guardian, notices: Notices) -> None:
        """Say that the watch has begun, with the first readings; a slow probe's come later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_REPORT_SECONDS):
                await board.complete.wait()
        await notices.on_watch(guardian.status())

    async def _open_door(self, application: web.Application, host: str, port: int, required: bool) -> None:
        try:
            runner = await listen(application, host, port)
        except OSError as error:
            detail = f"{host}:{port}: {error.strerror}"
            if required:
                raise CannotStart(self._voice.phrase("run.port_taken", detail=detail)) from error
            # The watch is worth more than the door: go on without it, and say so.
            log.error("door_not_opened", address=f"{host}:{port}", detail=error.strerror)
            return
        self._stack.push_async_callback(runner.cleanup)

    def _spawn(self, name: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A loop that ends by an error is a bug: better a restart than a watch that only seems to be one."""
        if task.cancelled() or task.exception() is None:
            return
        log.critical("loop_died", loop=task.get_name(), exc_info=task.exception())
        self._status = 1
        self._stop.set()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.wait([task], timeout=1)
