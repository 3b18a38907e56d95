"""Ten thousand alerts at once: how soon they are kept, how soon all of them are told, and what is lost."""

from __future__ import annotations

import asyncio
import contextlib
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from pydantic import JsonValue

from bench.door import Arrival, Door, open_door
from bench.figures import Figure, Result
from bench.manners import Failing, OneASecond, Paused
from bench.tellers import (
    Starting,
    Teller,
    alertmanager_teller,
    digest_teller,
    guardian_teller,
    has_alertmanager,
)
from bench.told import Told
from bench.usage import cpu_seconds, peak_mb

NAME = "storm"


@dataclass(frozen=True, slots=True)
class Load:
    """What is done to each program. Times are seconds; `quiet` is how long nothing may come before the
    alerts are repeated, and how long is listened afterwards."""

    alerts: int = 10_000
    outage: float = 30.0
    quiet: float = 12.0
    patience: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: seconds (infinite: never) and counts; `told` counts from the first alert sent, or from
    the end of the outage."""

    told: float = math.inf
    named: int = 0
    doubled: int = 0
    messages: int = 0
    refused: int = 0
    stored: float = math.nan
    cpu: float = math.nan
    peak: float = math.nan
    again: int = 0

    def as_json(self) -> dict[str, JsonValue]:
        """All that is known of it, for a file."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if math.isfinite(value)}


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: of which scene, which of its figures, and the aim."""

    scene: str
    what: str
    unit: str
    value: Callable[[Outcome], float]
    at_most: float | None = None


_ROWS = (
    _Row("all", "stored", "s", lambda out: out.stored, 1.0),
    _Row("all", "all told", "s", lambda out: out.told, 2.0),
    _Row("all", "messages", "messages", lambda out: out.messages),
    _Row("all", "CPU", "s", lambda out: out.cpu),
    _Row("all", "peak memory", "MB", lambda out: out.peak, 150.0),
    _Row("all", "for the same again", "messages", lambda out: out.again, 1),
    _Row("slow", "1 message a second, all told", "s", lambda out: out.told, 25.0),
    _Row("429", "429 for a while, all told after it", "s", lambda out: out.told, 2.0),
    _Row("429", "429 for a while, calls meanwhile", "calls", lambda out: out.refused),
    _Row("429", "429 for a while, told twice", "alerts", lambda out: out.doubled, 1),
    _Row("500", "500 for a while, all told after it", "s", lambda out: out.told, 2.0),
    _Row("500", "500 for a while, told twice", "alerts", lambda out: out.doubled, 1),
    _Row("kill", "SIGKILL at half, lost", "alerts", lambda out: out.named, 1),
    _Row("kill", "SIGKILL at half, told twice", "alerts", lambda out: out.doubled, 1),
)


async def measure(quick: bool) -> Result:
    """The Guardian, its floor, and Alertmanager where it is installed, each alone and one after the other."""
    load = Load(alerts=300, outage=1.0, quiet=0.5, patience=30.0) if quick else Load()
    scenes = ("all", "kill") if quick else ("all", "slow", "429", "500", "kill")
    programs: dict[str, Starting] = {"floor": digest_teller, "guardian": guardian_teller}
    if has_alertmanager() and not quick:
        programs["alertmanager"] = alertmanager_teller
    outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in programs}
    for scene in scenes:
        for name, starting in programs.items():
            outcomes[name][scene] = await _scene(scene, starting, load)
    figures = [_figure(row, load, outcomes) for row in _ROWS if row.scene in scenes]
    method = f"{load.alerts:,} alerts in one request, one program after the other, once each"
    if "alertmanager" not in programs:
        method += "; without Alertmanager, which is not asked or not installed"
    runs: dict[str, JsonValue] = {
        name: {scene: outcome.as_json() for scene, outcome in of.items()} for name, of in outcomes.items()
    }
    return Result(NAME, method, figures, runs)


def _figure(row: _Row, load: Load, outcomes: dict[str, dict[str, Outcome]]) -> Figure:
    values = {name: row.value(of[row.scene]) for name, of in outcomes.items()}
    if row.what.endswith("lost"):
        values = {name: load.alerts - named for name, named in values.items()}
    what = f"{load.alerts} alerts: {row.what}"
    peer = values.get("alertmanager")
    return Figure(what, row.unit, values["floor"], values["guardian"], at_most=row.at_most, peer=peer)


async def _scene(scene: str, starting: Starting, load: Load) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        async with open_door() as door, aiohttp.ClientSession() as session:
            told = Told()
            door.on_taken = told.take
            hall = _Hall(door, told, session, load)
            if scene == "kill":
                return await hall.killed(starting, Path(folder))
            async with starting(door, Path(folder)) as teller:
                if scene == "all":
                    return await hall.repeated(teller)
                return await hall.hindered(teller, scene)


@dataclass(frozen=True, slots=True)
class _Hall:
    """Where it happens: Slack's door, the book of what was told, and a way to send alerts."""

    door: Door
    told: Told
    session: aiohttp.ClientSession
    load: Load

    async def repeated(self, teller: Teller) -> Outcome:
        """Slack takes everything. When nothing more comes, the same alerts are sent again."""
        body = teller.body(self.load.alerts)
        spent, began = cpu_seconds(teller.program.pid), time.monotonic()
        await teller.post(self.session, body)
        stored = time.monotonic() - began
        await self._all_told()
        cpu = cpu_seconds(teller.program.pid) - spent
        outcome = replace(self._outcome(began), stored=stored, cpu=cpu)
        await self._until_quiet()
        before = len(self.door.arrivals)
        await teller.post(self.session, body)
        await asyncio.sleep(self.load.quiet)
        again = len(self.door.arrivals) - before
        return replace(outcome, again=again, peak=peak_mb(teller.program.pid))

    async def hindered(self, teller: Teller, scene: str) -> Outcome:
        """Slack takes one message a second, or none for a while; the alerts are sent at its beginning."""
        body = teller.body(self.load.alerts)
        began = time.monotonic()
        if scene == "slow":
            self.door.manners = OneASecond()
        else:
            outage = (Paused if scene == "429" else Failing)(self.load.outage)
            self.door.manners, began = outage, outage.ends_at
        await teller.post(self.session, body)
        await self._all_told(max(0.0, began - time.monotonic()))
        return self._outcome(began)

    async def killed(self, starting: Starting, state: Path) -> Outcome:
        """The program is killed while the message is under way with which half of the alerts are told. It is
        started again, and whoever sent the alerts sends them again."""
        async with starting(self.door, state) as teller:

            def take(arrival: Arrival) -> None:
                self.told.take(arrival)
                if 2 * len(self.told.names) >= self.load.alerts:
                    teller.program.kill()
                    self.door.on_taken = self.told.take

            self.door.on_taken = take
            with contextlib.suppress(aiohttp.ClientError):
                await teller.post(self.session, teller.body(self.load.alerts))
            async with asyncio.timeout(self.load.patience):
                await teller.program.process.wait()
        began = time.monotonic()
        async with starting(self.door, state) as teller:
            await teller.post(self.session, teller.body(self.load.alerts))
            await self._all_told()
            await self._until_quiet()
        return self._outcome(began)

    async def _all_told(self, longer: float = 0.0) -> None:
        with contextlib.suppress(TimeoutError):
            await self.door.until(
                lambda: len(self.told.names) >= self.load.alerts, self.load.patience + longer
            )

    async def _until_quiet(self) -> None:
        while await self._is_more_coming(len(self.door.arrivals)):
            pass

    async def _is_more_coming(self, seen: int) -> bool:
        try:
            await self.door.until(lambda: len(self.door.arrivals) > seen, self.load.quiet)
        except TimeoutError:
            return False
        return True

    def _outcome(self, began: float) -> Outcome:
        told = self.told
        is_all = len(told.names) >= self.load.alerts
        return Outcome(
            told=max(0.0, told.at - began) if is_all else math.inf,
            named=len(told.names),
            doubled=len(told.doubled),
            messages=told.messages,
            refused=len(self.door.refusals),
        )
