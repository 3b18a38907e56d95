"""The whole Guardian before a real local workspace, in this process, with a probe that the test turns."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import aiohttp
from pydantic import JsonValue, SecretStr

from bot.config import Secrets, Settings
from bot.config.elsewhere import WebhookSettings
from bot.config.outside import OutsideSecrets
from bot.config.routing import PolicySettings
from bot.config.settings import HealthSettings, SlackSettings, StoreSettings
from bot.config.watching import RuleSettings
from bot.domain.levels import Level
from bot.engine.bucket import Allowance
from bot.engine.clock import Clock, utc_now
from bot.engine.delivery_policy import DeliveryPolicy
from bot.runtime import Runtime
from bot.workspace.ids import new_id
from bot.workspace.model import Channel, ChannelKind, Message
from bot.workspace.server import Running
from messages.render import Voice
from probes.base import Probe
from tests.alertmanager import Alertmanager
from tests.dial import Dial
from tests.doors import SECRET
from tests.people import ALERTS, OPS, Person, words
from tests.ports import free_port
from tests.waiting import CEILING, eventually

SWIFT = DeliveryPolicy(
    posts=Allowance(per_second=200, burst=50),
    edits=Allowance(per_second=200, burst=50),
    first_retry=0.05,
    longest_retry=0.3,
    late_after=timedelta(milliseconds=200),
)
"""The outbox's figures for a test: the same machine, without the waiting."""

RULES = {
    "default": RuleSettings.model_validate({"confirm": 2, "confirm_critical": 2, "clear": 2, "missed": 2})
}


