"""A PostgreSQL server for one run of the tests: made in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import URL

_USER = "guardian"
_START_SECONDS = 120
"""A generous ceiling: a server that is still not there is broken, not slow."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server, reached over the socket in `folder`; `process` is the server itself."""

    folder: Path
    process: subprocess.Popen[bytes]

    @classmethod
    @contextmanager
    def started(cls, programs: Path) -> Iterator[Self]:
        """A new server of the programs in that folder, for as long as the block runs."""
        # Not pytest's own folder: a socket's path has 107 characters at most, and the server's user enters.
        folder = Path(tempfile.mkdtemp(prefix="guardian-pg-"))
        user = _unprivileged()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        process: subprocess.Popen[bytes] | None = None
        try:
            options = ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
            place = ["--pgdata", str(folder / "data"), "--username", _USER]
            _run(user, [str(programs / "initdb"), *place, *options], folder)
            process = _server(user, programs, folder)
            cluster = cls(folder, process)
            cluster._wait()
            yield cluster
        finally:
            if process is not None:
                process.send_signal(signal.SIGINT)  # "fast": ends connections, then itself
                process.wait()
            shutil.rmtree(folder)

    def conninfo(self, database: str) -> str:
        """How psycopg names a database of this server."""
        return f"host={self.folder} user={_USER} dbname={database}"

    def url(self, database: str) -> str:
        """How SQLAlchemy names it, for its asynchronous engine."""
        query = {"host": str(self.folder)}
        url = URL.create("postgresql+psycopg", username=_USER, database=database, query=query)
        return url.render_as_string(hide_password=False)

    @contextmanager
    def database(self, name: str, template: str = "template1") -> Iterator[str]:
        """A database of that name, a copy of the template, for as long as the block runs; its URL."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _wait(self) -> None:
        give_up = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo("postgres")).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    log = (self.folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.05)


def _unprivileged() -> pwd.struct_passwd | None:
    """Who the server runs as: PostgreSQL refuses to be root. None for the user we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("neither a user postgres nor nobody to run PostgreSQL as")


def _run(user: pwd.struct_passwd | None, command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _server(user: pwd.struct_passwd | None, programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "",  # a socket only: no port to find, none to clash
        "unix_socket_directories": str(folder),
        "fsync": "off",  # nothing here outlives the run
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "max_connections": "100",
    }
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
            stdout=log,
            stderr=log,
        )
