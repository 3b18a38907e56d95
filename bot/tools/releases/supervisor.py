"""Keeps one release running in one slot: a program of its own, which outlives the Guardian.

Started by `bot.tools.releases.supervised` as `python -I -S supervisor.py FOLDER SLOT MARKER`: it knows
nothing but the standard library. Its order comes as JSON on standard input, for it holds secrets; what became
of the start is one line of JSON on standard output. A SIGTERM ends the release and then the supervisor. Needs
Linux (`/proc`, prctl(2)).

One thread, so that the kernel's "kill me when my parent dies" (PR_SET_PDEATHSIG) means this process and no
thread of it. It adopts what the release leaves behind (PR_SET_CHILD_SUBREAPER), and signals none but its own
children that it hasn't reaped yet: their numbers can't have become another's.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time
from typing import Final, NoReturn, TypedDict

BOOT: Final = "/proc/sys/kernel/random/boot_id"
MARKER: Final = "GUARDIAN_SUPERVISED"
"""In the environment of all that a supervisor starts: `FOLDER:SLOT:MARKER`."""
_PDEATHSIG, _SUBREAPER = 1, 36
_CHUNK = 64 * 1024
_LOCK_PATIENCE = 2.0


class Order(TypedDict):
    """What a supervisor is told."""

    revision: str
    command: list[str]
    directory: str
    environment: dict[str, str]
    patience: float
    """seconds from asking it to end to making it"""
    backoff: list[float]
    """seconds before it is started again: at first, at most; the first again after so long a run"""
    log: str
    log_bytes: int
    """of the log and of the one before it, each"""
    hold: int
    """number of a file that is held open until it is known what became of the start: whoever comes after
    the one that started us waits for its lock"""


class State(TypedDict):
    """What a supervisor leaves in its folder for whoever asks. Processes are a pid and the clock ticks from
    the boot to their start."""

    boot: str
    slot: str
    revision: str
    marker: str
    supervisor: list[int]
    child: list[int] | None
    started_at: float
    """seconds since 1970"""
    restarts: int


def boot() -> str:
    """Which boot of the machine this is."""
    with open(BOOT, encoding="ascii") as file:
        return file.read().strip()


def ticks(pid: int) -> int | None:
    """When a process started; None when there is none that runs."""
    found = _status(pid)
    return None if found is None or found[0] in "ZX" else found[2]


def _status(pid: int) -> tuple[str, int, int] | None:
    """Its state, its parent and its start (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0].decode(), int(fields[1]), int(fields[19])
    except (OSError, IndexError):
        return None


def parent(pid: int) -> int | None:
    """The pid of its parent."""
    found = _status(pid)
    return None if found is None else found[1]


