"""Backups in the database, on both kinds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.backup.gate import Proof
from bot.domain.backup.repositories import Place, RepositoryFacts
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.status import Attempt
from bot.domain.backup.verification import Finding, Part, Shortcoming, Verdict
from bot.store.backup_drills import Drill
from bot.store.backup_tables import BACKUP_TABLES
from bot.store.backups import BackupStore
from bot.store.database import Database
from bot.store.tables import metadata

AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
TAKEN = Taken(
    0, "shop", "a" * 64, "t" * 64, AT, 5 << 40, 3, 1.5, 7, "/c", "x" * 64, ("/srv/한글",), ("/srv/한글/x",),
    heads={"/srv": "abc"},
)  # fmt: skip


@pytest.fixture
async def backups(database: Database) -> BackupStore:
    """An empty record of backups."""
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all, tables=list(BACKUP_TABLES))
    return BackupStore(database)


async def test_a_backup_comes_back_as_it_was_written(backups: BackupStore) -> None:
    written = await backups.add(TAKEN)
    assert replace(written, id=0) == TAKEN
    await backups.save_copy(written.id, "c" * 64)
    assert await backups.kept("shop") == [replace(written, copied="c" * 64)]
    assert await backups.kept("other") == []
    assert await backups.newest("shop", run_id=8) is None
    await backups.forgotten([written.snapshot], AT)
    assert await backups.kept() == []


async def test_what_was_found_and_judged(backups: BackupStore) -> None:
    taken = await backups.add(TAKEN)
    found = [
        Finding(Part.MEDIA, None, AT, 0.1),
        Finding(Part.READ, Place.LOCAL, AT + HOUR, 2.0, "damaged", {"share": 3, "said": "x"}),
        Finding(Part.READ, Place.LOCAL, AT + 2 * HOUR, 2.0, None, {"share": 3}),
    ]
    assert await backups.proofs.reads() == []
    await backups.proofs.add_findings(taken.id, found)
    assert await backups.proofs.findings(taken.id) == found
    assert await backups.proofs.reads() == found[1:]
    assert await backups.proofs.verified() == set()
    await backups.proofs.judged(taken.id, Verdict(AT + HOUR))
    assert await backups.proofs.verified() == {taken.snapshot}
    short = (
        Shortcoming(Part.COPY, Place.OFFSITE, "not_copied", {"n": 1}),
        Shortcoming(Part.READ, Place.LOCAL, "damaged"),
        Shortcoming(Part.MEDIA, None, "same_medium"),
    )
    await backups.proofs.judged(taken.id, Verdict(AT + 2 * HOUR, short, damaged=True))
    assert await backups.proofs.verified() == set(), "the last judgement counts"
    paths = (TAKEN.paths, TAKEN.exclude)
    assert await backups.proofs.all() == [
        Proof("shop", AT, AT + HOUR, True, False, *paths),
        Proof("shop", AT, AT + 2 * HOUR, False, True, *paths, (Place.LOCAL,)),
    ]


async def test_attempts_drills_and_repositories(backups: BackupStore) -> None:
    await backups.attempted("shop", AT, "disk_full")
    assert await backups.attempts() == {"shop": Attempt("shop", AT, "disk_full")}
    await backups.add(TAKEN)
    assert await backups.attempts() == {"shop": Attempt("shop", AT)}
    drill = Drill("shop", "a" * 64, Place.OFFSITE, AT, 12.5, 9, 3, "damaged")
    await backups.drills.add(drill)
    assert await backups.drills.since(AT) == [drill]
    assert await backups.drills.since(AT + HOUR) == []
    facts = RepositoryFacts("id", 2, "poly", 1)
    for keys in (1, 2):
        await backups.repositories.save(Place.LOCAL, replace(facts, keys=keys), AT)
    assert await backups.repositories.known() == {Place.LOCAL: replace(facts, keys=2)}
    assert await backups.repositories.seen() == {Place.LOCAL: AT}


async def test_what_was_lost_with_a_repository_is_in_the_other_one_or_nowhere(backups: BackupStore) -> None:
    for place in Place:
        await backups.repositories.save(place, RepositoryFacts(place.value, 2, "poly", 1), AT)
    both = await backups.add(replace(TAKEN, snapshot="a" * 64, copied="c" * 64))
    alone = await backups.add(replace(TAKEN, snapshot="b" * 64))
    read = Finding(Part.READ, Place.LOCAL, AT + HOUR, 2.0, "damaged", {"share": 3})
    await backups.proofs.add_findings(both.id, [read, replace(read, place=Place.OFFSITE)])

    assert not await backups.repositories.give_up(Place.LOCAL, "another", AT + HOUR)
    assert await backups.kept() == [both, alone]
    assert await backups.repositories.give_up(Place.LOCAL, "local", AT + HOUR)
    assert not await backups.repositories.give_up(Place.LOCAL, "local", AT + HOUR)
    assert set(await backups.repositories.known()) == {Place.OFFSITE}
    assert await backups.kept() == []
    assert await backups.anywhere() == [replace(both, forgotten_at=AT + HOUR)]
    assert [each.place for each in await backups.proofs.reads()] == [Place.OFFSITE]

    new = await backups.add(replace(TAKEN, snapshot="d" * 64, taken_at=AT + 2 * HOUR, copied="e" * 64))
    await backups.proofs.judged(new.id, Verdict(AT + 3 * HOUR))
    assert await backups.repositories.give_up(Place.OFFSITE, "offsite", AT + 4 * HOUR)
    assert await backups.anywhere() == [replace(new, copied=None)]
    last = (await backups.proofs.all())[-1]
    assert (last.taken_at, last.verified, last.damaged_in) == (new.taken_at, False, (Place.OFFSITE,))
    assert await backups.proofs.reads() == []


async def test_a_copy_that_is_gone_leaves_what_the_local_repository_has(backups: BackupStore) -> None:
    both = await backups.add(replace(TAKEN, copied="c" * 64))
    await backups.copies_forgotten(["c" * 64, "e" * 64])
    assert await backups.anywhere() == [replace(both, copied=None)]
    await backups.forgotten([both.snapshot], AT)
    assert await backups.anywhere() == []
