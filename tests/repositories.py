"""A Git repository on the disk, as people leave theirs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.components import program

V1: Mapping[str, str] = MappingProxyType({"shop.py": "one\n", "tests/test_shop.py": "one test\n"})
V2: Mapping[str, str] = MappingProxyType(
    {"shop.py": "two\n", "tests/test_shop.py": "two tests\n", "new.py": "\n"}
)
_HANGS = """#!/bin/sh
for word in "$@"; do
    [ "$word" = checkout ] && { touch "$(dirname "$0")/asked"; exec sleep 3600; }
done
exec "%s" "$@"
"""


class Clone:
    """A repository with v1 checked out and changed, v2 a tag beside it."""

    def __init__(
        self, path: Path, *options: str, v1: Mapping[str, str] = V1, v2: Mapping[str, str] = V2
    ) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", *options)
        self.v1 = self.commit("v1", v1)
        self.v2 = self.commit("v2", v2)
        self.git("checkout", "-q", "v1")
        (path / "shop.py").write_text("what somebody is at\n")
        (path / "unknown.py").write_text("not in Git\n")

    def git(self, *words: str) -> str:
        """Run it, whatever the machine's Git is told."""
        who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]
        command = [program("git"), "-C", str(self.path), *who, *words]
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_OPTIONAL_LOCKS": "0"}
        return subprocess.run(command, check=True, capture_output=True, env=environment).stdout.decode()

    def commit(self, tag: str, files: Mapping[str, str]) -> str:
        """One more commit with those files, under that tag; its full hash."""
        for name, text in files.items():
            (self.path / name).parent.mkdir(exist_ok=True)
            (self.path / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--no-gpg-sign", "-m", tag)
        self.git("tag", tag)
        return self.git("rev-parse", "HEAD").strip()

    def files(self) -> dict[str, bytes]:
        """Everything that is in its folder, Git's own among it."""
        files = [path for path in self.path.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.path)): path.read_bytes() for path in files}


def hanging_git(folder: Path) -> str:
    """A PATH with a Git that never ends a checkout; the file `asked` in `folder` says that it was asked for
    one."""
    folder.mkdir()
    (folder / "git").write_text(_HANGS % program("git"))
    (folder / "git").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
