"""Canaries that are taken back, in the front of FOLDER: ROUNDS times a deployment by the real desk, with
durable runs, and 롤백 pressed while half of the traffic is at Green. Then a whole one, of STAGES, each
SECONDS long."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from bench.front import HEALTH, Front, haproxy
from bot.domain.deploy.checks import Check, LeftOut, Trial
from bot.domain.deploy.service import Environment, HealthRules, Limits, ProbeRules, Service
from bot.domain.operations.approval import OPEN, Click, State
from bot.engine.clock import utc_now
from bot.engine.deploy.site import Site
from bot.engine.operations.durable import DbosRuns
from bot.logs import configure_logs
from bot.store.database import Database
from bot.tools.traffic.drivers import driver_of
from bot.tools.traffic.haproxy.log_stream import LogStream
from tests.engine.deploy.ground import Ground, deployed_by
from tests.engine.operations.jobs import ANN
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import Balancer

_HOUR = timedelta(hours=1)
_SEED = 20_261_129
_LOOK = 0.002
_REACHED = 120.0
"""seconds for whatever is waited for"""


class _Now(SetClock):
    """The one of the machine."""

    def __call__(self) -> datetime:
        return utc_now()


def _environment(front: Front, stages: tuple[int, ...], dwell: timedelta, warm: timedelta) -> Environment:
    """Limits that a machine which does nothing but carry requests keeps too: the judge has no part in it."""
    return Environment(
        name="production",
        addresses=MappingProxyType(dict(front.addresses)),
        health=HealthRules(
            HEALTH.path, HEALTH.statuses, HEALTH.contains, timedelta(seconds=HEALTH.timeout),
            timedelta(seconds=HEALTH.within), HEALTH.in_a_row,
        ),
        stages=stages,
        dwell=dwell,
        warm=warm,
        limits=Limits(error_rate=99, response_ms=60_000, cpu=100_000, memory=100_000),
        probes=ProbeRules(("/",), 10),
        ask_for=_HOUR,
        lease=timedelta(minutes=5),
        drain=timedelta(seconds=10),
        lock_after_rollback=timedelta(0),
        keep=5,
        second_person=True,
        data=(),
        no_data="a bench",
    )  # fmt: skip


def _site(front: Front, environment: Environment) -> Site:
    service = Service(
        name="shop",
        repository=None,
        preflight=MappingProxyType({each: LeftOut("a bench") for each in Check}),
        verification=MappingProxyType({each: LeftOut("a bench") for each in Trial}),
        environments=MappingProxyType({environment.name: environment}),
    )
    its = front.configuration
    assert its.log is not None
    log = LogStream(its.log, its.backends.values())
    return Site(service, environment, front.releases(), driver_of(its, log), its, log)


async def _over(ground: Ground, number: int, wanted: State) -> float:
    """The moment at which a deployment has ended so. ValueError if it ended otherwise."""
    while not (ended := [state for each, state in ground.yard.alerts if each == number]):  # noqa: ASYNC110 - no bell
        await asyncio.sleep(_LOOK)
    at = time.monotonic()
    if ended[-1] is not wanted:
        raise ValueError(await _ended(ground, number))
    while (await ground.yard.record(number)).state in OPEN:  # noqa: ASYNC110 - told first, then written down
        await asyncio.sleep(_LOOK)
    return at


async def _ended(ground: Ground, number: int) -> str:
    record = await ground.yard.record(number)
    return f"deployment {number} ended as {record.state}: {record.problem} {record.steps}"


async def _back(ground: Ground, phase: float) -> tuple[float, float]:
    """When 롤백 was pressed on a canary, and when all was over."""
    number = await ground.begin("v2")
    while await ground.site.traffic.share() != 50:
        if (await ground.yard.record(number)).state not in OPEN:
            raise ValueError(await _ended(ground, number))
        await asyncio.sleep(0.05)
    await asyncio.sleep(phase)  # anywhere between two looks of the judge's
    record = await ground.yard.record(number)
    clicked_at = time.monotonic()
    clicked = await ground.yard.desk.press(Click.STOP, number, record.plan_hash, ANN)
    if clicked is None or clicked.verdict != "taken":
        raise ValueError(f"the click was not taken: {clicked}")
    return clicked_at, await _over(ground, number, State.UNDONE)


async def _run(folder: Path, rounds: int, stages: tuple[int, ...], seconds: float) -> dict[str, list[float]]:
    front, chance = Front.read(folder), random.Random(_SEED)  # noqa: S311 - no secret
    url = f"sqlite+aiosqlite:///{folder / 'guardian.db'}"
    database = await Database.open(url)
    balancer = Balancer(haproxy(), folder, front.port, front.configuration, front.file)
    clicked: list[float] = []
    over: list[float] = []
    canary = _site(front, _environment(front, (50, 100), _HOUR, _HOUR))
    async with deployed_by(
        database, _Now(), folder, balancer, canary, lambda body: DbosRuns(url, body)
    ) as ground:
        for _ in range(rounds):
            async with asyncio.timeout(_REACHED):
                clicked_at, over_at = await _back(ground, chance.uniform(0.2, 1.2))
            clicked.append(clicked_at)
            over.append(over_at)
    stage = timedelta(seconds=seconds)
    whole = _site(front, _environment(front, stages, stage, stage))
    async with (
        deployed_by(database, _Now(), folder, balancer, whole, lambda body: DbosRuns(url, body)) as ground,
        asyncio.timeout(_REACHED),
    ):
        began = time.monotonic()
        number = await ground.begin("v2")
        ended = await _over(ground, number, State.DONE)
        steps = (await ground.yard.record(number)).steps
    await database.close()
    took = [(each.ended_at - each.began_at).total_seconds() for each in steps if each.ended_at is not None]
    return {"clicked_at": clicked, "over_at": over, "whole": [ended - began], "steps": took}


if __name__ == "__main__":
    configure_logs("warning", "console")
    place, count, shares, each = sys.argv[1:]
    percents = tuple(int(share) for share in shares.split(","))
    print(json.dumps(asyncio.run(_run(Path(place), int(count), percents, float(each)))))
