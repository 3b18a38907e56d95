"""Running a command to its end: a list of arguments, a time-out, no shell, nothing of our secrets."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.tools.commands import PASSED_ON, passed_on

_PASSED_ON = (*PASSED_ON, "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_CACHE_HOME",
              "XDG_RUNTIME_DIR", "PIP_CACHE_DIR")  # fmt: skip
_LAST_WORDS = 500


class CommandFailed(Exception):
    """It could not be run, took too long or ended badly. `absent`: there is no such program."""

    def __init__(self, command: Sequence[str], detail: str, *, absent: bool = False) -> None:
        super().__init__(f"{command[0]}: {detail}")
        self.command = tuple(command)
        self.detail = detail
        self.absent = absent


@dataclass(frozen=True, slots=True)
class Ran:
    """What it said on standard output."""

    out: str


Run = Callable[[Sequence[str]], Ran]


def runner(seconds: float) -> Run:
    """Something that runs commands and gives each so many seconds."""

    def run(command: Sequence[str]) -> Ran:
        return run_command(command, seconds)

    return run


def run_command(command: Sequence[str], seconds: float) -> Ran:
    """Run it and wait for its end; whatever it started goes with it when it takes too long. Raises
    CommandFailed."""
    try:
        process = subprocess.Popen(  # noqa: S603 - a list that was built from the configuration and checked ids
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=passed_on(_PASSED_ON),
            start_new_session=True,
        )
    except FileNotFoundError:
        raise CommandFailed(command, "not found", absent=True) from None
    except OSError as error:
        raise CommandFailed(command, error.strerror or str(error)) from None
    with process:
        try:
            out, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a group of our own making
            raise CommandFailed(command, f"took longer than {seconds:g} s") from None
    if process.returncode != 0:
        said = errors.decode(errors="replace").strip()[-_LAST_WORDS:]
        raise CommandFailed(command, said or f"status {process.returncode}")
    return Ran(out.decode(errors="replace"))
