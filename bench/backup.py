"""A backup of 1 GB and its proof, beside restic alone on the same data in the same run."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from bench.figures import Figure, Result, middle
from bot.domain.backup.repositories import Place
from bot.domain.backup.sources import Dump, Source, SourceKind
from bot.domain.backup.subset import SHARES
from bot.engine.clock import utc_now
from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.vault import Vault, VaultRules
from bot.engine.operations.contract import Guided, StepFailed
from bot.store.backup_tables import BACKUP_TABLES
from bot.store.backups import BackupStore
from bot.store.database import Database
from bot.store.tables import metadata
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Restic

NAME = "backup"
_PASSWORD = {"RESTIC_PASSWORD": "bench"}
_FILE = 16_000_000


async def measure(quick: bool) -> Result:
    """The same data into new repositories: by restic's own commands, and by the operation `backup now`, which
    does the same and besides restores a file from both repositories and judges."""
    size, repetitions = (32_000_000, 1) if quick else (1_000_000_000, 3)
    floor: dict[str, list[float]] = {}
    ours: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        folder = Path(name)
        await asyncio.to_thread(_fill, folder / "data", size)
        for _ in range(repetitions):
            for times, told in ((floor, await _plain(folder)), (ours, await _guardian(folder))):
                for what, took in told.items():
                    times.setdefault(what, []).append(took)
    whats = {
        "save": "backup: saving 1 GB",
        "dump": "backup: a dump of 1 GB, streamed",
        "copy": "backup: copying it",
        "prove": "backup: checking both, reading a seventh, restoring a file",
    }
    figures = [
        Figure(text, "s", middle(floor[what]), middle(ours[what]), at_most_ratio=None if quick else 1.5)
        for what, text in whats.items()
    ]
    method = (
        f"{size / 1e9:g} GB in files of 16 MB, by turns, medians of {repetitions}; both repositories here"
    )
    runs: dict[str, JsonValue] = {f"floor {what}": [*times] for what, times in floor.items()}
    runs |= {f"guardian {what}": [*times] for what, times in ours.items()}
    return Result(NAME, method, figures, runs)


def _fill(folder: Path, size: int) -> None:
    folder.mkdir()
    for number in range(size // _FILE):
        (folder / f"{number}.bin").write_bytes(os.urandom(_FILE))


async def _plain(folder: Path) -> dict[str, float]:
    """restic as one would type it. Its check reads the same share; a file is restored from both."""
    first, second, cache = folder / "first", folder / "second", folder / "cache"
    environment = {
        "PATH": os.environ["PATH"],
        "RESTIC_CACHE_DIR": str(cache),
        "RESTIC_FROM_PASSWORD": "bench",
        **_PASSWORD,
    }
    restic = [shutil.which("restic") or "restic"]
    data = str(folder / "data")
    share = f"--read-data-subset={utc_now().isoweekday()}/{SHARES}"
    like = ["--from-repo", str(first)]
    files = sorted((folder / "data").iterdir())
    saving = [*restic, "-r", str(first), "backup", data]
    streaming = [*restic, "-r", str(first), "backup", "--stdin"]
    try:
        await _timed([[*restic, "-r", str(first), "init"]], environment)
        await _timed([[*restic, "-r", str(second), "init", *like, "--copy-chunker-params"]], environment)
        save = await _timed([saving], environment)
        copy = await _timed([[*restic, "-r", str(second), "copy", *like]], environment)
        looks = [[*restic, "-r", str(each), "check", share] for each in (first, second)]
        dumps = [[*restic, "-r", str(each), "dump", "latest", str(files[0])] for each in (first, second)]
        prove = await _timed([*looks, *dumps], environment)
        shutil.rmtree(first)
        await _timed([[*restic, "-r", str(first), "init"]], environment)
        dump = await _timed([streaming], environment, stdin=files)
    finally:
        await asyncio.to_thread(_remove, first, second, cache)
    return {"save": save, "copy": copy, "prove": prove, "dump": dump}


async def _timed(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], stdin: Sequence[Path] = ()
) -> float:
    """Seconds that these take one after the other; RuntimeError when one fails."""
    began = time.monotonic()
    for command in commands:
        if stdin:
            reading, writing = os.pipe()
            cat = await asyncio.create_subprocess_exec("cat", *map(str, stdin), stdout=writing)
            os.close(writing)
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(environment),
            stdin=reading if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        if stdin:
            os.close(reading)
        _, said = await process.communicate()
        if stdin:
            await cat.wait()
        if process.returncode != 0:
            raise RuntimeError(said.decode(errors="replace"))
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class _Hand:
    """`Work` for which nobody waits."""

    run_id: int
    token: int = 1
    stopping: bool = False

    def past_return(self) -> None:
        """Nobody presses anything here."""

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """Nobody looks."""

    def attach(self, name: str, text: str) -> None:
        """Nobody looks."""

    @property
    def guided(self) -> Guided:
        """Nobody does."""
        raise AssertionError("nobody guides this step")


async def _guardian(folder: Path) -> dict[str, float]:
    first, second, cache = folder / "local", folder / "offsite", folder / "cache"
    files = sorted(map(str, (folder / "data").iterdir()))
    sources = [
        Source("data", SourceKind.USER_DATA, (str(folder / "data"),)),
        Source("dump", SourceKind.DATABASE, dump=Dump(("cat", *files), "dump")),
    ]
    restic = Restic("restic", cache, os.environ)
    database = await Database.open("sqlite+aiosqlite://")
    try:
        async with database.begin() as connection:
            await connection.run_sync(metadata.create_all, tables=list(BACKUP_TABLES))
        pair = [
            Repository(Place.LOCAL, str(first), _PASSWORD, may_delete=True),
            Repository(Place.OFFSITE, str(second), _PASSWORD, may_delete=True),
        ]
        rules = VaultRules(folder / "state", ZoneInfo("UTC"))
        store = BackupStore(database)
        vault = Vault(restic, pair, sources, store, os.environ, rules, utc_now)
        steps = await _run(BackupNow(vault), "data", _Hand(1))
        await asyncio.to_thread(_remove, first, second)
        fresh = Vault(restic, pair, sources, BackupStore(database), os.environ, rules, utc_now)
        await restic.init(pair[0])
        await restic.init(pair[1], pair[0])
        for place in Place:
            await fresh.look(place)
        dumped = await _run(BackupNow(fresh), "dump", _Hand(2), only="backup_take")
    finally:
        await database.close()
        await asyncio.to_thread(_remove, first, second, cache)
    proving = sum(took for name, took in steps.items() if name in ("backup_check", "backup_prove"))
    return {
        "save": steps["backup_take"],
        "copy": steps["backup_copy"],
        "prove": proving,
        "dump": dumped["backup_take"],
    }


async def _run(operation: BackupNow, source: str, hand: _Hand, only: str = "") -> dict[str, float]:
    """Seconds of its steps, by their names."""
    plan = await operation.plan({"sources": [source]}, utc_now())
    times: dict[str, float] = {}
    for step in plan.steps:
        if only not in ("", step.name):
            continue
        began = time.monotonic()
        try:
            await operation.do(plan, step, hand)
        except StepFailed as failed:
            # Two folders of one disk are no two media, which the judgement says; the rest must be well.
            if failed.values.get("why", "same_medium") not in ("same_medium", "medium_unknown"):
                raise
            if failed.reason not in ("not_verified", "retention_waits"):
                raise
        times[step.name] = times.get(step.name, 0.0) + time.monotonic() - began
    return times


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
