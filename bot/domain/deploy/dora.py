"""The four figures of software delivery (DORA, dora.dev/guides/dora-metrics-four-keys), from deployments that
are on record.

- Deployment frequency: deployments that ended with production on their revision.
- Lead time for changes: of those, from the commit of the revision to its first production traffic. The commit
  is the newest of what was deployed; older ones of the same deployment waited longer.
- Change failure rate: of the deployments that carried production traffic and are over, those that went back,
  by themselves or by a rollback later.
- Time to restore: of these, until all traffic was where it was before. For one that went back by itself, from
  its first production traffic, for nobody suffered before; for one that a rollback took back later, from the
  decision to go back.

A rollback is no deployment: it brings nothing new. What never carried production traffic failed no user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from bot.domain.deploy.record import DeploymentRecord, Kind, Outcome
from bot.domain.operations.plan import JsonObject

_DAY, _HOUR = 86_400.0, 3_600.0
_WEEK, _MONTH = 7 * _DAY, 30 * _DAY


class Band(StrEnum):
    """DORA's four levels of performance, after the table of them in the Accelerate State of DevOps Report
    2023. The report sorts teams by all four figures together; here each figure is held against its own row,
    which says less. What one is called: `deploy.dora.band.NAME`, the source `deploy.dora.source`."""

    ELITE = "elite"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Dora:
    """The four figures of a span. None: there is no data, which is something else than 0."""

    days: float
    """of the span, from the first deployment on where that was later"""
    deployments: int
    per_day: float | None
    """None where nothing was ever deployed"""
    lead_time: float | None
    """median, seconds"""
    lead_times: int
    """how many it is the median of"""
    lead_times_unknown: int
    """deployments whose commit, or first traffic, is not known"""
    finished: int
    failed: int
    failure_rate: float | None
    """percent of `finished`"""
    restore_time: float | None
    """median, seconds"""
    restored: int
    """how many it is the median of"""
    not_restored: int
    """of `failed`, those that did not come back, or nobody knows when"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the four, for people: `deploy.dora.name.NAME` and the phrase `deploy.dora.PHRASE` with
    `values`."""

    name: str
    phrase: str
    values: JsonObject = field(default_factory=dict)
    band: Band | None = None


def dora(records: Iterable[DeploymentRecord], start: datetime, end: datetime) -> Dora:
    """The figures of the deployments that began from `start` until before `end`. `records` may have others:
    rollbacks that came later are looked for among all of them. Raises ValueError for a span of nothing."""
    if end <= start:
        raise ValueError("the end is not behind the start")
    every = sorted(records, key=lambda each: each.started_at)
    undone: dict[int, DeploymentRecord] = {}
    known = {each.id: each for each in every}
    for record in every:
        taken_back = _undone_by(record, known)
        if taken_back is not None:
            undone.setdefault(taken_back, record)
    deploys = [each for each in every if each.kind is Kind.DEPLOY and start <= each.started_at < end]
    done = [each for each in deploys if each.outcome is Outcome.DONE]
    leads = [seconds for each in done if (seconds := _between(each.commit_at, each.traffic_at)) is not None]
    finished = [
        each for each in deploys if each.traffic_at is not None and each.outcome is not Outcome.RUNNING
    ]
    failed = [each for each in finished if each.outcome is not Outcome.DONE or each.id in undone]
    restores = [seconds for each in failed if (seconds := _restored(each, undone.get(each.id))) is not None]
    # Nobody could deploy with a Guardian that was not there yet; a day at least, or its first hour counts for
    # a day of many.
    first = min((each.started_at for each in every), default=start)
    days = max((end - max(start, first)) / timedelta(days=1), min(1.0, (end - start) / timedelta(days=1)))
    return Dora(
        days=days,
        deployments=len(done),
        per_day=len(done) / days if every else None,
        lead_time=_median(leads),
        lead_times=len(leads),
        lead_times_unknown=len(done) - len(leads),
        finished=len(finished),
        failed=len(failed),
        failure_rate=100 * len(failed) / len(finished) if finished else None,
        restore_time=_median(restores),
        restored=len(restores),
        not_restored=len(failed) - len(restores),
    )


def figures(of: Dora, *, bands: bool = False) -> tuple[Figure, ...]:
    """The four for people, with DORA's bands if they are asked for."""
    return tuple(_figures(of, bands))


