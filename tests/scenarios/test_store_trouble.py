"""A database that cannot be written: said aloud, lived with, and nothing lost once it is mended."""

from __future__ import annotations

import resource

import aiohttp
import pytest

from bot.workspace.server import Running
from tests.people import ALERTS, cards, first_report, online, reader, words
from tests.process import Process
from tests.target import Target
from tests.waiting import eventually


def fill_disk(process: Process) -> None:
    """Let the kernel refuse every byte that the process writes to a file, as a full disk does."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))


def clear_disk(process: Process) -> None:
    """Let it write again."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def health(process: Process) -> dict[str, object]:
    """What `GET /health` says."""
    async with aiohttp.ClientSession() as session, session.get(f"{process.door}/health") as answer:
        return dict(await answer.json())


def says(slack: Running, text: str) -> bool:
    """Whether that stands in the alert channel."""
    return any(text in words(message) for message in reader(slack).sees(ALERTS))


async def test_a_disk_that_fills_up_in_between(slack: Running, target: Target, guardian: Process) -> None:
    await guardian.start()
    await first_report(slack)
    await online(slack)
    fill_disk(guardian)
    target.status = 503

    card = await eventually(lambda: next(iter(cards(slack)), None))
    await eventually(lambda: says(slack, "데이터베이스에 쓸 수 없음"))
    someone = reader(slack)
    assert "데이터베이스에 쓸 수 없음" in words(await someone.types("/guardian status"))
    assert "서비스 응답 없음" in words(await someone.types("/guardian alerts"))
    await someone.presses(cards(slack)[0])
    await eventually(lambda: f"<@{someone.id}>" in words(cards(slack)[0]))
    body = await health(guardian)
    assert body["store_problem"]
    assert body["status"] == "degraded"

    clear_disk(guardian)
    await eventually(lambda: says(slack, "데이터베이스에 다시 쓸 수 있음"))
    await eventually(lambda: guardian.count("SELECT count(*) FROM alerts WHERE status = 'acked'") == 1)
    await eventually(lambda: guardian.count("SELECT count(*) FROM letters WHERE state = 'queued'") == 0)
    await guardian.kill()

    await guardian.start()
    await online(slack)
    target.status = 200
    await eventually(lambda: "✅ 해결" in words(cards(slack)[0]))
    assert [message.ts for message in cards(slack)] == [card.ts]
    assert "Traceback" not in guardian.said()


async def test_an_end_with_a_full_disk_is_still_an_end(
    slack: Running, target: Target, guardian: Process
) -> None:
    await guardian.start()
    await first_report(slack)
    fill_disk(guardian)
    target.status = 503
    await eventually(lambda: says(slack, "데이터베이스에 쓸 수 없음"))

    assert await guardian.terminate() == 0
    assert "Traceback" not in guardian.said()


@pytest.mark.parametrize("content", [b"this is no database, whatever its name may say" * 100])
async def test_a_file_that_is_no_database_is_refused_with_a_sentence(
    guardian: Process, content: bytes
) -> None:
    state = guardian.folder / "state"
    state.mkdir()
    (state / "guardian.db").write_bytes(content)
    await guardian.start()

    assert await guardian.wait() == 2
    assert "데이터베이스를 열 수 없습니다" in guardian.said()
    assert "Traceback" not in guardian.said()
    assert (state / "guardian.db").read_bytes() == content, "it is somebody's, whatever it is"


async def test_a_state_directory_that_is_a_file_is_refused_with_a_sentence(guardian: Process) -> None:
    (guardian.folder / "state").write_text("not a directory")
    await guardian.start()

    assert await guardian.wait() == 2
    assert "데이터베이스를 열 수 없습니다" in guardian.said()
    assert "Traceback" not in guardian.said()
