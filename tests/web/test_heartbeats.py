"""Jobs that report, as curl does it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.heartbeats import Job
from bot.engine.heartbeats import Heartbeats
from bot.store.database import Database
from bot.store.heartbeats import HeartbeatStore
from bot.web.heartbeats import HeartbeatRoutes
from bot.web.webhooks import application
from messages.render import Voice
from tests.doors import SECRET, Knocker, at_door
from tests.factories import T0
from tests.reporting import ReportBook


@pytest.fixture
def desk() -> ReportBook:
    """The desk behind it."""
    return ReportBook()


@pytest.fixture
async def heartbeats(tmp_path: Path, desk: ReportBook) -> AsyncIterator[Heartbeats]:
    """One job."""
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    jobs = [Job("backup", timedelta(hours=1), timedelta(minutes=10))]
    known = Heartbeats(HeartbeatStore(database), desk, jobs, "test")
    await known.load(T0)
    yield known
    await database.close()


@pytest.fixture
async def door(heartbeats: Heartbeats) -> AsyncIterator[Knocker]:
    """The door where it reports."""
    routes = HeartbeatRoutes(heartbeats, SecretStr(SECRET), lambda: T0)
    async with at_door(application(Voice("en"), routes)) as knocker:
        yield knocker


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_job_reports_by_any_method(door: Knocker, heartbeats: Heartbeats, method: str) -> None:
    assert (await door.send(method, "/heartbeat/backup")).status == 200
    [job] = heartbeats.facts(T0)
    assert (job.state, job.last_at) == ("fine", T0.isoformat())


async def test_a_job_says_that_it_begins_and_that_it_failed(
    door: Knocker, heartbeats: Heartbeats, desk: ReportBook
) -> None:
    started = await door.send("POST", "/heartbeat/backup/start")
    assert started.body == {
        "name": "backup",
        "heard": "start",
        "due_at": (T0 + timedelta(minutes=10)).isoformat(),
    }
    assert heartbeats.facts(T0)[0].state == "running"
    said = "exit status 2\n" + "long " * 400_000
    assert (
        await door.send("POST", "/heartbeat/backup/fail", said.encode(), Content_Type="x/y")
    ).status == 200
    [report] = desk.taken()
    assert report.event.facts["said"].startswith("exit status 2 long")
    assert heartbeats.facts(T0)[0].state == "failed"


async def test_what_is_wrong_is_refused_and_changes_nothing(
    door: Knocker, heartbeats: Heartbeats, desk: ReportBook
) -> None:
    assert (await door.send("POST", "/heartbeat/backup", secret=None)).status == 401
    assert (await door.send("POST", "/heartbeat/backup", secret="wrong")).status == 401
    assert (await door.send("GET", f"/heartbeat/backup?token={SECRET}", secret=None)).status == 401
    unknown = await door.send("GET", "/heartbeat/bakup")
    assert unknown.status == 404
    assert "Did you mean backup?" in unknown.error
    assert (await door.send("GET", "/heartbeat/backup/stop")).status == 404
    assert (await door.send("DELETE", "/heartbeat/backup")).status == 405
    assert (await door.send("GET", "/heartbeat/")).status == 404
    assert heartbeats.facts(T0)[0].last_at is None
    assert desk.calls == 0
