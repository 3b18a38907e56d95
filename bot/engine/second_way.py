"""The second way out: what Slack does not take within a minute goes by e-mail, SMS or another messenger.

Once a letter and target: what has gone out is a row, so that neither a retry nor a restart sends it again.
(Only a process killed between sending and writing does: rather twice than never.) All letters of one alert
that are due together are one message, because an SMS is no thread.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import JsonValue, SecretStr

from bot.domain.letters import Letter, Priority
from bot.engine.clock import Clock
from bot.store.errors import StoreUnavailable
from bot.store.second_way import SecondWayStore
from bot.tools.apprise_send import AppriseFailed, send_by_apprise
from messages.elsewhere_facts import SecondWayFacts

log = structlog.get_logger(__name__)

DIRECT = "apprise:"
"""A letter to a channel of this name is for that target alone, and not for Slack."""
_NOTICE = "second_way"
"""The notice that letters went this way does not go this way itself."""
_REMEMBERED = timedelta(hours=1)
"""how long what has gone out is known after its letter no longer waits"""
_WORDS = {Priority.EMERGENCY: "emergency", Priority.CRITICAL: "critical"}

Send = Callable[[SecretStr, str, str], Awaitable[None]]
"""(address, title, text); raises AppriseFailed"""
Unmarked = Callable[[str, Mapping[str, JsonValue]], str]
"""(template, facts): `messages.render.Voice.unmarked`"""


def _nobody(facts: SecondWayFacts) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class SecondWayPolicy:
    """When a letter goes the second way, and how hard that is tried."""

    after: timedelta = timedelta(seconds=60)
    levels: frozenset[str] = frozenset({"critical", "emergency"})
    first_retry: timedelta = timedelta(seconds=5)
    longest_retry: timedelta = timedelta(minutes=5)
    give_up_after: timedelta = timedelta(hours=24)


@dataclass(slots=True)
class _Rest:
    """After a failure a target is left alone for a while."""

    failures: int
    until: datetime


class SecondWay:
    """Sends letters to Apprise targets, which have names; their addresses are secrets."""

    def __init__(
        self,
        targets: Mapping[str, SecretStr],
        store: SecondWayStore,
        unmarked: Unmarked,
        clock: Clock,
        policy: SecondWayPolicy | None = None,
        on_sent: Callable[[SecondWayFacts], None] = _nobody,
        send: Send = send_by_apprise,
    ) -> None:
        """`on_sent` is told of what went out, and once a letter of what could not."""
        self._targets = dict(targets)
        self._store = store
        self._unmarked = unmarked
        self._clock = clock
        self._policy = policy or SecondWayPolicy()
        self._on_sent = on_sent
        self._send = send
        self._done: dict[tuple[int, str], datetime] = {}
        """what has gone where, and since when that is known"""
        self._unsaved: list[tuple[Letter, str]] = []
        self._rests: dict[str, _Rest] = {}
        self._complained: set[int] = set()
        """letters of which it was told that they could not go out"""
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Read what has gone out. Raises StoreUnavailable."""
        self._done = dict.fromkeys(await self._store.sent(), self._clock())

    def overdue(self, letters: Iterable[Letter], now: datetime) -> list[Letter]:
        """Of letters that Slack has not taken, those that should go another way now, oldest first."""
        return sorted(
            (letter for letter in letters if self._is_overdue(letter, now)), key=lambda letter: letter.id
        )

    def oldest_stuck(self, letters: Iterable[Letter]) -> datetime | None:
        """When the oldest urgent letter was written that has gone out by neither way; None without any."""
        return min(
            (each.created_at for each in letters if self._is_urgent(each) and not self._went_out(each)),
            default=None,
        )

    async def carry(self, letters: Iterable[Letter]) -> None:
        """Send what is overdue of `letters`, which are all that are unsent, to every target that has not had
        it. What is known of others is forgotten.

        Never raises for a target or a database that fails: the next call goes on.
        """
        async with self._lock:
            now = self._clock()
            waiting = list(letters)
            self._forget_all_but({letter.id for letter in waiting}, now)
            streams: dict[str, list[Letter]] = {}
            for letter in self.overdue(waiting, now):
                streams.setdefault(letter.stream, []).append(letter)
            for due in streams.values():
                await self._carry(due, now)
            await self._save()

    async def send_to(self, name: str, letter: Letter) -> None:
        """Send a letter that is for one target, unless it has gone there. Raises AppriseFailed; `code` is
        `unknown_target` for one that is not configured."""
        if name not in self._targets:
            raise AppriseFailed("unknown_target", name)
        async with self._lock:
            if (letter.id, name) not in self._done:
                failure = await self._try(name, [letter])
                if failure is not None:
                    raise failure
            await self._save()

    def has_gone_to(self, name: str, letter: Letter) -> bool:
        """Whether that letter has gone to that target."""
        return (letter.id, name) in self._done

    def _is_urgent(self, letter: Letter) -> bool:
        if letter.channel.startswith(DIRECT) or letter.template == _NOTICE:
            return False
        return bool({_WORDS.get(letter.priority), level_of(letter)} & self._policy.levels)

    def _is_overdue(self, letter: Letter, now: datetime) -> bool:
        # A letter of the future was written before the clock was set back: nobody knows how old it is.
        age = abs(now - letter.created_at)
        return (
            self._policy.after <= age <= self._policy.give_up_after
            and any(not self.has_gone_to(name, letter) for name in self._targets)
            and self._is_urgent(letter)
        )

    def _went_out(self, letter: Letter) -> bool:
        return any(self.has_gone_to(name, letter) for name in self._targets)

    async def _carry(self, due: Sequence[Letter], now: datetime) -> None:
        """Send letters of one stream as one message, and tell what came of it."""
        sent: list[str] = []
        failed: list[str] = []
        for name in self._targets:
            missing = [letter for letter in due if not self.has_gone_to(name, letter)]
            rest = self._rests.get(name)
            if not missing or (rest is not None and now < rest.until):
                continue
            failure = await self._try(name, missing)
            (sent if failure is None else failed).append(name)
        numbers = {letter.id for letter in due}
        if sent or (failed and not numbers <= self._complained):
            self._on_sent(
                SecondWayFacts(
                    headline=self._text(due).splitlines()[0],
                    letters=len(due),
                    targets=tuple(sent),
                    failed=tuple(failed),
                    waited_seconds=max(0.0, (now - due[0].created_at).total_seconds()),
                    at=now.isoformat(),
                )
            )
        if failed:
            self._complained |= numbers

    async def _try(self, name: str, letters: Sequence[Letter]) -> AppriseFailed | None:
        """Send the letters as one message; the failure, None without one."""
        text = self._text(letters)
        try:
            await self._send(self._targets[name], text.splitlines()[0], text)
        except (AppriseFailed, OSError) as error:
            failure = error if isinstance(error, AppriseFailed) else AppriseFailed("crashed", str(error))
            self._let_rest(name)
            log.error("second_way_failed", target=name, detail=str(failure))
            return failure
        self._rests.pop(name, None)
        self._done.update(dict.fromkeys(((letter.id, name) for letter in letters), self._clock()))
        self._unsaved += [(letter, name) for letter in letters]
        log.warning("second_way_used", target=name, letters=[letter.id for letter in letters])
        await self._save()  # at once: until it is written, a kill would send it again
        return None

    def _forget_all_but(self, waiting: set[int], now: datetime) -> None:
        """Forget letters that no longer wait: nothing asks for them again, and they would be ever more."""
        self._complained &= waiting
        # Either way: a clock that was set back must not keep them for as long as that was.
        old = [
            gone
            for gone, since in self._done.items()
            if gone[0] not in waiting and abs(now - since) > _REMEMBERED
        ]
        for gone in old:
            del self._done[gone]

    def _let_rest(self, name: str) -> None:
        before = self._rests.get(name)
        failures = 1 if before is None else before.failures + 1
        longest = min(self._policy.longest_retry, self._policy.first_retry * 2 ** min(failures - 1, 16))
        wait = longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards no secret
        self._rests[name] = _Rest(failures, self._clock() + wait)

    def _text(self, letters: Sequence[Letter]) -> str:
        """What the newest of the letters says: it knows what the older ones said."""
        newest = letters[-1]
        return self._unmarked(newest.template, newest.facts).strip() or newest.stream

    async def _save(self) -> None:
        if not self._unsaved:
            return
        try:
            await self._store.add(self._unsaved, self._clock())
        except StoreUnavailable as error:
            log.warning("second_way_not_written", detail=error.detail)
        else:
            self._unsaved = []


def level_of(letter: Letter) -> str | None:
    """The level of the alert that a letter is about; None where it is about none."""
    about = letter.facts.get("alert", letter.facts)
    level = about.get("level") if isinstance(about, Mapping) else None
    return level if isinstance(level, str) else None
