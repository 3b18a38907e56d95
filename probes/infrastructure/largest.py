"""The processes that use most, told on an alert. Looked for only when a value is high: a scan costs CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from probes.sizes import human_bytes

COUNT = 3
"""How many are named: the source of trouble is nearly always among the first three."""


def largest_by_cpu(pause: float = 0.25) -> str:
    """The processes that used most CPU during `pause` seconds (it sleeps that long), as
    `name (pid) percent of all cores`, separated by commas; empty when none used any."""
    cores = psutil.cpu_count() or 1
    before = {process.pid: seconds for process, seconds in _cpu_seconds()}
    started = time.monotonic()
    time.sleep(pause)
    elapsed = time.monotonic() - started
    used = [
        (100 * (seconds - before[process.pid]) / (elapsed * cores), process)
        for process, seconds in _cpu_seconds()
        if process.pid in before
    ]
    used.sort(key=lambda pair: pair[0], reverse=True)
    return ", ".join(
        f"{_name(process)} ({process.pid}) {min(percent, 100.0):.0f}%"
        for percent, process in used[:COUNT]
        if percent > 0
    )


def largest_by_memory() -> str:
    """The processes with most resident memory, as `name (pid) size`, separated by commas."""
    sizes = []
    for process in _processes():
        try:
            sizes.append((process.memory_info().rss, process))
        except psutil.Error:
            continue  # it ended, or is not ours to look at
    sizes.sort(key=lambda pair: pair[0], reverse=True)
    return ", ".join(
        f"{_name(process)} ({process.pid}) {human_bytes(size)}" for size, process in sizes[:COUNT]
    )


def _processes() -> Iterator[psutil.Process]:
    # Not process_iter: it keeps one cache for the whole interpreter, and probes run in several threads.
    for pid in psutil.pids():
        try:
            yield psutil.Process(pid)
        except psutil.Error:
            continue


def _cpu_seconds() -> Iterator[tuple[psutil.Process, float]]:
    for process in _processes():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        yield process, times.user + times.system


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "?"
