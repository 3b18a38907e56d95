from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from probes.base import Reading
from probes.infrastructure.memory import Memory

AT = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1024**2


def usage_of(readings: list[Reading]) -> float:
    (value,) = [reading.value for reading in readings if reading.metric == "memory_usage"]
    assert value is not None
    return value


def version_2(root: Path, limit: str, used: int, inactive: int) -> None:
    (root / "memory.max").write_text(f"{limit}\n")
    (root / "memory.current").write_text(f"{used}\n")
    (root / "memory.stat").write_text(f"anon 1\nfile 2\ninactive_anon 3\ninactive_file {inactive}\n")


def version_1(root: Path, limit: int, used: int, inactive: int) -> None:
    folder = root / "memory"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(f"{limit}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"cache 5\ninactive_file 7\ntotal_inactive_file {inactive}\n")


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="compares with Linux's /proc/meminfo")
def test_it_agrees_with_the_kernel(tmp_path: Path) -> None:
    value = usage_of(Memory(host="web-1", cgroup_root=tmp_path).read_blocking(AT))
    lines = Path("/proc/meminfo").read_text().splitlines()
    kernel = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    expected = 100 * (1 - kernel["MemAvailable"] / kernel["MemTotal"])
    assert value == pytest.approx(expected, abs=5)  # other programs work meanwhile


def test_swap_that_does_not_exist_has_no_reading() -> None:
    metrics = {reading.metric for reading in Memory(host="web-1").read_blocking(AT)}
    assert ("swap_usage" in metrics) == (psutil.swap_memory().total > 0)


def test_the_limit_of_a_container_counts(tmp_path: Path) -> None:
    version_2(tmp_path, str(64 * MIB), used=48 * MIB, inactive=16 * MIB)
    assert usage_of(Memory(host="web-1", cgroup_root=tmp_path).read_blocking(AT)) == 50


def test_the_older_control_groups_count_as_well(tmp_path: Path) -> None:
    version_1(tmp_path, 64 * MIB, used=64 * MIB, inactive=16 * MIB)
    assert usage_of(Memory(host="web-1", cgroup_root=tmp_path).read_blocking(AT)) == 75


@pytest.mark.parametrize("limit", ["max", str(2**62)])
def test_a_container_without_a_limit_is_the_machine(tmp_path: Path, limit: str) -> None:
    version_2(tmp_path, limit, used=48 * MIB, inactive=0)
    (reading, *_) = Memory(host="web-1", cgroup_root=tmp_path).read_blocking(AT)
    (machine, *_) = Memory(host="web-1", cgroup_root=tmp_path / "nothing").read_blocking(AT)
    assert reading.facts["total"] == machine.facts["total"]


def test_unreadable_limits_leave_the_machines_figures(tmp_path: Path) -> None:
    version_2(tmp_path, "sixty-four", used=48 * MIB, inactive=0)
    (reading, *_) = Memory(host="web-1", cgroup_root=tmp_path).read_blocking(AT)
    (machine, *_) = Memory(host="web-1", cgroup_root=tmp_path / "nothing").read_blocking(AT)
    assert reading.facts["total"] == machine.facts["total"]


def test_the_largest_processes_are_named_when_memory_is_short() -> None:
    (calm, *_) = Memory(host="web-1", facts_above=101).read_blocking(AT)
    (short, *_) = Memory(host="web-1", facts_above=0).read_blocking(AT)
    assert "largest_processes" not in calm.facts
    assert "iB" in short.facts["largest_processes"]
