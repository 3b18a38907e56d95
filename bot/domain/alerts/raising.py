"""What raises an alert above its bands (alerts.md, Levels): forecast, layers, no_backend.

Asked again and again with the open alerts, it gives the same answer while nothing changes: an alert that was
raised for a reason keeps it as long as the reason holds, and no newer one takes its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts.forecast import Forecast
from bot.domain.alerts.model import Alert, Condition
from bot.domain.labels import NO_SERVICES, Services
from bot.domain.levels import Level

SOON = timedelta(minutes=30)
FORECAST = "forecast"
LAYERS = "layers"
NO_BACKEND = "no_backend"
REACHABLE = "reachable"
"""The metric that says whether a web address answers."""
_LAYERS_NEEDED = 2


@dataclass(frozen=True, slots=True)
class Raise:
    """An alert should be at least at `level`, because of `why`: forecast, layers or no_backend."""

    level: Level
    why: str


def raises(
    alerts: Iterable[Alert],
    forecasts: Mapping[int, Iterable[Forecast]],
    now: datetime,
    services: Services = NO_SERVICES,
) -> Mapping[int, Raise]:
    """What raises which of the open alerts, by id; an alert that is missing is raised by nothing. `forecasts`
    are those of the alerts that have some, by id."""
    opened = [alert for alert in alerts if alert.status.is_open]
    raised = {
        alert.id: Raise(Level.ERROR, FORECAST)
        for alert in opened
        if _soon_critical(alert, forecasts.get(alert.id, ()), now)
    }
    raised |= {alert.id: Raise(Level.EMERGENCY, LAYERS) for alert in _in_layers(opened)}
    raised |= {alert.id: Raise(Level.EMERGENCY, NO_BACKEND) for alert in _last_backends(opened, services)}
    return raised


def _soon_critical(alert: Alert, forecasts: Iterable[Forecast], now: datetime) -> bool:
    if alert.subject.condition is not Condition.THRESHOLD:
        return False
    if alert.level is not Level.WARNING and alert.floor_why != FORECAST:
        return False
    return any(each.level is Level.CRITICAL and each.reaches_at - now <= SOON for each in forecasts)


def _in_layers(alerts: Iterable[Alert]) -> list[Alert]:
    """One alert of each service that is critical in two or more layers. A failed run is in none."""
    groups: defaultdict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in alerts:
        service = alert.labels.get("service")
        if service and alert.subject.condition.is_state and alert.level >= Level.CRITICAL:
            groups[alert.subject.environment, service].append(alert)
    return [
        _chosen(group, LAYERS)
        for group in groups.values()
        if len({alert.layer for alert in group}) >= _LAYERS_NEEDED
    ]


def _last_backends(alerts: Iterable[Alert], services: Services) -> list[Alert]:
    """One alert of each service none of whose backends answers."""
    down: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        # No data is no answer to whether it answers.
        if alert.subject.metric == REACHABLE and alert.subject.condition is Condition.THRESHOLD:
            down[alert.subject.target].append(alert)
    return [
        _chosen([alert for backend in service.backends for alert in down[backend]], NO_BACKEND)
        for service in services.all
        if service.backends and all(down.get(backend) for backend in service.backends)
    ]


def _chosen(group: list[Alert], why: str) -> Alert:
    """The alert that was raised for that reason before, else the newest."""
    return max(
        group, key=lambda alert: (alert.floor_why == why, alert.fired_at or alert.detected_at, alert.id)
    )
