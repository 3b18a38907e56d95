"""All or nothing, and only what nobody else has changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.alerts.ladder import Policy
from bot.domain.alerts.model import Alert, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Card
from bot.domain.levels import Level
from bot.store.changes import Change, ChangedAlert, DecisionMade, LetterSent, NewAlert, NewLetter
from bot.store.database import Database
from bot.store.errors import Stale
from bot.store.store import Store
from probes.base import ProblemKind, Reading, Unit, measured, unmeasured
from tests.factories import alert, at, letter, subject


async def test_a_change_of_a_version_that_is_gone_is_stale(store: Store) -> None:
    await store.write([NewAlert(alert(version=3))])
    with pytest.raises(Stale) as caught:
        await store.write([ChangedAlert(alert(version=9, value=1.0), 2)])
    assert caught.value.alert_ids == (7,)
    assert await store.alert(7) == alert(version=3)


async def test_a_change_of_an_alert_that_is_gone_is_stale(store: Store) -> None:
    with pytest.raises(Stale):
        await store.write([ChangedAlert(alert(), 3)])


async def test_of_two_writers_who_saw_the_same_version_one_wins(store_url: str) -> None:
    one, other = await Database.open(store_url), await Database.open(store_url)
    try:
        await Store(one).write([NewAlert(alert(version=3, status=Status.FIRING))])
        acked = [alert(version=4, status=Status.ACKED, acked_by=by) for by in ("U1", "U2")]
        outcomes = await asyncio.gather(
            Store(one).write([ChangedAlert(acked[0], 3)]),
            Store(other).write([ChangedAlert(acked[1], 3)]),
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Stale"]
        assert await Store(one).alert(7) == acked[outcomes.index(None)]
    finally:
        await one.close()
        await other.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (ChangedAlert(alert(version=9), 99), Stale),
        (NewLetter(letter(1)), IntegrityError),
        (NewAlert(alert(id=8)), IntegrityError),
    ],
    ids=["stale", "letter twice", "second open alert of a key"],
)
async def test_a_transaction_that_fails_leaves_nothing(
    store: Store, fault: Change, error: type[Exception]
) -> None:
    before: Alert = alert(version=3)
    await store.write([NewAlert(before), NewLetter(letter(1))])
    good: list[Change] = [ChangedAlert(alert(version=4, value=1.0), 3), NewLetter(letter(2))]
    with pytest.raises(error):
        await store.write([*good, fault])
    assert await store.alert(7) == before
    assert await store.queued_letters() == [letter(1)]


@pytest.mark.parametrize("count", [1, 19, 20, 21, 3000])
async def test_one_decision_about_very_many_is_in_the_history_of_each(store: Store, count: int) -> None:
    """As in a storm: alerts with numbers in a row, now and then one with another decision between them."""
    storm = [alert(id=number, subject=subject(target=f"t{number}")) for number in range(1, count + 1)]
    made = [
        DecisionMade(
            alert_id=number,
            version=1,
            at=at(0),
            event="reported",
            reason=Reason.REPORTED,
            from_status=None,
            to_status=Status.FIRING,
            level=Level.CRITICAL if number % 50 else Level.ERROR,
            value=None,
            actor=None,
            detail="storm:1" if number % 50 else None,
        )
        for number in range(1, count + 1)
    ]
    again = made[0]._replace(version=2, reason=Reason.ACKED, actor="U1")
    new = [change for each, one in zip(storm, made, strict=True) for change in (NewAlert(each), one)]
    await store.write([*new, again])
    for number in {1, 2, 19, 20, 21, 50, 51, 2999, count} & set(range(1, count + 1)):
        expected = [made[number - 1], again] if number == 1 else [made[number - 1]]
        assert await store.decisions(number, 10) == expected


@pytest.mark.parametrize("count", [5, 30])
async def test_no_decision_is_left_out_because_its_alert_is_not_there(store: Store, count: int) -> None:
    there = [alert(id=number, subject=subject(target=f"t{number}")) for number in range(1, count)]
    made = [
        DecisionMade(number, 1, at(0), "due", Reason.PAGED, None, Status.FIRING, Level.ERROR, None, None)
        for number in range(1, count + 1)
    ]
    with pytest.raises((IntegrityError, LookupError)):
        await store.write([*map(NewAlert, there), *made])
    assert await store.alert(1) is None


async def test_a_policy_that_was_not_committed_is_written_again(store: Store) -> None:
    pager = Policy("pager")
    with pytest.raises(Stale):
        await store.write([NewAlert(alert(policy=pager)), ChangedAlert(alert(id=8), 1)])
    await store.write([NewAlert(alert(policy=pager))])
    assert await store.alert(7) == alert(policy=pager)


async def test_two_who_write_to_one_database_share_its_policies(store_url: str) -> None:
    one, other = await Database.open(store_url), await Database.open(store_url)
    try:
        for number, database in enumerate((one, other, one), 1):
            each = alert(id=number, policy=Policy("shared"), status=Status.RESOLVED)
            await Store(database).write([NewAlert(each)])
            assert await Store(database).alert(number) == each
    finally:
        await one.close()
        await other.close()


@pytest.mark.parametrize("status", [Status.PENDING, Status.FIRING, Status.ACKED])
async def test_a_key_has_one_open_alert(store: Store, status: Status) -> None:
    await store.write([NewAlert(alert(id=1, status=status))])
    with pytest.raises(IntegrityError):
        await store.write([NewAlert(alert(id=2, status=Status.PENDING))])


async def test_a_key_has_any_number_of_alerts_that_are_over(store: Store) -> None:
    await store.write([NewAlert(alert(id=n, status=Status.RESOLVED)) for n in (1, 2)])
    await store.write([NewAlert(alert(id=3))])
    with pytest.raises(IntegrityError):  # a reopening beside an open one
        await store.write([ChangedAlert(alert(id=1, version=4), 3)])
    assert await store.last_ids() == (3, 0)


async def test_readers_see_whole_states_while_one_writes(store_url: str) -> None:
    writing, reading = await Database.open(store_url), await Database.open(store_url)
    rounds = 30
    states: set[tuple[int, int]] = set()
    done = asyncio.Event()

    async def write() -> None:
        store = Store(writing)
        for n in range(1, rounds + 1):
            news = alert(id=n, subject=subject(target=f"t{n}"))
            await store.write([NewAlert(news), NewLetter(letter(n))])
        done.set()

    async def read() -> None:
        store = Store(reading)
        while not done.is_set():
            states.add(await store.last_ids())

    try:
        async with asyncio.timeout(300):
            await asyncio.gather(write(), read(), read())
        states.add(await Store(reading).last_ids())
    finally:
        await writing.close()
        await reading.close()
    assert (rounds, rounds) in states
    assert all(alerts == letters for alerts, letters in states), "half a transaction was seen"


async def test_the_history_keeps_values_and_problems(store: Store, database: Database) -> None:
    readings: list[tuple[str, Reading]] = [
        ("cpu:web-1", measured("cpu_usage", "web-1", 0.0, Unit.PERCENT, at(0))),
        ("cpu:web-1", unmeasured("cpu_usage", "web-1", Unit.PERCENT, at(1), ProblemKind.TIMEOUT, "5 s")),
    ]
    await store.add_readings(readings)
    await store.add_readings([])
    async with database.read() as connection:
        rows = (
            await connection.exec_driver_sql("SELECT source, value, problem_kind FROM readings ORDER BY id")
        ).all()
    assert [tuple(row) for row in rows] == [("cpu:web-1", 0.0, None), ("cpu:web-1", None, "timeout")]


async def test_old_readings_and_finished_letters_are_pruned_and_nothing_else(store: Store) -> None:
    day = timedelta(days=1)
    readings = [
        ("cpu:web-1", measured("cpu_usage", "web-1", 1.0, Unit.PERCENT, at(0) + day * n)) for n in range(10)
    ]
    await store.add_readings(readings)
    await store.write([NewAlert(alert()), *(NewLetter(letter(n)) for n in (1, 2))])
    assert await store.prune(at(0) + 4 * day, at(0) + day) == 4
    assert await store.prune(at(0) + 4 * day, at(0) + day) == 0
    assert await store.queued_letters() == [letter(1), letter(2)], "unsent letters are never too old"
    assert await store.alert(7) == alert()


async def test_alerts_long_over_are_pruned_with_their_decisions_and_cards(store: Store) -> None:
    day = timedelta(days=1)
    over = alert(id=1, status=Status.RESOLVED, resolved_at=at(0), subject=subject(target="a"))
    recent = over._replace(id=2, resolved_at=at(0) + 2 * day, subject=subject(target="b"))
    still = alert(id=3, status=Status.FIRING, subject=subject(target="c"))
    decision = DecisionMade(
        1, 1, at(0), "measured", Reason.CONFIRMED, None, Status.FIRING, Level.WARNING, 75.0, None
    )
    streams = ["alert:1", "alert:3", "notice:9"]
    await store.write([NewAlert(over), NewAlert(recent), NewAlert(still), decision])
    for number, stream in enumerate(streams):
        card = Card(stream, "C1", f"{number}.0", at(0), 10)
        await store.write(
            [NewLetter(letter(number, stream=stream)), LetterSent(number, at(1), card.ts, card)]
        )
    pruned = await store.prune(at(0), at(0) + day)
    assert pruned == 6, "three letters, the old alert, its card and the notice's"
    assert await store.alert(1) is None
    assert await store.decisions(1, 10) == []
    assert [each.id for each in await store.recent_alerts(10)] == [3, 2]
    assert list(await store.cards(streams)) == ["alert:3"]
