"""What could not be written yet, in order, and no longer than it must be."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from bot.store.changes import Change, ChangedAlert, DecisionMade, DroppedAlert, NewAlert, PageMade


class Backlog:
    """Transactions in the order they came.

    An open alert changes its figures with every check. Of those only the newest are kept, so that a day
    without a database costs as many entries as there were events, and not as many as there were checks.
    """

    def __init__(self) -> None:
        self._entries: deque[list[Change]] = deque()
        self._figures: dict[frozenset[int], list[Change]] = {}
        """entries that newer figures of the same alerts may replace: nothing later is about those alerts"""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, changes: Sequence[Change]) -> None:
        """Keep a transaction."""
        about = frozenset(_alerts_of(changes))
        only_figures = all(
            isinstance(change, ChangedAlert) and change.alert.version == change.expected for change in changes
        )
        earlier = self._figures.get(about) if only_figures else None
        if earlier is not None:
            earlier[:] = changes
            return
        entry = list(changes)
        self._entries.append(entry)
        if about:
            self._figures = {ids: kept for ids, kept in self._figures.items() if not ids & about}
        if only_figures:
            self._figures[about] = entry

    def first(self) -> Sequence[Change]:
        """The oldest transaction, which from now on stays as it is."""
        entry = self._entries[0]
        self._figures = {ids: kept for ids, kept in self._figures.items() if kept is not entry}
        return entry

    def replace_first(self, changes: Sequence[Change]) -> None:
        """The oldest transaction is another one."""
        self._entries[0] = list(changes)

    def drop_first(self) -> None:
        """Forget the oldest transaction: it is written, or never will be."""
        self._entries.popleft()


def without(changes: Sequence[Change], alert_ids: Collection[int]) -> list[Change]:
    """What is left of a transaction without what happened to those alerts; their letters stay."""
    gone = set(alert_ids)
    return [change for change in changes if not _alerts_of([change]) & gone]


def expected_versions(changes: Sequence[Change]) -> dict[int, int | None]:
    """The version at which a transaction must find each alert that it changes; None: it is not there yet."""
    expected: dict[int, int | None] = {}
    for change in changes:
        match change:
            case NewAlert(alert):
                expected.setdefault(alert.id, None)
            case ChangedAlert(alert, version):
                expected.setdefault(alert.id, version)
            case _:
                pass
    return expected


def _alerts_of(changes: Sequence[Change]) -> set[int]:
    ids: set[int] = set()
    for change in changes:
        match change:
            case NewAlert(alert) | ChangedAlert(alert, _):
                ids.add(alert.id)
            case DroppedAlert(alert_id):
                ids.add(alert_id)
            case DecisionMade() | PageMade():
                ids.add(change.alert_id)
            case _:
                pass
    return ids
