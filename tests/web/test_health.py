"""`GET /health` and `GET /metrics` of a Guardian on watch."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from bot import __version__
from probes.base import Problem, ProblemKind
from tests.stage import Stage
from tests.waiting import CEILING, eventually


async def metrics(stage: Stage) -> dict[tuple[str, tuple[str, ...]], float]:
    """All samples by name and values of the sorted labels; a text that Prometheus refuses raises."""
    answer = await stage.ask("metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(await answer.text())
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_watch_in_order_is_ok(stage: Stage) -> None:
    await stage.post("시스템 상태")
    # The letter is written down as sent a moment before the outbox has forgotten it.
    async with asyncio.timeout(CEILING):
        while (await stage.health())["undelivered"]:
            pass
    answer = await stage.ask("health")
    body = await answer.json()
    assert answer.status == 200
    assert body["status"] == "ok"
    assert body["state"] == "green"
    assert body["slack_connected"] is True
    assert body["probes"] == 1
    assert body["open_alerts"] == body["probes_failing"] == body["undelivered"] == body["dead_letters"] == 0
    assert body["store_problem"] is None


async def test_open_alerts_and_failing_probes_are_counted(stage: Stage) -> None:
    stage.dial.works(95)
    await stage.card("🔥 긴급")
    assert (await stage.health())["state"] == "red"
    assert (await stage.health())["open_alerts"] == 1
    stage.dial.problem = Problem(ProblemKind.PERMISSION, "no")
    await stage.card("측정 불가", number=1)
    body = await stage.health()
    assert body["probes_failing"] == 1
    assert body["open_alerts"] == 2


async def test_slack_away_is_degraded_and_no_reason_for_a_restart(stage: Stage) -> None:
    await stage.slack.faults.away(600)
    await eventually(lambda: not stage.slack.workspace.app_online(stage.slack.app.id))
    while (await stage.health())["status"] != "degraded":
        await stage.checks(1)
    assert (await stage.ask("health")).status == 200


async def test_the_metrics_are_prometheus_text(stage: Stage) -> None:
    stage.dial.works(82.5)
    await stage.card("⚠️ 주의")
    samples = await metrics(stage)
    assert samples["guardian_reading", ("memory_usage", "web-1", "%")] == 82.5
    assert samples["guardian_alerts_open", ("warning",)] == 1
    assert samples["guardian_alerts_open", ("critical",)] == 0
    assert samples["guardian_probes", ()] == 1
    assert samples["guardian_slack_connected", ()] == 1
    assert samples["guardian_store_writable", ()] == 1
    assert samples["process_resident_memory_bytes", ()] > 0
    assert samples["guardian_info", ("production", __version__)] == 1


async def test_a_missing_reading_is_missing_and_not_zero(stage: Stage) -> None:
    stage.dial.problem = Problem(ProblemKind.PERMISSION, "no")
    await stage.card("측정 불가")
    samples = await metrics(stage)
    assert not any(name == "guardian_reading" for name, _ in samples)
    assert samples["guardian_reading_missing", ("memory_usage", "permission", "web-1")] == 1


async def test_a_hostile_name_does_not_break_the_format(idle: Stage) -> None:
    idle.dial.target = 'a"b\\c\nd{e="f"} 한글'
    await idle.start()
    await idle.checks(2)
    samples = await metrics(idle)
    assert ("guardian_reading", ("memory_usage", idle.dial.target, "%")) in samples


async def test_a_taken_port_costs_the_door_and_not_the_watch(idle: Stage) -> None:
    idle.changed(
        health=idle.settings.health.model_copy(update={"port": int(idle.slack.url.rsplit(":", 1)[1])})
    )
    await idle.start()
    idle.dial.works(82)
    await idle.card("⚠️ 주의")
