"""The last look at a file before it is moved: is it the one that was approved, and does nobody hold it?"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from bot.domain.cleanup.candidate import Candidate
from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import AgeBy
from bot.tools.cleanup.in_use import InUse

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Refused(Exception):
    """The file is left where it is, for `reason`."""

    def __init__(self, reason: Left) -> None:
        super().__init__(reason.value)
        self.reason = reason


def why(error: OSError) -> Left:
    """The reason that an error of the file system is."""
    match error.errno:
        case errno.ENOENT:
            return Left.GONE
        case errno.ENOTDIR | errno.ELOOP:
            return Left.PLACE_CHANGED
        case errno.EXDEV | errno.EBUSY:
            return Left.OTHER_FILE_SYSTEM
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Left.NOT_ALLOWED
    return Left.UNREADABLE


def status_of(
    directory: int,
    name: bytes,
    file: Candidate,
    newest: int,
    age_by: AgeBy = AgeBy.MODIFIED,
    saved: int | None = None,
) -> os.stat_result:
    """What the name is now. Raises Refused when that is not the file that was listed, has become too young
    (`newest`, in nanoseconds of the epoch), or changed after its backup (`saved`, likewise)."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        raise Refused(why(error)) from None
    if not is_same(status, file) or (age_by is AgeBy.CHANGED and status.st_ctime_ns > newest):
        raise Refused(Left.CHANGED)
    if saved is not None and is_after(status, saved):
        raise Refused(Left.AFTER_BACKUP)
    return status


def is_after(status: os.stat_result, moment: int) -> bool:
    """Whether the file was written to, renamed, or given other rights after that, in nanoseconds of the
    epoch."""
    return status.st_mtime_ns > moment or status.st_ctime_ns > moment


def is_same(status: os.stat_result, file: Candidate) -> bool:
    """Whether that is the file that was listed, as it was."""
    return (
        stat.S_ISREG(status.st_mode)
        and (status.st_ino, status.st_dev) == (file.inode, file.device)
        and (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)
    )


@contextmanager
def unused(directory: int, name: bytes, file: Candidate, use: InUse, *, respected: bool) -> Iterator[None]:
    """Nobody holds the file while the block runs. Raises Refused.

    `/proc` tells what was held a moment ago, and nothing of processes of other containers or users. The
    kernel knows: it gives a write lease on a file only while nobody else has it open or mapped, and keeps who
    would open it waiting until the lease is given back. Where there are no leases (some network file systems,
    other people's files) `/proc` has to do, and must have shown all processes.
    """
    key = (file.device, file.inode)
    if key in use.protected:
        raise Refused(Left.PROTECTED)
    if not respected:
        yield
        return
    if key in use.held:
        raise Refused(Left.IN_USE)
    descriptor = _opened(directory, name)
    try:
        if descriptor is not None and not is_same(os.fstat(descriptor), file):
            raise Refused(Left.CHANGED)
        if (descriptor is None or not _leased(descriptor)) and use.unseen:
            raise Refused(Left.USE_UNKNOWN)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)  # the lease ends with it


def _opened(directory: int, name: bytes) -> int | None:
    """None for what must not be read."""
    try:
        return os.open(name, _OPEN, dir_fd=directory)
    except PermissionError:
        return None
    except BlockingIOError:
        raise Refused(Left.IN_USE) from None  # somebody else has a lease on it
    except OSError as error:
        raise Refused(why(error)) from None


def _leased(descriptor: int) -> bool:
    """Whether there is a lease now; False where there are none. Raises Refused when somebody has it open."""
    try:
        # Who opens the file meanwhile makes the kernel send a signal. Its usual one would end this process;
        # this one is ignored unless somebody asked for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except BlockingIOError:
        raise Refused(Left.IN_USE) from None
    except OSError:
        return False
    return True
