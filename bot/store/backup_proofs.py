"""What was found out about backups and how they were judged, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, func, insert, select

from bot.domain.backup.gate import Proof
from bot.domain.backup.repositories import Place
from bot.domain.backup.verification import DAMAGE, Finding, Part, Verdict, places_of_damage
from bot.store import backup_tables as tables
from bot.store.database import Database


class ProofStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_findings(self, number: int, findings: Sequence[Finding]) -> None:
        """What was found out about that backup."""
        if not findings:
            return
        rows = [
            {
                "snapshot_id": number,
                "part": each.part.value,
                "place": None if each.place is None else each.place.value,
                "at": each.at,
                "seconds": each.seconds,
                "reason": each.reason,
                "values": dict(each.values),
            }
            for each in findings
        ]
        async with self._database.begin() as connection:
            await connection.execute(insert(tables.backup_findings), rows)

    async def findings(self, number: int) -> list[Finding]:
        """All that was ever found out about that backup, oldest first."""
        table = tables.backup_findings
        query = select(table).where(table.c.snapshot_id == number).order_by(table.c.at, table.c.id)
        async with self._database.read() as connection:
            return [_finding(row) for row in (await connection.execute(query)).mappings()]

    async def reads(self) -> list[Finding]:
        """What came of reading shares of the repositories, since damage was first found in that way; nothing
        when it never was."""
        table = tables.backup_findings
        damage = select(func.min(table.c.at)).where(
            table.c.part == Part.READ.value, table.c.reason.in_(sorted(DAMAGE))
        )
        async with self._database.read() as connection:
            since = (await connection.execute(damage)).scalar_one()
            if since is None:
                return []
            query = select(table).where(table.c.part == Part.READ.value, table.c.at >= since)
            rows = await connection.execute(query.order_by(table.c.at, table.c.id))
            return [_finding(row) for row in rows.mappings()]

    async def judged(self, number: int, verdict: Verdict) -> None:
        """Write down what became of that backup."""
        reasons = [
            {
                "part": each.part.value,
                "place": None if each.place is None else each.place.value,
                "reason": each.reason,
                "values": dict(each.values),
            }
            for each in verdict.shortcomings
        ]
        statement = insert(tables.backup_verdicts).values(
            snapshot_id=number,
            at=verdict.at,
            verified=verdict.verified,
            damaged=verdict.damaged,
            reasons=reasons,
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)

    async def all(self) -> list[Proof]:
        """Every judgement of a backup that is still kept, in the order in which they were made."""
        snapshots, verdicts = tables.backup_snapshots, tables.backup_verdicts
        query = (
            select(
                snapshots.c.source,
                snapshots.c.taken_at,
                verdicts.c.at,
                verdicts.c.verified,
                verdicts.c.damaged,
                snapshots.c.paths,
                snapshots.c.exclude,
                verdicts.c.reasons,
            )
            .join(snapshots, snapshots.c.id == verdicts.c.snapshot_id)
            .where(snapshots.c.forgotten_at.is_(None))
            .order_by(verdicts.c.id)
        )
        async with self._database.read() as connection:
            return [
                Proof(
                    row["source"],
                    row["taken_at"],
                    row["at"],
                    row["verified"],
                    row["damaged"],
                    tuple(row["paths"]),
                    tuple(row["exclude"]),
                    _places(row["reasons"]),
                )
                for row in (await connection.execute(query)).mappings()
            ]

    async def verified(self) -> set[str]:
        """The snapshots whose last judgement was that they are verified."""
        snapshots, verdicts = tables.backup_snapshots, tables.backup_verdicts
        last = select(func.max(verdicts.c.id)).group_by(verdicts.c.snapshot_id)
        query = (
            select(snapshots.c.snapshot)
            .join(verdicts, verdicts.c.snapshot_id == snapshots.c.id)
            .where(verdicts.c.id.in_(last), verdicts.c.verified.is_(True))
        )
        async with self._database.read() as connection:
            return {row[0] for row in await connection.execute(query)}


def _places(reasons: Sequence[Mapping[str, str | None]]) -> tuple[Place, ...]:
    return places_of_damage((str(each["reason"]), _place(each["place"])) for each in reasons)


def _place(name: str | None) -> Place | None:
    return None if name is None else Place(name)


def _finding(row: RowMapping) -> Finding:
    return Finding(
        Part(row["part"]),
        _place(row["place"]),
        row["at"],
        row["seconds"],
        row["reason"],
        row["values"],
    )
