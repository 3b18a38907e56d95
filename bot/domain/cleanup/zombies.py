"""Zombies: dead processes that their parents have not collected. They cannot be killed; a parent can be
restarted by its supervisor, if the configuration names a command for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.cleanup.processes import ProcessFacts

_SUPERVISORS = ("systemd", "supervisord", "runit", "runsv", "s6-supervise", "s6-svscan", "pm2", "monit",
                "containerd-shim", "dockerd", "init")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parent:
    """A process with zombies."""

    pid: int
    name: str
    started: float
    zombies: tuple[int, ...]
    """pids, sorted"""
    supervisor: str | None
    """the name of the nearest process above that looks after others; None if there is none"""
    restart: tuple[str, ...] | None
    """what makes the supervisor restart it; None: it is only reported"""
    protected: bool = False
    """it must not be disturbed, whatever the configuration says"""


def parents(
    processes: Iterable[ProcessFacts], protected: Iterable[int], restart: Mapping[str, tuple[str, ...]]
) -> tuple[Parent, ...]:
    """The parents of all zombies, by pid."""
    known = {each.pid: each for each in processes}
    safe = frozenset(protected)
    zombies: dict[int, list[int]] = {}
    for each in known.values():
        if each.zombie:
            zombies.setdefault(each.parent, []).append(each.pid)
    return tuple(
        Parent(
            pid=pid,
            name=known[pid].name if pid in known else "?",
            started=known[pid].started if pid in known else 0.0,
            zombies=tuple(sorted(zombies[pid])),
            supervisor=_supervisor(pid, known),
            restart=restart.get(known[pid].name) if pid in known and pid not in safe else None,
            protected=pid in safe,
        )
        for pid in sorted(zombies)
    )


def _supervisor(pid: int, known: Mapping[int, ProcessFacts]) -> str | None:
    seen = {pid}
    while pid in known and known[pid].parent not in seen:
        pid = known[pid].parent
        seen.add(pid)
        if pid in known and known[pid].name.startswith(_SUPERVISORS):
            return known[pid].name
    return None
