"""Every check and every click passes here: state and letters are written together, or not at all."""

from __future__ import annotations

import pytest

from bot.domain.alerts.model import Condition, Decision, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import LetterKind
from bot.domain.levels import Level
from bot.store.store import Store
from tests.engine.support import Disk, SetClock, open_in
from tests.engine.watching import Watch
from tests.factories import at, rule, seen, subject


async def test_state_and_letters_are_written_together(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    assert await watch.check(10, 75, 75) == []
    assert [alert.status for alert in await store.live_alerts(at(0))] == [Status.PENDING]
    assert await store.queued_letters() == []
    assert await watch.check(75) == ["OPENED"]
    (alert,) = await store.live_alerts(at(0))
    assert alert == watch.desk.open()[0]
    assert (alert.id, alert.status, alert.level) == (1, Status.FIRING, Level.WARNING)
    card, note = await store.queued_letters()
    assert (card.kind, note.kind) == (LetterKind.CARD, LetterKind.NOTE)
    assert card.stream == note.stream == "alert:1"
    assert (card.since, card.created_at) == (at(60), at(60))
    assert [d.to_status for d in await store.decisions(1, 10)] == [Status.PENDING, Status.FIRING]


async def test_a_whole_life_is_in_the_history(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    assert await watch.check(95, 95) == ["OPENED"]
    acked = await watch.desk.acknowledge(1, "U1", 1)
    assert acked.reason is Reason.ACKED
    assert await watch.check(75, 75, 10, 10) == ["LEVEL_DOWN", "RESOLVED"]
    assert await watch.check(95, 95) == ["REOPENED"]
    told = [(d.event, d.reason, d.actor) for d in await store.decisions(1, 20)]
    assert told == [
        ("measured", Reason.BELOW_CONFIRMATION, None),
        ("measured", Reason.CONFIRMED, None),
        ("acknowledged", Reason.ACKED, "U1"),
        ("measured", Reason.LEVEL_FALL, None),
        ("measured", Reason.CLEARED, None),
        ("measured", Reason.REOPENED, None),
    ]
    versions = [d.version for d in await store.decisions(1, 20)]
    assert versions == sorted(versions)


async def test_good_checks_write_nothing(store: Store, clock: SetClock, disk: Disk) -> None:
    watch = await Watch.begins(store, clock)
    disk.read_only = True
    assert await watch.check(10, 0.0, 69.9) == []
    assert (watch.ledger.kept, watch.ledger.problem) == (0, None)


async def test_a_pending_alert_that_came_to_nothing_leaves_nothing(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(75, 75, 10)
    assert await store.live_alerts(at(0)) == []
    assert watch.desk.live(subject().key) is None


@pytest.mark.parametrize("restarts_after", range(6))
async def test_a_restart_neither_forgets_nor_repeats(
    store: Store, clock: SetClock, restarts_after: int
) -> None:
    checks = [75.0, 75.0, 75.0, 75.0, 10.0, 10.0]
    watch = await Watch.begins(store, clock)
    told = await watch.check(*checks[:restarts_after])
    watch = await Watch.begins(store, clock)
    told += await watch.check(*checks[restarts_after:])
    assert told == ["OPENED", "RESOLVED"]
    assert [each.kind for each in await store.queued_letters()].count(LetterKind.CARD) == 1


async def test_what_resolved_before_a_restart_reopens_after_it(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95, 10, 10)
    watch = await Watch.begins(store, clock)
    assert await watch.check(95, 95) == ["REOPENED"]
    clock.forward(days=2)
    watch = await Watch.begins(store, clock)
    assert [alert.id for alert in watch.desk.open()] == [1], "however old, what is open can still move"


async def test_what_comes_back_late_gets_a_number_and_a_card_of_its_own(
    store: Store, clock: SetClock
) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95, 10, 10)
    clock.forward(minutes=16)
    assert await watch.check(95, 95) == ["OPENED"]
    assert [alert.id for alert in watch.desk.open()] == [2]
    assert [alert.id for alert in await store.recent_alerts(10)] == [2, 1]


async def test_observations_of_one_check_are_one_transaction(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    for _ in range(3):
        clock.forward(seconds=15)
        # One fewer than a storm.
        decisions = await watch.desk.judge([watch.observation(75, f"disk {n}") for n in range(9)])
    assert all(seen(decision) == ["OPENED"] for decision in decisions)
    assert len(await open_in(store)) == 9
    assert len({alert.id for alert in watch.desk.open()}) == 9
    assert len(await store.queued_letters()) == 18


async def test_open_alerts_are_worst_first_then_oldest(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    for target, value in (("a", 75.0), ("b", 95.0), ("c", 75.0), ("d", 95.0)):
        await watch.check(value, value, value, target=target)
    await watch.check(75, target="pending")
    assert [alert.subject.target for alert in watch.desk.open()] == ["b", "d", "a", "c"]
    assert sorted(watch.desk.levels()) == [Level.WARNING, Level.WARNING, Level.CRITICAL, Level.CRITICAL]


async def test_a_click_on_an_alert_that_is_long_over_or_never_was(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95, 10, 10)
    clock.forward(days=3)
    watch = await Watch.begins(store, clock)
    over = await watch.desk.acknowledge(1, "U1", 1)
    assert over.reason is Reason.NOT_OPEN
    assert over.alert is not None
    assert over.alert.status is Status.RESOLVED
    assert await watch.desk.acknowledge(99, "U1", 1) == Decision(None, (), Reason.NOT_OPEN)


async def test_a_newer_drawing_supersedes_the_unsent_one_in_the_same_transaction(
    store: Store, clock: SetClock
) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    await watch.desk.acknowledge(1, "U1", 1)
    await watch.check(10, 10)
    unsent = await store.queued_letters()
    kinds = [each.kind for each in unsent]
    assert kinds == [LetterKind.CARD, LetterKind.NOTE, LetterKind.NOTE, LetterKind.EDIT, LetterKind.NOTE]
    assert unsent[3].facts["status"] == "resolved"


async def test_what_is_no_longer_watched_ends(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    await watch.check(75, target="pending")
    await watch.desk.release_unwatched("test", ["cpu:web-1"])
    assert len(watch.desk.open()) == 1
    await watch.desk.release_unwatched("test", ["memory:web-1"])
    assert watch.desk.open() == []
    stored = await store.alert(1)
    assert stored is not None
    assert (stored.status, stored.reason) == (Status.RESOLVED, Reason.NO_LONGER_WATCHED)
    assert await store.alert(2) is None


async def test_another_environment_s_alerts_end(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    await watch.desk.release_unwatched("staging", ["cpu:web-1", "memory:web-1"])
    assert watch.desk.open() == []


async def test_a_metric_without_bands_keeps_no_alert_open(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    await watch.check(None, None, None)
    watch.rules.rule = rule(None)
    await watch.desk.release_unwatched("test", ["cpu:web-1"])
    (blind,) = watch.desk.open()
    assert blind.subject.condition is Condition.NO_DATA
