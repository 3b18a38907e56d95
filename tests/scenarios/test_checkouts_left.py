"""What the checks of a Guardian that was killed have left, at the next start."""

from __future__ import annotations

from tests.engine.deploy.checked_site import settings_checked_by
from tests.stage import Stage
from tests.waiting import eventually


async def test_it_goes_before_anybody_deploys(idle: Stage) -> None:
    idle.changed(deploy=settings_checked_by(None, {}))
    left = idle.settings.state_directory / "deploy" / "checkouts" / "left"
    (left / "tests").mkdir(parents=True)
    (left / "tests" / "file").touch()
    await idle.start()
    await eventually(lambda: not left.exists())
