"""Asking the supervisor of a process with zombies to restart it, by the command of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.cleanup.zombies import Parent
from bot.tools.cleanup.commands import CommandFailed, Run
from bot.tools.cleanup.processes import processes


@dataclass(slots=True)
class Asked:
    """What became of the parents."""

    restarted: list[str] = field(default_factory=list)
    """names of those whose command ran well"""
    gone: int = 0
    """another process by now, or without zombies"""
    failed: list[str] = field(default_factory=list)
    """what the commands said"""


def dead() -> frozenset[int]:
    """The pids of all zombies just now."""
    return frozenset(each.pid for each in processes() if each.zombie)


def ask(approved: Sequence[Parent], present: Sequence[Parent], run: Run, stop: Callable[[], bool]) -> Asked:
    """Run the commands of those that were approved and still have zombies. Guardian signals nobody."""
    asked = Asked()
    now = {(each.pid, each.name, each.restart): each for each in present}
    for parent in approved:
        if stop():
            break
        found = now.get((parent.pid, parent.name, parent.restart))
        if (
            parent.restart is None
            or found is None
            or round(found.started) != round(parent.started)
            or found.protected
        ):
            asked.gone += 1
            continue
        try:
            run(parent.restart)
        except CommandFailed as failed:
            asked.failed.append(f"{parent.name}: {failed.detail}")
        else:
            asked.restarted.append(parent.name)
    return asked