def _figures(of: Dora, bands: bool) -> Iterator[Figure]:
    def figure(name: str, value: float | None, band: Band | None, values: JsonObject) -> Figure:
        if value is None:
            return Figure(name, "no_data")
        return Figure(name, name, values, band if bands else None)

    counted: JsonObject = {"count": of.deployments, "days": round(of.days, 1)}
    per_day = of.per_day
    shown = {"per_day": round(per_day or 0.0, 2), **counted}
    yield figure("frequency", per_day, None if per_day is None else frequency_band(per_day), shown)
    lead = of.lead_time
    shown = {"seconds": lead, "count": of.lead_times, "unknown": of.lead_times_unknown}
    yield figure("lead_time", lead, None if lead is None else _band(lead, (_DAY, _WEEK, _MONTH)), shown)
    rate = of.failure_rate
    shown = {"percent": round(rate or 0.0, 1), "count": of.finished, "failed": of.failed}
    yield figure("failure_rate", rate, None if rate is None else failure_band(rate), shown)
    restore = of.restore_time
    shown = {"seconds": restore, "count": of.restored, "open": of.not_restored}
    yield figure(
        "restore_time", restore, None if restore is None else _band(restore, (_HOUR, _DAY, _WEEK)), shown
    )


def frequency_band(per_day: float) -> Band:
    """On demand (here: daily or more often) is elite, weekly or more often high, monthly or more often
    medium."""
    for band, least in ((Band.ELITE, 1.0), (Band.HIGH, 1 / 7), (Band.MEDIUM, 1 / 30)):
        if per_day >= least:
            return band
    return Band.LOW


def failure_band(percent: float) -> Band:
    """5 % is elite, 10 % high, 15 % medium."""
    for band, most in ((Band.ELITE, 5.0), (Band.HIGH, 10.0), (Band.MEDIUM, 15.0)):
        if percent <= most:
            return band
    return Band.LOW


def _band(seconds: float, limits: tuple[float, float, float]) -> Band:
    for band, limit in zip(Band, limits, strict=False):
        if seconds < limit:
            return band
    return Band.LOW


def _undone_by(rollback: DeploymentRecord, known: Mapping[int, DeploymentRecord]) -> int | None:
    """The id of the deployment that it took back; None if none. A rollback from what an earlier one had gone
    back to takes back the deployment that once brought that; one that goes forward again takes back none.
    `known`: all, by id, the oldest first."""
    if rollback.kind is not Kind.ROLLBACK or rollback.outcome is not Outcome.DONE:
        return None
    before = None if rollback.undoes is None else known.get(rollback.undoes)
    if before is None or before.kind is Kind.DEPLOY:
        return rollback.undoes
    left = None if before.undoes is None else known.get(before.undoes)
    if left is not None and left.revision == rollback.revision:
        return None
    brought = [
        each.id
        for each in known.values()
        if each.kind is Kind.DEPLOY
        and each.outcome is Outcome.DONE
        and each.revision == before.revision
        and each.started_at < before.started_at
    ]
    return brought[-1] if brought else None


def _restored(record: DeploymentRecord, rollback: DeploymentRecord | None) -> float | None:
    if record.outcome is not Outcome.DONE or rollback is None:
        return _between(record.traffic_at, record.restored_at)
    decided = rollback.failed_at or rollback.started_at
    return _between(decided, rollback.restored_at or rollback.ended_at)


def _between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds; None where one of the two is unknown, or a clock was wrong."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
