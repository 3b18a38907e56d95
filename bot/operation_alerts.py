"""Alerts about operations: what did not end as it should, and what was scheduled and could not be planned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import structlog

from bot.alerting import Alerting, Ground
from bot.backups import Backups
from bot.cleaning import Cleaning
from bot.deploying import Deploying
from bot.domain.alerts.model import Condition, Reported, Subject
from bot.domain.deploy.plan import DEPLOY, place_of
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.levels import Level
from bot.domain.operations.approval import State
from bot.domain.operations.plan import JsonObject, Plan
from bot.domain.operations.record import OperationRecord
from bot.engine.operations.facts import family_of
from bot.engine.reports import Report, ReportDesk, ReportsNotTaken
from bot.store.errors import StoreUnavailable
from messages.operation_facts import OperationProblemFacts
from messages.render import TemplateFailed

log = structlog.get_logger(__name__)

METRIC = "operation"
"""of the alert about a run that did not end as it should"""
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


class OperationAlerts:
    """Tells the desk of alerts."""

    def __init__(
        self,
        ground: Ground,
        alerting: Alerting,
        cleaning: Cleaning,
        backups: Backups,
        deploying: Deploying,
    ) -> None:
        self._ground = ground
        self._alerting = alerting
        self._cleaning = cleaning
        self._backups = backups
        self._deploying = deploying

    async def ended(self, record: OperationRecord, state: State) -> None:
        """An alert about a run that did not end as it should; over with the next one about the same that ends
        well. Raises StoreUnavailable where it could not be told: the run's end waits for it."""
        try:
            await self._cleaning.ended(record)
        except StoreUnavailable as error:
            log.warning("card_not_drawn", run=record.id, detail=error.detail)
        await self._deploying.ended(record)
        if was_wanted(record, state):
            return  # and yet nothing ended well, so that no alert is over
        level = _LEVELS.get(state)
        if record.plan.operation == ROLLBACK and level is not None:
            level = Level.CRITICAL  # whoever goes back has trouble already
        if record.plan.operation in _WATCHED and is_told(record, await self._backups.look()):
            level = None  # there is an alert for each thing whose backup is bad, which knows more
        title, facts = self._failures(record, state)
        now = self._ground.clock()
        event = Reported(level is not None, level or Level.ERROR, now, title, facts)
        await reported(self._alerting.desk, about_of(record.plan, self._ground.settings.environment, event))

    async def refused(self, operation: str, problem: OperationProblemFacts | None) -> None:
        """An alert about something scheduled that could not even be planned; over when it can be."""
        name = self._say(f"terms.operation.{operation}", {})
        why = "" if problem is None else self._reason(family_of(operation), problem.reason, problem.values)
        level = None if problem is None else Level.ERROR
        title = f"{_begun(name)}: {why}" if why else _begun(name)
        event = Reported(level is not None, level or Level.ERROR, self._ground.clock(), title)
        about = _subject(self._ground.settings.environment, f"{operation} schedule", Condition.REPORTED)
        try:
            await reported(self._alerting.desk, Report(about, {"operation": operation}, event))
        except StoreUnavailable as error:
            log.error("operation_not_reported", operation=operation, detail=error.detail)

    def _failures(self, record: OperationRecord, state: State) -> tuple[str, dict[str, str]]:
        """What went wrong, in words: the title of the alert, and a fact for each step that failed."""
        family = family_of(record.plan.operation)
        facts = {"operation": f"#{record.id}"}
        for step in record.steps:
            if step.problem is None:
                continue
            planned = record.plan.steps[step.number]
            what = self._say(f"{family}.step.{planned.name}", planned.params)
            facts[what] = _in_a_line(self._reason(family, step.problem.reason, step.problem.values))
        failed = [each for each in facts if each != "operation"]
        if not failed and record.problem is not None:
            failed = [self._reason(family, record.problem.reason, record.problem.values)]
        return title_of(self._say, record, state, failed), facts

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


def title_of(
    say: Callable[[str, JsonObject], str], record: OperationRecord, state: State, failed: Sequence[str]
) -> str:
    """The title of an alert about a run that ended so. `say` puts a phrase into words, and gives back the key
    of one that there isn't; `failed`: what went wrong, in words."""
    plan = record.plan
    family, why = family_of(plan.operation), ", ".join(failed)
    name = _begun(say(f"terms.operation.{plan.operation}", {}))
    key = f"{family}.release"
    released = say(key, plan.shown)
    if released == key:
        title = f"{name} {plan.subject}"
        return f"{title}: {why}" if why else title
    of_family = f"{family}.state.{state}"
    became = say(of_family, {})
    if became == of_family:
        became = say(f"terms.operation_state.{state}", {})
    return f"{name} {released} {became}" + (f" – {why}" if why else "")


def about_of(plan: Plan, environment: str, event: Reported) -> Report:
    """What is reported about a run of that plan. Deployments and rollbacks of one service in one environment
    are one thing (`operation=deploy`), whose alert has that service and that environment; everything else is
    in `environment`, the Guardian's own one."""
    if plan.operation not in (DEPLOY, ROLLBACK):
        about = _subject(environment, f"{plan.operation} {plan.subject}", Condition.FAILED_RUN)
        return Report(about, {"operation": plan.operation}, event)
    service, deployed = str(plan.shown["service"]), str(plan.shown["environment"])
    about = _subject(deployed, place_of(service, deployed), Condition.FAILED_RUN)
    return Report(about, {"operation": DEPLOY, "service": service}, event)


def _subject(environment: str, target: str, condition: Condition) -> Subject:
    return Subject(environment, f"{METRIC}:{target}", METRIC, target, condition)


def _in_a_line(text: str) -> str:
    """Without what makes lines of a list of it."""
    return " ".join(line.strip().removeprefix("•").strip() for line in text.splitlines() if line.strip())


def _begun(name: str) -> str:
    """As it stands at the beginning of a line."""
    return f"{name[:1].upper()}{name[1:]}"


def was_wanted(record: OperationRecord, state: State) -> bool:
    """Whether a run ended so, and not well, because somebody stopped it."""
    return state is State.STOPPED or (
        record.stopped_by is not None and state not in (State.DONE, State.FAILED)
    )


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
