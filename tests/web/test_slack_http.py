"""HTTP mode: the same listeners behind signed requests."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.config.settings import SlackHttp
from bot.slack.manifest import manifest
from bot.workspace.http_delivery import signature
from bot.workspace.server import serve
from bot.workspace.settings import UNLIMITED
from tests.people import ALERTS, OPS, words
from tests.ports import free_port
from tests.stage import Stage
from tests.waiting import eventually


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A Guardian in HTTP mode before a workspace that calls it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    async with serve(
        tmp_path / "slack",
        manifest=manifest(mode="http", request_url=url),
        channels=[ALERTS, OPS, "general"],
        rate_limits=UNLIMITED,
    ) as running:
        prepared = Stage.prepared(running, tmp_path)
        slack = prepared.settings.slack.model_copy(update={"mode": "http", "http": SlackHttp(port=port)})
        prepared.changed(slack=slack)
        await prepared.start()
        await prepared.health()
        yield prepared
        await prepared.stop()


def door(stage: Stage) -> str:
    """Where the Guardian takes Slack's requests."""
    http = stage.settings.slack.http
    return f"http://{http.host}:{http.port}{http.path}"


COMMAND = urlencode(
    {
        "command": "/guardian",
        "text": "version",
        "user_id": "U1",
        "channel_id": "C1",
        "team_id": "T1",
        "response_url": "http://127.0.0.1:1/",
        "trigger_id": "1.2.3",
    }
)


async def send(stage: Stage, secret: str, age: int = 0, body: str = COMMAND) -> int:
    """Send a request as Slack does, signed with that secret so many seconds ago; the status of the answer."""
    at = str(int(time.time()) - age)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature(secret, at, body.encode()),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(door(stage), data=body, headers=headers) as answer,
    ):
        return answer.status


async def test_commands_mentions_and_messages_are_answered(stage: Stage) -> None:
    await stage.checks(1)
    someone = stage.person()
    assert "시스템 상태: 정상 (Green)" in words(await someone.types("/guardian 상태"))
    assert "수호자" in words(await someone.mentions("version"))
    assert "모니터링 알림 없음" in words(await someone.writes("알림"))


async def test_an_alert_is_acknowledged_on_its_card_and_in_home(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의: 메모리 사용률 82%")
    doyun = stage.person(1)
    await doyun.presses(card)
    await stage.card(f"<@{doyun.id}>")
    await stage.slack.workspace.open_home(doyun.id, stage.slack.app.id)
    home = await eventually(lambda: stage.slack.workspace.home(stage.slack.app.id, doyun.id))
    assert "메모리 사용률 82%" in words(home)
    stage.dial.works(40)
    assert (await stage.card("✅ 해결")).ts == card.ts


async def test_only_slacks_own_fresh_signature_opens_the_door(stage: Stage) -> None:
    secret = stage.slack.signing_secret
    assert await send(stage, secret) == 200
    assert await send(stage, "another secret") == 401
    assert await send(stage, "") == 401
    assert await send(stage, secret, age=400) == 401, "a request of six minutes ago may be played back"
    assert await send(stage, secret, age=-400) == 401


async def test_a_request_without_a_signature_is_refused(stage: Stage) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(door(stage), data=COMMAND) as answer:
            assert answer.status == 401
        async with session.get(door(stage)) as answer:
            assert answer.status == 405
        async with session.post(door(stage) + "/else", data=COMMAND) as answer:
            assert answer.status == 404
        async with session.post(door(stage), data=BytesIO(b"x" * 2_000_000)) as answer:
            assert answer.status == 413


async def test_health_counts_slack_as_connected_while_it_takes_letters(stage: Stage) -> None:
    await stage.post("시스템 상태")
    assert (await stage.health())["slack_connected"] is True
