"""When backups start by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.vaults import trigger_of

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize("started", [1, 3, 5])
def test_a_start_does_not_put_off_what_comes_at_intervals(started: int) -> None:
    now = datetime(2026, 3, 2, started, tzinfo=UTC)
    trigger = trigger_of(timedelta(hours=6), SEOUL)
    assert trigger.get_next_fire_time(None, now) == datetime(2026, 3, 2, 6, tzinfo=UTC)


def test_a_crontab_line_is_local_time() -> None:
    now = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert trigger_of("0 3 * * *", SEOUL).get_next_fire_time(None, now) == datetime(
        2026, 3, 2, 18, tzinfo=UTC
    )
