"""From settings to everything that alerts need around the desk: who is on call, what lies over alerts, what
is found out beside them, who else reports, and the second way out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import RuleBook, Settings
from bot.config.around import (
    inhibit_rules_of,
    policies_of,
    routes_of,
    services_of,
    whereabouts_of,
    windows_of,
)
from bot.config.duty import schedules_of
from bot.config.outside import OutsideSecrets
from bot.domain.alerts.ladder import TargetKind
from bot.domain.inhibition import Inhibition
from bot.engine.audit import AuditBook
from bot.engine.charts import Charts
from bot.engine.clock import Clock
from bot.engine.deadlines import Deadlines
from bot.engine.desk import AlertDesk
from bot.engine.enrichment import Enrichment
from bot.engine.handover import HandOvers
from bot.engine.heartbeats import Heartbeats
from bot.engine.history import KEEP_LETTERS, PRUNE_EVERY, History
from bot.engine.insight import Insight
from bot.engine.ledger import Ledger
from bot.engine.maintenance import Maintenance
from bot.engine.noise import NoiseBook
from bot.engine.notices import Notices
from bot.engine.outbox import Outbox
from bot.engine.roster import Roster
from bot.engine.second_way import SecondWay, SecondWayPolicy
from bot.engine.selfcheck import LoopLag, Measures, SelfCheck
from bot.engine.silences import Silences
from bot.engine.surroundings import SurroundingsBook
from bot.engine.watchdog import Watchdog
from bot.slack.files import upload
from bot.slack.people import SlackPeople
from bot.store.database import Database
from bot.store.duty import DutyStore
from bot.store.errors import StoreUnavailable
from bot.store.heartbeats import HeartbeatStore
from bot.store.insight import InsightStore
from bot.store.maintenance import MaintenanceStore
from bot.store.pictures import PictureStore
from bot.store.ratings import RatingStore
from bot.store.second_way import SecondWayStore
from bot.store.series import SeriesStore
from bot.store.silences import SilenceStore
from bot.store.store import Store
from bot.tools.charts import ChartRoom
from bot.web.generic import Mapped
from bot.web.heartbeats import HeartbeatRoutes
from bot.web.severities import Severities
from bot.web.webhooks import Source, Sources, Webhooks, application
from messages.render import Voice
from probes.base import Probe

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 5.0
"""How often jobs, unsent letters and the Guardian itself are looked at."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the alert department stands on: parts that others use too."""

    settings: Settings
    outside: OutsideSecrets
    database: Database
    store: Store
    ledger: Ledger
    outbox: Outbox
    history: History
    rules: RuleBook
    notices: Notices
    audit: AuditBook
    client: AsyncWebClient
    session: aiohttp.ClientSession
    voice: Voice
    clock: Clock
    environment: Mapping[str, str]
    probes: Callable[[], Sequence[Probe]]
    """what is watched, made anew for whoever wants a look of their own"""


def second_way_of(
    settings: Settings,
    outside: OutsideSecrets,
    database: Database,
    voice: Voice,
    clock: Clock,
    notices: Callable[[], Notices],
) -> SecondWay:
    """The way out beside Slack; without targets it carries nothing."""
    section = settings.second_way
    policy = SecondWayPolicy(after=section.after, levels=frozenset(section.levels))
    return SecondWay(
        outside.apprise,
        SecondWayStore(database),
        voice.unmarked,
        clock,
        policy,
        on_sent=lambda facts: notices().second_way(facts),
    )


