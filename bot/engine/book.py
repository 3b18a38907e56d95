"""Where the alert desk looks up what surrounds an alert, and a book in which nothing stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from bot.domain.alerts.model import Alert, Subject
from bot.domain.alerts.surroundings import NO_LABELS, Plain, Surroundings
from probes.base import Layer


class Book(Protocol):
    """Knows the surroundings of every subject, and what may lie over it."""

    def of(
        self, subject: Subject, own: Mapping[str, str] = NO_LABELS, layer: Layer | None = None
    ) -> Surroundings:
        """The surroundings of a subject; a reported alert brings labels of its own."""
        ...

    def know(self, alerts: Iterable[Alert]) -> None:
        """These alerts are as they are now."""
        ...

    def forget(self, key: str) -> None:
        """The alert with that dedupe key is no more."""
        ...


class PlainBook:
    """Surroundings where nothing is configured."""

    def __init__(self, channel: str) -> None:
        self._plain = Plain(channel)

    def of(
        self, subject: Subject, own: Mapping[str, str] = NO_LABELS, layer: Layer | None = None
    ) -> Surroundings:
        """The same for every subject."""
        return self._plain

    def know(self, alerts: Iterable[Alert]) -> None:
        """No alert mutes another."""

    def forget(self, key: str) -> None:
        """Nothing was known of it."""
