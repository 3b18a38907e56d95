"""Trees of files to clean up, and what is there before and after."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from bot.domain.cleanup.plan import Listing
from bot.domain.cleanup.rules import AgeBy, FileRules, Root, Stage, cut_off
from bot.tools.cleanup.in_use import InUse
from bot.tools.cleanup.journal import Header
from bot.tools.cleanup.keeping import restore
from bot.tools.cleanup.lists import below, read
from bot.tools.cleanup.quarantine import AT_ONCE, Move, put
from bot.tools.cleanup.scan import scan
from bot.tools.cleanup.tally import Tally

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
OLD = int((AT - timedelta(days=100)).timestamp()) * 10**9 + 123_456_789
NEW = int((AT - timedelta(days=1)).timestamp()) * 10**9

Place = tuple[int, int, int, int, int, str]
"""mode, owner, group, size, time of change and content"""


def put_file(path: bytes | Path, content: bytes = b"old", mtime_ns: int = OLD, mode: int = 0o640) -> None:
    """A file of that age."""
    name = os.fsencode(path)
    with open(name, "wb") as file:
        file.write(content)
    os.chmod(name, mode)
    os.utime(name, ns=(mtime_ns - 5, mtime_ns))


def changed_after(path: Path, moment_ns: int) -> None:
    """Change something about it that is not its content, later than that by the file system's clock."""
    mode = stat.S_IMODE(path.stat().st_mode)
    while path.stat().st_ctime_ns <= moment_ns:
        path.chmod(mode)


def snapshot(root: bytes | Path) -> dict[bytes, Place]:
    """Everything below `root` but its quarantine. Directories have mode and owner only: that something
    was moved out of one changes its time."""
    found: dict[bytes, Place] = {}
    for above, directories, files in os.walk(os.fsencode(root)):
        if b".guardian-quarantine" in directories:
            directories.remove(b".guardian-quarantine")
        for name in (*directories, *files):
            path = os.path.join(above, name)
            status = os.lstat(path)
            owner = (status.st_mode, status.st_uid, status.st_gid)
            if stat.S_ISDIR(status.st_mode):
                found[path] = (*owner, 0, 0, "")
            elif stat.S_ISLNK(status.st_mode):
                found[path] = (*owner, 0, 0, repr(os.readlink(path)))
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = sha256(file.read()).hexdigest()
                found[path] = (*owner, status.st_size, status.st_mtime_ns, content)
            else:
                found[path] = (*owner, 0, 0, "special")
    return found


def contents(*roots: bytes | Path) -> list[str]:
    """The contents of all files anywhere below, quarantine included, sorted."""
    found = []
    for root in roots:
        for above, _, files in os.walk(os.fsencode(root)):
            for name in files:
                path = os.path.join(above, name)
                if stat.S_ISREG(os.lstat(path).st_mode) and name not in (b"journal", b"journal.new"):
                    with open(path, "rb") as file:
                        found.append(sha256(file.read()).hexdigest())
    return sorted(found)


def slots(root: bytes | Path) -> list[bytes]:
    """The files in the quarantine."""
    quarantine = os.path.join(os.fsencode(root), b".guardian-quarantine")
    return sorted(
        os.path.join(above, name)
        for above, _, files in os.walk(quarantine)
        for name in files
        if name not in (b"journal", b"journal.new")
    )


@dataclass
class Site:
    """A root with the rules of one stage, and what is done with it."""

    root: Root
    lists: Path
    rules: FileRules
    use: InUse = field(default_factory=InUse)
    run: int = 7
    saved: int | None = None
    """until when what is below the root is in a backup"""

    @classmethod
    def at(
        cls,
        folder: Path,
        patterns: Sequence[str] = ("*",),
        keep: Sequence[str] = (),
        *,
        respected: bool = True,
    ) -> Site:
        """A root `folder/root`, made; the rest beside it."""
        (folder / "root").mkdir(exist_ok=True)
        root = Root(os.fsencode(folder / "root"))
        rules = FileRules(
            (root,),
            tuple(patterns),
            timedelta(days=30),
            AgeBy.MODIFIED,
            tuple(keep),
            in_use_respected=respected,
        )
        return cls(root, folder / "lists", rules)

    @property
    def top(self) -> Path:
        """The root's directory."""
        return Path(os.fsdecode(self.root.path))

    def scan(self) -> Listing:
        """The list."""
        saved = None if self.saved is None else {self.root.path: self.saved}
        return scan(self.rules, AT, self.use, self.lists, saved=saved)

    def listed(self, listing: Listing) -> list[bytes]:
        """The paths of the list below the root, in order."""
        path = read(listing.path, listing.sha256)
        return [file.path[len(self.root.path) + 1 :] for _, file in below(self.root, path)]

    def move(self, listing: Listing) -> Move:
        """What is to be moved by that list."""
        header = Header(self.run, Stage.LOGS, self.root.path, AT, AT + timedelta(days=7))
        newest, respected = cut_off(self.rules, AT), self.rules.in_use_respected
        return Move(header, listing.sha256, newest, self.rules.age_by, respected, self.saved)

    def put(self, listing: Listing, at_once: int = AT_ONCE) -> Tally:
        """Move what is listed."""
        path = read(listing.path, listing.sha256)
        return put(
            self.root,
            below(self.root, path),
            self.move(listing),
            lambda: self.use,
            lambda count: None,
            lambda: False,
            at_once,
        )

    def restore(self) -> Tally:
        """Bring it back."""
        return restore(self.root, self.run, lambda count: None)
