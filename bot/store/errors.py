"""What can go wrong with the database, as types that callers can act on."""

from __future__ import annotations

from collections.abc import Sequence


class StoreError(Exception):
    """Base of all errors of the store."""


class StoreUnavailable(StoreError):
    """The database cannot be read or written now: full disk, read-only file, lost connection.

    Worth trying again later. `detail` is the database's own sentence without statement or values.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class StoreUnusable(StoreError):
    """The database can never be used as it is: not a database, made by a newer version, no permission."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Stale(StoreError):
    """Somebody else changed alerts first: their versions are no longer the expected ones. `alert_ids` are
    those, or all that were to be changed where nobody can tell which."""

    def __init__(self, alert_ids: Sequence[int]) -> None:
        super().__init__(f"alerts {list(alert_ids)[:20]} are no longer at the expected versions")
        self.alert_ids = tuple(alert_ids)
