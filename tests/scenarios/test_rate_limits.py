"""Slack's real limits and the Guardian's real policy: a burst of alerts takes its time and loses nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bot.engine.delivery_policy import DeliveryPolicy
from bot.slack.manifest import manifest
from bot.workspace.server import serve
from bot.workspace.settings import RateLimits
from tests.dial import Dial
from tests.people import ALERTS, OPS, words
from tests.stage import Stage
from tests.waiting import eventually


async def test_more_alerts_than_slack_takes_at_once_all_arrive(tmp_path: Path) -> None:
    async with serve(
        tmp_path / "slack",
        manifest=manifest(),
        channels=[ALERTS, OPS, "general"],
        rate_limits=RateLimits(),
    ) as slack:
        stage = Stage.prepared(slack, tmp_path)
        stage.policy = DeliveryPolicy()
        dials = [Dial(f"web-{number}", value=82 if number < 5 else 95) for number in range(1, 7)]
        stage.probes = dials
        await stage.start()
        try:
            await eventually(lambda: len(stage.cards()) == len(dials), ceiling=90)
            await eventually(
                lambda: not stage.rows("SELECT id FROM letters WHERE state = 'queued'"), ceiling=90
            )
            told = Counter(
                dial.target for dial in dials for card in stage.cards() if dial.target in words(card)
            )
            assert told == Counter(dial.target for dial in dials)
            assert all(len(stage.thread(card)) == 1 for card in stage.cards())
            first = [words(card) for card in stage.cards()[:5]]
            assert any("🔥 긴급" in said for said in first), "the worst do not wait behind the rest"
        finally:
            await stage.stop()
