"""The processes of this machine, as facts to decide about."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from bot.domain.cleanup.processes import ProcessFacts

_ATTRIBUTES = ["pid", "ppid", "name", "cmdline", "create_time", "terminal", "status"]
_WORDS = 8
_LONG = 400


def processes() -> tuple[ProcessFacts, ...]:
    """All processes that can be seen just now, by pid. What one of them doesn't show is empty."""
    found: list[ProcessFacts] = []
    for process in psutil.process_iter(_ATTRIBUTES, ad_value=None):
        shown = process.info
        pid = int(shown["pid"])
        found.append(
            ProcessFacts(
                pid=pid,
                parent=int(shown["ppid"] or 0),
                name=str(shown["name"] or "?"),
                command=tuple(str(word)[:_LONG] for word in (shown["cmdline"] or ())[:_WORDS]),
                started=float(shown["create_time"] or 0.0),
                session=_session(pid),
                terminal=shown["terminal"] is not None,
                holds=_holds(pid),
                zombie=shown["status"] == psutil.STATUS_ZOMBIE,
            )
        )
    return tuple(sorted(found, key=lambda each: each.pid))


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _holds(pid: int) -> tuple[str, ...]:
    folder = Path("/proc") / str(pid) / "fd"
    paths: list[str] = []
    try:
        for name in os.listdir(folder):
            paths.append(os.readlink(folder / name))
    except OSError:
        pass  # it has ended, or is somebody else's; what was seen until then counts
    return tuple(path for path in paths if path.startswith("/"))
