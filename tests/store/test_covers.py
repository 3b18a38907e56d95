"""Silences and maintenance windows on disk."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.maintenance import Once, Window
from bot.domain.matcher_notation import parse
from bot.domain.silences import Silence
from bot.store.database import Database
from bot.store.maintenance import MaintenanceStore
from bot.store.silences import SilenceStore
from tests.factories import T0, at

MATCHER = parse('service=shop, target=~"web-\\\\d+", team!=""')
SILENCE = Silence(0, MATCHER, T0, at(3600), "U1", "배포 🔥", T0)
WINDOW = Window("", MATCHER, Once(T0, at(3600)), "배포", owner="U1", created_at=T0)


async def test_a_silence_comes_back_as_it_was_written(database: Database) -> None:
    store = SilenceStore(database)
    first, second = await store.add(SILENCE), await store.add(SILENCE)
    assert (first.id, second.id) == (1, 2)
    assert await store.unfinished(T0) == [first, second]
    assert await store.unfinished(at(3600)) == []


async def test_a_silence_is_lifted_once(database: Database) -> None:
    store = SilenceStore(database)
    silence = await store.add(SILENCE)
    assert await store.end(silence.id, at(60), "U2")
    assert not await store.end(silence.id, at(61), "U3")
    assert not await store.end(9, at(61), "U3")
    assert await store.unfinished(at(60)) == []


async def test_a_window_comes_back_as_it_was_written_and_is_ended_once(database: Database) -> None:
    store = MaintenanceStore(database)
    made = await store.add(WINDOW, Once(T0, at(3600)))
    assert (made.id, made.ref) == (1, "#1")
    assert await store.unfinished(at(3599)) == [made]
    assert await store.unfinished(T0 + timedelta(hours=2)) == []
    assert await store.end(1, at(60), "U2")
    assert not await store.end(1, at(61), "U3")
    assert await store.unfinished(at(60)) == []
