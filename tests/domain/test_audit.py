"""The chain: what its hashes are of, and that no change of it stays unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.domain.audit import (
    EMPTY,
    Action,
    Deed,
    Detail,
    Entry,
    Head,
    Outcome,
    canonical,
    detail_text,
    details_of,
    hash_of,
    head_of,
    moment_text,
    sealed,
)
from bot.domain.audit_faults import FAULTS_KEPT, FaultKind, verify
from tests.factories import T0

COLUMNS = tuple(Entry.__slots__)
TEXTS = tuple(name for name in COLUMNS if name != "number")


def chain(count: int) -> list[Entry]:
    """Entries of different people about different things."""
    entries: list[Entry] = []
    head = EMPTY
    for n in range(1, count + 1):
        detail: Detail = {"hides": n, "reason": "배포"}
        deed = Deed(T0 + timedelta(seconds=n), f"U{n % 3}", Action.SILENCE_ADD, f"silence:{n}", detail=detail)
        entries.append(sealed(deed, head))
        head = Head(n, entries[-1].hash)
    return entries


def changed(entry: Entry, **columns: int | str | None) -> Entry:
    """The entry with other values, its hash as it was."""
    return Entry(**{name: getattr(entry, name) for name in COLUMNS} | columns)


def forged(entry: Entry, **columns: int | str | None) -> Entry:
    """The entry with other values and the right hash for them."""
    made = changed(entry, **columns)
    return changed(made, hash=hash_of(made))


def kinds(entries: Sequence[Entry], *expected: Head) -> list[tuple[FaultKind, int, int]]:
    return [(fault.kind, fault.first, fault.last) for fault in verify(entries, expected).faults]


def test_the_serialisation_is_as_it_is_described() -> None:
    deed = Deed(T0, "U1", Action.ALERT_RESOLVE, "alert:7", Outcome.REFUSED, detail={"b": "값", "a": 1})
    entry = sealed(deed, EMPTY)
    expected = (
        "guardian audit 1\n"
        "1:1\n27:2026-03-01T09:00:00.000000Z\n2:U1\n13:alert.resolve\n7:alert:7\n-\n7:refused\n"
        '17:{"a":1,"b":"값"}\n64:' + "0" * 64 + "\n"
    ).encode()
    assert T0 == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert canonical(entry) == expected
    assert entry.hash == hashlib.sha256(expected).hexdigest()


def test_an_absent_plan_is_not_an_empty_one_and_columns_do_not_run_together() -> None:
    (entry,) = chain(1)
    others = [
        changed(entry, plan=""),
        changed(entry, plan="-"),
        changed(entry, actor="U", subject="1" + entry.subject),
        changed(entry, actor=entry.actor + "\n11:silence.add", action=""),
    ]
    assert len({canonical(each) for each in (entry, *others)}) == 5


def test_moments_are_utc_and_sort_as_texts() -> None:
    seoul = datetime(2026, 3, 1, 18, tzinfo=timezone(timedelta(hours=9)))
    assert moment_text(seoul) == "2026-03-01T09:00:00.000000Z"
    assert moment_text(datetime(987, 1, 2, tzinfo=UTC)) == "0987-01-02T00:00:00.000000Z"


def test_details_are_read_as_far_as_they_are_any() -> None:
    (entry,) = chain(1)
    assert details_of(entry) == {"hides": "1", "reason": "배포"}
    for text in ("", "[1]", "{", "null", "[" * 100_000):
        assert details_of(changed(entry, detail=text)) == {}
    assert details_of(changed(entry, detail='{"a":null,"b":true,"c":{"d":[1]}}')) == {
        "a": "null",
        "b": "true",
        "c": '{"d": [1]}',
    }
    assert len(json.loads(detail_text({f"k{n}": n for n in range(99)}))) == 20


@pytest.mark.parametrize(
    "text", ["", "7", "7:", ":" + "0" * 64, "07:" + "0" * 64, "-1:" + "0" * 64, "7:" + "G" * 64, "7:abc"]
)
def test_what_is_no_head_is_none(text: str) -> None:
    assert head_of(text) is None


def test_a_head_is_read_as_it_is_written() -> None:
    head = Head(7, "ab" * 32)
    assert head_of(str(head)) == head
    assert head_of(f" {EMPTY} ") == EMPTY


def test_a_noted_head_of_nothing_is_that_of_an_empty_log_only() -> None:
    assert verify(chain(3), [EMPTY]).is_whole
    assert kinds(chain(3), Head(0, "ab" * 32)) == [(FaultKind.OTHER, 0, 0)]


def test_two_changes_are_both_named() -> None:
    entries = chain(9)
    entries[1] = changed(entries[1], actor="U9")
    entries[6] = forged(entries[6], subject="x")
    del entries[3:5]
    assert kinds(entries) == [
        (FaultKind.CHANGED, 2, 2),
        (FaultKind.MISSING, 4, 5),
        (FaultKind.REWRITTEN, 7, 7),
    ]


def test_entries_behind_a_deleted_one_that_closed_up_are_named_with_their_numbers() -> None:
    entries = chain(5)
    closed = [*entries[:2], *(changed(each, number=each.number - 1) for each in entries[3:])]
    faults = verify(closed).faults
    assert [(fault.kind, fault.first, fault.origin) for fault in faults] == [
        (FaultKind.MOVED, 3, 4),
        (FaultKind.MOVED, 4, 5),
    ]


def test_an_entry_that_two_others_leave_no_room_for_was_put_in() -> None:
    entries = chain(5)
    alien = forged(entries[2], actor="U9")
    behind = [changed(each, number=each.number + 1) for each in entries[2:]]
    assert kinds([*entries[:2], alien, *behind])[0] == (FaultKind.INSERTED, 3, 3)


def test_very_many_faults_are_counted_and_the_first_named() -> None:
    entries = [changed(each, actor="U9") for each in chain(3000)]
    verdict = verify(entries)
    assert (len(verdict.faults), verdict.total) == (FAULTS_KEPT, 3000)


SIZE = 7
WHOLE = chain(SIZE)
HEAD = Head(SIZE, WHOLE[-1].hash)
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.sampled_from([value for entry in WHOLE for name in TEXTS if (value := getattr(entry, name))]),
)


@settings(max_examples=400, deadline=None)
@given(index=st.integers(0, SIZE - 1), column=st.sampled_from(TEXTS), value=VALUES)
def test_any_single_changed_value_is_found_and_its_entry_named(index: int, column: str, value: str) -> None:
    assume(getattr(WHOLE[index], column) != value)
    entries = [*WHOLE]
    entries[index] = changed(entries[index], **{column: value})
    assert kinds(entries) == [(FaultKind.CHANGED, index + 1, index + 1)]


@settings(max_examples=300, deadline=None)
@given(index=st.integers(0, SIZE - 1), column=st.sampled_from(TEXTS[:-1]), value=VALUES)
def test_any_single_entry_written_anew_is_found_beside_a_noted_head(
    index: int, column: str, value: str
) -> None:
    assume(getattr(WHOLE[index], column) != value)
    entries = [*WHOLE]
    entries[index] = forged(entries[index], **{column: value})
    faults = verify(entries, [HEAD]).faults
    assert any(fault.first <= index + 1 <= fault.last for fault in faults)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_entry_missing_moved_or_put_in_is_found_beside_a_noted_head(data: st.DataObject) -> None:
    entries, index = [*WHOLE], data.draw(st.integers(0, SIZE - 1))
    match data.draw(st.sampled_from(["delete", "swap", "insert"])):
        case "delete":
            del entries[index]
            expected = {index + 1}
        case "swap":
            other = data.draw(st.integers(0, SIZE - 1).filter(lambda n: n != index))
            former, latter = entries[index], entries[other]
            entries[index] = changed(latter, number=former.number)
            entries[other] = changed(former, number=latter.number)
            expected = {index + 1, other + 1}
        case _:
            number = data.draw(st.one_of(st.integers(-3, 0), st.integers(SIZE + 2, SIZE + 9)))
            make = data.draw(st.sampled_from([changed, forged]))
            entries.append(make(entries[index], number=number))
            entries.sort(key=lambda entry: entry.number)
            expected = {number if number < 1 else SIZE + 1}
    named = {n for fault in verify(entries, [HEAD]).faults for n in range(fault.first, fault.last + 1)}
    assert expected <= named
