"""From settings to all that operations need: who may what, when nothing may start, and what there is."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from functools import partial
from zoneinfo import ZoneInfo

from bot.alerting import Alerting, Ground
from bot.backups import Backups
from bot.cleaning import CLEANUP, Cleaning
from bot.config import Settings
from bot.config.operations import FreezeSettings
from bot.deploying import Deploying
from bot.domain.maintenance import Weekly
from bot.domain.oncall.model import ALL_DAYS
from bot.domain.operations.approval import Needs
from bot.domain.operations.freeze import PROTECTIVE, Freeze, Holidays
from bot.domain.operations.roles import Role
from bot.engine.operations.contract import Operation
from bot.engine.operations.desk import OperationDesk
from bot.engine.operations.durable import DbosRuns
from bot.engine.operations.locks import LockBook
from bot.engine.operations.mail import OperationMail
from bot.engine.operations.parts import Parts
from bot.operation_alerts import OperationAlerts
from bot.operation_files import share_file
from bot.slack.roles import SlackRoles
from bot.store.operation_locks import LockStore
from bot.store.operations import OperationStore


class Operating:
    """The desk of operations and everything around it, put together; `load` reads what the database knows."""

    def __init__(self, ground: Ground, alerting: Alerting, command: str) -> None:
        settings = ground.settings
        self.roles = SlackRoles(alerting.people, _members(settings))
        self.locks = LockBook(
            LockStore(ground.database),
            ground.audit,
            ground.clock,
            self.roles.current,
            freezes_of(settings),
            command,
            on_lifted=lambda: self.desk.wake(),
            subjects=lambda: (f"host:{settings.name}", *self.deploying.subjects()),
        )
        self.backups = Backups(ground, alerting)
        self.cleaning = Cleaning(ground, alerting, self.backups.covered)
        self.deploying = Deploying(ground, alerting, self.locks, self.backups.covered, command)
        self._alerts = OperationAlerts(ground, alerting, self.cleaning, self.backups, self.deploying)
        operations: dict[str, Operation] = {
            **self.cleaning.operations,
            **self.backups.operations,
            **self.deploying.operations,
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
            needs=lambda operation, subject: self.deploying.needs(
                operation, subject, needs_of(settings, operation, subject)
            ),
            command=command,
            channel=channel,
            share=partial(share_file, ground),
            know_cards=ground.outbox.know_cards,
            tell_alert=self._alerts.ended,
            locks_after=self.deploying.locks_after,
            tell_runs=ground.notices.runs_trouble,
        )
        self.desk = OperationDesk(
            parts,
            operations,
            lambda body: DbosRuns(settings.store_url, body),
            {CLEANUP: self.cleaning.scan},
        )
        self.cleaning.attach(self.desk)
        self.backups.attach(self.desk, self._alerts.refused)

    async def load(self) -> None:
        """Read everything that must not be forgotten, and go on with what was under way. Raises
        StoreUnavailable."""
        await self.cleaning.load()
        await self.desk.load()
        self.deploying.clear()

    def loops(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """What goes on for ever, by name."""
        yield "operations", self.desk.run()
        yield "purge", self.cleaning.run()
        yield "backups", self.backups.run()


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
