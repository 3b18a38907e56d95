"""Backups in the database: what was made, what was found out about it, how long restores took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, delete, func, insert, select, update

from bot.domain.backup.gate import Proof
from bot.domain.backup.repositories import Place, RepositoryFacts
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.status import Attempt
from bot.domain.backup.verification import DAMAGE, Finding, Part, Verdict
from bot.store import backup_tables as tables
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Drill:
    """A restore, timed. `reason` is None when all was restored and compared."""

    source: str
    snapshot: str
    place: Place
    at: datetime
    seconds: float
    size: int
    files: int
    reason: str | None = None


class BackupStore:
    """Every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def repositories(self) -> dict[Place, RepositoryFacts]:
        """The repositories that are known to be ours."""
        table = tables.backup_repositories
        async with self._database.read() as connection:
            rows = (await connection.execute(select(table))).mappings().all()
        return {
            Place(row["place"]): RepositoryFacts(
                row["repository"], row["version"], row["chunker"], row["keys"]
            )
            for row in rows
        }

    async def repositories_seen(self) -> dict[Place, datetime]:
        """When each repository last said something new of itself."""
        table = tables.backup_repositories
        async with self._database.read() as connection:
            rows = await connection.execute(select(table.c.place, table.c.seen_at))
            return {Place(place): seen_at for place, seen_at in rows}

    async def save_repository(self, place: Place, facts: RepositoryFacts, at: datetime) -> None:
        """Which repository is at that place from now on."""
        table = tables.backup_repositories
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.place == place.value))
            await connection.execute(
                insert(table).values(
                    place=place.value,
                    repository=facts.id,
                    version=facts.version,
                    chunker=facts.chunker,
                    keys=facts.keys,
                    seen_at=at,
                )
            )

    async def add(self, taken: Taken) -> Taken:
        """Write down a backup that was made (its `id` does not matter); it with its number. That its
        source's last attempt went well is written with it."""
        table, attempts = tables.backup_snapshots, tables.backup_attempts
        async with self._database.begin() as connection:
            statement = insert(table).values(
                source=taken.source,
                snapshot=taken.snapshot,
                tree=taken.tree,
                taken_at=taken.taken_at,
                size=taken.size,
                files=taken.files,
                seconds=taken.seconds,
                run_id=taken.run_id,
                canary_path=taken.canary_path,
                canary_sha256=taken.canary_sha256,
                paths=list(taken.paths),
                exclude=list(taken.exclude),
                copied=taken.copied,
                heads=dict(taken.heads),
                forgotten_at=taken.forgotten_at,
            )
            number = (await connection.execute(statement.returning(table.c.id))).scalar_one()
            await connection.execute(delete(attempts).where(attempts.c.source == taken.source))
            await connection.execute(
                insert(attempts).values(source=taken.source, at=taken.taken_at, reason=None)
            )
            query = select(table).where(table.c.id == number)
            return _taken((await connection.execute(query)).mappings().one())

    async def save_copy(self, number: int, copied: str) -> None:
        """What the off-site repository calls that backup."""
        table = tables.backup_snapshots
        async with self._database.begin() as connection:
            await connection.execute(update(table).where(table.c.id == number).values(copied=copied))

    async def forgotten(self, snapshots: Sequence[str], at: datetime) -> None:
        """Those snapshots are gone from the local repository."""
        table = tables.backup_snapshots
        async with self._database.begin() as connection:
            await connection.execute(
                update(table).where(table.c.snapshot.in_(snapshots)).values(forgotten_at=at)
            )

    async def kept(self, source: str | None = None) -> list[Taken]:
        """The backups that are still kept, of all sources or of one, oldest first."""
        table = tables.backup_snapshots
        query = select(table).where(table.c.forgotten_at.is_(None)).order_by(table.c.taken_at, table.c.id)
        if source is not None:
            query = query.where(table.c.source == source)
        async with self._database.read() as connection:
            return [_taken(row) for row in (await connection.execute(query)).mappings()]

    async def newest(self, source: str, run_id: int | None = None) -> Taken | None:
        """The newest backup of that source that is still kept; of that run, if one is given."""
        found = [each for each in await self.kept(source) if run_id is None or each.run_id == run_id]
        return found[-1] if found else None

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

    async def proofs(self) -> list[Proof]:
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

    async def attempted(self, source: str, at: datetime, reason: str | None) -> None:
        """How the last attempt for that source went."""
        table = tables.backup_attempts
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.source == source))
            await connection.execute(insert(table).values(source=source, at=at, reason=reason))

    async def attempts(self) -> dict[str, Attempt]:
        """The last attempt for each source."""
        table = tables.backup_attempts
        async with self._database.read() as connection:
            return {row[0]: Attempt(*row) for row in await connection.execute(select(table))}

    async def add_drill(self, drill: Drill) -> None:
        """Write down a restore."""
        statement = insert(tables.backup_drills).values(
            source=drill.source,
            snapshot=drill.snapshot,
            place=drill.place.value,
            at=drill.at,
            seconds=drill.seconds,
            size=drill.size,
            files=drill.files,
            reason=drill.reason,
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)

    async def drills(self, since: datetime) -> list[Drill]:
        """The restores since that moment, oldest first."""
        table = tables.backup_drills
        query = select(table).where(table.c.at >= since).order_by(table.c.at, table.c.id)
        async with self._database.read() as connection:
            return [
                Drill(
                    row["source"],
                    row["snapshot"],
                    Place(row["place"]),
                    row["at"],
                    row["seconds"],
                    row["size"],
                    row["files"],
                    row["reason"],
                )
                for row in (await connection.execute(query)).mappings()
            ]


def _finding(row: RowMapping) -> Finding:
    return Finding(
        Part(row["part"]),
        None if row["place"] is None else Place(row["place"]),
        row["at"],
        row["seconds"],
        row["reason"],
        row["values"],
    )


def _taken(row: RowMapping) -> Taken:
    return Taken(
        id=row["id"],
        source=row["source"],
        snapshot=row["snapshot"],
        tree=row["tree"],
        taken_at=row["taken_at"],
        size=row["size"],
        files=row["files"],
        seconds=row["seconds"],
        run_id=row["run_id"],
        canary_path=row["canary_path"],
        canary_sha256=row["canary_sha256"],
        paths=tuple(row["paths"]),
        exclude=tuple(row["exclude"]),
        copied=row["copied"],
        heads=row["heads"],
        forgotten_at=row["forgotten_at"],
    )
