"""The pictures that Slack has, remembered on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.alerts.model import Status
from bot.store.changes import NewAlert
from bot.store.database import Database
from bot.store.pictures import Picture, PictureStore
from bot.store.store import Store
from tests.factories import alert, at

PICTURE = Picture(7, "F0123456789", at(60), at(55), resolved=False)


@pytest.fixture
def pictures(database: Database) -> PictureStore:
    return PictureStore(database)


async def test_the_latest_picture_of_an_alert_is_remembered(store: Store, pictures: PictureStore) -> None:
    await store.write([NewAlert(alert())])
    assert await pictures.find(7) is None
    await pictures.keep(PICTURE)
    newer = Picture(7, "F9876543210", at(360), at(355), resolved=True)
    await pictures.keep(newer)
    assert await pictures.find(7) == newer
    await pictures.drop(7)
    assert await pictures.find(7) is None


async def test_a_picture_of_an_alert_that_is_not_written_down_is_not_either(pictures: PictureStore) -> None:
    await pictures.keep(PICTURE)
    assert await pictures.find(7) is None


async def test_a_picture_goes_with_its_alert(store: Store, pictures: PictureStore) -> None:
    await store.write([NewAlert(alert(status=Status.RESOLVED))])
    await pictures.keep(PICTURE)
    await store.prune(at(0), at(0) + timedelta(days=100))
    assert await pictures.find(7) is None
