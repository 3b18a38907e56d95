"""How full the disks are."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from probes.base import Layer, ProblemKind, Reading, Unit, measured, unmeasured
from probes.infrastructure.mounts import Mount, all_mounts, fixed_mounts, real_mounts
from probes.sizes import human_bytes

_PATIENCE = 0.8
"""The part of the time-out that mounts are waited for: the rest is for handing in what the others said."""


class Disk:
    """`disk_usage` and `inode_usage` of each mount, on targets `HOST:MOUNT`.

    Usage is what `df` prints: used / (used + available to ordinary users), not rounded. A file system that
    makes inodes as it needs them (btrfs, vfat) has no `inode_usage`. Without `paths` all real mounts are
    watched, newly mounted ones too (`real_mounts`); with them just those. A stick that is pulled out is
    forgotten. But a mount that was asked for, or that /etc/fstab has for good (`fixed_mounts`), and that was
    there and is gone, is the problem `not_found` until it is back: the empty directory below it must not
    pass for it.

    Each mount is asked in a thread of its own. One that hangs (a dead NFS server) is a `timeout` of that
    mount alone, and is not asked again before it has answered. Facts: `free`, `total`, `device`, `type`.
    """

    name: ClassVar[str] = "disk"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {"disk_usage": Unit.PERCENT, "inode_usage": Unit.PERCENT}

    def __init__(
        self,
        *,
        host: str,
        paths: Sequence[str] | None = None,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=5),
        mounted: Callable[[], list[Mount]] = all_mounts,
        fixed: Callable[[], Collection[str]] = fixed_mounts,
        ask: Callable[[str], os.statvfs_result] = os.statvfs,
    ) -> None:
        self.target = host
        self.interval = interval
        self.timeout = timeout
        self._paths = None if paths is None else tuple(paths)
        self._mounted = mounted
        self._fixed = fixed
        self._ask = ask
        self._seen: dict[str, Mount] = {}
        self._unanswered: dict[str, _Question] = {}

    def read_blocking(self, at: datetime) -> list[Reading]:
        """The readings of all mounts; waits at most 0.8 of the time-out for the slowest."""
        mounted = self._mounted()
        there = {mount.path: mount for mount in mounted}
        wanted = [mount.path for mount in real_mounts(mounted)] if self._paths is None else list(self._paths)
        if self._paths is None:
            wanted += self._missed(there)
            self._seen = {path: mount for path, mount in self._seen.items() if path in wanted}
        self._seen |= {path: there[path] for path in wanted if path in there}
        questions = {
            path: self._unanswered.get(path) or _Question(path, self._ask)
            for path in wanted
            if path not in self._seen or path in there
        }
        deadline = time.monotonic() + _PATIENCE * self.timeout.total_seconds()
        for path, question in questions.items():
            # One that hung last time has had its patience: only look whether it has answered meanwhile.
            question.wait(0 if path in self._unanswered else deadline - time.monotonic())
        self._unanswered = {path: question for path, question in questions.items() if not question.answered}
        return [reading for path in wanted for reading in self._readings(path, questions.get(path), at)]

    def _missed(self, there: Mapping[str, Mount]) -> list[str]:
        """The mounts that were there, are gone, and should not be."""
        gone = [path for path in self._seen if path not in there]
        if not gone:
            return []
        fixed = self._fixed()  # asked anew each time: taken out of the table, it is meant to be gone
        return [path for path in gone if path in fixed]

    def _readings(self, path: str, question: _Question | None, at: datetime) -> list[Reading]:
        target = f"{self.target}:{path}"
        if question is None:
            return [self._missing(target, at, ProblemKind.NOT_FOUND, "no longer mounted")]
        answer = question.answer
        if answer is None:
            return [self._missing(target, at, ProblemKind.TIMEOUT, "the file system does not answer")]
        if isinstance(answer, FileNotFoundError):
            return [self._missing(target, at, ProblemKind.NOT_FOUND, "no such directory")]
        if isinstance(answer, PermissionError):
            return [self._missing(target, at, ProblemKind.PERMISSION, answer.strerror or "")]
        if isinstance(answer, OSError):
            return [self._missing(target, at, ProblemKind.FAILED, answer.strerror or str(answer))]
        used = answer.f_blocks - answer.f_bfree
        if used + answer.f_bavail <= 0:
            return [self._missing(target, at, ProblemKind.UNSUPPORTED, "this file system has no size")]
        facts = {
            "free": human_bytes(answer.f_bavail * answer.f_frsize),
            "total": human_bytes(answer.f_blocks * answer.f_frsize),
        }
        mount = self._seen.get(path)
        if mount is not None:
            facts |= {"device": mount.device, "type": mount.type}
        percent = 100 * used / (used + answer.f_bavail)
        readings = [measured("disk_usage", target, percent, Unit.PERCENT, at, facts)]
        if answer.f_files > 0:
            percent = 100 * (answer.f_files - answer.f_ffree) / answer.f_files
            facts = {"free": str(answer.f_ffree), "total": str(answer.f_files)}
            readings.append(measured("inode_usage", target, percent, Unit.PERCENT, at, facts))
        return readings

    @staticmethod
    def _missing(target: str, at: datetime, kind: ProblemKind, detail: str) -> Reading:
        # Inodes are not named as well: one missing disk is one piece of news.
        return unmeasured("disk_usage", target, Unit.PERCENT, at, kind, detail)


class _Question:
    """One question to one file system, asked in a thread that may never come back."""

    def __init__(self, path: str, ask: Callable[[str], os.statvfs_result]) -> None:
        self.answer: os.statvfs_result | OSError | None = None
        # A daemon: a hung file system must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, args=(path, ask), name=f"disk {path}", daemon=True)
        self._thread.start()

    def _run(self, path: str, ask: Callable[[str], os.statvfs_result]) -> None:
        try:
            self.answer = ask(path)
        except OSError as error:
            self.answer = error

    def wait(self, seconds: float) -> None:
        self._thread.join(max(0.0, seconds))

    @property
    def answered(self) -> bool:
        return self.answer is not None
