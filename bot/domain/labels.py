"""Which labels an alert has: what routes, silences, windows and inhibitions look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from bot.domain.alerts.model import Subject
from bot.domain.alerts.surroundings import NO_LABELS
from bot.domain.matchers import LEVEL
from probes.base import Layer

COUNT_LIMIT = 64
VALUE_LIMIT = 1_000
NAME_LIMIT = 100
RESERVED = frozenset({"environment", "layer", "metric", "target", "source", LEVEL})
"""Labels that follow from what an alert is about, and that nothing else may set."""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STRANGE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class LabelFault(StrEnum):
    """What is wrong with a reported label."""

    NAME = "label_name"
    TOO_LONG = "label_too_long"
    TOO_MANY = "label_too_many"
    NOT_TEXT = "label_not_text"


class LabelsRefused(ValueError):
    """Labels that somebody reported can't be taken. `name` is the label, cut and cleaned."""

    def __init__(self, fault: LabelFault, name: str) -> None:
        shown = _STRANGE.sub(" ", name)[:NAME_LIMIT]
        super().__init__(f"{fault.value}: {shown}")
        self.fault = fault
        self.name = shown


def cleaned(reported: Mapping[str, object]) -> Mapping[str, str]:
    """Labels from elsewhere as they may be kept: control characters become blanks, empty ones are left out.

    Raises LabelsRefused for more than 64 of them, a name that is none, a value that is no text or longer than
    1,000 characters. `level` is left out: an alert's own is the one that counts.
    """
    if len(reported) > COUNT_LIMIT:
        raise LabelsRefused(LabelFault.TOO_MANY, str(len(reported)))
    kept: dict[str, str] = {}
    for name, value in reported.items():
        if not isinstance(name, str) or len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
            raise LabelsRefused(LabelFault.NAME, str(name))
        if not isinstance(value, str):
            raise LabelsRefused(LabelFault.NOT_TEXT, name)
        if len(value) > VALUE_LIMIT:
            raise LabelsRefused(LabelFault.TOO_LONG, name)
        text = _STRANGE.sub(" ", value).strip()
        if text and name != LEVEL:
            kept[name] = text
    return MappingProxyType(kept)


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the configuration knows it: what belongs to it, and what it cannot do without."""

    name: str
    targets: tuple[str, ...] = ()
    """names of targets, `*` for anything"""
    probes: tuple[str, ...] = ()
    """probes all of whose targets belong to it"""
    backends: tuple[str, ...] = ()
    """web addresses that serve it, by name"""
    depends_on: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    environment: str = ""
    """to whose deployments its alerts belong, where that is not the Guardian's own"""

    def has(self, source: str, target: str) -> bool:
        """Whether what that probe measures on that target belongs to this service."""
        if source in self.probes or target in self.backends:
            return True
        return any(fnmatchcase(target, pattern) for pattern in self.targets)


class Services:
    """All services; the first one that something belongs to is its service."""

    def __init__(self, services: tuple[Service, ...] = (), host: str = "") -> None:
        """`host` is this machine's name: `/data` means its target `HOST:/data`."""
        self.all = services
        self.host = host
        self._named = {service.name: service for service in services}
        self._above = {service.name: self._all_above(service.name) for service in services}

    def named(self, name: str) -> Service | None:
        """The service of that name."""
        return self._named.get(name)

    def of(self, source: str, target: str) -> Service | None:
        """The service that what the probe `source` measures on `target` belongs to."""
        names = dict.fromkeys((target, target.removeprefix(f"{self.host}:")))
        return next((each for each in self.all for name in names if each.has(source, name)), None)

    def above(self, name: str) -> frozenset[str]:
        """Everything that the service depends on, at any number of steps; itself never."""
        return self._above.get(name, frozenset())

    def _all_above(self, name: str) -> frozenset[str]:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            service = self._named.get(waiting.pop())
            for other in service.depends_on if service is not None else ():
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found - {name})


NO_SERVICES = Services()


def labels_of(
    subject: Subject, layer: Layer | None, own: Mapping[str, str], services: Services
) -> Mapping[str, str]:
    """The labels of an alert about `subject`, without `level`.

    `own` are a reported alert's, cleaned. What follows from the subject comes first, then `own`, then what
    the configuration says about the service; `host` is there for what is measured on this machine.
    """
    source = subject.source.partition(":")[0] or subject.source
    labels = {
        "environment": subject.environment,
        "metric": subject.metric,
        "target": subject.target,
        "source": source,
    }
    if layer is not None:
        labels["layer"] = layer.value
    return completed(labels, own, services)


def completed(known: Mapping[str, str], own: Mapping[str, str], services: Services) -> Mapping[str, str]:
    """`known` and `own` with service, host and the service's labels, as far as they follow from those."""
    labels = {**own, **known}
    target = labels.get("target", "")
    if services.host and target.partition(":")[0] == services.host:
        labels.setdefault("host", services.host)
    service = services.named(labels["service"]) if "service" in labels else None
    if "service" not in labels:
        service = services.of(labels.get("source", ""), target)
    if service is not None:
        labels["service"] = service.name
        for name, value in service.labels.items():
            labels.setdefault(name, value)
    return MappingProxyType(labels)
