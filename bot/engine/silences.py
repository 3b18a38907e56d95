"""The silences that hold, in memory for questions that cannot wait, and how they come and go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.domain.alerts.model import Alert
from bot.domain.audit import Action, Outcome, span
from bot.domain.levels import Level
from bot.domain.matchers import Matcher, exactly, matches_everything
from bot.domain.silences import LONGEST, CoverFault, Silence, Wanted, fault_of
from bot.engine.audit import UNAUDITED, Audit, noting_failure
from bot.engine.clock import Clock
from bot.engine.uninterrupted import uninterrupted
from bot.store.silences import SilenceStore

log = structlog.get_logger(__name__)

_LOUD = (Level.CRITICAL, Level.EMERGENCY)
_CARD_LABELS = ("metric", "target", "environment")


@dataclass(frozen=True, slots=True)
class Refused:
    """It can't be; nothing has changed."""

    fault: CoverFault


@dataclass(frozen=True, slots=True)
class MustConfirm:
    """It would hide everything there is; nothing has changed until it is asked for once more."""

    wanted: Wanted
    hides: tuple[Alert, ...]
    """open alerts that nobody would be told of any more"""
    everything: bool
    """it matches whatever there may ever be, and not just all that is known"""


class Silences:
    """All silences that hold or will. `changes` rises whenever one comes, is lifted or is dropped as over."""

    def __init__(self, store: SilenceStore, clock: Clock, audit: Audit = UNAUDITED) -> None:
        self._store = store
        self._clock = clock
        self._audit = audit
        self._all: dict[int, Silence] = {}
        self.changes = 0

    async def load(self) -> None:
        """Read what is in the database. Raises StoreUnavailable."""
        self._all = {each.id: each for each in await self._store.unfinished(self._clock())}
        self.changes += 1

    @property
    def none_known(self) -> bool:
        """Whether there is none at all, as almost always."""
        return not self._all

    def has(self, number: int) -> bool:
        """Whether the silence of that number is known: neither lifted nor forgotten; it may be over."""
        return number in self._all

    def newer_than(self, number: int) -> tuple[Silence, ...]:
        """Those that are known and have a higher number, in the order of their numbers."""
        return tuple(each for each in self._all.values() if each.id > number)

    def active(self, now: datetime) -> tuple[Silence, ...]:
        """Those that hold at that moment."""
        return tuple(each for each in self._all.values() if each.is_active(now))

    def unfinished(self, now: datetime) -> tuple[Silence, ...]:
        """Those that hold at that moment or will later."""
        return tuple(each for each in self._all.values() if not each.is_over(now))

    def next_change(self, now: datetime) -> datetime | None:
        """When the next one begins or ends after that moment; None if none does."""
        moments = (moment for each in self._all.values() for moment in (each.starts_at, each.ends_at))
        return min((moment for moment in moments if moment > now), default=None)

    def expired(self, now: datetime) -> tuple[Silence, ...]:
        """Those that have come to their end since this was asked last; they are forgotten with the answer."""
        over = tuple(each for each in self._all.values() if each.is_over(now))
        for each in over:
            del self._all[each.id]
        if over:
            self.changes += 1
        return over

    async def add(
        self,
        wanted: Wanted,
        open_alerts: Iterable[Alert] = (),
        known: Iterable[Mapping[str, str]] = (),
        *,
        confirmed: bool = False,
    ) -> Silence | Refused | MustConfirm:
        """Be silent as somebody asks for. `known` are the labels of all that is watched: a silence that would
        hide all of it, or everything there may be, has to be `confirmed`. Raises StoreUnavailable.
        """
        now = self._clock()
        objection = objection_to(wanted, now, LONGEST, open_alerts, known, confirmed=confirmed)
        if objection is not None:
            note_refusal(self._audit, Action.SILENCE_ADD, wanted, objection)
            return objection
        silence = Silence(
            0, wanted.matcher, wanted.starts_at, wanted.ends_at, wanted.by, wanted.reason.strip(), now
        )
        return await uninterrupted(self._added(silence))

    async def for_alert(self, alert: Alert, length: timedelta, by: str, reason: str) -> Silence | Refused:
        """Be silent about exactly what that alert is about. Raises StoreUnavailable."""
        now = self._clock()
        added = await self.add(Wanted(about(alert), now, now + length, by, reason), confirmed=True)
        return added if isinstance(added, Refused) else _certain(added)

    async def lift(self, number: int, by: str) -> Silence | None:
        """End a silence before its time; None if there is none of that number that is not over.

        Raises StoreUnavailable.
        """
        now = self._clock()
        silence = self._all.get(number)
        if silence is None or silence.is_over(now):
            return None
        return await uninterrupted(self._lifted(silence, now, by))

    async def _added(self, silence: Silence) -> Silence:
        detail = cover_detail(silence.matcher, silence.starts_at, silence.ends_at, silence.reason)
        with noting_failure(self._audit, silence.owner, Action.SILENCE_ADD, str(silence.matcher), detail):
            made = await self._store.add(silence)
        self._all[made.id] = made
        self.changes += 1
        log.info("silence_added", id=made.id, matcher=str(made.matcher), by=made.owner)
        self._audit.note(made.owner, Action.SILENCE_ADD, f"silence:{made.id}", detail=detail)
        return made

    async def _lifted(self, silence: Silence, now: datetime, by: str) -> Silence | None:
        subject, detail = f"silence:{silence.id}", {"matcher": str(silence.matcher)}
        with noting_failure(self._audit, by, Action.SILENCE_LIFT, subject, detail):
            done = await self._store.end(silence.id, now, by)
        self._all.pop(silence.id, None)
        self.changes += 1
        log.info("silence_lifted", id=silence.id, by=by, first=done)
        if done:
            self._audit.note(by, Action.SILENCE_LIFT, subject, detail=detail)
        return silence if done else None


