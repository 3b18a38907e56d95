"""Deployments beside alerts, where the Guardian calls its environment otherwise than deployments do."""

from __future__ import annotations

from datetime import timedelta

from bot.config.deploy import DeploySettings
from bot.domain.alerts.happenings import ChangeKind, Happening
from bot.engine.clock import utc_now
from bot.store.database import Database
from bot.store.insight import InsightStore
from tests.alertmanager import Trouble
from tests.deployments import deployed_to
from tests.people import OPS, words
from tests.stage import Stage
from tests.waiting import eventually


async def deployed(stage: Stage, environment: str) -> None:
    """Have it in the records that v2 was deployed there five minutes ago."""
    database = await Database.open(f"sqlite+aiosqlite:///{stage.database}")
    change = Happening(
        at=utc_now() - timedelta(minutes=5),
        kind=ChangeKind.DEPLOY,
        service="shop",
        environment=environment,
        title="shop v2",
        by="U1",
        facts={"operation": 7, "kind": "deploy", "event": "complete", "revision": "v2", "previous": "v1"},
    )
    await InsightStore(database).add_change(change)
    await database.close()


async def plan_of(stage: Stage) -> str:
    """What the plan of a deployment says."""
    await stage.person().types("/deploy shop v3")
    return words(
        await eventually(
            lambda: next((each for each in stage.posts(OPS) if "승인 대기" in words(each)), None)
        )
    )


async def test_an_alert_shows_the_deployment_and_the_next_plan_counts_the_alert(idle: Stage) -> None:
    idle.changed(environment="prod", deploy=DeploySettings.model_validate(deployed_to("production")))
    await idle.start()
    await deployed(idle, "production")
    idle.dial.works(97)
    card = await idle.card("shop v2")
    assert "롤백" in words(card)
    assert "열린 알림 1건" in await plan_of(idle)


async def test_an_alert_from_elsewhere_that_names_another_environment_shows_none(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    idle.changed(environment="prod", deploy=DeploySettings.model_validate(deployed_to("production")))
    await idle.start()
    await deployed(idle, "production")
    await alertmanager.tells(
        Trouble("disk-1", service="shop", environment="staging"), Trouble("disk-2", service="shop")
    )

    def shown() -> set[str]:
        cards = [words(each) for each in idle.cards()]
        return {name for name in ("disk-1", "disk-2") for each in cards if name in each and "shop v2" in each}

    await eventually(shown)  # the elder one is looked at first
    assert shown() == {"disk-2"}
    assert "열린 알림 1건" in await plan_of(idle)