@dataclass
class Stage:
    """A Guardian that can be started, stopped and started again, and what can be seen of it."""

    slack: Running
    folder: Path
    dial: Dial
    settings: Settings
    policy: DeliveryPolicy = SWIFT
    probes: Sequence[Probe] = ()
    voice: Voice | None = None
    outside: OutsideSecrets = field(default_factory=OutsideSecrets)
    clock: Clock = utc_now
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _run: asyncio.Task[int] | None = None

    @classmethod
    def prepared(cls, slack: Running, folder: Path, *, store_url: str | None = None) -> Stage:
        """A stage where nothing runs yet."""
        store = StoreSettings() if store_url is None else StoreSettings(url=SecretStr(store_url))
        settings = Settings(
            name="web-1",
            rules=RULES,
            slack=SlackSettings(api_url=slack.api_url, alerts_channel=ALERTS, ops_channel=OPS),
            store=store,
            state_directory=folder / "state",
            health=HealthSettings(port=free_port()),
        )
        dial = Dial()
        return cls(slack, folder, dial, settings, probes=[dial])

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.settings.state_directory / "guardian.db"

    @property
    def secrets(self) -> Secrets:
        """What the workspace gave the app."""
        return Secrets(
            bot_token=SecretStr(self.slack.bot_token),
            app_token=SecretStr(self.slack.app_token),
            signing_secret=SecretStr(self.slack.signing_secret),
        )

    def changed(self, **changes: object) -> None:
        """Other settings, before the start."""
        self.settings = self.settings.model_copy(update=changes)

    def with_rules(self, **rule: object) -> None:
        """Another rule for all metrics, before the start; what is left out is as in `RULES`."""
        values = RULES["default"].model_dump(exclude_none=True) | rule
        self.changed(rules={"default": RuleSettings.model_construct(**values)})

    def with_policy(self, **policy: object) -> None:
        """Who is paged when, before the start; written as in guardian.yaml."""
        self.changed(policies={"default": PolicySettings.model_validate(policy)})

    def with_alertmanager(self) -> Alertmanager:
        """An open door for alerts from elsewhere, before the start, and who knocks there."""
        port = free_port()
        self.changed(webhooks=WebhookSettings(port=port))
        self.outside = replace(self.outside, webhook=SecretStr(SECRET))
        return Alertmanager(port)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the SQLite database has, read beside the Guardian; nothing before there is one."""
        if not self.database.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    async def start(self, *, connected: bool = True) -> None:
        """Start the Guardian, and wait until it listens to Slack unless that is away."""
        self._stop = asyncio.Event()
        self._run = asyncio.create_task(self._runtime())
        if connected:
            await eventually(self._ready)

    async def _runtime(self) -> int:
        voice = self.voice or Voice(self.settings.language, self.settings.zone)
        async with contextlib.AsyncExitStack() as stack:
            return await Runtime(
                self.settings,
                self.secrets,
                voice,
                stack,
                self._stop,
                self.policy,
                self.probes,
                self.outside,
                self.clock,
            ).run()

    def _ready(self) -> bool:
        assert self._run is not None
        if self._run.done():
            self._run.result()
            raise AssertionError("the Guardian has ended")
        return self.slack.workspace.app_online(self.slack.app.id)

    async def stop(self) -> int:
        """Stop it as SIGTERM does; the exit status."""
        if self._run is None:
            return 0
        run, self._run = self._run, None
        self._stop.set()
        return await run

    async def crash(self) -> None:
        """End it in the middle of whatever it does: nothing is drained, flushed or said."""
        assert self._run is not None
        run, self._run = self._run, None
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    @property
    def ended(self) -> asyncio.Task[int]:
        """The run, for whoever waits for its end."""
        assert self._run is not None
        return self._run

    # What people see

    def person(self, number: int = 0) -> Person:
        """One of the four people of the workspace."""
        return Person(self.slack, self.slack.workspace.users()[number])

    def posts(self, channel: str = ALERTS) -> list[Message]:
        """What the Guardian posted in a channel, oldest first."""
        bot = self.slack.app.bot_user
        return [message for message in self.person().sees(channel) if message.user == bot]

    def cards(self) -> list[Message]:
        """The alert cards, oldest first, deleted ones not among them."""
        return [message for message in self.posts() if message.attachments]

    def thread(self, card: Message) -> list[str]:
        """The lines in the thread of a card, oldest first."""
        return [message.text for message in self.person().sees(ALERTS, card.ts)[1:]]

    def current(self, message: Message) -> Message:
        """The message as it is now."""
        found = self.slack.workspace.book.message(message.channel, message.ts)
        assert found is not None, "the message was deleted"
        return found

    async def thread_says(self, *lines: str) -> None:
        """Wait until the thread of the first card has these lines, in this order and no others."""
        said = await eventually(
            lambda: next((t for card in self.cards()[:1] if len(t := self.thread(card)) >= len(lines)), None)
        )
        assert len(said) == len(lines), said
        for line, wanted in zip(said, lines, strict=True):
            assert wanted in line, said

    async def card(self, *said: str, number: int = 0) -> Message:
        """The card of that number, once it says all of this."""

        def there() -> Message | None:
            cards = self.cards()
            if len(cards) <= number:
                return None
            return cards[number] if all(text in words(cards[number]) for text in said) else None

        return await eventually(there)

    async def post(self, said: str, channel: str = OPS) -> Message:
        """The first post of that channel that says this."""
        return await eventually(
            lambda: next((message for message in self.posts(channel) if said in words(message)), None)
        )

    async def checks(self, number: int = 3) -> None:
        """Wait until the dial has been read that often again."""
        wanted = self.dial.reads + number
        await eventually(lambda: self.dial.reads >= wanted)

    async def health(self) -> dict[str, JsonValue]:
        """What `GET /health` says, once the door is open."""
        async with asyncio.timeout(CEILING):
            while True:
                try:
                    return dict(await (await self.ask("health")).json())
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.01)

    async def has_alert(self, status: str) -> None:
        """Wait until the database has an alert of that status."""
        await eventually(lambda: self.rows("SELECT id FROM alerts WHERE status = ?", status))

    async def has_level(self, word: str) -> None:
        """Wait until the database has an alert of that level."""
        level = int(Level[word.upper()])
        await eventually(lambda: self.rows("SELECT id FROM alerts WHERE level = ?", level))

    async def make_channel(self, name: str) -> None:
        """Make a channel with everybody in it, the bot too."""
        book = self.slack.workspace.book
        everyone = tuple(book.users)
        book.put_channel(
            Channel(new_id("C"), name, ChannelKind.PUBLIC, everyone, int(time.time()), everyone[0])
        )

    @staticmethod
    def moment() -> float:
        """Now, as the seconds of a `ts`."""
        return time.time()

    async def ask(self, path: str) -> aiohttp.ClientResponse:
        """An answer of the health door, read to its end."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.settings.health.port}/{path}") as answer,
        ):
            await answer.read()
            return answer
