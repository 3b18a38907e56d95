"""Storms: when very many alerts open at once, one card stands for most of them (alerts.md, Storms).

Ten new cards in a minute are one. The first alert of each service and every emergency still get a card; the
others are lines. It is over when fewer than three a minute have come for five minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.levels import Level

CARDS = 10
WITHIN = timedelta(seconds=60)
CALM_BELOW = 3
CALM_FOR = timedelta(minutes=5)
EDIT_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Storm:
    """One storm. `services` have had their card; `busy_at` is when three in a minute came last."""

    id: int
    channel: str
    began_at: datetime
    busy_at: datetime
    services: frozenset[str] = frozenset()
    folded: int = 0
    ended_at: datetime | None = None


class Newcomer(NamedTuple):
    """An alert that is about to get a card."""

    service: str
    level: Level


@dataclass(frozen=True, slots=True)
class Weather:
    """What has come into one channel lately: moment and service of each new alert of the last minute."""

    arrivals: tuple[tuple[datetime, str], ...] = ()
    storm: Storm | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The weather afterwards; for each newcomer whether it is folded into the storm; whether one began."""

    weather: Weather
    folded: tuple[bool, ...]
    began: bool = field(default=False)


def arrive(
    weather: Weather, newcomers: Sequence[Newcomer], next_id: int, channel: str, now: datetime
) -> Placed:
    """Where each of `newcomers`, which come together, is shown. A storm that begins has the id `next_id`."""
    recent = [(moment, service) for moment, service in weather.arrivals if now - moment < WITHIN]
    arrivals = [*recent, *((now, each.service) for each in newcomers)][-10_000:]
    storm, began = weather.storm, False
    if storm is None and len(arrivals) >= CARDS:
        storm = Storm(next_id, channel, now, now, frozenset(service for _, service in recent))
        began = True
    if storm is None:
        return Placed(Weather(tuple(arrivals)), tuple(False for _ in newcomers))
    seen, folded = set(storm.services), []
    for each in newcomers:
        own = each.level is Level.EMERGENCY or each.service not in seen
        seen.add(each.service)
        folded.append(not own)
    storm = replace(
        storm,
        services=frozenset(seen),
        folded=storm.folded + sum(folded),
        busy_at=now if any(folded) and len(arrivals) >= CALM_BELOW else storm.busy_at,
    )
    return Placed(Weather(tuple(arrivals), storm), tuple(folded), began)


def ends_at(storm: Storm) -> datetime:
    """When it is over, if not enough come until then."""
    return storm.busy_at + CALM_FOR


def passed(weather: Weather, now: datetime) -> Weather:
    """The weather without a storm that is over."""
    if weather.storm is None or now < ends_at(weather.storm):
        return weather
    return replace(weather, storm=None)
