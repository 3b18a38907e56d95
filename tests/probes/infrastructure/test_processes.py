from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import psutil

from probes.infrastructure.processes import Processes

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_counts_what_runs() -> None:
    count, _ = Processes(host="web-1").read_blocking(AT)
    assert count.value is not None
    assert abs(count.value - len(psutil.pids())) < 50  # others start and end meanwhile
    assert count.value >= 2


def test_a_zombie_is_counted_and_named_with_its_parent() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        give_up = time.monotonic() + 60
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        _, zombies = Processes(host="web-1").read_blocking(AT)
        assert zombies.value is not None
        assert zombies.value >= 1
        # Only a few are named, and the machine may have others: ours is known by its parent.
        if zombies.value <= 5:
            assert (
                f"({child.pid}), child of {psutil.Process().name()} ({psutil.Process().pid})"
                in (zombies.facts["zombies"])
            )
    finally:
        child.wait()
