"""What can go wrong with the database, as types that callers can act on."""

from __future__ import annotations


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
    """Somebody else changed the alert first: its version is no longer the expected one."""

    def __init__(self, alert_id: int, expected: int) -> None:
        super().__init__(f"alert {alert_id} is no longer at version {expected}")
        self.alert_id = alert_id
        self.expected = expected
