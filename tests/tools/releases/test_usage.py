"""What processes take, and what they may."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bot.tools.releases.limits import limits
from bot.tools.releases.usage import Meter

_BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"


@contextmanager
def running(code: str) -> Iterator[psutil.Process]:
    """A process that runs this and says when it has."""
    command = [sys.executable, "-c", code + "\nprint('done', flush=True)\ninput()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def test_what_children_took_counts_also_when_they_have_ended() -> None:
    burn = _BURN.format(seconds=0.3)
    with running(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])") as process:
        usage = Meter().measure(process.pid)
        cores = limits(process).cores
        lived = time.time() - process.create_time()
    assert usage is not None
    assert usage.cpu >= 100 * 0.3 / cores / (lived + 1)


def test_the_second_look_is_of_the_time_since_the_first() -> None:
    with running(_BURN.format(seconds=0.5)) as process:
        meter = Meter()
        first = meter.measure(process.pid)
        second = meter.measure(process.pid)
    assert first is not None and second is not None
    assert first.cpu > second.cpu  # it does nothing any more


def test_memory_of_all_processes_together_counts() -> None:
    hold = "import subprocess, sys\ndata = b'x' * 60_000_000\n"
    child = "data = b'x' * 60_000_000; print('done', flush=True); input()"
    more = (
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE,"
        " stdout=subprocess.PIPE)\nchild.stdout.readline()\n"
    )
    with running(hold) as alone, running(hold + more) as two:
        one, both = Meter().measure(alone.pid), Meter().measure(two.pid)
        memory = limits(alone).memory
    assert one is not None and both is not None
    assert (both.memory - one.memory) * memory / 100 > 50_000_000


def test_what_is_gone_takes_nothing() -> None:
    with running("") as process:
        pass
    assert Meter().measure(process.pid) is None


CORES, MEMORY = float(len(psutil.Process().cpu_affinity() or [])), psutil.virtual_memory().total
MACHINE = (CORES, MEMORY)
V1 = "5:cpu,cpuacct:/shop\n4:memory:/shop/a\n1:name=systemd:/\n"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {}, MACHINE),
        ("0::/\n", {"cpu.max": "5000 100000", "memory.max": "1000000"}, (0.05, 1_000_000)),
        ("0::/\n", {"cpu.max": "max 100000", "memory.max": "max"}, MACHINE),
        ("0::/shop/a\n", {"shop/cpu.max": "5000 100000", "shop/a/cpu.max": "9000 100000"}, (0.05, MEMORY)),
        ("0::/shop/a\n", {"shop/memory.max": "3000000", "shop/a/memory.max": "200"}, (CORES, 200)),
        ("0::/not/seen/here\n", {"memory.max": "3000000"}, (CORES, 3_000_000)),
        (V1, {"cpu/shop/cpu.cfs_quota_us": "2500", "cpu/shop/cpu.cfs_period_us": "100000"}, (0.025, MEMORY)),
        (V1, {"cpu/shop/cpu.cfs_quota_us": "-1", "cpu/shop/cpu.cfs_period_us": "100000"}, MACHINE),
        (V1, {"memory/memory.limit_in_bytes": "2000000"}, (CORES, 2_000_000)),
        (V1, {"memory/shop/a/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("", {"memory.max": "3000000"}, MACHINE),
    ],
)  # fmt: skip
def test_limits_are_the_narrowest_of_the_machine_and_all_control_groups(
    tmp_path: Path, membership: str, files: dict[str, str], expected: tuple[float, int]
) -> None:
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = limits(psutil.Process(), tmp_path, tmp_path / "membership")
    assert (found.cores, found.memory) == expected
