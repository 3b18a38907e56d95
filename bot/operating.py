"""From settings to all that operations need: who may what, when nothing may start, and what there is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Coroutine, Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from bot.alerting import Alerting, Ground
from bot.backups import Backups
from bot.cleaning import CLEANUP, Cleaning
from bot.config import Settings
from bot.config.operations import FreezeSettings
from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.levels import Level
from bot.domain.maintenance import Weekly
from bot.domain.oncall.model import ALL_DAYS
from bot.domain.operations.approval import Needs, State
from bot.domain.operations.freeze import PROTECTIVE, Freeze, Holidays
from bot.domain.operations.plan import JsonObject
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role
from bot.engine.delivery import Ambiguous, DeliveryFailed, Temporary
from bot.engine.operations.contract import Operation
from bot.engine.operations.desk import OperationDesk
from bot.engine.operations.durable import DbosRuns
from bot.engine.operations.facts import family_of
from bot.engine.operations.locks import LockBook
from bot.engine.operations.mail import OperationMail
from bot.engine.operations.parts import Parts
from bot.engine.reports import Report, ReportDesk, ReportsNotTaken
from bot.slack.files import share
from bot.slack.roles import SlackRoles
from bot.store.errors import StoreUnavailable
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore
from messages.operation_facts import OperationProblemFacts
from messages.render import TemplateFailed

log = structlog.get_logger(__name__)

METRIC = "operation"
"""of the alert about a run that did not end as it should"""
_SHARE_FOR_SECONDS = 900.0
"""as long as a plan can be approved, where nothing else is configured"""
_SHARE_SECONDS, _SHARE_PAUSE_SECONDS = 1.0, 30.0
_WATCHED = ("backup", "backup_verify")
"""Operations whose outcome is told by the watch over the backups."""
_CHECK, _WAITS = "backup_check", "retention_waits"
"""A step whose failure each source's proof repeats, and the reason of one that waits for these."""
_LEVELS = {
    State.DONE: None,
    State.PARTIAL: Level.ERROR,
    State.UNDONE: Level.ERROR,
    State.FAILED: Level.CRITICAL,
    State.CHANGED: Level.ERROR,
    State.REFUSED: Level.ERROR,
}
"""of the alert when a run ends so; one that was stopped by somebody is none"""