class _Log:
    """A file that is at most so long, and the one before it. What can't be written is dropped: a full disk
    must not stop a release."""

    def __init__(self, path: str, most: int) -> None:
        self._path = path
        self._most = most
        self._file = -1
        self._size = 0
        self._open()

    def _open(self) -> None:
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o750, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            self._size = os.fstat(self._file).st_size
        except OSError:
            self._file = -1

    def write(self, chunk: bytes) -> None:
        if self._file >= 0 and self._size and self._size + len(chunk) > self._most:
            os.close(self._file)
            try:
                os.replace(self._path, self._path + ".1")
            except OSError:
                self._file = -1
            else:
                self._open()
        if self._file < 0:
            return
        try:
            self._size += os.write(self._file, chunk)
        except OSError:
            pass

    def say(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.write(f"{stamp} supervisor: {text}\n".encode(errors="replace"))


class _Supervisor:
    def __init__(self, folder: str, slot: str, marker: str, order: Order) -> None:
        self._file = os.path.join(folder, slot + ".json")
        self._order = order
        self._me = os.getpid()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.prctl(_SUBREAPER, 1, 0, 0, 0)
        self._log = _Log(order["log"], order["log_bytes"])
        self._output, self._input = os.pipe()  # one for all runs: nobody's end is the end of it
        os.set_blocking(self._output, False)
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._stop = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        self._child = 0
        self._began = 0.0
        self._pause = order["backoff"][0]
        self._state: State = {
            "boot": boot(),
            "slot": slot,
            "revision": order["revision"],
            "marker": marker,
            "supervisor": [self._me, ticks(self._me) or 0],
            "child": None,
            "started_at": time.time(),
            "restarts": 0,
        }
        self._environment = {**order["environment"], MARKER: f"{folder}:{slot}:{marker}"}

    def _ask(self, number: int, frame: object) -> None:
        self._stop = True

    def run(self) -> None:
        """Start it and keep it running until asked to end. Tells whoever started us how that went."""
        problem = self._start() if self._tell() else f"{self._file} cannot be written"
        if problem:
            self._forget()
        answer(self._order["hold"], {"failed": problem} if problem else {"up": self._me})
        if problem:
            return
        while not self._stop:
            if self._child:
                self._wait(None)
                self._look()
            elif not self._wait(self._began + self._pause):
                self._again()
        self._end()
        self._forget()

    def _start(self) -> str:
        """Start the release; empty, or why it could not be."""
        said, say = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(say)
        os.close(say)
        with os.fdopen(said, "rb") as file:
            problem = file.read().decode(errors="replace")  # it ends with the exec
        self._began = time.monotonic()
        if problem:
            os.waitpid(pid, 0)
            return problem
        self._child = pid
        self._state["child"] = [pid, (_status(pid) or ("", 0, 0))[2]]
        self._state["started_at"] = time.time()
        self._tell()
        return ""

    def _become(self, say: int) -> NoReturn:
        """In the new process: be the release. Never returns."""
        try:
            os.setsid()
            self._libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self._me:
                os._exit(1)  # it has died before we asked
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            null = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((null, 0), (self._input, 1), (self._input, 2)):
                os.dup2(source, target)
            os.chdir(self._order["directory"])
            command = self._order["command"]
            os.execvpe(command[0], command, self._environment)  # noqa: S606 - there is no shell, as it should be
        except BaseException as error:  # noqa: BLE001 - a forked copy must not go on as what it was copied from
            named = error.strerror or str(error) if isinstance(error, OSError) else repr(error)
            os.write(say, f"{self._order['command'][0]}: {named}".encode(errors="replace"))
        finally:
            os._exit(127)

    def _wait(self, until: float | None) -> bool:
        """Wait for a signal, or for that moment (monotonic), and keep its log meanwhile. Whether there was a
        signal."""
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            ready = [number for number, _ in self._poll.poll(None if left is None else left * 1000 + 1)]
            if self._output in ready:
                self._log.write(os.read(self._output, _CHUNK))
            if self._wake in ready:
                os.read(self._wake, 4096)
                return True
            if self._stop:
                return True
            if until is not None and time.monotonic() >= until:
                return False

    def _look(self) -> None:
        """Reap what has ended. When that was the release, what it left behind goes with it."""
        if os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self._reap()
            return
        self._kill_all()
        long = time.monotonic() - self._began >= self._order["backoff"][2]
        self._pause = self._order["backoff"][0] if long else self._pause
        self._began = time.monotonic()
        self._log.say(f"it has ended; again in {self._pause:g} s")
        self._state["child"] = None
        self._tell()

    def _reap(self) -> set[int]:
        """Reap what has ended, but not the release itself. The pids of the other children that are left."""
        others = [pid for pid in self._children() if pid != self._child]
        return {pid for pid in others if os.waitpid(pid, os.WNOHANG)[0] == 0}

    def _again(self) -> None:
        self._state["restarts"] += 1
        self._pause = min(self._pause * 2, self._order["backoff"][1])
        problem = self._start()
        if problem:
            self._log.say(problem)
            self._tell()

    def _end(self) -> None:
        """Ask the release to end, all of its group, and then whatever it left; kill what there still is when
        its patience is over."""
        latest = time.monotonic() + self._order["patience"]
        asked: set[int] = set()
        if self._child:
            os.killpg(self._child, signal.SIGTERM)  # it isn't reaped, so the group is its own
            while time.monotonic() < latest:
                ended = os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
                left = self._reap()
                if ended and not left:
                    break
                for pid in left - asked:
                    os.kill(pid, signal.SIGTERM)
                asked |= left
                self._stop = False  # more of them change nothing
                self._wait(min(latest, time.monotonic() + 1))
        self._kill_all()
        self._drain()

    def _kill_all(self) -> None:
        """Kill and reap all children, and theirs, which become ours, until there is none."""
        while children := self._children():
            for pid in children:
                os.kill(pid, signal.SIGKILL)  # ours and not reaped, so it can be nobody else
            os.waitpid(-1, 0)
        self._child = 0

    def _children(self) -> list[int]:
        """The pids of all its children, also of those that have ended."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        return [pid for pid in pids if parent(pid) == self._me]

    def _drain(self) -> None:
        """Keep the last words."""
        try:
            while chunk := os.read(self._output, _CHUNK):
                self._log.write(chunk)
        except BlockingIOError:
            pass

    def _tell(self) -> bool:
        """Write the state down, whole or not at all. Whether that could be done."""
        new = self._file + ".new"
        try:
            with open(new, "w", encoding="utf-8") as file:
                json.dump(self._state, file)
            os.replace(new, self._file)
        except OSError as error:
            self._log.say(f"{self._file}: {error.strerror}")
            return False
        return True

    def _forget(self) -> None:
        try:
            os.unlink(self._file)
        except OSError:
            pass


def answer(hold: int, words: dict[str, object]) -> None:
    """Tell whoever started us, if it still listens; afterwards nothing of it is held open."""
    try:
        os.write(1, json.dumps(words).encode() + b"\n")
    except OSError:
        pass
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2, hold):
        os.dup2(null, number, inheritable=number != hold)
    os.close(null)


def _locked(path: str) -> str:
    """Take the slot's lock, for as long as this process lives; empty, or why not."""
    latest = time.monotonic() + _LOCK_PATIENCE
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return ""
        except BlockingIOError:  # the one before may just be dying
            if time.monotonic() > latest:
                return "the slot has a supervisor"
        time.sleep(0.02)


def main(folder: str, slot: str, marker: str) -> None:
    """Be the supervisor of that slot: in a session of its own, and a child of nobody who could forget to reap
    it; unless the slot has one."""
    try:
        order: Order = json.loads(sys.stdin.buffer.read())
    except ValueError:
        return  # whoever started us died while it told us what to do: nothing has happened
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    os.umask(0o027)
    os.set_inheritable(order["hold"], False)
    problem = _locked(os.path.join(folder, slot + ".lock"))
    if problem:
        answer(order["hold"], {"failed": problem})
    else:
        _Supervisor(folder, slot, marker, order).run()


if __name__ == "__main__":
    main(*sys.argv[1:4])
