"""A repository that is lost for good, in the database: what it had is in the other one only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from bot.domain.backup.repositories import Place
from bot.domain.backup.verification import Part
from bot.store import backup_tables as tables
from bot.store.database import Database


async def give_up(database: Database, place: Place, repository: str, at: datetime) -> bool:
    """Write down that the repository of that name is lost: its backups are not there any more, none stands as
    verified, and none is known at that place. What was found out about its data says nothing of another one.
    False, and nothing is written, when it is another that is known there, or none. Raises
    StoreUnavailable."""
    known, snapshots = tables.backup_repositories, tables.backup_snapshots
    async with database.begin() as connection:
        gone = delete(known).where(known.c.place == place.value, known.c.repository == repository)
        if (await connection.execute(gone)).rowcount != 1:
            return False
        kept = snapshots.c.forgotten_at.is_(None)
        if place is Place.LOCAL:
            await connection.execute(update(snapshots).where(kept).values(forgotten_at=at))
        else:
            copied = select(snapshots.c.id).where(kept, snapshots.c.copied.is_not(None))
            numbers = list((await connection.execute(copied)).scalars())
            await connection.execute(update(snapshots).values(copied=None))
            if numbers:
                await connection.execute(
                    insert(tables.backup_verdicts), [_lost(each, at) for each in numbers]
                )
        findings = tables.backup_findings
        await connection.execute(delete(findings).where(findings.c.place == place.value))
    return True


def _lost(number: int, at: datetime) -> dict[str, object]:
    reason = {"part": Part.COPY.value, "place": Place.OFFSITE.value, "reason": "snapshot_gone", "values": {}}
    return {"snapshot_id": number, "at": at, "verified": False, "damaged": True, "reasons": [reason]}
