"""The maintenance windows, those of the configuration and those that commands make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain.alerts.model import Alert
from bot.domain.audit import Action
from bot.domain.maintenance import LONGEST, Once, Window
from bot.domain.silences import Wanted
from bot.engine.audit import UNAUDITED, Audit, noting_failure
from bot.engine.clock import Clock
from bot.engine.silences import MustConfirm, Refused, cover_detail, note_refusal, objection_to
from bot.engine.uninterrupted import uninterrupted
from bot.store.maintenance import MaintenanceStore

log = structlog.get_logger(__name__)


class Maintenance:
    """All windows that are under way or will be. `changes` rises whenever one comes or is ended."""

    def __init__(
        self,
        store: MaintenanceStore,
        clock: Clock,
        configured: Iterable[Window] = (),
        audit: Audit = UNAUDITED,
    ) -> None:
        self._store = store
        self._clock = clock
        self._audit = audit
        self._configured = tuple(configured)
        self._made: dict[int, Window] = {}
        self._under_way: tuple[tuple[Window, datetime], ...] = ()
        self._known_from: datetime | None = None
        self._known_until: datetime | None = None
        self.changes = 0

    async def load(self) -> None:
        """Read what is in the database. Raises StoreUnavailable."""
        self._made = {each.id: each for each in await self._store.unfinished(self._clock())}
        self._changed()

    def unfinished(self, now: datetime) -> tuple[Window, ...]:
        """Those that are under way at that moment or will be later, the configuration's first."""
        return tuple(each for each in (*self._configured, *self._made.values()) if not each.is_over(now))

    def made(self, number: int) -> Window | None:
        """The window of that number that a command made, if it is not over."""
        window = self._made.get(number)
        return None if window is None or window.is_over(self._clock()) else window

    def under_way(self, now: datetime) -> tuple[tuple[Window, datetime], ...]:
        """Those that are under way at that moment, each with its end, the latest end first.

        To find out takes long beside an alert's question, so the answer is kept until it changes.
        """
        since, until = self._known_from, self._known_until
        if since is None or now < since or (until is not None and now >= until):
            self._look(now)
        return self._under_way

    def next_change(self, now: datetime) -> datetime | None:
        """When the next one begins or ends after that moment; None if none does."""
        self.under_way(now)
        return self._known_until

    async def add(
        self,
        wanted: Wanted,
        open_alerts: Iterable[Alert] = (),
        known: Iterable[Mapping[str, str]] = (),
        *,
        confirmed: bool = False,
    ) -> Window | Refused | MustConfirm:
        """Make a window as somebody asks for; `known` and `confirmed` as for silences. Raises
        StoreUnavailable."""
        now = self._clock()
        objection = objection_to(wanted, now, LONGEST, open_alerts, known, confirmed=confirmed)
        if objection is not None:
            note_refusal(self._audit, Action.MAINTENANCE_ADD, wanted, objection)
            return objection
        times = Once(wanted.starts_at, wanted.ends_at)
        reason = wanted.reason.strip()
        window = Window("", wanted.matcher, times, reason, owner=wanted.by, created_at=now)
        return await uninterrupted(self._added(window, times))

    async def end(self, number: int, by: str) -> Window | None:
        """End a window that a command made before its time; None if there is none of that number that is not
        over. Raises StoreUnavailable."""
        now = self._clock()
        window = self.made(number)
        if window is None:
            return None
        return await uninterrupted(self._ended(window, now, by))

    async def _added(self, window: Window, times: Once) -> Window:
        by = window.owner or ""
        detail = cover_detail(window.matcher, times.starts_at, times.ends_at, window.reason)
        with noting_failure(self._audit, by, Action.MAINTENANCE_ADD, str(window.matcher), detail):
            made = await self._store.add(window, times)
        self._made[made.id] = made
        self._changed()
        log.info("maintenance_added", id=made.id, matcher=str(made.matcher), by=made.owner)
        self._audit.note(by, Action.MAINTENANCE_ADD, f"maintenance:{made.id}", detail=detail)
        return made

    async def _ended(self, window: Window, now: datetime, by: str) -> Window | None:
        subject, detail = f"maintenance:{window.id}", {"matcher": str(window.matcher)}
        with noting_failure(self._audit, by, Action.MAINTENANCE_END, subject, detail):
            done = await self._store.end(window.id, now, by)
        self._made.pop(window.id, None)
        self._changed()
        log.info("maintenance_ended", id=window.id, by=by, first=done)
        if done:
            self._audit.note(by, Action.MAINTENANCE_END, subject, detail=detail)
        return replace(window, ended_at=now, ended_by=by) if done else None

    def _changed(self) -> None:
        self._known_from = None
        self.changes += 1

    def _look(self, now: datetime) -> None:
        windows = self.unfinished(now)
        found = ((window, window.active_until(now)) for window in windows)
        under_way = [(window, until) for window, until in found if until is not None]
        self._under_way = tuple(sorted(under_way, key=lambda each: each[1], reverse=True))
        changes = (window.next_change(now) for window in windows)
        self._known_until = min((change for change in changes if change is not None), default=None)
        self._known_from = now
