"""Deployments that fail, and the alerts that tell of them: one for each service in each place."""

from __future__ import annotations

from bot.config.deploy import DeploySettings
from bot.workspace.model import Message
from tests.deployments import deployed_to
from tests.people import OPS, elements, words
from tests.stage import Stage
from tests.waiting import eventually


async def fails(stage: Stage, revision: str, environment: str) -> None:
    """Deploy that there: nothing answers at the service's addresses, so that it does not get far."""
    await stage.person().types(f"/deploy shop {revision} {environment}")

    def card() -> Message | None:
        return next(
            (each for each in stage.posts(OPS) if f"shop {revision} → {environment}" in each.text), None
        )

    planned = await eventually(card)
    await stage.person(1).presses(planned, "op_approve")
    await eventually(lambda: "– 실패" in stage.current(planned).text)


async def test_each_place_has_one_card_and_a_second_failure_is_on_it(idle: Stage) -> None:
    idle.changed(deploy=DeploySettings.model_validate(deployed_to("production", "staging")))
    await idle.start()
    await fails(idle, "v2", "production")
    card = await idle.card("shop v2")
    assert "production/shop" in words(card)
    await idle.person().presses(card)
    await fails(idle, "v3", "staging")
    await idle.card("shop v3", "staging/shop", number=1)
    await fails(idle, "v4", "production")
    await eventually(lambda: "shop v4" in words(idle.current(card)))
    assert "shop v2" not in words(idle.current(card))
    assert elements(idle.current(card), "alert_ack") == []  # acknowledged as before
    await eventually(lambda: any("또 실패했습니다" in line for line in idle.thread(card)))
    assert len(idle.cards()) == 2
