"""What is written is what is read, for every value of the domain."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from structlog.testing import capture_logs

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Policy, Progress, Target, TargetKind
from bot.domain.alerts.model import Condition, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.letters import Card, LetterKind, Priority
from bot.domain.levels import Level
from bot.store.changes import (
    Change,
    ChangedAlert,
    DecisionMade,
    DroppedAlert,
    LetterDead,
    LetterLeased,
    LetterReleased,
    LetterSent,
    LetterSuperseded,
    NewAlert,
    NewLetter,
)
from bot.store.database import Database
from bot.store.store import Store
from probes.base import Layer, Problem, ProblemKind
from tests.factories import TIMEOUT, alert, at, letter, subject

LONG_AGO = at(-1e9)


def decision(alert_id: int = 7, **changes: object) -> DecisionMade:
    values: dict[str, object] = {
        "alert_id": alert_id,
        "version": 1,
        "at": at(0),
        "event": "measured",
        "reason": Reason.CONFIRMED,
        "from_status": Status.PENDING,
        "to_status": Status.FIRING,
        "level": Level.WARNING,
        "value": 0.0,
        "actor": None,
    }
    return DecisionMade(**(values | changes))  # type: ignore[arg-type]  # its fields, checked when it is made


async def test_an_alert_with_everything_comes_back_as_it_was(store: Store) -> None:
    await store.write([NewAlert(alert())])
    assert await store.alert(7) == alert()


async def test_what_lies_over_an_alert_and_who_is_called_come_back_as_they_were(store: Store) -> None:
    whole = alert(
        title="Disk will fill",
        labels={"service": "주문", "metric": "cpu"},
        channel="ops",
        route="night",
        policy=Policy("pager", ((Target(TargetKind.GROUP, "@oncall"),),)),
        progress=Progress(6, at(1), 2, 3, at(5)),
        epoch=6,
        ack_until=at(90),
        seen_by=("U4", "U5"),
        pages=8,
        cover=Cover(CoverKind.SILENCE, "12", at(80), "U6", "deploy", Level.ERROR),
        broken=("10", "11"),
        carded=True,
        storm=9,
        last_bad=False,
        flips=0b101,
        flapping=True,
        reopenings=(at(2), at(3)),
        floor=Level.CRITICAL,
        floor_why="forecast",
    )
    await store.write([NewAlert(whole)])
    back = await store.alert(7)
    assert back == whole
    changed = whole._replace(carded=False, last_bad=True, flapping=False, storm=None, pages=9, epoch=7)
    await store.write([ChangedAlert(changed._replace(progress=None), 3)])
    assert await store.alert(7) == changed._replace(progress=None)


async def test_an_alert_whose_policy_somebody_took_away_is_still_there(
    database: Database, store: Store
) -> None:
    await store.write([NewAlert(alert(policy=Policy("pager")))])
    async with database.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM policies")
    with capture_logs() as logs:
        assert await store.alert(7) == alert(policy=None)
    assert [each["alert"] for each in logs if each["event"] == "policy_is_missing"] == [7]


async def test_an_alert_with_nothing_comes_back_without_it(store: Store) -> None:
    bare = alert(
        value=None,
        band=None,
        target_band=None,
        problem=None,
        recent=(),
        below=(),
        value_at_firing=None,
        peak=None,
        fired_at=None,
        resolved_at=None,
        acked_by=None,
        acked_at=None,
        last_post_at=None,
        facts={},
    )
    await store.write([NewAlert(bare)])
    assert await store.alert(7) == bare


async def test_zero_stays_zero_and_an_empty_detail_stays_empty(store: Store) -> None:
    zero = alert(value=0.0, peak=0.0, value_at_firing=0.0, repeats=0, problem=Problem(ProblemKind.FAILED, ""))
    await store.write([NewAlert(zero)])
    back = await store.alert(7)
    assert back == zero
    assert back is not None
    assert (back.value, back.problem) == (0.0, Problem(ProblemKind.FAILED, ""))


async def test_every_status_level_layer_condition_problem_and_reason_is_kept(store: Store) -> None:
    varied = (
        [alert(status=status) for status in Status]
        + [alert(level=level, peak_level=level) for level in Level]
        + [alert(layer=layer) for layer in Layer]
        + [alert(problem=Problem(kind, "x")) for kind in ProblemKind]
        + [alert(reason=reason) for reason in Reason]
    )
    alerts = [
        each._replace(id=number, subject=subject(target=f"t{number}"))
        for number, each in enumerate(varied, 1)
    ]
    alerts += [
        alert(id=900 + n, subject=subject(condition, f"c{n}")) for n, condition in enumerate(Condition)
    ]
    await store.write([NewAlert(each) for each in alerts])
    assert [await store.alert(each.id) for each in alerts] == alerts


async def test_a_moment_keeps_its_microseconds_and_comes_back_in_utc(store: Store) -> None:
    seoul = datetime(2026, 3, 1, 18, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    await store.write([NewAlert(alert(detected_at=seoul))])
    back = await store.alert(7)
    assert back is not None
    assert back.detected_at == seoul
    assert back.detected_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "change",
    [
        NewAlert(alert(detected_at=datetime(2026, 3, 1))),  # noqa: DTZ001 - what is refused here
        NewLetter(letter(1, created_at=datetime(2026, 3, 1))),  # noqa: DTZ001 - what is refused here
    ],
)
async def test_a_moment_without_a_time_zone_is_refused(store: Store, change: Change) -> None:
    with pytest.raises(Exception, match="a moment needs a time zone"):
        await store.write([change])
    assert await store.last_ids() == (0, 0)


async def test_letters_of_every_kind_and_priority_come_back_in_order(store: Store) -> None:
    kinds = itertools.product(LetterKind, Priority, (False, True))
    written = [
        letter(n, kind, priority=priority, broadcast=broadcast, attempts=n, leased_until=at(60))
        for n, (kind, priority, broadcast) in enumerate(kinds, 1)
    ]
    await store.write([NewLetter(each) for each in reversed(written)])
    assert await store.queued_letters() == written


async def test_a_letter_is_leased_released_and_sent(store: Store) -> None:
    await store.write([NewLetter(letter(1)), NewLetter(letter(2))])
    await store.write([LetterLeased(1, 4, at(60))])
    first, second = await store.queued_letters()
    assert (first.attempts, first.leased_until) == (4, at(60))
    assert second == letter(2)
    await store.write([LetterReleased(1, "ratelimited")])
    assert (await store.queued_letters())[0].leased_until is None
    card = Card("alert:1", "C1", "1700000000.000100", at(3), 0)
    await store.write([LetterSent(1, at(3), card.ts, card)])
    assert await store.queued_letters() == [letter(2)]
    assert await store.cards(["alert:1", "alert:2"]) == {"alert:1": card}


async def test_a_stream_has_one_card_the_latest(store: Store) -> None:
    first = Card("alert:1", "C1", "1.1", at(3), 5)
    second = Card("alert:1", "C2", "2.2", at(9), 7)
    await store.write([LetterSent(1, at(3), first.ts, first), LetterSent(2, at(9), second.ts, second)])
    assert await store.cards(["alert:1"]) == {"alert:1": second}


async def test_cards_of_more_streams_than_a_statement_takes_variables(store: Store) -> None:
    cards = [Card(f"alert:{n}", "C1", f"{n}.0", at(n), n) for n in range(1203)]
    await store.write([LetterSent(n, at(0), card.ts, card) for n, card in enumerate(cards)])
    found = await store.cards(card.stream for card in cards)
    assert found == {card.stream: card for card in cards}


async def test_given_up_and_superseded_letters_are_no_longer_queued(store: Store) -> None:
    await store.write([NewLetter(letter(n)) for n in (1, 2, 3)])
    await store.write([LetterDead(1, at(5), "channel_not_found"), LetterSuperseded(2)])
    assert await store.queued_letters() == [letter(3)]
    assert await store.dead_letters(at(0)) == [at(5)]
    assert await store.dead_letters(at(6)) == []


async def test_decisions_come_oldest_first_and_only_the_latest(store: Store) -> None:
    made = [decision(version=n, at=at(n)) for n in range(5)]
    made[2] = decision(version=2, at=at(2), from_status=None, value=None, actor="U1", reason=Reason.ACKED)
    await store.write([NewAlert(alert()), *made])
    assert await store.decisions(7, 10) == made
    assert await store.decisions(7, 2) == made[3:]
    assert await store.decisions(8, 10) == []


async def test_a_pending_alert_that_came_to_nothing_is_gone_with_its_decisions(store: Store) -> None:
    await store.write([NewAlert(alert(status=Status.PENDING)), decision()])
    await store.write([DroppedAlert(7)])
    assert await store.alert(7) is None
    assert await store.decisions(7, 10) == []


async def test_an_alert_that_people_know_of_is_never_dropped(store: Store) -> None:
    await store.write([NewAlert(alert())])
    await store.write([DroppedAlert(7)])
    assert await store.alert(7) == alert()


async def test_questions_about_alerts(store: Store) -> None:
    told: dict[int, dict[str, object]] = {
        1: {"status": Status.PENDING},
        2: {"status": Status.FIRING, "level": Level.WARNING},
        3: {"status": Status.ACKED, "level": Level.CRITICAL},
        4: {"status": Status.RESOLVED, "resolved_at": at(100)},
        5: {"status": Status.RESOLVED, "resolved_at": at(50)},
        6: {"status": Status.FIRING, "level": Level.CRITICAL},
    }
    alerts = {
        number: alert(id=number, subject=subject(target=f"t{number}"), **changes)
        for number, changes in told.items()
    }
    await store.write([NewAlert(each) for each in alerts.values()])
    assert [each.id for each in await store.live_alerts(at(100))] == [1, 2, 3, 4, 6]
    assert [each.id for each in await store.recent_alerts(10)] == [6, 5, 4, 3, 2]
    assert [each.id for each in await store.recent_alerts(2)] == [6, 5]
    assert await store.alert(99) is None
    assert await store.last_ids() == (6, 0)


async def test_a_changed_alert_is_there_changed(store: Store) -> None:
    await store.write([NewAlert(alert())])
    changed = alert(version=4, status=Status.ACKED, value=0.0, facts={"새": "것"})
    await store.write([ChangedAlert(changed, 3)])
    assert await store.alert(7) == changed


async def test_an_empty_database_answers_with_nothing(store: Store) -> None:
    assert await store.last_ids() == (0, 0)
    assert await store.live_alerts(LONG_AGO) == []
    assert await store.queued_letters() == []
    assert await store.dead_letters(LONG_AGO) == []
    assert await store.cards([]) == {}


async def test_a_problem_is_kept_with_its_words(store: Store) -> None:
    await store.write([NewAlert(alert(problem=TIMEOUT))])
    back = await store.alert(7)
    assert back is not None
    assert back.problem == TIMEOUT
