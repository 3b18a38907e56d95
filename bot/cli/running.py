"""Whether a Guardian of this configuration is at work on this machine, and which doors are its own."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass

import psutil

from bot.config import Settings
from bot.engine.leader import FileLock

_PATIENCE = 3.0
_HEALTH = frozenset({"slack_connected", "probes_failing", "dead_letters"})
"""what nobody else's answer to `GET /health` has"""
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for, not listened on


@dataclass(frozen=True, slots=True)
class Running:
    """A Guardian at work: its process, and the TCP ports on which that listens."""

    pid: int
    ports: frozenset[int]


def running(settings: Settings) -> Running | None:
    """The Guardian that watches with this configuration's database; None when there is none that can be told.

    A SQLite file has a lock that says who holds it. For another database it is whoever answers as a Guardian
    at the configured address.
    """
    lock = FileLock.beside(settings.store_url)
    if lock is not None:
        pid = lock.holder()
    else:
        pid = _answering(settings.health.host, settings.health.port)
    return None if pid is None else Running(pid, _ports_of(pid))


def _ports_of(pid: int) -> frozenset[int]:
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:  # it has just ended, or is somebody else's
        return frozenset()
    return frozenset(each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN)


def _answering(host: str, port: int) -> int | None:
    """The process behind a door that answers as a Guardian's does."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:  # macOS tells only root
        return None
    listening = (each for each in connections if each.status == psutil.CONN_LISTEN)
    pid = next((each.pid for each in listening if each.laddr and each.laddr.port == port), None)
    return pid if pid is not None and _is_guardian(_ANYWHERE.get(host, host), port) else None


def _is_guardian(host: str, port: int) -> bool:
    asking = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        asking.request("GET", "/health")
        answer = json.loads(asking.getresponse().read(100_000))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        asking.close()
    return isinstance(answer, dict) and answer.keys() >= _HEALTH
