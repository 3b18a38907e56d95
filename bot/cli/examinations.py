"""What `guardian doctor` looks at. Nothing is changed but for one file that is written and removed again."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from bot.cli.running import running
from bot.config import ConfigurationInvalid, Secrets, Settings
from bot.config.elsewhere import WebhookSettings
from bot.config.outside import OutsideSecrets, missing_variables
from bot.tools.cleanup.commands import CommandFailed, run_command

State = Literal["fine", "note", "missing"]

OLDEST_PYTHON = (3, 11)
_OLDEST_SQLITE = (3, 35, 0)
"""The first with RETURNING."""
_OLDEST_RESTIC = (0, 14)
"""The first whose `copy` knows the repository to copy from as `--from-repo`."""
_PROGRAM = "restic"
"""as it is called where no backups are configured"""
_RELEASED = datetime(2025, 8, 20, tzinfo=UTC)
"""The source document's date: a clock before it is wrong."""
_ROOM = 100 * 2**20
_PATIENCE = 3.0
_RESTIC_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `note`: it works without; `missing`: it doesn't. `install` is what to type."""

    code: str
    state: State
    values: Mapping[str, str | int] = field(default_factory=dict)
    install: str = ""


def examine(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """All findings, in the order in which things are needed."""
    found: list[Finding] = []
    for part in (_python, _clock, _state, _database, _doors, _secrets, _outside, _restic, _optional):
        found += part(settings, environment)
    return found


def install(debian: str, homebrew: str) -> str:
    """The command that installs a thing here."""
    if sys.platform == "darwin":
        return f"brew install {homebrew}"
    if sys.platform == "linux" and shutil.which("apt-get"):
        return f"sudo apt-get install {debian}"
    return ""


def _python(_settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    how = "" if enough else install("python3", "python@3.13")
    yield Finding("python", "fine" if enough else "missing", {"version": version}, how)
    inside = sys.prefix != sys.base_prefix
    yield Finding("venv" if inside else "no_venv", "fine" if inside else "note", {"path": sys.prefix})
    sqlite = sqlite3.sqlite_version
    yield Finding(
        "sqlite", "fine" if sqlite3.sqlite_version_info >= _OLDEST_SQLITE else "missing", {"version": sqlite}
    )


def _clock(settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    if not available_timezones():
        yield Finding("no_timezones", "missing", {}, install("tzdata", "tzdata"))
    else:
        now = datetime.now(ZoneInfo(settings.timezone))
        yield Finding("timezone", "fine", {"timezone": settings.timezone, "now": f"{now:%Y-%m-%d %H:%M:%S}"})
    if datetime.now(UTC) < _RELEASED:
        yield Finding("clock", "missing", {"now": datetime.now(UTC).isoformat(timespec="seconds")})


def _state(settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    directory = settings.state_directory
    existing = directory
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    values: dict[str, str | int] = {"path": str(directory)}
    try:
        # In the nearest directory that there is: making the others is for `run`.
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".guardian-"):
            pass
        free = shutil.disk_usage(existing).free
    except OSError as error:
        yield Finding("state_unwritable", "missing", {**values, "detail": error.strerror or str(error)})
        return
    values["free"] = free // 2**20
    yield Finding("state" if free >= _ROOM else "state_full", "fine" if free >= _ROOM else "missing", values)


def _database(settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    url = urlsplit(settings.store_url)
    if url.scheme.startswith("sqlite"):
        return
    host, port = url.hostname or "localhost", url.port or 5432
    values: dict[str, str | int] = {"host": host, "port": port}
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE):
            yield Finding("database", "fine", values)
    except OSError as error:
        detail = error.strerror or str(error)
        yield Finding(
            "no_database", "missing", {**values, "detail": detail}, install("postgresql", "postgresql")
        )


def _doors(settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    at_work = running(settings)
    if at_work is not None:
        yield Finding("running", "fine", {"pid": at_work.pid})
    wanted = [("health", settings.health.host, settings.health.port)]
    if settings.webhooks is not None or settings.heartbeats:
        door = settings.webhooks or WebhookSettings()
        wanted.append(("webhooks", door.host, door.port))
    if settings.slack.mode == "http":
        wanted.append(("slack.http", settings.slack.http.host, settings.slack.http.port))
    for name, host, port in wanted:
        values: dict[str, str | int] = {"name": name, "host": host, "port": port}
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((host, port))
        except OSError as error:
            if at_work is not None and port in at_work.ports:
                yield Finding("port_own", "fine", {**values, "pid": at_work.pid})
            else:
                yield Finding("port_taken", "missing", {**values, "detail": error.strerror or str(error)})
        else:
            yield Finding("port", "fine", values)


def _secrets(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    try:
        Secrets.from_environment(environment, settings.slack.mode)
    except ConfigurationInvalid as invalid:
        names = ", ".join(problem.path for problem in invalid.problems)
        absent = all(problem.code == "secret_missing" for problem in invalid.problems)
        yield Finding(
            "no_secrets" if absent else "bad_secrets", "note" if absent else "missing", {"names": names}
        )
    else:
        yield Finding("secrets", "fine", {"mode": settings.slack.mode})


def _outside(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    try:
        secrets = OutsideSecrets.from_environment(settings, environment)
    except ConfigurationInvalid as invalid:
        absent = missing_variables(invalid.problems)
        wrong = [problem.path for problem in invalid.problems if problem.code != "variable_missing"]
        if absent:
            yield Finding("no_outside", "missing", {"names": ", ".join(absent)})
        if wrong:
            yield Finding("bad_outside", "missing", {"names": ", ".join(wrong)})
    else:
        if secrets != OutsideSecrets():
            yield Finding("outside", "fine")


def _restic(settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Backups need it; without them it is as good as anything else that is not there."""
    program = _PROGRAM if settings.backup is None else settings.backup.program
    values: dict[str, str | int] = {"program": program}
    how = install("restic", "restic")
    worse: State = "note" if settings.backup is None else "missing"
    try:
        said = run_command((program, "version"), _RESTIC_PATIENCE).out
    except CommandFailed as failed:
        detail = "" if failed.absent else failed.detail
        yield Finding("no_restic", worse, {**values, "detail": detail}, how)
        return
    found = re.match(r"restic (\d+)\.(\d+)\S*", said)
    if found is None:
        yield Finding("no_restic", worse, {**values, "detail": said.strip()[:80]}, how)
        return
    values["version"] = found[0].removeprefix("restic ")
    enough = (int(found[1]), int(found[2])) >= _OLDEST_RESTIC
    yield Finding(
        "restic" if enough else "old_restic", "fine" if enough else worse, values, "" if enough else how
    )


def _optional(_settings: Settings, _environment: Mapping[str, str]) -> Iterator[Finding]:
    components: tuple[tuple[str, Callable[[], bool], str, str], ...] = (
        ("chromium", _has_chromium, "chromium", "--cask chromium"),
        ("postgresql", _has_postgresql, "postgresql", "postgresql"),
        ("fonts", _has_korean_font, "fonts-noto-cjk", "--cask font-noto-sans-cjk-kr"),
    )
    for code, is_there, debian, homebrew in components:
        there = is_there()
        how = "" if there else install(debian, homebrew)
        yield Finding(code if there else f"no_{code}", "fine" if there else "note", {}, how)


def _has_chromium() -> bool:
    programs = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return any(shutil.which(name) for name in programs) or Path("/Applications/Chromium.app").exists()


def _has_postgresql() -> bool:
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _has_korean_font() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True  # they come with Korean fonts
    homes = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts",
             Path.home() / ".local/share/fonts")  # fmt: skip
    wanted = ("cjk", "nanum", "notosanskr", "pretendard", "unbatang", "baekmuk")
    for home in homes:
        for _, _, files in os.walk(home):
            if any(word in name.lower() for name in files for word in wanted):
                return True
    return False
