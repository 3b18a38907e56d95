"""The watchdog, as a process and on a clock of the test's, with a real HAProxy."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.lease import HeldLease, LeaseLost, forget
from bot.tools.traffic.drivers import TrafficConfiguration
from bot.tools.traffic.guarding import NobodyWatches, ensure_watchdog
from bot.tools.traffic.haproxy.driver import HaproxyTraffic
from bot.tools.traffic.leases import Fence, is_watched, lease_file, read_rolled, rolled_file, write_file
from bot.tools.traffic.watchdog import ANOTHER, GONE, Watchdog
from tests.tools.traffic.conftest import commands
from tests.tools.traffic.dogs import Dog, dog, small_guardian
from tests.tools.traffic.haproxy import Stage, load, until
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the leases are."""
    folder = tmp_path / "leases"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def traffic(stage: Stage) -> HaproxyTraffic:
    """HAProxy's driver."""
    return HaproxyTraffic(stage.balancer.configuration)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def pass_time(watchdog: Watchdog, clock: Clock, seconds: float) -> None:
    """Look twice a second for so long."""
    for _ in range(round(seconds * 2)):
        clock.now += 0.5
        watchdog.look()


async def written(folder: Path) -> None:
    """Wait until it is written down that the traffic of run-1 is back."""
    await eventually(
        lambda: rolled_file(folder, "run-1").exists() and not lease_file(folder, "run-1").exists()
    )


async def test_a_killed_guardian_costs_no_request_and_the_traffic_goes_back(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    async with dog(folder) as watching, load(stage.balancer.url) as found:
        async with small_guardian(folder, stage.balancer.configuration, 3.0) as guardian:
            await watching.says("watching")
            await found.more(50)
            guardian.kill()
            await watching.says("rolled")
            await found.more(50)
        assert found.failures == []
        assert await traffic.share() == 0
        rolled = read_rolled(folder, "run-1")
        assert rolled is not None
        assert (rolled.share_before, rolled.share, rolled.tries) == (25, 0, 1)
        assert rolled.waited >= 3.0
        assert not lease_file(folder, "run-1").exists()
        with pytest.raises(LeaseLost):
            await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 1.0)


async def test_it_does_so_by_commands_too(stage: Stage, traffic: HaproxyTraffic, folder: Path) -> None:
    await traffic.shift(25)
    async with dog(folder) as watching:
        async with small_guardian(folder, commands(stage), 0.5):
            pass
        await watching.says("rolled")
    assert await traffic.share() == 0


async def test_renewals_keep_it_quiet_and_their_end_does_not(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    held = await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 30.0)
    clock = Clock()
    watchdog = Watchdog(folder, clock)
    for _ in range(20):
        pass_time(watchdog, clock, 29.5)
        await held.renew()
    watchdog.look()
    pass_time(watchdog, clock, 29.5)
    await asyncio.sleep(0)
    assert (await traffic.share(), read_rolled(folder, "run-1")) == (25, None)
    pass_time(watchdog, clock, 1)
    await written(folder)
    assert await traffic.share() == 0


async def test_time_in_which_it_stood_still_does_not_count(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    """The whole machine was asleep: the Guardian shall have its time to renew."""
    await traffic.shift(25)
    await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 30.0)
    clock = Clock()
    watchdog = Watchdog(folder, clock)
    watchdog.look()
    clock.now += 3600
    watchdog.look()
    pass_time(watchdog, clock, 28)
    await asyncio.sleep(0)
    assert Fence.try_take(folder, "run-1") is not None
    assert await traffic.share() == 25


async def test_a_lease_that_ended_is_not_acted_on(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(100)
    held = await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 30.0)
    clock = Clock()
    watchdog = Watchdog(folder, clock)
    pass_time(watchdog, clock, 30)
    # It has lapsed at this look, and ends before anything was done.
    pass_time(watchdog, clock, 1)
    fence = Fence.try_take(folder, "run-1")
    assert fence is not None
    lease_file(folder, "run-1").unlink()
    fence.release()
    await watchdog.end()
    pass_time(watchdog, clock, 60)
    await held.end()
    assert await traffic.share() == 100
    assert read_rolled(folder, "run-1") is None


async def test_a_renewal_that_comes_first_wins(stage: Stage, traffic: HaproxyTraffic, folder: Path) -> None:
    await traffic.shift(25)
    held = await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 30.0)
    clock = Clock()
    watchdog = Watchdog(folder, clock)
    watchdog.look()
    async with held.guarded():  # renewed, and the fence is ours; the watchdog has not looked yet
        task = asyncio.create_task(lapsed(watchdog, clock, 30))
        await task
        await traffic.shift(50)
    await held.renew()
    assert (await traffic.share(), read_rolled(folder, "run-1")) == (50, None)


