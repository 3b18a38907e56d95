"""Every check and every click passes here: state and letters are written together, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.alerts.model import Alert, Condition, Decision, Measured, Missed, Note, Rule, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import LetterKind
from bot.domain.levels import Level
from bot.engine.desk import AlertDesk, Observation
from bot.engine.ledger import Ledger
from bot.engine.outbox import Outbox
from bot.store.changes import ChangedAlert, NewLetter
from bot.store.errors import Stale
from bot.store.store import Store
from probes.base import Layer
from tests.engine.support import CEILING_SECONDS, QUICK, Disk, FakeSlack, Office, SetClock, delivering
from tests.factories import TIMEOUT, at, letter, rule, seen, subject


@dataclass
class OneRule:
    """The same rule for everything."""

    rule: Rule

    def rule_for(self, metric: str, target: str, layer: Layer) -> Rule:
        return self.rule


@dataclass
class Watch:
    """A desk with its outbox, and checks to hand in."""

    desk: AlertDesk
    outbox: Outbox
    ledger: Ledger
    clock: SetClock
    rules: OneRule

    @classmethod
    async def begins(cls, store: Store, clock: SetClock, office: Office | None = None) -> Watch:
        """As at the start of a process; letters wait when there is no office."""
        if office is None:
            ledger = Ledger(store, clock)
            outbox = Outbox(ledger, FakeSlack(), clock, QUICK)
            await outbox.load()
        else:
            ledger, outbox = office.ledger, office.outbox
        rules = OneRule(rule())
        desk = AlertDesk(ledger, outbox, clock, "guardian-alerts", rules)
        await desk.load()
        return cls(desk, outbox, ledger, clock, rules)

    async def check(self, *values: float | None, target: str = "web-1") -> list[str]:
        """Checks 15 s apart; what people see."""
        told: list[str] = []
        for value in values:
            self.clock.forward(seconds=15)
            told += seen((await self.desk.judge([self.observation(value, target)]))[0])
        return told

    def observation(self, value: float | None, target: str = "web-1") -> Observation:
        """One check now."""
        if value is None:
            missed = Missed(TIMEOUT, self.clock.now)
            return Observation(self.rules.rule, subject(Condition.NO_DATA, target), missed)
        return Observation(
            self.rules.rule, subject(target=target), Measured(value, self.clock.now, {"largest": "x"})
        )


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
    resolved = replace(before, version=2, status=Status.RESOLVED, resolved_at=clock.now, recent=())
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
        raise Stale(1, 0)


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


async def test_observations_of_one_check_are_one_transaction(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    for _ in range(3):
        clock.forward(seconds=15)
        decisions = await watch.desk.judge([watch.observation(75, f"disk {n}") for n in range(20)])
    assert all(seen(decision) == ["OPENED"] for decision in decisions)
    assert len(await store.open_alerts()) == 20
    assert len({alert.id for alert in watch.desk.open()}) == 20
    assert len(await store.queued_letters()) == 40


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
    await watch.desk.release_unwatched(["cpu:web-1"])
    assert len(watch.desk.open()) == 1
    await watch.desk.release_unwatched(["memory:web-1"])
    assert watch.desk.open() == []
    stored = await store.alert(1)
    assert stored is not None
    assert (stored.status, stored.reason) == (Status.RESOLVED, Reason.NO_LONGER_WATCHED)
    assert await store.alert(2) is None


async def test_a_metric_without_bands_keeps_no_alert_open(store: Store, clock: SetClock) -> None:
    watch = await Watch.begins(store, clock)
    await watch.check(95, 95)
    await watch.check(None, None, None)
    watch.rules.rule = rule(None)
    await watch.desk.release_unwatched(["cpu:web-1"])
    (blind,) = watch.desk.open()
    assert blind.subject.condition is Condition.NO_DATA


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
