"""The Guardian's side of a lease. The watchdog's is in tests/tools/traffic/test_watchdog.py."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.engine.deploy.lease import HeldLease, LeaseLost, forget
from bot.tools.traffic.leases import Fence, Lease, Rolled, lease_file, read_rolled, rolled_file, write_file
from tests.tools.traffic.test_configuration import HAPROXY

ROLLED = Rolled("run-1", "2026-11-29T18:00:00.000+00:00", 3, 30.2, 25, 0, 1)


async def take(folder: Path) -> HeldLease:
    """A lease of run-1."""
    return await HeldLease.take(folder, "run-1", HAPROXY, 0, 30.0)


def read(folder: Path) -> Lease:
    """What the file says."""
    return Lease.read(lease_file(folder, "run-1").read_bytes(), "run-1")


async def test_every_renewal_changes_it(tmp_path: Path) -> None:
    held = await take(tmp_path / "leases")
    seen = {read(tmp_path / "leases").counter}
    for _ in range(3):
        await held.renew()
        seen.add(read(tmp_path / "leases").counter)
    async with held.guarded():
        seen.add(read(tmp_path / "leases").counter)
    seen.add((await take(tmp_path / "leases"), read(tmp_path / "leases").counter)[1])
    assert len(seen) == 6


async def test_the_watchdog_is_kept_out_as_long_as_the_traffic_is_changed(tmp_path: Path) -> None:
    held = await take(tmp_path)
    async with held.guarded():
        assert Fence.try_take(tmp_path, "run-1") is None
    with pytest.raises(RuntimeError, match="in the middle"):
        async with held.guarded():
            raise RuntimeError("in the middle")
    fence = Fence.try_take(tmp_path, "run-1")
    assert fence is not None
    fence.release()


async def test_a_moment_of_the_watchdogs_is_waited_for(tmp_path: Path) -> None:
    held = await take(tmp_path)
    fence = Fence.try_take(tmp_path, "run-1")
    assert fence is not None
    renewing = asyncio.create_task(held.renew())
    await asyncio.sleep(0)
    fence.release()
    await renewing


async def test_it_is_lost_while_the_watchdog_is_at_it(tmp_path: Path) -> None:
    held = await take(tmp_path)
    fence = Fence.try_take(tmp_path, "run-1")
    assert fence is not None
    before = read(tmp_path)
    for call in (held.renew(), held.end()):
        with pytest.raises(LeaseLost) as lost:
            await call
        assert lost.value.rolled is None
    assert read(tmp_path) == before
    fence.release()


@pytest.mark.parametrize("content", [ROLLED.written(), "garbage"])
async def test_it_is_lost_when_the_watchdog_has_acted(tmp_path: Path, content: str) -> None:
    held = await take(tmp_path)
    write_file(rolled_file(tmp_path, "run-1"), content, lasting=True)
    for call in (held.renew(), held.end(), take(tmp_path)):
        with pytest.raises(LeaseLost) as lost:
            await call
        assert lost.value.rolled is not None
        assert lost.value.rolled.run == "run-1"
    forget(tmp_path, "run-1")
    assert read_rolled(tmp_path, "run-1") is None
    await take(tmp_path)


async def test_its_end_leaves_nothing(tmp_path: Path) -> None:
    held = await take(tmp_path)
    await held.end()
    assert os.listdir(tmp_path) == []
    await held.end()
    assert os.listdir(tmp_path) == []