async def lapsed(watchdog: Watchdog, clock: Clock, seconds: float) -> None:
    """Turn the clock, and let what that began come to its first wait."""
    pass_time(watchdog, clock, seconds + 1)
    await asyncio.sleep(0)


async def test_an_act_that_comes_first_wins(stage: Stage, traffic: HaproxyTraffic, folder: Path) -> None:
    """HAProxy is away, so that the watchdog stays at it."""
    await traffic.shift(25)
    held = await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 30.0)
    await stage.balancer.stop()
    clock = Clock()
    watchdog = Watchdog(folder, clock)
    watchdog.look()
    await lapsed(watchdog, clock, 30)
    with pytest.raises(LeaseLost) as lost:
        await held.renew()
    assert lost.value.rolled is None
    with pytest.raises(LeaseLost):
        async with held.guarded():
            raise AssertionError("the watchdog is at it")
    await stage.balancer.start()
    await written(folder)
    with pytest.raises(LeaseLost) as lost:
        await held.renew()
    assert lost.value.rolled is not None
    with pytest.raises(LeaseLost):
        await held.end()
    assert await traffic.share() == 0


async def test_of_a_renewal_and_an_act_at_once_one_wins(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    for number in range(20):
        run = f"run-{number}"
        await traffic.shift(25)
        held = await HeldLease.take(folder, run, stage.balancer.configuration, 0, 1.0)
        clock = Clock()
        watchdog = Watchdog(folder, clock)
        pass_time(watchdog, clock, 1.5)  # lapsed: its task is there and has not begun

        async def shifting(held: HeldLease = held) -> bool:
            try:
                async with held.guarded():
                    await traffic.shift(50)
            except LeaseLost:
                return False
            return True

        if number % 2:
            await asyncio.sleep(0)
        won = await shifting()
        await until(functools.partial(_quiet, folder, run))
        rolled = read_rolled(folder, run)
        assert (rolled is None) == won
        assert await traffic.share() == (50 if won else 0)
        if won:
            await held.end()
        await watchdog.end()


async def _quiet(folder: Path, run: str) -> bool:
    fence = Fence.try_take(folder, run)
    if fence is not None:
        fence.release()
    return fence is not None


async def test_it_goes_on_trying_while_haproxy_is_away(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    async with dog(folder) as watching:
        async with small_guardian(folder, stage.balancer.configuration, 3.0):
            await stage.balancer.stop()
        assert (await watching.says("trying"))["reason"] == "traffic_gone"
        # HAProxy comes back with what the watchdog wrote down meanwhile, before it was told anything.
        assert "shop 0" in stage.balancer.map_file.read_text()
        await stage.balancer.start()
        await watching.says("rolled")
    assert await traffic.share() == 0


async def test_a_guardian_that_is_stuck_at_the_traffic_does_not_keep_it(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    async with (
        dog(folder) as watching,
        small_guardian(folder, stage.balancer.configuration, 0.5, "guarded") as guardian,
    ):
        guardian.send_signal(signal.SIGSTOP)

        async def back() -> bool:
            return await traffic.share() == 0

        await until(back)
        await traffic.shift(50)  # what it was about to do, and does as it moves again
        guardian.send_signal(signal.SIGCONT)
        assert guardian.stdin is not None and guardian.stdout is not None
        guardian.stdin.write(b"\n")
        await watching.says("rolled")
        assert await guardian.stdout.readline() == b"lost to run-1\n"
        assert await traffic.share() == 0


def slots(stage: Stage) -> dict[Slot, Address]:
    """Where its releases listen."""
    return {slot: Address.of(release.address) for slot, release in stage.releases.items()}


@asynccontextmanager
async def abandoned(stage: Stage, folder: Path) -> AsyncIterator[Dog]:
    """A watchdog, and the lease of a Guardian that is gone."""
    async with dog(folder) as watching:
        async with small_guardian(folder, stage.balancer.configuration, 0.5, slots=slots(stage)):
            pass
        yield watching


async def test_a_blue_that_is_gone_gets_nothing_until_it_is_there_again(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(100)
    blue = stage.releases[Slot.A]
    await blue.stop()
    async with dog(folder) as watching, load(stage.balancer.url) as found:
        async with small_guardian(folder, stage.balancer.configuration, 0.5, slots=slots(stage)):
            await watching.says("watching")
        told = await watching.says("stays")
        assert (told["run"], told["blue"]) == ("run-1", blue.address)
        await found.more(50)
        assert (await traffic.share(), read_rolled(folder, "run-1")) == (100, None)
        await blue.start()
        await watching.says("rolled")
        await found.more(50)
        assert found.failures == []
        assert await traffic.share() == 0
        assert len(watching.events("stays")) == 1


async def test_it_goes_back_when_green_is_gone_as_well(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(75)
    await stage.releases[Slot.A].stop()
    async with abandoned(stage, folder) as watching:
        await watching.says("stays")
        await stage.releases[Slot.B].stop()
        await watching.says("rolled")
    assert await traffic.share() == 0


async def test_blue_may_be_in_the_other_slot(stage: Stage, traffic: HaproxyTraffic, folder: Path) -> None:
    await traffic.shift(25)
    await stage.releases[Slot.B].stop()
    await HeldLease.take(folder, "run-1", stage.balancer.configuration, 100, 0.5, slots(stage))
    async with dog(folder) as watching:
        await watching.says("stays")
        assert await traffic.share() == 25
        await stage.releases[Slot.B].start()
        await watching.says("rolled")
    assert await traffic.share() == 100


async def test_a_guardian_that_comes_back_while_blue_is_gone_goes_on(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(75)
    await stage.releases[Slot.A].stop()
    async with abandoned(stage, folder) as watching:
        await watching.says("stays")
        held = await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 3000.0, slots(stage))
        await watching.says("renewed")
        await stage.releases[Slot.A].start()
        await held.renew()
    assert (await traffic.share(), read_rolled(folder, "run-1")) == (75, None)


async def test_nor_does_it_act_on_one_that_has_given_up_while_blue_is_gone(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(75)
    await stage.releases[Slot.A].stop()
    async with abandoned(stage, folder) as watching:
        await watching.says("stays")
        forget(folder, "run-1")
        await watching.says("ended")
        await stage.releases[Slot.A].start()
    assert (await traffic.share(), read_rolled(folder, "run-1")) == (75, None)


async def test_a_guardian_that_is_stuck_keeps_its_lease_while_blue_is_gone(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(75)
    await stage.releases[Slot.A].stop()
    async with (
        dog(folder) as watching,
        small_guardian(folder, stage.balancer.configuration, 0.5, "guarded", slots(stage)) as guardian,
    ):
        guardian.send_signal(signal.SIGSTOP)
        await watching.says("stays")
        assert (await traffic.share(), read_rolled(folder, "run-1")) == (75, None)
        await stage.releases[Slot.A].start()
        await watching.says("revoked")
        guardian.send_signal(signal.SIGCONT)
        assert guardian.stdin is not None
        guardian.stdin.write(b"\n")
        await watching.says("rolled")
    assert await traffic.share() == 0


async def test_where_green_carries_nothing_there_is_nothing_to_leave(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await stage.releases[Slot.A].stop()
    async with abandoned(stage, folder) as watching:
        await watching.says("rolled")
        assert watching.events("stays") == []
    assert await traffic.share() == 0


async def test_a_lease_without_addresses_is_acted_on_as_ever(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    """From a Guardian before this one, which the watchdog has outlived."""
    await traffic.shift(75)
    await stage.releases[Slot.A].stop()
    async with dog(folder) as watching:
        async with small_guardian(folder, stage.balancer.configuration, 0.5):
            document = json.loads(lease_file(folder, "run-1").read_bytes())
        del document["slots"]
        write_file(lease_file(folder, "run-1"), json.dumps(document), lasting=False)
        await watching.says("rolled")
    assert await traffic.share() == 0


async def test_garbage_is_told_of_once_and_in_nobodys_way(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    (folder / "lease-broken.json").write_text("{")
    (folder / "lease-large.json").write_text(" " * 100_000)
    (folder / "lease-deep.json").write_text("[" * 50_000)
    (folder / "lease-empty.json").write_text("")
    (folder / "lease-link.json").symlink_to("/etc/passwd")
    (folder / "lease-folder.json").mkdir()
    os.mkfifo(folder / "lease-pipe.json")
    (folder / "lease-open.json").write_text("{}")
    (folder / "lease-open.json").chmod(0o666)
    (folder / "lease-bad name.json").write_text("{}")
    await traffic.shift(25)
    async with dog(folder) as watching:
        expected = sorted("broken large deep empty link folder pipe open other share traffic".split())

        def told() -> list[str]:
            return sorted(str(each["run"]) for each in watching.events("garbage"))

        async with small_guardian(folder, stage.balancer.configuration, 3.0):
            good = json.loads(lease_file(folder, "run-1").read_bytes())
            for name, change in (("other", {}), ("share", {"b": 101}), ("traffic", {"traffic": {}})):
                write_file(folder / f"lease-{name}.json", json.dumps(good | change), lasting=False)
            await eventually(lambda: len(told()) >= len(expected))
        await watching.says("rolled")
        assert told() == expected
    assert await traffic.share() == 0


async def test_a_lease_that_is_spoilt_renews_nothing(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 30.0)
    clock = Clock()
    watchdog = Watchdog(folder, clock)
    watchdog.look()
    lease_file(folder, "run-1").write_text("spoilt")
    pass_time(watchdog, clock, 31)
    await written(folder)
    assert await traffic.share() == 0


async def test_one_watches_a_folder_and_the_next_takes_over(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    async with dog(folder) as first:
        await first.says("begins")
        async with dog(folder) as second:
            await second.says("another")
            assert await second.process.wait() == ANOTHER
        async with small_guardian(folder, stage.balancer.configuration, 3.0):
            await first.says("watching")
            first.process.kill()
            await first.process.wait()
    assert not is_watched(folder)
    async with dog(folder) as third:
        await third.says("rolled")
    assert await traffic.share() == 0


async def test_it_ends_by_sigterm_also_while_it_is_trying(stage: Stage, folder: Path) -> None:
    await stage.balancer.stop()
    async with dog(folder) as watching:
        async with small_guardian(folder, stage.balancer.configuration, 0.5):
            pass
        await watching.says("trying")
        watching.process.terminate()
        assert await watching.process.wait() == 0
    assert lease_file(folder, "run-1").exists()


async def test_one_that_lingers_ends_when_there_are_no_leases(
    stage: Stage, folder: Path, traffic: HaproxyTraffic
) -> None:
    await traffic.shift(25)
    async with small_guardian(folder, stage.balancer.configuration, 0.5):
        pass
    async with dog(folder, linger=0.0) as watching:
        await watching.says("rolled")
        assert await watching.process.wait() == 0
    assert not is_watched(folder)


async def test_it_ends_when_its_folder_is_gone(folder: Path) -> None:
    """Also one that lingers: it would be left behind for ever, and hold a place that nobody finds."""
    async with dog(folder, linger=3600.0) as watching:
        await watching.says("begins")
        shutil.rmtree(folder)
        await watching.says("folder_gone")
        assert await watching.process.wait() == GONE


async def test_a_lease_that_was_written_as_it_let_go_is_watched(stage: Stage, folder: Path) -> None:
    """Without a lease it would end at once: whoever sees it watch must be able to trust that."""
    for _ in range(5):
        async with dog(folder, linger=0.0) as watching:
            await watching.says("begins")
            held = await HeldLease.take(folder, "run-1", stage.balancer.configuration, 0, 3000.0)
            if is_watched(folder):
                await watching.says("watching")
            await held.end()


async def test_what_a_guardian_started_outlives_it(
    stage: Stage, traffic: HaproxyTraffic, folder: Path
) -> None:
    await traffic.shift(25)
    async with small_guardian(folder, stage.balancer.configuration, 3.0):
        code = (
            "import asyncio, pathlib, sys\n"
            "from bot.tools.traffic.guarding import ensure_watchdog\n"
            "async def main():\n"
            "    print(await ensure_watchdog(pathlib.Path(sys.argv[1])), flush=True)\n"
            "    await asyncio.sleep(600)\n"
            "asyncio.run(main())\n"
        )
        starting = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(folder), stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        assert starting.stdout is not None
        assert await starting.stdout.readline() == b"True\n"
        pid = json.loads((folder / "watchdog.log").read_text().splitlines()[0])["pid"]
        watching = psutil.Process(pid)
        try:
            assert not await ensure_watchdog(folder)
            starting.kill()
            await starting.wait()
            assert is_watched(folder)
            assert os.getsid(pid) != os.getsid(0)
            assert watching.ppid() not in (starting.pid, os.getpid())
        except BaseException:
            watching.kill()
            raise
    try:
        await written(folder)
    finally:
        watching.terminate()
    assert await traffic.share() == 0
    await eventually(lambda: not is_watched(folder))


async def test_a_folder_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "watchdog.lock").mkdir()
    with pytest.raises((NobodyWatches, OSError)):
        await ensure_watchdog(place, within=0.1)


def test_it_is_small() -> None:
    """It waits for days beside the Guardian: nothing of the database, of Slack, of pydantic is loaded."""
    code = "import sys, bot.tools.traffic.watchdog; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    heavy = {"sqlalchemy", "slack_bolt", "slack_sdk", "pydantic", "aiohttp", "structlog", "yaml", "typer"}
    assert loaded & heavy == set()


@pytest.mark.parametrize("configuration", ["haproxy", "command"])
async def test_it_reads_what_the_guardian_writes(stage: Stage, folder: Path, configuration: str) -> None:
    its: TrafficConfiguration = (
        stage.balancer.configuration if configuration == "haproxy" else commands(stage)
    )
    async with dog(folder) as watching:
        held = await HeldLease.take(folder, "run-1", its, 0, 3000.0)
        told = await watching.says("watching")
        assert (told["run"], told["seconds"], told["b"]) == ("run-1", 3000.0, 0)
        await held.end()
        await watching.says("ended")
        assert watching.events("garbage") == []
