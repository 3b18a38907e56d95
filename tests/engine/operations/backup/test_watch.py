"""Backups that are bad become alerts, and good ones end them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.levels import Level
from bot.engine.operations.backup.watch import BackupWatch
from bot.engine.reports import Report, ReportsNotTaken
from messages.render import Voice
from tests.backups import damage
from tests.engine.operations.backup.conftest import Yard
from tests.reporting import ReportBook


class Alerts:
    """What the desk has been told."""

    def __init__(self, yard: Yard) -> None:
        self.book = ReportBook()
        self.yard = yard
        self.watch = BackupWatch(yard.desk, self.book, "production", Voice("ko").phrase, yard.clock())

    async def look(self) -> list[Report]:
        """What is told at a look, and was not before."""
        await self.watch.look(self.yard.clock())
        return self.book.taken()


@pytest.fixture
def alerts(yard: Yard) -> Alerts:
    return Alerts(yard)


async def test_a_backup_that_failed_is_told_once_and_its_end_too(yard: Yard, alerts: Alerts) -> None:
    assert [each.event.firing for each in await alerts.look()] == [False, False], "from before the start"
    assert await alerts.look() == []
    (yard.folder / "etc").rename(yard.folder / "away")
    await yard.now(["configs"])
    (told,) = await alerts.look()
    assert (told.event.firing, told.event.level) == (True, Level.ERROR)
    assert (told.event.title, told.subject.target) == ("백업 실패", "configs")
    assert told.event.facts["reason"] == "백업할 경로 없음"
    assert await alerts.look() == []
    (yard.folder / "away").rename(yard.folder / "etc")
    assert (await yard.now(["configs"])).failed == []
    (over,) = await alerts.look()
    assert (over.event.firing, over.subject) == (False, told.subject)


async def test_damage_is_told_with_the_repository_that_it_is_in(yard: Yard, alerts: Alerts) -> None:
    await yard.now()
    await alerts.look()
    damage(yard.local)
    await yard.verify()
    told = await alerts.look()
    assert [(each.subject.target, each.event.title, each.event.level) for each in told] == [
        ("configs", "백업 손상 (로컬 저장소)", Level.CRITICAL),
        ("uploads", "백업 손상 (로컬 저장소)", Level.CRITICAL),
    ]
    status = await yard.desk.facts("/guardian")
    assert [each.damaged_in for each in status.sources] == [("local",), ("local",)]


async def test_a_source_that_never_gets_a_backup_is_told_when_it_is_late(yard: Yard, alerts: Alerts) -> None:
    await alerts.look()
    yard.ahead = timedelta(hours=27)
    assert [each.event.title for each in await alerts.look()] == ["백업 없음", "백업 없음"]


async def test_a_backup_that_is_not_followed_by_another_is_late(yard: Yard, alerts: Alerts) -> None:
    await yard.now(["configs"])
    await alerts.look()
    yard.ahead = timedelta(hours=27)
    assert (await alerts.look())[0].event.title == "백업 늦음"


async def test_what_the_desk_did_not_take_is_told_again(yard: Yard, alerts: Alerts) -> None:
    alerts.book.away = ReportsNotTaken("away")
    assert await alerts.look() == []
    alerts.book.away = None
    assert len(await alerts.look()) == 2