class Alerting:
    """The desk and everything around it, put together; `load` reads what the database knows."""

    def __init__(self, ground: Ground, second_way: SecondWay) -> None:
        settings, clock, database = ground.settings, ground.clock, ground.database
        self._ground = ground
        self.second_way = second_way
        self._went_out = SecondWayStore(database)
        self._pruned_at: datetime | None = None
        self.services = services_of(settings)
        self.whereabouts = whereabouts_of(settings)
        schedules = schedules_of(settings)
        duty = DutyStore(database)
        self.people = SlackPeople(
            ground.client, duty, ground.notices.unknown_person, expected=sorted(_handles(settings))
        )
        self.roster = Roster(schedules, duty, self.people, clock, ground.audit)
        self.silences = Silences(SilenceStore(database), clock, ground.audit)
        self.maintenance = Maintenance(MaintenanceStore(database), clock, windows_of(settings), ground.audit)
        self.book = SurroundingsBook(
            routes_of(settings),
            self.silences,
            self.maintenance,
            self.services,
            Inhibition(self.services, inhibit_rules_of(settings)),
            self.roster,
            self.people,
        )
        self.desk = AlertDesk(
            ground.ledger, ground.outbox, clock, settings.slack.alerts_channel, ground.rules, self.book
        )
        insights, series = InsightStore(database), SeriesStore(database)
        self.insight = Insight(
            insights, series, ground.history, ground.rules, clock, self.services, self.whereabouts
        )
        self.noise = NoiseBook(ground.store, RatingStore(database), insights, ground.rules, clock)
        self.room = ChartRoom(settings.state_directory, ground.environment)
        self.charts = Charts(
            series,
            PictureStore(database),
            self.room,
            partial(upload, ground.client),
            ground.rules,
            ground.voice,
            clock,
            lambda alert_id, file_id: self.enrichment.pictured(alert_id, file_id),
            language=settings.language,
            timezone=settings.timezone,
        )
        self.enrichment = Enrichment(self.desk, self.insight, clock, self.charts)
        self.deadlines = Deadlines(
            self.desk, clock, lambda: self.book.covers_changed, self.book.next_cover_change
        )
        jobs = [job.job(name) for name, job in settings.heartbeats.items()]
        self.heartbeats = Heartbeats(HeartbeatStore(database), self.desk, jobs, settings.environment)
        self.hand_overs = HandOvers(
            self.roster,
            duty,
            ground.notices.tell,
            lambda: sum(1 for _ in self.desk.each_open()),
            settings.slack.ops_channel,
        )
        self.lag = LoopLag()
        self.self_check = SelfCheck(self._measures, ground.notices.self_check, ground.notices.self_check_over)

    async def load(self) -> None:
        """Read everything that must not be forgotten. Raises StoreUnavailable."""
        await self.second_way.load()
        await self.people.load()
        await self.roster.load()
        await self.silences.load()
        await self.maintenance.load()
        await self.desk.load()
        await self.heartbeats.load(self._ground.clock())
        await self.hand_overs.load()

    def loops(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """What goes on for ever, by name."""
        clock = self._ground.clock
        yield "deadlines", self.deadlines.run()
        yield "enrichment", self.enrichment.run()
        yield "insight", self.insight.run()
        yield "charts", self.charts.run()
        yield "people", self.people.run()
        yield "lag", self.lag.run()
        yield "self_check", self._look()
        if self._ground.settings.schedules:
            yield "hand_overs", self.hand_overs.run(clock)
        if self._ground.outside.watchdog_url is not None:
            yield "watchdog", self._watchdog(self._ground.outside.watchdog_url).run()

    async def note_settings(self) -> None:
        """Write down whether the configuration is another one than at the last start."""
        settings = self._ground.settings
        # Times of day and the like are not what pydantic expects to write; here they are only compared.
        values = settings.model_dump(mode="json", warnings=False)
        try:
            await self.insight.settings_seen(values, settings.name, settings.environment)
        except StoreUnavailable as error:
            log.warning("change_of_settings_not_noted", detail=error.detail)

    def door(self) -> web.Application | None:
        """Where others report; None when nobody may."""
        secret, settings = self._ground.outside.webhook, self._ground.settings
        if secret is None:
            return None
        section = settings.webhooks
        own = section.sources if section is not None else {}
        sources = Sources(
            secret,
            {
                name: Source(
                    Mapped(name, source.mapping.texts), self._ground.outside.sources.get(name, secret)
                )
                for name, source in own.items()
            },
            Severities(section.levels if section is not None else None),
        )
        clock = self._ground.clock
        return application(
            self._ground.voice,
            Webhooks(self.desk, sources, settings.environment, clock),
            HeartbeatRoutes(self.heartbeats, secret, clock),
        )

    async def _look(self) -> None:
        """Look at the jobs, at letters that Slack does not take, and at ourselves, for ever."""
        while True:
            now = self._ground.clock()
            try:
                self.silences.expired(now)
                await self.heartbeats.look(now)
                await self.second_way.carry(self._ground.outbox.waiting())
                self.self_check.look(now)
                await self._prune(now)
            except Exception:  # one look that failed must not be the last
                log.exception("not_looked_at")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _prune(self, now: datetime) -> None:
        """Forget now and then what went out another way long ago."""
        if self._pruned_at is None or now - self._pruned_at >= PRUNE_EVERY:
            await self._went_out.prune(now - KEEP_LETTERS)
            self._pruned_at = now

    def _watchdog(self, url: SecretStr) -> Watchdog:
        notices, settings = self._ground.notices, self._ground.settings
        return Watchdog(
            self._ground.session,
            url,
            settings.watchdog.every,
            [self.self_check.problem],
            self._ground.clock,
            notices.watchdog_failing,
            notices.watchdog_back,
        )

    def _measures(self) -> Measures:
        overdue = self.desk.overdue(self._ground.clock(), timedelta(0))
        late = (alert.progress.next_at for alert in overdue if alert.progress is not None)
        return Measures(
            next_step_at=min((moment for moment in late if moment is not None), default=None),
            oldest_unsent=self.second_way.oldest_stuck(self._ground.outbox.waiting()),
            lag=self.lag.worst(),
        )


def _handles(settings: Settings) -> Iterator[str]:
    """Everybody whom the configuration calls by a handle; a user group as `group:@handle`."""
    for schedule in schedules_of(settings).values():
        for rotation in schedule.rotations:
            yield from (person for person in rotation.people if person.startswith("@"))
    for policy in policies_of(settings).values():
        for target in policy.targets(tuple(range(1, len(policy.tiers) + 1))):
            if target.name.startswith("@"):
                is_group = target.kind is TargetKind.GROUP
                yield f"group:{target.name}" if is_group else target.name
