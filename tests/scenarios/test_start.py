"""What keeps the Guardian from starting is a sentence and exit status 2; what it says holds no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.workspace.faults import FaultKind
from bot.workspace.server import Running
from tests.people import cards, first_report, online, reader, words
from tests.ports import free_port
from tests.process import Process, configuration, environment
from tests.target import Target
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-000000000000-wrong"),
        ("SLACK_APP_TOKEN", "xapp-1-A000-000-wrong"),
    ],
)
async def test_a_wrong_token_is_named_in_a_sentence(guardian: Process, variable: str, value: str) -> None:
    guardian.environment = {**guardian.environment, variable: value}
    await guardian.start()

    assert await guardian.wait() == 2
    said = guardian.said()
    assert f"Slack에서 {variable} 값을 거부했습니다" in said
    assert "Traceback" not in said
    assert value not in said


@pytest.mark.parametrize("which", ["bot", "app"])
async def test_a_revoked_token_is_named_in_a_sentence(slack: Running, guardian: Process, which: str) -> None:
    slack.faults.revoke(which)
    await guardian.start()

    assert await guardian.wait() == 2
    assert f"SLACK_{which.upper()}_TOKEN" in guardian.said()
    assert "Traceback" not in guardian.said()


async def test_missing_tokens_are_all_named_at_once(guardian: Process) -> None:
    guardian.environment = {
        name: value for name, value in guardian.environment.items() if "TOKEN" not in name
    }
    await guardian.start()

    assert await guardian.wait() == 2
    assert "SLACK_BOT_TOKEN" in guardian.said()
    assert "SLACK_APP_TOKEN" in guardian.said()
    assert "Traceback" not in guardian.said()


async def test_in_http_mode_a_taken_port_is_a_sentence(slack: Running, tmp_path: Path) -> None:
    settings = configuration(tmp_path, free_port())
    taken = int(slack.url.rsplit(":", 1)[1])
    settings["slack"] = {"mode": "http", "http": {"port": taken}}
    process = Process(tmp_path, settings, environment(slack))
    await process.start()

    assert await process.wait() == 2
    assert f"127.0.0.1:{taken}" in process.said()
    assert "Traceback" not in process.said()


async def test_no_log_of_a_whole_life_holds_a_token(
    slack: Running, target: Target, guardian: Process
) -> None:
    guardian.settings = {**guardian.settings, "log": {"level": "debug", "format": "console"}}
    await guardian.start()
    await first_report(slack)
    await online(slack)
    target.status = 503
    await eventually(lambda: cards(slack))
    someone = reader(slack)
    await someone.presses(cards(slack)[0])
    await someone.types("/guardian status")
    slack.faults.add("chat.postMessage", FaultKind.ERROR, error="invalid_auth")
    slack.faults.add("chat.update", FaultKind.HTTP, times=2)
    target.status = 200
    await eventually(lambda: "✅ 해결" in words(cards(slack)[0]))
    await slack.faults.disconnect()
    await someone.types_until_answered("/guardian status")
    assert await guardian.terminate() == 0

    said = guardian.said()
    assert "slack_sdk" in said, "the libraries' own logs are among them"
    for secret in (slack.bot_token, slack.app_token, slack.signing_secret):
        assert secret not in said
        assert secret[-12:] not in said
    assert "ticket=" not in said or "ticket=…" in said
