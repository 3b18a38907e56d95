"""Slack refuses, fails or is away in the middle of trouble: everything is told afterwards, once, in order."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.config.delivery import AppriseSettings, SecondWaySettings
from bot.engine.delivery_policy import DeliveryPolicy
from bot.workspace.faults import FaultKind
from bot.workspace.model import Message
from tests.alertmanager import Alertmanager, Trouble
from tests.inbox import Inbox, open_inbox
from tests.people import ALERTS, words
from tests.stage import Stage
from tests.told import Told
from tests.waiting import eventually

AT_ONCE = {"critical": {"steps": [{"after": "0s", "tiers": [1]}], "rounds": 1, "every": None}}
ALONE = [Trouble(f"node-alone-{n}") for n in range(3)]
FLOOD = [Trouble(f"node-{n:03}", service=f"shop-{n % 3}") for n in range(120)]

Outage = Callable[[Stage, float], Coroutine[None, None, None]]


async def rate_limited(stage: Stage, seconds: float) -> None:
    """429 for everything that is posted or edited."""
    for method in ("chat.postMessage", "chat.update"):
        stage.slack.faults.add(method, FaultKind.RATE_LIMITED, seconds=seconds, retry_after=1)


async def failing(stage: Stage, seconds: float) -> None:
    """500 for every call."""
    stage.slack.faults.add("*", FaultKind.HTTP, seconds=seconds)


async def swallowing(stage: Stage, seconds: float) -> None:
    """What is posted arrives, and nobody is told that it did."""
    stage.slack.faults.add("chat.postMessage", FaultKind.ACCEPT_AND_HANG, times=5)


async def away(stage: Stage, seconds: float) -> None:
    """Nobody is there."""
    await stage.slack.faults.away(seconds)


@pytest.mark.parametrize("outage", [rate_limited, failing, swallowing, away])
async def test_what_happened_meanwhile_is_told_in_order_and_once(idle: Stage, outage: Outage) -> None:
    await _outage(idle, outage, 2.0)
    if outage is not swallowing:
        await idle.post("밀린 메시지")


@pytest.mark.soak
@pytest.mark.parametrize("outage", [rate_limited, failing])
async def test_a_real_minute(idle: Stage, outage: Outage) -> None:
    idle.policy = DeliveryPolicy()
    await _outage(idle, outage, 60.0)


@pytest.mark.soak
async def test_a_workspace_that_is_away_for_ten_minutes(idle: Stage) -> None:
    idle.policy = DeliveryPolicy()
    await _outage(idle, away, 600.0)


async def _outage(stage: Stage, outage: Outage, seconds: float) -> None:
    """Alerts of their own open, rise and end, and a storm begins and half of it ends, while Slack is out."""
    alertmanager = stage.with_alertmanager()
    stage.with_policy(ladders=AT_ONCE)
    stage.dial.target = "node-dial"
    await stage.start()
    await stage.post("시스템 상태")
    await alertmanager.tells(*ALONE[:1])
    await stage.card("🔥 긴급", "node-alone-0")

    begun = stage.moment()
    await outage(stage, seconds)
    stage.dial.works(82)
    await alertmanager.tells(*ALONE)
    await alertmanager.tells_in_groups(FLOOD, 12)
    await stage.has_level("warning")
    stage.dial.works(95)
    await eventually(lambda: stage.rows("SELECT at FROM pages WHERE metric = 'memory_usage'"))
    stage.dial.works(40)
    await alertmanager.tells(*ALONE, status="resolved")
    await alertmanager.tells_in_groups(FLOOD[:60], 12, "resolved")
    await stage.has_alert("resolved")
    await eventually(lambda: stage.moment() - begun > seconds, seconds + 30)
    await stage.slack.faults.clear()
    # What ended before the call for it could be sent calls nobody: only those with a card of their own, for
    # half of the storm still fails.
    own_cards = 1 + len(ALONE) + len({trouble.service for trouble in FLOOD})
    everyone = {"node-dial", *(trouble.target for trouble in (*ALONE, *FLOOD))}
    await eventually(lambda: Told.of(stage.slack).pages >= len(everyone) - own_cards, 60 + seconds)
    await alertmanager.tells_in_groups(FLOOD[60:], 12, "resolved")

    open_or_unsent = """SELECT id FROM letters WHERE state = 'queued'
                        UNION ALL SELECT id FROM alerts WHERE status != 'resolved'"""
    await eventually(lambda: not stage.rows(open_or_unsent), 60 + seconds)
    told = Told.of(stage.slack)
    assert set(told.fired) | set(told.fired_alone) == everyone
    assert set(told.resolved) | set(told.resolved_alone) == everyone
    assert (told.twice, told.doubles, told.overtaken) == (set(), 0, [])
    assert stage.rows("SELECT count(*) FROM pages") == [(len(everyone),)]
    assert told.pages <= len(everyone)
    assert stage.rows("SELECT id FROM letters WHERE state = 'dead'") == []


async def test_the_door_is_open_before_slack_has_answered_at_the_start(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    idle.slack.faults.add("*", FaultKind.HANG, seconds=600)
    await idle.start(connected=False)
    await alertmanager.tells(Trouble("node-1"), ceiling=5)
    await idle.has_alert("firing")
    await idle.slack.faults.clear()
    await idle.card("🔥 긴급", "node-1")


async def test_critical_news_go_the_second_way_while_slack_is_away(idle: Stage) -> None:
    async with open_inbox() as mail, open_inbox() as sms:
        alertmanager = _with_second_ways(idle, timedelta(seconds=0.5), mail=mail, sms=sms)
        idle.with_policy(
            tiers=[["#guardian-alerts"], ["apprise:sms"]],
            ladders={
                "critical": {
                    "steps": [{"after": "0s", "tiers": [1]}, {"after": "1s", "tiers": [2]}],
                    "rounds": 1,
                    "every": None,
                }
            },
        )
        await idle.start()
        await idle.post("시스템 상태")
        await idle.slack.faults.away(600)
        await alertmanager.tells(Trouble("node-mild", severity="warning"), Trouble("node-bad"))

        await eventually(lambda: mail.texts and len(sms.texts) > 1)
        assert all("node-bad" in text for text in (*mail.texts, *sms.texts))
        assert sum("호출" in title for title in sms.titles) >= 1, "the ladder's own step needs no Slack"

        await idle.slack.faults.clear()
        told: Message = await idle.post("다른 길로 보냈습니다")
        assert "mail" in words(told)
        await eventually(lambda: not idle.rows("SELECT id FROM letters WHERE state = 'queued'"))
        assert len(idle.posts(ALERTS)) >= 2
        ways = idle.rows(
            "SELECT letter_id, target, count(*) FROM second_way GROUP BY 1, 2 HAVING count(*) > 1"
        )
        assert ways == []


def _with_second_ways(stage: Stage, after: timedelta, **inboxes: Inbox) -> Alertmanager:
    alertmanager = stage.with_alertmanager()
    targets = {name: AppriseSettings(variable=f"GUARDIAN_{name.upper()}") for name in inboxes}
    stage.changed(
        second_way=SecondWaySettings.model_construct(
            apprise=targets, after=after, levels=("critical", "emergency")
        )
    )
    addresses: dict[str, SecretStr] = {name: inbox.url for name, inbox in inboxes.items()}
    stage.outside = replace(stage.outside, apprise=addresses)
    return alertmanager
