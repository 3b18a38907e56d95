"""Zombies and their parents, real ones, and the supervisor's command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest

from bot.domain.cleanup.zombies import Parent, parents
from bot.tools.cleanup.commands import CommandFailed, Ran
from bot.tools.cleanup.deep_scan import deep_scan
from bot.tools.cleanup.processes import processes
from bot.tools.cleanup.zombies import ask, dead

COMMAND = ("systemctl", "restart", "shop")
SHOP = Parent(10, "shop", 5.0, (11,), "systemd", COMMAND)
_LEAKING = """
import os, sys
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(pid, flush=True)
sys.stdin.read()
"""


class Asked:
    def __init__(self, *, fails: bool = False) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.fails = fails

    def __call__(self, command: Sequence[str]) -> Ran:
        self.commands.append(tuple(command))
        if self.fails:
            raise CommandFailed(command, "unit not found")
        return Ran("")


@pytest.fixture
def leaking() -> Iterator[tuple[int, int]]:
    """The pids of a process that doesn't collect its child, and of the child."""
    child = subprocess.Popen([sys.executable, "-c", _LEAKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        yield child.pid, int(child.stdout.readline())
        child.kill()


def test_a_real_zombie_is_found_with_its_parent(leaking: tuple[int, int]) -> None:
    parent, zombie = leaking
    name = psutil.Process(parent).name()
    found = {each.pid: each for each in parents(processes(), (), {name: COMMAND})}
    assert found[parent].zombies == (zombie,)
    assert found[parent].name == name
    assert found[parent].restart == COMMAND
    # Guardian started it here: so it is protected, and only reported.
    assert zombie in dead()
    scan = deep_scan(datetime.now(UTC), (), {name: COMMAND})
    (seen,) = (each for each in scan.zombies if each.pid == parent)
    assert (seen.protected, seen.restart) == (True, None)
    assert scan.processes > 1
    assert scan.memory.total > scan.memory.available > 0


def test_the_supervisor_is_asked_by_the_command_and_nobody_is_signalled() -> None:
    run = Asked()
    asked = ask([SHOP], [SHOP], run, lambda: False)
    assert run.commands == [COMMAND]
    assert (asked.restarted, asked.gone, asked.failed) == (["shop"], 0, [])


def test_without_a_command_nobody_is_asked() -> None:
    run, plain = Asked(), replace(SHOP, restart=None)
    assert ask([plain], [plain], run, lambda: False).restarted == []
    assert run.commands == []


@pytest.mark.parametrize(
    "now",
    [
        [],
        [replace(SHOP, started=99.0)],
        [replace(SHOP, name="other")],
        [replace(SHOP, protected=True)],
        [replace(SHOP, restart=("reboot",))],
    ],
)
def test_another_process_by_now_or_one_without_zombies_is_left(now: list[Parent]) -> None:
    run = Asked()
    assert ask([SHOP], now, run, lambda: False).gone == 1
    assert run.commands == []


def test_a_command_that_fails_is_told() -> None:
    asked = ask([SHOP], [SHOP], Asked(fails=True), lambda: False)
    assert (asked.restarted, asked.failed) == ([], ["shop: unit not found"])


def test_it_ends_when_somebody_wants_it_to() -> None:
    run = Asked()
    ask([SHOP], [SHOP], run, lambda: True)
    assert run.commands == []
