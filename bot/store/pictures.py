"""Which chart of an alert Slack has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, literal, select

from bot.store import tables
from bot.store.database import Database
from bot.store.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart that Slack has."""

    alert_id: int
    file_id: str
    drawn_at: datetime
    last_at: datetime
    """the latest check on it"""
    resolved: bool
    """whether it shows the alert's end"""


class PictureStore:
    """Remembers one picture an alert. Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, alert_id: int) -> Picture | None:
        """The latest picture of that alert; None if it has none."""
        table = tables.pictures
        async with self._database.read() as connection:
            row = (await connection.execute(select(table).where(table.c.alert_id == alert_id))).first()
        return None if row is None else Picture(**row._mapping)

    async def keep(self, picture: Picture) -> None:
        """Remember it in the place of the one before, unless the alert itself is not written down (yet)."""
        table, alerts = tables.pictures, tables.alerts
        row = select(
            alerts.c.id,
            literal(picture.file_id),
            literal(picture.drawn_at, UtcDateTime),
            literal(picture.last_at, UtcDateTime),
            literal(picture.resolved),
        ).where(alerts.c.id == picture.alert_id)
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.alert_id == picture.alert_id))
            names = ("alert_id", "file_id", "drawn_at", "last_at", "resolved")
            await connection.execute(insert(table).from_select(names, row))

    async def drop(self, alert_id: int) -> None:
        """Forget the alert's picture."""
        async with self._database.begin() as connection:
            await connection.execute(delete(tables.pictures).where(tables.pictures.c.alert_id == alert_id))
