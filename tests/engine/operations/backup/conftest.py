"""A yard with everything that backups need: a real restic, a disk, an S3 server, sources, a database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue
from structlog.testing import capture_logs

from bot.domain.backup.sources import Source, SourceKind
from bot.domain.operations.plan import JsonObject, OnFailure, Plan
from bot.engine.clock import utc_now
from bot.engine.operations.backup.desk import BackupDesk
from bot.engine.operations.backup.now import BackupNow
from bot.engine.operations.backup.replace import ReplaceRepository
from bot.engine.operations.backup.restore import RestoreBackup
from bot.engine.operations.backup.vault import Vault, VaultRules
from bot.engine.operations.backup.verify import VerifyBackups
from bot.engine.operations.contract import Guided, Operation, StepFailed
from bot.store.backup_tables import BACKUP_TABLES
from bot.store.backups import BackupStore
from bot.store.database import Database
from bot.store.tables import metadata
from bot.tools.media import Machine
from bot.tools.restic.repository import Repository
from bot.tools.restic.restic import Restic
from tests.backups import HASTY, PASSWORD, Templates, fill, local, offsite, open_at_once, restic
from tests.objects import Objects

SEOUL = ZoneInfo("Asia/Seoul")


@dataclass
class Hand:
    """`Work` for one run. `stop_at`: pressed 중단 once that many progress reports have come."""

    run_id: int
    token: int = 1
    stop_at: int | None = None
    told: list[tuple[int, int | None, str]] = field(default_factory=list)

    @property
    def stopping(self) -> bool:
        return self.stop_at is not None and len(self.told) >= self.stop_at

    def past_return(self) -> None:
        """It stops where it is told to."""

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        self.told.append((done, total, unit))

    def attach(self, name: str, text: str) -> None:
        raise AssertionError("no backup attaches anything")

    @property
    def guided(self) -> Guided:
        raise AssertionError("nobody guides this step")


@dataclass
class Ran:
    """What became of a run: each step's figures, or why it failed."""

    plan: Plan
    done: list[tuple[str, JsonObject]] = field(default_factory=list)
    failed: list[tuple[str, StepFailed]] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, str]:
        """Step → why it failed."""
        return {name: error.reason for name, error in self.failed}

    def of(self, name: str) -> JsonObject:
        """The figures of the first step of that name."""
        return next(figures for step, figures in self.done if step == name)


@dataclass
class Yard:
    """Everything, and the operations over it."""

    folder: Path
    objects: Objects
    store: BackupStore
    restic: Restic
    local: Repository
    offsite: Repository
    sources: list[Source]
    ahead: timedelta = timedelta(0)
    """how far the Guardian's clock is ahead of restic's"""
    runs: int = 0

    @property
    def vault(self) -> Vault:
        """The hands, with the sources and repositories as they are now."""
        rules = VaultRules(self.folder / "state", SEOUL)
        return Vault(
            self.restic,
            [self.local, self.offsite],
            self.sources,
            self.store,
            os.environ,
            rules,
            self.clock,
            self.machine,
        )

    @property
    def machine(self) -> Machine:
        """One on which everything is on one disk, whatever the machine of the tests has."""
        number = self.folder.stat().st_dev
        (self.folder / "sys" / f"{os.major(number)}:{os.minor(number)}").mkdir(parents=True, exist_ok=True)
        (self.folder / "mountinfo").touch()
        return Machine(self.folder / "mountinfo", self.folder / "sys")

    @property
    def desk(self) -> BackupDesk:
        """Who answers."""
        return BackupDesk(self.vault)

    def clock(self) -> datetime:
        """The Guardian's clock."""
        return utc_now() + self.ahead

    async def now(
        self,
        sources: Sequence[str] | None = None,
        hand: Hand | None = None,
        planned: Callable[[], None] | None = None,
    ) -> Ran:
        """`backup now`; `planned` is called between the plan and the first step."""
        request: dict[str, JsonValue] = {} if sources is None else {"sources": list(sources)}
        return await self.run(BackupNow(self.vault), request, hand=hand, planned=planned)

    async def verify(self, at: datetime | None = None) -> Ran:
        """`backup verify`, on another day if one is given."""
        return await self.run(VerifyBackups(self.vault), {}, at)

    async def restored(self, target: Path, **more: JsonValue) -> Ran:
        """`backup restore` of the user data."""
        request: dict[str, JsonValue] = {"source": "uploads", "target": str(target), **more}
        return await self.run(RestoreBackup(self.vault), request)

    async def replaced(self, place: str) -> Ran:
        """`backup replace` of that repository."""
        ran = await self.run(ReplaceRepository(self.vault), {"place": place})
        if place == "local" and not ran.failed:
            open_at_once(Path(str(self.local.path)), PASSWORD)
        return ran

    async def run(
        self,
        operation: Operation,
        request: JsonObject,
        at: datetime | None = None,
        hand: Hand | None = None,
        planned: Callable[[], None] | None = None,
    ) -> Ran:
        """Plan it, plan it again as at execution, and do its steps as the machinery does."""
        at = at or self.clock()
        plan = await operation.plan(request, at)
        assert (await operation.plan(request, at)).hash == plan.hash
        if planned is not None:
            planned()
        self.runs += 1
        ran, hand = Ran(plan), hand or Hand(self.runs)
        for index, step in enumerate(plan.steps):
            try:
                ran.done.append((step.name, await operation.do(plan, step, hand)))
            except StepFailed as error:
                ran.failed.append((step.name, error))
                if plan.on_failure is OnFailure.UNDO_ALL:
                    for each in reversed(plan.steps[: index + 1]):
                        await operation.undo(plan, each, hand)
                    break
        return ran


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """What is logged is kept and not printed."""
    with capture_logs():
        yield


@pytest.fixture
def objects() -> Iterator[Objects]:
    """An S3 server whose writer has no right to delete anything but locks."""
    with Objects.started() as objects:
        objects.adds_only = True
        yield objects


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BackupStore]:
    """A new database."""
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all, tables=list(BACKUP_TABLES))
    yield BackupStore(database)
    await database.close()


@pytest.fixture
def bare_yard(tmp_path: Path, objects: Objects, store: BackupStore) -> Yard:
    """Configurations and user data on a disk, and no repository yet."""
    fill(tmp_path / "etc", [("app.conf", b"port = 8080\n")])
    fill(tmp_path / "uploads", [("한글 이름*.txt", b"hello"), ("photo.jpg", os.urandom(2_000_000))])
    sources = [
        Source("configs", SourceKind.CONFIGS, (str(tmp_path / "etc"),)),
        Source("uploads", SourceKind.USER_DATA, (str(tmp_path / "uploads"),)),
    ]
    (tmp_path / "disk").mkdir()
    repositories = local(tmp_path / "disk" / "backups"), offsite(objects)
    return Yard(tmp_path, objects, store, restic(tmp_path, HASTY), *repositories, sources)


@pytest.fixture
def yard(bare_yard: Yard, templates: Templates) -> Yard:
    """The same with two empty repositories."""
    templates.lay_out(bare_yard.folder / "disk" / "backups", bare_yard.objects)
    return bare_yard
