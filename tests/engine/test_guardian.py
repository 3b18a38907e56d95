"""The board and the face that commands talk to."""

from __future__ import annotations

from bot.domain.alerts.reasons import Reason
from bot.engine.board import Board, Checked, source_of
from bot.engine.guardian import Guardian, Identity
from bot.engine.notices import Notices
from bot.store.store import Store
from probes.base import ProblemKind, Unit, measured, unmeasured
from tests.engine.probes import Waiting, percent
from tests.engine.support import Disk, FakeSlack, Office, SetClock, delivering, until
from tests.engine.watching import CpuRules, Watch
from tests.factories import T0, at, letter


async def guardian(office: Office, store: Store, clock: SetClock) -> tuple[Guardian, Watch, Board]:
    watch = await Watch.begins(store, clock, office)
    board = Board([Waiting(percent(1)), Waiting(percent(1), "web-2")], CpuRules())
    identity = Identity("web-1", "test", "1.0", T0)
    return Guardian(identity, board, watch.desk, office.outbox, office.ledger, clock), watch, board


async def test_the_board_knows_the_last_check_of_every_probe() -> None:
    probes = [Waiting(percent(1)), Waiting(percent(1), "web-2")]
    board = Board(probes, CpuRules())
    assert (board.readings(), board.last_check(), board.failing) == ((), None, 0)
    assert [probe.last_at for probe in board.probes()] == [None, None]
    bad = measured("cpu_usage", "web-1", 75, Unit.PERCENT, at(0))
    unbanded = measured("cpu_steal", "web-1", 0.0, Unit.PERCENT, at(0))
    board.put(source_of(probes[0]), Checked(at(0), 1.5, (bad, unbanded)))
    assert not board.complete.is_set()
    blind = unmeasured("cpu_usage", "web-2", Unit.PERCENT, at(5), ProblemKind.TIMEOUT, "5 s")
    board.put(source_of(probes[1]), Checked(at(5), 2.5, (blind,)))
    assert board.complete.is_set()
    assert (board.failing, board.last_check()) == (1, at(5))
    told = [(r.metric, r.value, r.level, r.band) for r in board.readings()]
    assert told == [
        ("cpu_usage", 75, "warning", "70-85%"),
        ("cpu_steal", 0.0, None, None),
        ("cpu_usage", None, None, None),
    ]
    first, second = board.probes()
    assert (first.problem, first.took_ms, len(first.readings)) == (None, 1.5, 2)
    assert second.problem is not None
    assert (second.problem.kind, second.problem.detail) == ("timeout", "5 s")
    good = measured("cpu_usage", "web-2", 10, Unit.PERCENT, at(20))
    board.put(source_of(probes[1]), Checked(at(20), 2.5, (good,)))
    assert board.failing == 0
    assert board.readings()[2].band == "< 70%"


async def test_the_status_says_how_things_are(store: Store, clock: SetClock, disk: Disk) -> None:
    async with delivering(store, clock, FakeSlack()) as office:
        face, watch, _ = await guardian(office, store, clock)
        assert (face.status().state, face.status().alerts) == ("green", ())
        await watch.check(75, 75, 75)
        await office.emptied()
        assert face.status().state == "yellow"
        await watch.check(95, 95)
        await office.emptied()
        status = face.status()
        assert (status.state, status.undelivered, status.dead_letters) == ("red", 0, 0)
        assert [alert.level for alert in status.alerts] == ["critical"]
        assert status.alerts[0].delivery_ms == 0
        assert status.store_problem is None
        disk.read_only = True
        await watch.check(95)
        assert face.status().store_problem is not None
        disk.read_only = False
        assert await office.ledger.flush()
        assert face.status().store_problem is None


async def test_an_alert_is_explained_by_its_decisions(store: Store, clock: SetClock) -> None:
    async with delivering(store, clock, FakeSlack()) as office:
        face, watch, _ = await guardian(office, store, clock)
        await watch.check(95, 95)
        decision, alert = await face.acknowledge(1, "U1", 1)
        assert decision.reason is Reason.ACKED
        assert alert is not None
        assert alert.acked_by == "U1"
        found = await face.alert(1)
        assert found is not None
        assert [(d.reason, d.from_status, d.actor) for d in found[1]] == [
            ("below_confirmation", "ok", None),
            ("confirmed", "pending", None),
            ("acked", "firing", "U1"),
        ]
        assert await face.alert(99) is None
        decision, alert = await face.acknowledge(99, "U1", 1)
        assert (decision.reason, alert) == (Reason.NOT_OPEN, None)
        assert [alert.id for alert in await face.recent_alerts(5)] == [1]
        assert [alert.id for alert in face.open_alerts(9)[0]] == [1]


async def test_after_a_restart_an_open_alert_still_says_how_long_it_took(
    store: Store, clock: SetClock
) -> None:
    slack = FakeSlack()
    async with delivering(store, clock, slack) as office:
        _, watch, _ = await guardian(office, store, clock)
        await watch.check(95, 95)
        await office.emptied()
    async with delivering(store, clock, slack) as office:
        face, _, _ = await guardian(office, store, clock)
        assert face.open_alerts(9)[0][0].delivery_ms == 0


async def test_notices_go_out_through_the_outbox(store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(store, clock, slack) as office:
        notices = Notices(office.ledger, office.outbox, clock, "web-1", "alerts", "ops")
        face, _, _ = await guardian(office, store, clock)
        await notices.on_watch(face.status())
        notices.store_down("database or disk is full")
        notices.store_back(T0, 3)
        notices.delivered_late(T0, at(60), 2)
        notices.dead_letter(letter(9, facts={"level": "critical", "metric": "cpu_usage"}), "is_archived")
        notices.dead_letter(letter(9, stream="notice:9"), "is_archived")  # of a notice: no further one
        await until(lambda: len(slack.arrived) == 5)
        await office.emptied()
    sent = {message.letter.template: message.letter for message in slack.messages}
    assert {name: each.channel for name, each in sent.items()} == {
        "startup": "ops",
        "store_down": "alerts",
        "store_back": "alerts",
        "delivered_late": "ops",
        "dead_letter": "ops",
    }
    assert sent["dead_letter"].facts["headline"] == "critical · cpu_usage"
    assert len({message.letter.stream for message in slack.messages}) == 5
    assert await store.queued_letters() == []