class Operating:
    """The desk of operations and everything around it, put together; `load` reads what the database knows."""

    def __init__(self, ground: Ground, alerting: Alerting, command: str) -> None:
        settings = ground.settings
        self._ground = ground
        self._alerting = alerting
        self.roles = SlackRoles(alerting.people, _members(settings))
        self.locks = LockBook(
            LockStore(ground.database),
            ground.audit,
            ground.clock,
            self.roles.current,
            freezes_of(settings),
            command,
            on_lifted=lambda: self.desk.wake(),
            subjects=lambda: (f"host:{settings.name}",),
        )
        self.backups = Backups(ground, alerting)
        self.cleaning = Cleaning(ground, alerting, self.backups.covered)
        operations: dict[str, Operation] = {
            **self.cleaning.operations,
            **self.backups.operations,
        }
        channel = settings.operations.channel or settings.slack.ops_channel
        parts = Parts(
            store=OperationStore(ground.database),
            locks=self.locks,
            audit=ground.audit,
            mail=OperationMail(ground.ledger, ground.outbox, ground.clock),
            clock=ground.clock,
            roles=self.roles.current,
            fresh_roles=self.roles.fresh,
            needs=lambda operation, subject: needs_of(settings, operation, subject),
            command=command,
            channel=channel,
            share=self._share,
            know_cards=ground.outbox.know_cards,
            tell_alert=self._tell_alert,
        )
        self.desk = OperationDesk(
            parts,
            operations,
            lambda body: DbosRuns(settings.store_url, body),
            {CLEANUP: self.cleaning.scan},
        )
        self.cleaning.attach(self.desk)
        self.backups.attach(self.desk, self._tell_refused)

    async def load(self) -> None:
        """Read everything that must not be forgotten, and go on with what was under way. Raises
        StoreUnavailable."""
        await self.cleaning.load()
        await self.desk.load()

    def loops(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """What goes on for ever, by name."""
        yield "operations", self.desk.run()
        yield "purge", self.cleaning.run()
        yield "backups", self.backups.run()

    async def _share(self, stream: str, name: str, content: bytes | Path) -> None:
        """Put a file into the thread of a card, as soon as the card is there."""
        pause = _SHARE_SECONDS
        give_up = time.monotonic() + _SHARE_FOR_SECONDS
        while time.monotonic() < give_up:
            card = self._ground.outbox.card(stream)
            if card is not None:
                try:
                    await share(self._ground.client, content, name, name, card.channel_id, card.ts)
                    return
                except (Temporary, Ambiguous) as error:
                    # Rather the same list twice than a plan that nobody could read.
                    wanted = error.retry_after if isinstance(error, Temporary) else None
                    await asyncio.sleep(wanted or pause)
                    pause = min(2 * pause, _SHARE_PAUSE_SECONDS)
                    continue
                except OSError as error:
                    log.warning("file_of_plan_not_read", stream=stream, file=name, detail=str(error))
                    return
                except DeliveryFailed as error:
                    log.warning("file_not_shared", stream=stream, file=name, detail=error.detail)
                    return
            await asyncio.sleep(_SHARE_SECONDS)
        log.warning("file_not_shared", stream=stream, file=name, detail="no card")

    async def _tell_alert(self, record: OperationRecord, state: State) -> None:
        """An alert about a run that did not end as it should; over with the next one that does. Raises
        StoreUnavailable where it could not be told: the run's end waits for it."""
        try:
            await self.cleaning.ended(record)
        except StoreUnavailable as error:
            log.warning("card_not_drawn", run=record.id, detail=error.detail)
        level = None if record.stopped_by is not None and state is not State.FAILED else _LEVELS.get(state)
        if record.plan.operation in _WATCHED and is_told(record, await self.backups.look()):
            level = None  # there is an alert for each thing whose backup is bad, which knows more
        title, facts = self._failures(record)
        await self._report(record.plan.operation, record.plan.subject, level, title, facts)

    async def _tell_refused(self, operation: str, problem: OperationProblemFacts | None) -> None:
        """An alert about something scheduled that could not even be planned; over when it can be."""
        name = self._say(f"terms.operation.{operation}", {})
        why = "" if problem is None else self._reason(family_of(operation), problem.reason, problem.values)
        level = None if problem is None else Level.ERROR
        title = f"{name}: {why}" if why else name
        try:
            await self._report(operation, "schedule", level, title, {})
        except StoreUnavailable as error:
            log.error("operation_not_reported", operation=operation, detail=error.detail)

    async def _report(
        self, operation: str, subject: str, level: Level | None, title: str, facts: Mapping[str, str]
    ) -> None:
        target, clock = f"{operation} {subject}", self._ground.clock
        event = Reported(level is not None, level or Level.ERROR, clock(), title, facts)
        about = Subject(
            self._ground.settings.environment, f"{METRIC}:{target}", METRIC, target, Condition.REPORTED
        )
        await reported(self._alerting.desk, Report(about, {"operation": operation}, event))

    def _failures(self, record: OperationRecord) -> tuple[str, dict[str, str]]:
        """What went wrong, in words: the title of the alert, and a fact for each step that failed."""
        family = family_of(record.plan.operation)
        facts = {"operation": f"#{record.id}"}
        name = self._say(f"terms.operation.{record.plan.operation}", {})
        title = f"{name} {record.plan.subject}"
        for step in record.steps:
            if step.problem is None:
                continue
            planned = record.plan.steps[step.number]
            what = self._say(f"{family}.step.{planned.name}", planned.params)
            facts[what] = self._reason(family, step.problem.reason, step.problem.values)
        failed = [each for each in facts if each != "operation"]
        if not failed and record.problem is not None:
            failed = [self._reason(family, record.problem.reason, record.problem.values)]
        return (f"{title}: {', '.join(failed)}" if failed else title), facts

    def _reason(self, family: str, reason: str, values: JsonObject) -> str:
        """The sentence of a refusal or a failure."""
        for place in (family, "operations"):
            for kind in ("refused", "failed", "changed"):
                key = f"{place}.{kind}.{reason}"
                said = self._say(key, values)
                if said != key:
                    return said
        return reason

    def _say(self, key: str, values: JsonObject) -> str:
        try:
            return self._ground.voice.phrase(key, **values)
        except TemplateFailed:
            return key


def is_told(record: OperationRecord, told: Collection[str]) -> bool:
    """Whether all that failed in a run over backups is told by alerts about those sources. What failed for no
    source, such as making room, is told by none of them; a check that failed is each source's failure."""
    failed = [
        (record.plan.steps[step.number], step.problem.reason)
        for step in record.steps
        if step.problem is not None
    ]
    sources = {str(step.params["source"]) for step, _ in failed if "source" in step.params}
    others = [step for step, reason in failed if "source" not in step.params and reason != _WAITS]
    return bool(sources) and sources <= set(told) and all(step.name == _CHECK for step in others)


async def reported(desk: ReportDesk, report: Report) -> None:
    """Tell that desk. Raises StoreUnavailable where it cannot take it now."""
    try:
        await desk.report([report])
    except ReportsNotTaken as error:
        raise StoreUnavailable(error.detail) from None


def needs_of(settings: Settings, operation: str, subject: str) -> Needs:
    """What an operation on a subject asks of people."""
    section = settings.operations
    second = {operation, f"{operation}@{subject}"} & set(section.second_person)
    # Of what brings back, or takes nothing away, the word of whoever asks is enough: speed beats ceremony.
    approve = Role.OPERATOR if operation in PROTECTIVE else Role.APPROVER
    return Needs(approve=approve, second_person=bool(second), lives=section.approval_lives)


def freezes_of(settings: Settings) -> tuple[Freeze, ...]:
    """The freezes of the configuration."""
    return tuple(_freeze(each, settings.zone) for each in settings.operations.freezes)


def _freeze(section: FreezeSettings, default_zone: ZoneInfo) -> Freeze:
    zone = default_zone if section.timezone is None else ZoneInfo(section.timezone)
    times: Weekly | Holidays
    if section.hours is not None:
        times = Weekly(ALL_DAYS if section.days is None else frozenset(section.days), section.hours, zone)
    else:
        times = Holidays(frozenset(section.holidays), zone)
    return Freeze(section.name, times, frozenset(section.operations), section.subject, section.reason)


def _members(settings: Settings) -> Mapping[Role, tuple[str, ...]] | None:
    section = settings.roles
    if section is None:
        return None
    return {
        Role.OPERATOR: section.operator,
        Role.APPROVER: section.approver,
        Role.ADMINISTRATOR: section.administrator,
    }
