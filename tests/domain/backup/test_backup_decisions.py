"""Decisions about backups, without any backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.backup.code import GitFacts, is_synchronised
from bot.domain.backup.gate import Covered, Proof, Uncovered, coverage, newest_proven, with_standing
from bot.domain.backup.repositories import MediaFault, Medium, MediumKind, Place, RepositoryFacts, media_fault
from bot.domain.backup.retention import Kept, to_forget
from bot.domain.backup.snapshots import Taken
from bot.domain.backup.sources import Dump, Source, SourceKind
from bot.domain.backup.status import Attempt, SourceState, source_status
from bot.domain.backup.subset import SHARES, share_of
from bot.domain.backup.verification import (
    WANTED,
    Finding,
    Part,
    Verdict,
    places_of_damage,
    standing_damage,
    verdict,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WWW = Source("www", SourceKind.USER_DATA, ("/srv/www",))
DB = Source("db", SourceKind.DATABASE, dump=Dump(("pg_dump",), "db.sql"))


def well(at: datetime) -> list[Finding]:
    """Everything that must be found, found well."""
    return [Finding(part, place, at, 1.0) for part, place in WANTED]


def test_verified_is_when_everything_was_found_well() -> None:
    judged = verdict(NOW - HOUR, well(NOW), NOW, DAY)
    assert judged == Verdict(NOW)
    assert judged.verified


@pytest.mark.parametrize("index", range(len(WANTED)))
def test_one_thing_that_was_not_looked_at_is_enough_to_be_not_verified(index: int) -> None:
    found = well(NOW)
    del found[index]
    judged = verdict(NOW - HOUR, found, NOW, DAY)
    part, place = WANTED[index]
    assert [(each.part, each.place, each.reason) for each in judged.shortcomings] == [
        (part, place, "not_checked")
    ]


def test_what_was_found_before_the_backup_was_made_says_nothing_about_it() -> None:
    judged = verdict(NOW, well(NOW - HOUR), NOW, DAY)
    assert len(judged.shortcomings) == len(WANTED)


def test_the_last_of_several_findings_counts() -> None:
    bad = replace(well(NOW)[2], reason="storage_unavailable")
    assert verdict(NOW - DAY, [*well(NOW), replace(bad, at=NOW - HOUR)], NOW, 2 * DAY).verified
    judged = verdict(NOW - DAY, [*well(NOW - HOUR), bad], NOW, 2 * DAY)
    assert not judged.verified
    assert not judged.damaged, "that nobody could look is no damage"


def test_an_old_backup_is_not_fresh() -> None:
    judged = verdict(NOW - DAY - HOUR, well(NOW), NOW, DAY)
    assert [each.reason for each in judged.shortcomings] == ["too_old"]


def read(share: int, at: datetime, reason: str | None = None, place: Place = Place.LOCAL) -> Finding:
    """What came of reading a share."""
    return Finding(Part.READ, place, at, 1.0, reason, {"share": share})


def test_damage_stands_until_the_same_share_of_the_same_repository_is_read_well() -> None:
    damage = read(3, NOW, "damaged")
    assert standing_damage([damage, *(read(share, NOW + DAY) for share in (1, 2, 4, 5, 6, 7))]) == [damage]
    assert standing_damage([damage, read(3, NOW + DAY, place=Place.OFFSITE)]) == [damage]
    assert standing_damage([damage, read(3, NOW + DAY, "storage_unavailable")]) == [damage]
    assert standing_damage([damage, read(3, NOW + DAY)]) == []
    judged = verdict(NOW, well(NOW + HOUR), NOW + HOUR, DAY, [damage])
    assert judged.damaged
    assert not judged.verified


def test_damage_keeps_its_place_where_today_nobody_could_look() -> None:
    away = [read(4, NOW + HOUR, "storage_unavailable", place=Place.OFFSITE)]
    standing = read(3, NOW - DAY, "damaged", place=Place.OFFSITE)
    judged = verdict(NOW, [*well(NOW + HOUR)[:-3], *away], NOW + 2 * HOUR, DAY, [standing])
    reasons = [(each.reason, each.place) for each in judged.shortcomings]
    assert places_of_damage(reasons) == (Place.OFFSITE,)
    assert places_of_damage([("same_medium", None), ("not_copied", Place.OFFSITE)]) == ()


def test_every_share_has_its_weekday() -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC).date()
    assert [share_of(monday + timedelta(days=day)) for day in range(8)] == [*range(1, SHARES + 1), 1]


def test_ninety_days_count_from_now_and_the_last_proven_one_stays() -> None:
    kept = [
        Kept("old proven", "a", NOW - 200 * DAY, verified=True),
        Kept("older", "a", NOW - 300 * DAY, verified=False),
        Kept("newest, not proven", "a", NOW - 91 * DAY, verified=False),
        Kept("never proven", "b", NOW - 900 * DAY, verified=False),
        Kept("c old", "c", NOW - 91 * DAY, verified=True),
        Kept("c new", "c", NOW - DAY, verified=True),
    ]
    assert to_forget(kept, NOW) == ("older", "c old", "newest, not proven")


snapshots = st.lists(
    st.builds(
        Kept,
        st.uuids().map(str),
        st.sampled_from("abc"),
        st.integers(-10, 400).map(lambda days: NOW - days * DAY),
        st.booleans(),
    ),
    max_size=30,
)


@given(snapshots)
def test_whatever_there_is_each_source_keeps_its_last_proven_one_and_all_that_is_young(
    kept: Sequence[Kept],
) -> None:
    gone = set(to_forget(kept, NOW))
    for source in "abc":
        mine = [each for each in kept if each.source == source]
        proven = [each for each in mine if each.verified]
        if proven:
            assert max(each.taken_at for each in proven) in {
                each.taken_at for each in proven if each.snapshot not in gone
            }
        else:
            assert not gone & {each.snapshot for each in mine}
    assert not gone & {each.snapshot for each in kept if NOW - each.taken_at <= 90 * DAY}


def proof(age: timedelta, *, verified: bool = True, damaged: bool = False) -> Proof:
    """A judgement of a backup of that age, made an hour later."""
    return Proof("www", NOW - age, NOW - age + HOUR, verified, damaged, ("/srv/www",))


@pytest.mark.parametrize(
    ("touched", "proofs", "reason"),
    [
        (["/srv/www"], [proof(2 * HOUR)], None),
        (["/srv/www/a/../b"], [proof(2 * HOUR)], None),
        (["/srv/www/../etc"], [proof(2 * HOUR)], "no_source"),
        (["/srv/www2"], [proof(2 * HOUR)], "no_source"),
        (["/srv"], [proof(2 * HOUR)], "no_source"),
        (["/srv/www", "/etc"], [proof(2 * HOUR)], "no_source"),
        (["/srv/www"], [], "none_verified"),
        (["/srv/www"], [proof(2 * HOUR, verified=False)], "none_verified"),
        (["/srv/www"], [proof(25 * HOUR)], "too_old"),
        (["/srv/www"], [proof(24 * HOUR)], None),
        (["/srv/www"], [proof(-HOUR)], "from_the_future"),
        (["/srv/www"], [proof(9 * HOUR), proof(3 * HOUR, verified=False, damaged=True)], "damaged"),
        (["/srv/www"], [proof(9 * HOUR), proof(3 * HOUR, verified=False)], None),
        (["/srv/www"], [proof(9 * HOUR, damaged=True, verified=False), proof(3 * HOUR)], None),
        (["db"], [proof(2 * HOUR)], "none_verified"),
        (["dbx"], [proof(2 * HOUR)], "no_source"),
        ([], [proof(2 * HOUR)], "nothing_named"),
    ],
)
def test_what_may_be_touched(touched: list[str], proofs: list[Proof], reason: str | None) -> None:
    found = coverage(touched, [WWW, DB], proofs, NOW)
    assert (found.reason if isinstance(found, Uncovered) else None) == reason


def test_a_damaged_repository_is_part_of_the_backups_of_every_source() -> None:
    proofs = with_standing([proof(9 * HOUR)], ["www", "db"], [NOW - HOUR])
    refusal = coverage(["/srv/www"], [WWW, DB], proofs, NOW)
    assert isinstance(refusal, Uncovered)
    assert refusal.reason == "damaged"
    assert with_standing([proof(9 * HOUR)], ["www"], []) == [proof(9 * HOUR)]


def test_what_is_in_the_backup_is_what_was_there_when_it_was_taken() -> None:
    older, newer = proof(9 * HOUR), proof(3 * HOUR)
    covered = coverage(["/srv/www/a"], [WWW, DB], [newer, older], NOW)
    assert covered == Covered({"/srv/www/a": NOW - 3 * HOUR})
    then = coverage(["/srv/www/a"], [WWW, DB], [newer, older], NOW, at=NOW - 5 * HOUR)
    assert then == Covered({"/srv/www/a": NOW - 9 * HOUR}), "a plan that is made anew is the same one"
    gone = coverage(["/srv/www/a"], [WWW, DB], [newer], NOW, at=NOW - 5 * HOUR)
    assert gone == Covered({"/srv/www/a": NOW - 3 * HOUR})


def test_not_having_been_able_to_look_takes_no_proof_away() -> None:
    first, later = proof(9 * HOUR), proof(3 * HOUR, verified=False)
    assert newest_proven("www", [first, later]) == first


DISK_A, DISK_B = (Medium(MediumKind.DISK, frozenset({name})) for name in ("sda", "sdb"))
OBJECTS = Medium(MediumKind.OBJECTS, frozenset({"s3.example.com"}))


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        (DISK_A, DISK_B, None),
        (DISK_A, OBJECTS, None),
        (DISK_A, DISK_A, MediaFault.SAME),
        (Medium(MediumKind.DISK, frozenset({"sda", "sdb"})), DISK_B, MediaFault.SAME),
        (DISK_A, Medium(MediumKind.UNKNOWN), MediaFault.UNKNOWN),
        (DISK_A, Medium(MediumKind.NETWORK), MediaFault.UNKNOWN),
        (Medium(MediumKind.MEMORY), OBJECTS, MediaFault.MEMORY),
        (OBJECTS, OBJECTS, MediaFault.SAME),
    ],
)
def test_two_media_are_found_to_differ_or_count_as_one(
    first: Medium, second: Medium, fault: MediaFault | None
) -> None:
    assert media_fault(first, second) == media_fault(second, first) == fault


def test_encryption_is_stated_only_of_formats_that_are_known() -> None:
    assert RepositoryFacts("x", 2, "y", 1).encryption == "AES-256"
    assert RepositoryFacts("x", 3, "y", 1).encryption is None


@pytest.mark.parametrize(
    ("head", "pushed", "recorded", "expected"),
    [("a", True, None, True), ("a", False, "a", True), ("a", False, "b", False), (None, False, None, False)],
)
def test_code_is_synchronised(head: str | None, pushed: bool, recorded: str | None, expected: bool) -> None:
    assert is_synchronised(GitFacts("/src", head, pushed), recorded) is expected


def taken(age: timedelta, **more: str) -> Taken:
    """A backup of that age."""
    return Taken(1, "www", "s", more.get("tree", "t"), NOW - age, 1, 2, 1.0, 1, "/c", "x", copied="c")


@pytest.mark.parametrize(
    ("kept", "proofs", "attempt", "state"),
    [
        ([], [], None, SourceState.NONE),
        ([taken(2 * HOUR)], [proof(2 * HOUR)], None, SourceState.GOOD),
        ([taken(27 * HOUR)], [proof(27 * HOUR)], None, SourceState.LATE),
        ([taken(2 * HOUR)], [], None, SourceState.PROVING),
        ([taken(7 * HOUR)], [], None, SourceState.UNVERIFIED),
        ([taken(2 * HOUR)], [proof(2 * HOUR, verified=False)], None, SourceState.UNVERIFIED),
        ([taken(2 * HOUR)], [proof(2 * HOUR, verified=False, damaged=True)], None, SourceState.DAMAGED),
        ([taken(2 * HOUR)], [proof(2 * HOUR)], Attempt("www", NOW, "disk_full"), SourceState.FAILED),
        ([taken(2 * HOUR)], [proof(2 * HOUR)], Attempt("www", NOW), SourceState.GOOD),
    ],
)
def test_how_a_source_stands(
    kept: list[Taken], proofs: list[Proof], attempt: Attempt | None, state: SourceState
) -> None:
    assert source_status(WWW, kept, proofs, attempt, [], NOW).state is state


def test_a_database_has_three_points_that_are_proven_and_in_both_places() -> None:
    ages = [2 * HOUR, 26 * HOUR, 50 * HOUR]
    proofs = [replace(proof(age), source="db") for age in ages]
    kept = [replace(taken(age), source="db") for age in ages]
    assert source_status(DB, kept, proofs, None, [], NOW).state is SourceState.GOOD
    few = source_status(DB, [*kept[:2], replace(kept[2], copied=None)], proofs, None, [], NOW)
    assert (few.state, few.figure, few.wanted) == (SourceState.FEW_POINTS, 2, 3)
