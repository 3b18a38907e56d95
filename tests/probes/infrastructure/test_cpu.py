from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psutil
import pytest

from probes.infrastructure.cpu import Cpu

AT = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def busy_processes(count: int) -> Iterator[list[int]]:
    """`count` processes that compute without end, for as long as the block runs."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_fresh_probe_has_a_value_at_once() -> None:
    (reading,) = Cpu(host="web-1").read_blocking(AT)
    assert reading.value is not None
    assert 0 <= reading.value <= 100
    assert reading.target == "web-1"


class Kernel:
    """The kernel's own counters over the same time, to compare with."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def usage(self) -> float:
        now = psutil.cpu_times()
        spent = {name: getattr(now, name) - getattr(self._before, name) for name in now._fields}
        guests = spent.get("guest", 0) + spent.get("guest_nice", 0)
        unused = spent["idle"] + spent.get("iowait", 0)
        return float(100 * (1 - unused / (sum(spent.values()) - guests)))


def test_it_agrees_with_the_kernel_and_names_who_keeps_the_cores_busy() -> None:
    with busy_processes(os.cpu_count() or 1) as pids:
        kernel, probe = Kernel(), Cpu(host="web-1", facts_above=0, settle=0)
        time.sleep(0.5)  # the interval that is measured, not a wait for something to happen
        expected = kernel.usage()
        (reading,) = probe.read_blocking(AT)
    assert reading.value == pytest.approx(expected, abs=10)
    assert any(f"({pid})" in reading.facts["largest_processes"] for pid in pids)


def test_a_second_probe_does_not_shorten_the_interval_of_the_first() -> None:
    """Work, then rest: the first sees both, though the second reads in between."""
    kernel, first, second = Kernel(), Cpu(host="a", settle=0), Cpu(host="b", facts_above=101, settle=0)
    with busy_processes(os.cpu_count() or 1):
        time.sleep(0.5)
        (busy,) = second.read_blocking(AT)
    time.sleep(0.5)
    (rest,) = second.read_blocking(AT)
    expected = kernel.usage()
    (both,) = first.read_blocking(AT)
    assert busy.value is not None and rest.value is not None
    assert both.value == pytest.approx(expected, abs=10)
    assert min(busy.value, rest.value) - 10 <= expected <= max(busy.value, rest.value) + 10


def test_facts_are_left_out_on_a_calm_machine() -> None:
    (reading,) = Cpu(host="web-1", facts_above=101).read_blocking(AT)
    assert "largest_processes" not in reading.facts
