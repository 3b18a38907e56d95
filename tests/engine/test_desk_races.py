"""Others are faster, writing fails, the caller goes away: memory and database stay one."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.alerts.model import Alert, Note, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import LetterKind
from bot.store.changes import ChangedAlert, NewLetter
from bot.store.errors import Stale
from bot.store.store import Store
from tests.engine.shelf import POLICY, ReportDesk, Undecidable, about
from tests.engine.support import CEILING_SECONDS, Disk, FakeSlack, SetClock, delivering, open_in
from tests.engine.watching import Watch
from tests.factories import at, letter, seen, subject


async def test_two_clicks_at_the_same_instant_have_one_winner(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    clicks = await asyncio.gather(*(watch.desk.acknowledge(1, f"U{n}", 1) for n in range(5)))
    assert [click.reason for click in clicks].count(Reason.ACKED) == 1
    assert [click.reason for click in clicks].count(Reason.ACK_ALREADY) == 4
    winner = {click.alert.acked_by for click in clicks if click.alert}
    stored = await store.alert(1)
    assert stored is not None
    assert winner == {stored.acked_by}
    assert sum(each.facts.get("note") == Note.ACKED for each in await store.queued_letters()) == 1
    asked = [d.actor for d in await store.decisions(1, 20) if d.event == "acknowledged"]
    assert sorted(asked, key=str) == [f"U{n}" for n in range(5)], "the losers are in the history too"


async def test_a_click_that_another_process_beat_is_not_told_that_it_won(
    store: Store, clock: SetClock
) -> None:
    watch, other = await Watch.begins(store, clock), None
    await watch.check(95, 95)
    other = await Watch.begins(store, clock)
    assert (await watch.desk.acknowledge(1, "U1", 1)).reason is Reason.ACKED
    late = await other.desk.acknowledge(1, "U2", 1)
    assert late.reason is Reason.ACK_ALREADY
    assert late.alert is not None
    assert late.alert.acked_by == "U1"
    assert other.desk.open() == watch.desk.open()


async def test_a_check_that_another_process_beat_is_judged_by_what_is_true(
    store: Store, clock: SetClock
) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    before = watch.desk.open()[0]
    resolved = before._replace(version=2, status=Status.RESOLVED, resolved_at=clock.now, recent=())
    await store.write([ChangedAlert(resolved, 1)])
    assert await watch.check(95) == []
    assert await watch.check(95) == ["REOPENED"]


async def test_an_alert_that_was_deleted_by_hand_begins_anew(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(75)
    other = await Watch.begins(store, clock)
    await other.check(10)  # dropped from the database, unknown to the first
    assert await watch.check(75, 75, 75) == ["OPENED"]
    assert len(await store.live_alerts(at(0))) == 1


async def test_somebody_who_is_always_first_is_told_and_changes_nothing(
    small_store: Store, clock: SetClock
) -> None:
    watch = await Watch.begins(small_store, clock)
    await watch.check(95, 95)
    watch.ledger.store = _AlwaysStale(small_store)
    before = watch.desk.open()
    with pytest.raises(Stale):
        await watch.desk.acknowledge(1, "U1", 1)
    assert watch.desk.open() == before


class _AlwaysStale(Store):
    """The same database, where somebody else is always a moment faster."""

    def __init__(self, real: Store) -> None:
        self._real = real

    async def alert(self, alert_id: int) -> Alert | None:
        return await self._real.alert(alert_id)

    async def write(self, changes: object) -> None:
        raise Stale([1])


async def test_when_writing_fails_memory_says_what_the_database_says(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(75, 75, target="a")
    before = {alert.id: alert for alert in await store.live_alerts(at(0))}
    used = next(watch.outbox.next_ids())
    await store.write([NewLetter(letter(used + 1)), NewLetter(letter(used + 2))])  # ids that are taken
    clock.forward(seconds=15)
    both = [watch.observation(75, "a"), watch.observation(95, "b")]
    with pytest.raises(IntegrityError):
        await watch.desk.judge(both)
    assert {alert.id: alert for alert in await store.live_alerts(at(0))} == before
    assert watch.desk.live(subject(target="a").key) == before[1]
    assert watch.desk.live(subject(target="b").key) is None
    assert watch.outbox.unsent == 0
    decisions = await watch.desk.judge(both)
    assert seen(decisions[0]) == ["OPENED"], "and the next try makes up for it"


async def test_of_a_check_of_which_a_part_cannot_be_decided_nothing_has_happened(
    small_store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report("a")
    before = desk.desk.open()
    desk.shelf.odd["b"] = Undecidable("guardian-alerts", POLICY)
    with pytest.raises(OverflowError):
        await desk.desk.report([desk.says("a", firing=False), desk.says("b")])
    assert desk.desk.open() == before == await open_in(small_store)
    await desk.report("a", firing=False)
    assert desk.waiting("alert_note")[-1].facts["note"] == Note.RESOLVED
    assert desk.desk.open() == [] == await open_in(small_store)


async def test_an_alert_that_is_over_keeps_its_key_when_the_one_that_takes_it_was_not_written(
    small_store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report("a")
    await desk.report("a", firing=False)
    over = desk.desk.alert(1)
    clock.forward(hours=2)
    await desk.fails_to_write()
    with pytest.raises(IntegrityError):
        await desk.report("a")
    assert over is not None
    assert desk.desk.live(about("a").key) is over is desk.desk.alert(1)
    assert desk.desk.open() == []
    await desk.report("a")
    (new,) = desk.desk.open()
    assert (new.status, desk.desk.alert(1), desk.desk.alert(new.id)) == (Status.FIRING, None, new)


async def test_a_storm_whose_begin_was_not_written_has_not_begun(small_store: Store, clock: SetClock) -> None:
    desk = ReportDesk(small_store, clock)
    many = [f"t{number}" for number in range(20)]
    await desk.fails_to_write()
    with pytest.raises(IntegrityError):
        await desk.report(*many)
    assert (desk.desk.storm(1), desk.desk.open()) == (None, [])
    await desk.report(*many)
    storm = desk.desk.storm(1)
    assert storm is not None
    assert (storm.folded, storm.open) == (19, 19), "and they have come once"
    assert [each.id for each in await small_store.storms(at(0))] == [1]
    assert [each.kind for each in desk.waiting("storm")] == [LetterKind.CARD]


async def test_what_was_found_out_is_known_once_it_is_written(small_store: Store, clock: SetClock) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report("a")
    await desk.fails_to_write()
    with pytest.raises(IntegrityError):
        await desk.desk.enrich(1, {"n": 1})
    assert desk.desk.facts(desk.desk.open()[0]).extras == {}
    await desk.desk.enrich(1, {"n": 1})
    assert desk.desk.facts(desk.desk.open()[0]).extras == {"n": 1}
    assert desk.waiting("alert")[-1].facts["extras"] == {"n": 1}, "and the card shows it"


async def test_a_page_that_was_not_written_is_still_due(small_store: Store, clock: SetClock) -> None:
    desk = ReportDesk(small_store, clock)
    await desk.report("a", "b")
    clock.forward(minutes=1)
    due = desk.desk.next_due()
    await desk.fails_to_write()
    with pytest.raises(IntegrityError):
        await desk.desk.tick()
    assert (desk.desk.next_due(), desk.pages()) == (due, {"a": 0, "b": 0})
    await desk.desk.tick()
    assert desk.pages() == {"a": 1, "b": 1}


async def test_however_many_alerts_somebody_else_changed_they_are_decided_anew_at_once(
    store: Store, clock: SetClock
) -> None:
    desk = ReportDesk(store, clock)
    targets = [f"t{number}" for number in range(9)]
    await desk.report(*targets)
    theirs = [alert._replace(version=alert.version + 1, seen_by=("U9",)) for alert in desk.desk.open()[1:]]
    await store.write([ChangedAlert(alert, alert.version - 1) for alert in theirs])
    clock.forward(minutes=1)
    await desk.desk.tick()
    assert desk.pages() == dict.fromkeys(targets, 1)
    assert [alert.seen_by for alert in desk.desk.open()] == [(), *([("U9",)] * 8)]
    assert desk.desk.open() == await open_in(store)
    assert len(desk.waiting("page")) == 9


async def test_without_a_database_alerts_go_on_and_letters_go_out(
    store: Store, clock: SetClock, disk: Disk
) -> None:
    slack = FakeSlack()
    async with delivering(store, clock, slack) as office:
        watch = await Watch.begins(store, clock, office)
        disk.read_only = True
        assert await watch.check(95, 95) == ["OPENED"]
        assert (await watch.desk.acknowledge(1, "U1", 1)).reason is Reason.ACKED
        assert await watch.check(10, 10) == ["RESOLVED"]
        await office.emptied()
        assert await store.live_alerts(at(0)) == []
        card = slack.shown("alert:1")
        assert card is not None
        assert card.facts["status"] == "resolved"
        disk.read_only = False
        assert await office.ledger.flush()
    stored = await store.alert(1)
    assert stored == watch.desk.live(subject().key)
    assert len(await store.decisions(1, 20)) == 4
    assert await store.queued_letters() == []


async def test_a_check_that_is_cancelled_is_judged_to_its_end(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95)
    for steps in range(40):  # cancelled at whatever point
        check = asyncio.create_task(watch.check(95.0 if steps % 4 < 2 else 10.0))
        for _ in range(steps):
            await asyncio.sleep(0)
        check.cancel()
        await asyncio.wait([check], timeout=CEILING_SECONDS)
        known = watch.desk.live(subject().key)
        assert known is not None
        assert await store.alert(known.id) == known
    written = {each.id for each in await store.queued_letters()}
    assert len(written) == watch.outbox.unsent
