"""The charts on the alerts' cards: drawn beside the delivery, never waited for by it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from bot.domain.alerts.model import Alert, Condition, Rules, Status
from bot.domain.bands import Bands
from bot.domain.thinning import Point, thinned
from bot.engine.clock import Clock
from bot.engine.delivery import Blocked, DeliveryFailed, Temporary
from bot.store.errors import StoreError
from bot.store.pictures import Picture, PictureStore
from bot.store.series import SeriesStore
from messages.chart_facts import ChartFacts
from messages.render import TemplateFailed, Voice

log = structlog.get_logger(__name__)

BEFORE = timedelta(hours=3)
"""how much of what was before the alert its chart shows"""
LONGEST = timedelta(hours=24)
AFTER = timedelta(minutes=10)
"""how much of what was after it"""
POINTS = 240
REDRAW = timedelta(minutes=5)
_PICTURES_AT_A_TIME = 12
"""After an hour the pause grows: with this many pictures in the time that the alert has lasted."""
BLOCKED = timedelta(minutes=10)
"""for how long nothing is drawn when Slack takes no files at all"""
SETTLE_SECONDS = 3.0
"""Slack looks a new file through before a card may show it; whether it is done could only be asked with one
more scope."""
_REMEMBERED = 2000

_T = TypeVar("_T")

Upload = Callable[[bytes, str, str, str], Awaitable[str]]
"""PNG, file name, title, text for those who cannot see it → file id; raises what the courier raises."""
Forecast = Sequence[tuple[datetime, float]]
"""Where the value is expected to be: moments after the last reading."""


class Room(Protocol):
    """Draws (`bot.tools.charts.ChartRoom`)."""

    async def draw(self, facts: ChartFacts) -> bytes | None:
        """The PNG; None when there is nothing to draw or drawing failed."""
        ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    alert: Alert
    forecast: Forecast


class Charts:
    """One chart at a time, worst alert first, at most every five minutes for one alert and once more when it
    is resolved. Whatever fails here costs the picture and nothing else, and is logged once."""

    def __init__(
        self,
        series: SeriesStore,
        pictures: PictureStore,
        room: Room,
        upload: Upload,
        rules: Rules,
        voice: Voice,
        clock: Clock,
        arrived: Callable[[int, str], Awaitable[None]],
        *,
        language: str = "ko",
        timezone: str = "Asia/Seoul",
        settle: float = SETTLE_SECONDS,
    ) -> None:
        """`arrived`: told (alert id, file id) when a new picture may be shown; the card is edited then."""
        self._series = series
        self._kept = pictures
        self._room = room
        self._upload = upload
        self._rules = rules
        self._voice = voice
        self._clock = clock
        self._arrived = arrived
        self._language = language
        self._timezone = timezone
        self._settle = settle
        self._wanted: dict[int, _Wanted] = {}
        self._something = asyncio.Event()
        self._turn = asyncio.Lock()
        self._pictures: OrderedDict[int, Picture | None] = OrderedDict()
        self._failed: OrderedDict[int, datetime] = OrderedDict()
        self._blocked_until: datetime | None = None
        self._told: set[str] = set()

    def ask(self, alert: Alert, forecast: Forecast = ()) -> None:
        """Have a picture made if one is due. Returns at once; `arrived` is called when there is a new one."""
        if _has_series(alert):
            self._wanted[alert.id] = _Wanted(alert, forecast)
            self._something.set()

    async def known(self, alert_id: int) -> str | None:
        """The file id of the picture that the alert's card can show now; None while there is none."""
        picture = await self._picture(alert_id)
        return None if picture is None else picture.file_id

    async def refused(self, alert_id: int) -> None:
        """Slack did not take a card with the alert's picture: forget it, and try again in five minutes."""
        self._remember(self._pictures, alert_id, None)
        self._remember(self._failed, alert_id, self._clock())
        try:
            await self._kept.drop(alert_id)
        except StoreError as error:
            self._tell("store", str(error))

    async def run(self) -> None:
        """Make what was asked for, for ever."""
        while True:
            await self._something.wait()
            if not self._wanted:
                self._something.clear()
                continue
            chosen = max(self._wanted.values(), key=lambda wanted: (wanted.alert.level, wanted.alert.id))
            del self._wanted[chosen.alert.id]
            before = await self.known(chosen.alert.id)
            file_id = await self.picture_for(chosen.alert, self._clock(), chosen.forecast)
            if file_id is not None and file_id != before:
                await self._arrived(chosen.alert.id, file_id)

    async def picture_for(self, alert: Alert, now: datetime, forecast: Forecast = ()) -> str | None:
        """The file id of the alert's picture, which is drawn and uploaded if it is due; None without one."""
        async with self._turn:
            picture = await self._picture(alert.id)
            if not self._due(alert, picture, now):
                return None if picture is None else picture.file_id
            try:
                made = await self._made(alert, now, forecast)
            except (DeliveryFailed, StoreError, TemplateFailed) as error:
                self._hold_off(error, now)
                made = None
            if made is None:
                self._remember(self._failed, alert.id, now)
                return None if picture is None else picture.file_id
            self._failed.pop(alert.id, None)
            self._remember(self._pictures, alert.id, made)
            try:
                await self._kept.keep(made)
            except StoreError as error:
                self._tell("store", str(error))
            return made.file_id

    async def _made(self, alert: Alert, now: datetime, forecast: Forecast) -> Picture | None:
        facts = await self._facts(alert, now, forecast)
        value = next((value for _, value in reversed(facts.points) if value is not None), None)
        png = None if value is None else await self._room.draw(facts)
        if png is None:
            return None
        alt = self._voice.phrase(
            "charts.alt",
            title=facts.title,
            moment=facts.points[-1][0],
            value=value,
            unit=facts.unit,
            metric=facts.metric,
        )
        file_id = await self._upload(png, f"alert-{alert.id}.png", facts.title, alt)
        self._told.clear()
        await asyncio.sleep(self._settle)
        return Picture(alert.id, file_id, now, alert.last_at, alert.status is Status.RESOLVED)

    async def _facts(self, alert: Alert, now: datetime, forecast: Forecast) -> ChartFacts:
        subject = alert.subject
        until = now if alert.resolved_at is None else min(now, alert.resolved_at + AFTER)
        since = max((alert.fired_at or alert.detected_at) - BEFORE, until - LONGEST)
        read = await self._series.series(subject.metric, subject.target, since)
        points = thinned([point for point in read if point[0] <= until], POINTS - 1)
        # The history is written every ten seconds; the alert knows its latest check already.
        if since <= alert.last_at <= until and (not points or points[-1][0] < alert.last_at):
            points.append((alert.last_at, alert.value))
        bands = self._rules.rule_for(subject.metric, subject.target, alert.layer).bands
        title = self._voice.phrase("charts.title", metric=subject.metric, target=subject.target)
        return chart_facts(alert, bands, points, forecast, title, self._language, self._timezone)

    def _due(self, alert: Alert, picture: Picture | None, now: datetime) -> bool:
        if not _has_series(alert) or (self._blocked_until is not None and now < self._blocked_until):
            return False
        failed_at = self._failed.get(alert.id)
        if failed_at is not None and timedelta(0) <= now - failed_at < REDRAW:
            return False
        if picture is None:
            return True
        over = alert.status is Status.RESOLVED
        if over or picture.resolved:
            return over is not picture.resolved
        # Every picture is a file that stays in Slack: fewer of them the longer it lasts.
        pause = max(REDRAW, (now - (alert.fired_at or alert.detected_at)) / _PICTURES_AT_A_TIME)
        return alert.last_at > picture.last_at and not timedelta(0) <= now - picture.drawn_at < pause

    def _hold_off(self, error: Exception, now: datetime) -> None:
        if isinstance(error, Blocked):
            self._blocked_until = now + BLOCKED
        elif isinstance(error, Temporary) and error.retry_after is not None:
            self._blocked_until = now + timedelta(seconds=error.retry_after)
        self._tell(type(error).__name__, str(error))

    def _tell(self, kind: str, detail: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            log.warning("chart_not_shown", kind=kind, detail=detail)

    async def _picture(self, alert_id: int) -> Picture | None:
        if alert_id not in self._pictures:
            try:
                self._remember(self._pictures, alert_id, await self._kept.find(alert_id))
            except StoreError as error:
                self._tell("store", str(error))
                return None
        return self._pictures[alert_id]

    @staticmethod
    def _remember(memory: OrderedDict[int, _T], alert_id: int, what: _T) -> None:
        memory[alert_id] = what
        memory.move_to_end(alert_id)
        while len(memory) > _REMEMBERED:
            memory.popitem(last=False)


def chart_facts(
    alert: Alert,
    bands: Bands | None,
    points: Sequence[Point],
    forecast: Forecast,
    title: str,
    language: str,
    timezone: str,
) -> ChartFacts:
    """What the chart of that alert shows."""
    levels = () if bands is None else sorted(bands.levels)
    over = alert.status is Status.RESOLVED
    return ChartFacts(
        title=title,
        metric=alert.subject.metric,
        unit=alert.unit,
        points=tuple((at.isoformat(), value) for at, value in points),
        bounds=tuple((level.word, bands.entry(level)) for level in levels) if bands is not None else (),
        rising=bands is None or bands.rising,
        fired_at=None if alert.fired_at is None else alert.fired_at.isoformat(),
        resolved_at=alert.resolved_at.isoformat() if over and alert.resolved_at is not None else None,
        forecast=() if over else tuple((at.isoformat(), value) for at, value in forecast),
        language=language,
        timezone=timezone,
    )


def _has_series(alert: Alert) -> bool:
    """Only what we measure ourselves has a course; a report, a job or a silent probe has none."""
    return alert.subject.condition is Condition.THRESHOLD
