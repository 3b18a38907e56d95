"""Somebody watches a stage for as long as it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil

from bot.domain.operations.approval import Click, State
from bot.store.database import Database
from bot.tools.traffic.leases import is_watched
from tests.engine.deploy.ground import BRISK, grounded
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import until


def watchdogs(folder: Path) -> list[psutil.Process]:
    """Those of that folder."""
    return [
        each
        for each in psutil.process_iter(["cmdline"])
        if str(folder) in (words := each.info["cmdline"] or []) and "bot.tools.traffic.watchdog" in words
    ]


async def test_a_watchdog_that_dies_in_a_stage_is_replaced(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=replace(BRISK, dwell=timedelta(minutes=5))) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.carries(25)
        folder = ground.folder / "leases"
        (first,) = watchdogs(folder)
        first.kill()

        async def is_replaced() -> bool:
            return is_watched(folder) and first.pid not in {each.pid for each in watchdogs(folder)}

        await until(is_replaced)
        # The stage has gone on meanwhile.
        assert await ground.site.traffic.share() == 25
        await ground.press(Click.STOP, number)
        assert (await ground.over(number)).state is State.UNDONE