def cover_detail(matcher: Matcher, starts_at: datetime, ends_at: datetime, reason: str) -> dict[str, str]:
    """What the audit log says of a silence or a window that was made."""
    return {"matcher": str(matcher), **span(starts_at, ends_at), "reason": reason}


def note_refusal(audit: Audit, action: Action, wanted: Wanted, objection: Refused | MustConfirm) -> None:
    """Note that somebody wanted a silence or a window for longer than may be. What was only mistyped, or has
    still to be confirmed, says nothing of anybody."""
    if isinstance(objection, Refused) and objection.fault is CoverFault.TOO_LONG:
        detail = {"why": objection.fault.value, **span(wanted.starts_at, wanted.ends_at)}
        audit.note(wanted.by, action, str(wanted.matcher), Outcome.REFUSED, detail=detail)


def _certain(added: Silence | MustConfirm) -> Silence:
    if isinstance(added, MustConfirm):
        raise TypeError("what is confirmed is not asked for twice")
    return added


def about(alert: Alert) -> Matcher:
    """The matcher for that alert's metric and target in its environment, and for nothing else."""
    subject = alert.subject
    labels = dict(alert.labels) or {
        "metric": subject.metric,
        "target": subject.target,
        "environment": subject.environment,
    }
    return exactly({name: labels[name] for name in _CARD_LABELS if name in labels})


def objection_to(
    wanted: Wanted,
    now: datetime,
    longest: timedelta,
    open_alerts: Iterable[Alert],
    known: Iterable[Mapping[str, str]],
    *,
    confirmed: bool,
) -> Refused | MustConfirm | None:
    """Why a silence or a window, of which none is longer than `longest`, can't be yet; None if it can."""
    fault = fault_of(wanted.starts_at, wanted.ends_at, wanted.reason, now, longest)
    if fault is not None:
        return Refused(fault)
    return None if confirmed else _asks_twice(wanted, open_alerts, known)


def _asks_twice(
    wanted: Wanted, open_alerts: Iterable[Alert], known: Iterable[Mapping[str, str]]
) -> MustConfirm | None:
    """The question that comes first if it would hide everything there may be, or all that is known, at its
    worst levels; None if it would not."""
    everything = matches_everything(wanted.matcher)
    watched = [] if everything else list(known)
    # Those of one loud level are enough: whoever hides every critical alert may mean it.
    all_known = bool(watched) and any(
        all(wanted.matcher.matches(labels, level) for labels in watched) for level in _LOUD
    )
    if not everything and not all_known:
        return None
    hides = tuple(each for each in open_alerts if wanted.matcher.matches(each.labels, each.level))
    return MustConfirm(wanted, hides, everything)
