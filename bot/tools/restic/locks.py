"""Locks that killed runs left behind: whose process is known dead, and only those, may go."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import psutil

from bot.tools.restic.answers import Lock

_SLACK = timedelta(seconds=2)
"""between a process's start and its lock, by two clocks"""


def is_dead(lock: Lock, host: str | None = None) -> bool:
    """Whether the process that holds the lock is known to be gone: it ran on this machine, and nobody with
    its number runs now, or somebody who began after the lock was made. Of other machines nothing is known.

    `host`: this machine's name. Containers that share a name but not their processes must be given two.
    """
    if lock.host != (socket.gethostname() if host is None else host):
        return False
    try:
        process = psutil.Process(lock.pid)
        began = datetime.fromtimestamp(process.create_time(), UTC)
        return began > lock.at + _SLACK or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
