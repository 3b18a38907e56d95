"""Rollbacks under a full load: from the click on 롤백 to Blue carrying everything, beside HAProxy's bare
call. And a deployment through Slack, and a whole one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from bench.canaries_at_slack import clicked
from bench.figures import Figure, Result, middle, percentile
from bench.front import LOGGED, Front, fronted
from bench.operations import SIGN_AIM, signs_of_the_least
from bench.program import told_by
from bench.shares import watched
from bench.wrk import Load, load
from bot.domain.deploy.slots import Slot

NAME = "rollback"
BACK_AIM = 1000.0
"""milliseconds, p99"""
OVER_AIM = 30.0
"""seconds: the document's"""
_PERCENTS = (50.0, 95.0, 99.0)
_PATIENCE = 1800.0
"""seconds that one side may take for all of it"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one side did, with what wrk and HAProxy counted meanwhile."""

    back: Sequence[float]
    """seconds until slot a carries everything, for each rollback"""
    over: Sequence[float]
    """seconds until all was over"""
    whole: float
    """seconds of the whole deployment"""
    steps: Sequence[float]
    """of its steps, where there are any"""
    load: Load
    hidden: int
    """failures by HAProxy's counters, also those that no client saw"""


async def measure(quick: bool) -> Result:
    """Figures of the desk with durable runs on SQLite, of the same calls by hand, and of a whole Guardian."""
    if quick:
        return await _measure(1, 1, 4, (100,), 1.0)
    # In stages much shorter than three seconds the judge finds too little to go by.
    return await _measure(50, 20, 50, (10, 25, 50, 75, 100), 3.0)


async def _measure(
    rounds: int, clicks: int, connections: int, stages: Sequence[int], seconds: float
) -> Result:
    with tempfile.TemporaryDirectory(prefix="guardian-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with fronted(folder) as front:
            floor = await _floor(front, rounds, connections, stages, seconds)
            ours = await _guardian(front, rounds, connections, stages, seconds)
    floor_signs = await signs_of_the_least(clicks)
    slack = await clicked(clicks)
    percents = ", ".join(map(str, stages))
    figures = [
        *(
            Figure(
                f"click on rollback until Blue carries everything, p{percent:g}", "ms",
                1000 * percentile(floor.back, percent), 1000 * percentile(ours.back, percent),
                at_most=BACK_AIM if percent == 99 else None,
            )
            for percent in _PERCENTS
        ),
        Figure("click on rollback until all is over, p50", "s", middle(floor.over), middle(ours.over)),
        Figure("click on rollback until all is over, p99", "s", percentile(floor.over, 99),
               percentile(ours.over, 99), at_most=OVER_AIM),
        Figure("rollbacks: requests, by wrk's count", "failed", floor.load.failures, ours.load.failures,
               at_most=1),
        Figure("rollbacks: requests, and tries again, by HAProxy's count", "failed", floor.hidden,
               ours.hidden, at_most=1),
        Figure("requests carried meanwhile", "1/s", floor.load.per_second, ours.load.per_second),
        *(
            Figure(
                f"approval of a deployment to the first sign, p{percent:g}", "ms",
                percentile(floor_signs, percent), percentile(slack.signs, percent), at_most=SIGN_AIM,
            )
            for percent in (50.0, 95.0)
        ),
        Figure("click in Slack until Blue carries everything, no load, p95", "ms",
               1000 * percentile(slack.floor_back, 95), 1000 * percentile(slack.back, 95), at_most=BACK_AIM),
        Figure(f"a whole deployment, {seconds:g} s at {percents} % each and with Blue warm",
               "s", floor.whole, ours.whole),
    ]  # fmt: skip
    method = (
        f"{rounds} rollbacks from 50 %, wrk with {connections} connections at full rate, HAProxy asked every"
        f" 2 ms, one request in {LOGGED} logged; {ours.load.requests:,} requests; then, without a load,"
        f" {clicks} deployments through Slack"
    )
    runs: dict[str, JsonValue] = {
        "floor back": _rounded(floor.back),
        "floor over": _rounded(floor.over),
        "guardian back": _rounded(ours.back),
        "guardian over": _rounded(ours.over),
        "requests": [floor.load.requests, ours.load.requests],
    }
    runs |= {
        "floor signs": _rounded(floor_signs),
        "guardian signs": _rounded(slack.signs),
        "floor back, no load": _rounded(slack.floor_back),
        "guardian back from Slack, no load": _rounded(slack.back),
        "steps of the whole deployment": _rounded(ours.steps),
    }
    return Result(NAME, method, figures, runs)


async def _floor(front: Front, rounds: int, connections: int, stages: Sequence[int], seconds: float) -> _Seen:
    await front.start(Slot.B, "v2")
    # What the deployment waits besides: Blue is kept warm for as long as a stage.
    module = front.by_hand(rounds, [*stages, stages[-1]], seconds)
    seen = await _seen(front, module, connections, "began_at")
    await front.releases().stop(Slot.B)
    return seen


async def _guardian(
    front: Front, rounds: int, connections: int, stages: Sequence[int], seconds: float
) -> _Seen:
    module = ["-m", "bench.parts.going_back", str(front.folder), str(rounds)]
    return await _seen(front, [*module, ",".join(map(str, stages)), str(seconds)], connections, "clicked_at")


async def _seen(front: Front, module: Sequence[str], connections: int, began_at: str) -> _Seen:
    with watched(front.configuration) as shares:
        async with load(front.url, connections) as carried:
            # wrk begins with a connection on which it asks nothing, which HAProxy answers with 400.
            before = await front.failures()
            told: Mapping[str, Sequence[float]] = await told_by(module, _PATIENCE)
            hidden = await front.failures() - before
    moments = told[began_at]
    over = [after - at for at, after in zip(moments, told["over_at"], strict=True)]
    return _Seen(shares.seconds(moments), over, told["whole"][0], told.get("steps", []), carried, hidden)


def _rounded(values: Sequence[float]) -> list[JsonValue]:
    return [round(value, 5) for value in values]
