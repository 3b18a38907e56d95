"""Stands between the Guardian and one restic, which lives no longer than the Guardian does, however that
ends: `python keeper.py LIFELINE RECORD restic …`.

LIFELINE is the reading end of a pipe; the Guardian holds the other one. Nothing is ever written to it: when
it ends the Guardian is gone, or wants no more of it, and restic is ended. A signal from the Guardian would
not do: under nohup this program ignores it until it has begun to listen. Nor would a death signal from the
kernel: it is lost where restic has capabilities of its own, and belongs to a thread.

RECORD is the file in which it stands which process was started when (`bot.tools.restic.started`). It is
written before restic begins, so that there is no restic without one, and it is locked for as long as the
keeper or restic lives: that says whether they do, whoever has been given their numbers since.

Only the standard library, so that it starts in 20 ms: it is run as a file, without the Guardian's packages.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence

BEAT_SECONDS = 20.0
"""between two marks that it lives: the record's time of change"""
GOING_SECONDS = 10.0
"""for restic to take its lock along, once the lifeline has ended"""
NOT_STARTED = 127
"""exit status when there is no such program, or it can't be run; restic has none so high"""
_SIGNALLED = 128
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""that Python ignores, and a program it starts would ignore too"""


def main(lifeline: int, record: str, command: Sequence[str]) -> int:
    """Run the command to its end; the exit status to end with."""
    wake = _hear()
    os.set_inheritable(lifeline, False)
    file = os.open(record, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    ready, go = os.pipe()
    # What comes before restic is there to hear it waits, instead of ending up with a copy of this program.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    pid = os.fork()
    if pid == 0:
        _become(command, file, ready, go)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    os.close(ready)
    _write(file, pid, command)
    try:
        os.write(go, b".")
    except BrokenPipeError:
        pass  # it is gone already: its status says how
    os.close(go)
    _let_go_of_pipes()
    status = _wait(pid, lifeline, wake, file)
    if status == 0 and "--no-lock" in command:
        # It has left nothing behind. Not so if it failed: `key list` makes a lock all the same.
        os.unlink(record)
    return status


def _hear() -> int:
    """From now on signals are read here instead of ending this process."""
    wake, inlet = os.pipe()
    os.set_blocking(inlet, False)
    signal.set_wakeup_fd(inlet)
    for number in (*_PASSED_ON, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return wake


def _become(command: Sequence[str], file: int, ready: int, go: int) -> None:
    """In the child: be the command, once its record is written. Never returns."""
    try:
        os.close(go)
        for number in (*_RESTORED, *_PASSED_ON):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        os.set_inheritable(file, True)  # its lock is held by both
        if os.read(ready, 1):
            os.execvpe(command[0], list(command), os.environ)  # noqa: S606 - a list, and no shell wanted
    except OSError as error:
        os.write(2, f"{error.strerror}\n".encode())
    finally:
        os._exit(NOT_STARTED)


def _write(file: int, pid: int, command: Sequence[str]) -> None:
    told = {"pid": pid, "host": socket.gethostname(), "at": time.time(), "words": list(command[1:])}
    os.write(file, json.dumps(told).encode())
    os.fsync(file)


def _let_go_of_pipes() -> None:
    """They are restic's alone: whoever is at their other ends must see when it ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def _wait(pid: int, lifeline: int, wake: int, file: int) -> int:
    """Until it ends: pass signals on, and end it when the Guardian is gone."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    gone_at: float | None = None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        os.utime(file)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _SIGNALLED - code
        if gone_at is not None and time.monotonic() - gone_at >= GOING_SECONDS:
            os.kill(pid, signal.SIGKILL)
        for descriptor, _ in poll.poll((BEAT_SECONDS if gone_at is None else GOING_SECONDS) * 1000):
            if descriptor == lifeline:
                poll.unregister(lifeline)
                gone_at = time.monotonic()
                os.kill(pid, signal.SIGINT)
                continue
            for number in os.read(wake, 64):
                if number in _PASSED_ON:
                    os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
