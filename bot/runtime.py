"""The composition root: the only file that knows everyone. It puts the parts together and ends them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta

import structlog
from aiohttp import web

from bot import __version__
from bot.alerting import Alerting, Ground, second_way_of
from bot.assembly import build_probes
from bot.config import RuleBook, Secrets, Settings
from bot.config.elsewhere import WebhookSettings
from bot.config.outside import OutsideSecrets
from bot.domain.letters import Letter
from bot.engine.audit import AuditBook
from bot.engine.board import Board, source_of
from bot.engine.clock import Clock, utc_now
from bot.engine.couriers import Couriers
from bot.engine.covers import Covers
from bot.engine.delivery_policy import DeliveryPolicy
from bot.engine.guardian import Guardian, Identity
from bot.engine.history import History
from bot.engine.ledger import Ledger
from bot.engine.monitor import Monitor
from bot.engine.notices import Notices
from bot.engine.outbox import Outbox
from bot.engine.schedule import Schedule
from bot.operating import Operating
from bot.slack.background import Background
from bot.slack.channels import Channels
from bot.slack.commands import all_commands
from bot.slack.connection import (
    SocketMode,
    TokenRefused,
    check_tokens,
    slack_session,
    web_client,
)
from bot.slack.courier import SlackCourier
from bot.slack.dispatch import Dispatcher
from bot.slack.failures import CHANNEL
from bot.slack.listeners import build_app
from bot.slack.replies import Replies
from bot.store.audit import AuditStore
from bot.store.database import Database
from bot.store.errors import StoreUnavailable, StoreUnusable
from bot.store.leadership import LeadershipTaken
from bot.store.store import Store
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
_DRAIN_SECONDS = 1.5
_ENDING_SECONDS = 2.5
"""for all that has to be done at the end, so that everything is over within five"""
_ANSWER_SECONDS = 0.5
"""for answers that people wait for when told to stop"""
_STORE_RETRY_SECONDS = 2.0


class CannotStart(Exception):
    """Guardian cannot start: `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


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
        outside: OutsideSecrets | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """`policy`: how hard letters are sent. `probes`: what is watched, whatever the settings say.
        `outside`: secrets for all that is not Slack. `clock`: what everybody goes by."""
        self._settings = settings
        self._secrets = secrets
        self._voice = voice
        self._stack = stack
        self._stop = stop
        self._policy = policy
        self._probes = probes
        self._outside = outside or OutsideSecrets()
        self._clock = clock
        self._status = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._endings: list[tuple[str, Callable[[], Awaitable[object]]]] = []
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
        clock = self._clock
        started_at = clock()
        settings = self._settings
        database = await self._open_store()
        store = Store(database)
        session = await self._stack.enter_async_context(slack_session())
        probe_session = http_session(version=__version__)
        self._stack.push_async_callback(probe_session.close)
        token = self._secrets.bot_token.get_secret_value()
        client = web_client(token, settings.slack.api_url, session)
        app_token = self._app_token()

        rules = RuleBook(settings)

        def watched() -> Sequence[Probe]:
            if self._probes is not None:
                return self._probes
            return build_probes(settings, lambda: probe_session, os.environ)

        probes = watched()
        board = Board(probes, rules)
        second_way = second_way_of(settings, self._outside, database, self._voice, clock, lambda: notices)
        slack = SlackCourier(
            client,
            Channels(client, private=settings.slack.private_channels),
            self._voice,
            lambda letter: _picture_refused(letter, alerting),
        )
        courier = Couriers(slack, second_way)
        ledger = Ledger(
            store,
            clock,
            on_down=lambda detail: notices.store_down(detail),
            on_back=lambda since, kept: notices.store_back(since, kept),
        )
        outbox = Outbox(
            ledger,
            courier,
            clock,
            self._policy,
            on_dead=lambda letter, detail: notices.dead_letter(letter, detail),
            on_late=lambda since, until, letters: notices.delivered_late(since, until, letters),
            on_blocked=lambda channel, problem: (
                notices.channel_blocked(channel, problem) if problem in CHANNEL else None
            ),
        )
        notices = Notices(
            ledger, outbox, clock, settings.name, settings.slack.alerts_channel, settings.slack.ops_channel
        )
        history = History(store, clock)
        audit = AuditBook(AuditStore(database), clock)
        ground = Ground(
            settings,
            self._outside,
            database,
            store,
            ledger,
            outbox,
            history,
            rules,
            notices,
            audit,
            client,
            session,
            self._voice,
            clock,
            os.environ,
            watched,
        )
        alerting = Alerting(ground, second_way)
        desk = alerting.desk
        monitor = Monitor(desk, board, history, clock, settings.environment, rules)
        schedule = Schedule(monitor, probes, clock)
        identity = Identity(settings.name, settings.environment, __version__, started_at)
        covers = Covers(alerting.book, desk, clock, settings.zone, settings.environment, SLASH, board)
        guardian = Guardian(
            identity, board, desk, outbox, ledger, clock, alerting.heartbeats, alerting.noise, covers, audit
        )
        guardian.duty = alerting.roster if settings.schedules else None
        operating = Operating(ground, alerting, SLASH)
        guardian.operations, guardian.locks = operating.desk, operating.locks
        guardian.backups = operating.backups.status
        guardian.deployments = operating.deploying.choices()
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
        await audit.load()
        await alerting.load()
        await operating.load()
        await desk.release_unwatched(settings.environment, (source_of(probe) for probe in probes))
        self._endings += [
            ("charts", alerting.room.close),
            ("ledger", ledger.flush),
            ("audit", audit.flush),
            ("history", history.flush),
            ("outbox", outbox.close),
            ("tasks", self._end_tasks),
            ("operations", operating.desk.close),
            ("letters", lambda: outbox.drain(_DRAIN_SECONDS)),
            ("schedule", schedule.stop),
        ]
        schedule.start()
        self._spawn("ledger", ledger.run())
        self._spawn("audit", audit.run())
        self._spawn("history", history.run())
        self._spawn("first_report", self._first_report(board, guardian, notices))
        for name, loop in (*alerting.loops(), *operating.loops()):
            self._spawn(name, loop)
        await alerting.note_settings()
        # Before Slack is asked, which may take its time: a job that reports does so once.
        door = alerting.door()
        if door is not None:
            webhooks = settings.webhooks or WebhookSettings()
            if not await self._open_door(door, webhooks.host, webhooks.port, required=False):
                notices.door_closed(f"{webhooks.host}:{webhooks.port}")
        try:
            address = await self._unless_stopped(check_tokens(client, app_token))
        except TokenRefused as error:
            raise CannotStart(
                self._voice.phrase("run.token_refused", variable=error.which, code=error.code)
            ) from error
        sending = self._spawn("outbox", outbox.run())
        # Nothing new may be begun while what is under way is waited for.
        self._endings.append(("sending", lambda: _cancelled(sending)))
        self._endings.append(("answers", lambda: background.close(_ANSWER_SECONDS)))
        socket = SocketMode(app, app_token) if app_token is not None else None
        if socket is not None:
            self._endings.append(("socket", socket.close))
            self._spawn("socket", socket.run(address))
        else:
            http = settings.slack.http
            await self._open_door(slack_application(app, http.path), http.host, http.port, required=True)
        connected = socket.connected.is_set if socket is not None else lambda: not guardian.delivery_fails
        shortest = min((probe.interval for probe in probes), default=timedelta(minutes=1))
        health = Health(guardian, board, clock, connected, shortest)
        await self._open_door(
            health.application(), settings.health.host, settings.health.port, required=False
        )
        log.info("on_watch", probes=len(probes), environment=settings.environment, version=__version__)

    async def _end(self) -> None:
        """End what has begun, the latest first."""
        log.info("stopping")
        deadline = asyncio.get_running_loop().time() + _ENDING_SECONDS
        for what, ending in reversed(self._endings):
            try:
                # Even late, each has a moment: what is kept in memory may only need that to be written.
                async with asyncio.timeout_at(max(deadline, asyncio.get_running_loop().time() + 0.3)):
                    await ending()
            except Exception:  # whatever fails here, what comes after it must have its turn
                log.exception("not_ended_well", what=what)
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

    async def _open_store(self) -> Database:
        """The database. A server that is away is waited for; a file that cannot be used is a sentence."""
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
                self._stack.push_async_callback(database.close)
                await self._lead(database)
                return database

    async def _lead(self, database: Database) -> None:
        leadership = database.leadership()
        if leadership is None:
            return
        try:
            await leadership.acquire()
        except LeadershipTaken as error:
            raise CannotStart(self._voice.phrase("run.already_leading")) from error
        except StoreUnavailable as error:
            raise CannotStart(self._voice.phrase("run.store_unusable", detail=error.detail)) from error
        self._stack.push_async_callback(leadership.release)
        self._spawn("leadership", leadership.watch())

    async def _first_report(self, board: Board, guardian: Guardian, notices: Notices) -> None:
        """Say that the watch has begun, with the first readings; a slow probe's come later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_REPORT_SECONDS):
                await board.complete.wait()
        await notices.on_watch(guardian.status())

    async def _open_door(self, application: web.Application, host: str, port: int, required: bool) -> bool:
        """Serve the application there; False if that cannot be and is not `required`."""
        try:
            runner = await listen(application, host, port)
        except OSError as error:
            detail = f"{host}:{port}: {error.strerror}"
            if required:
                raise CannotStart(self._voice.phrase("run.port_taken", detail=detail)) from error
            # The watch is worth more than the door: go on without it, and say so.
            log.error("door_not_opened", address=f"{host}:{port}", detail=error.strerror)
            return False
        self._stack.push_async_callback(runner.cleanup)
        return True

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


async def _picture_refused(letter: Letter, alerting: Alerting) -> None:
    """Slack took a card only without its picture."""
    number = letter.stream.removeprefix("alert:")
    if number.isdecimal():
        await alerting.charts.refused(int(number))


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.wait([task], timeout=1)
