"""The shop's releases before the real judge, in the trial's production as it is configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config.deploy import services_of
from bot.deploy_sites import site_of
from bot.domain.deploy.checks import ByLoad, Trial
from bot.domain.deploy.service import Service
from bot.domain.operations.approval import State
from bot.domain.operations.record import OperationRecord
from bot.store.database import Database
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.trial.shop.places import PRODUCTION
from bot.trial.shop.settings import deploy_settings
from tests.engine.deploy.ground import deployed_by
from tests.engine.support import SetClock
from tests.tools.traffic.haproxy import Balancer, haproxy
from tests.trial.shop import ask, opened, places

_LONG_MS = 60_000.0
_OVER = (State.DONE, State.UNDONE, State.FAILED, State.PARTIAL)


def unhurried(service: Service) -> Service:
    """The same on a machine that is busy with other tests: how long answers take counts for nothing."""
    load, production = service.verification[Trial.PERFORMANCE], service.environments[PRODUCTION]
    assert isinstance(load, ByLoad)
    limits = replace(production.limits, response_ms=_LONG_MS)
    return replace(
        service,
        verification={**service.verification, Trial.PERFORMANCE: replace(load, p95_ms=_LONG_MS)},
        environments={**service.environments, PRODUCTION: replace(production, limits=limits)},
    )


async def deployed(
    revision: str, folder: Path, tuned: Callable[[Service], Service] = lambda service: service
) -> tuple[OperationRecord, str]:
    """What becomes of a deployment of that revision over v1, and the shop's page when it is over."""
    database = await Database.open(f"sqlite+aiosqlite:///{folder}/guardian.db")
    try:
        with places() as (state, there):
            async with opened(state, there) as shop:
                made = deploy_settings(there, (), "a test", git=True)
                service = tuned(services_of(made)[0])
                site = site_of(made, state, {}, service, service.environments[PRODUCTION])
                its = site.configuration
                assert isinstance(its, HaproxyConfiguration)
                ports, file = there.ports[PRODUCTION], there.balancer / "haproxy.cfg"
                balancer = Balancer(haproxy(), there.balancer, ports.shop, its, file)
                async with deployed_by(database, SetClock(), folder, balancer, site) as ground:
                    number = await ground.begin(revision)
                    over = await ground.yard.reaches(number, *_OVER)
                page = (await ask(shop.url))[1]
                if site.log is not None:
                    site.log.close()
                return over, page
    finally:
        await database.close()


def why_of(record: OperationRecord) -> str:
    """All that is kept of why it went back."""
    return str([record.problem, *(step.problem for step in record.steps)])


async def test_the_third_release_comes_back_for_its_errors(tmp_path: Path) -> None:
    over, page = await deployed("v3", tmp_path, unhurried)
    assert over.state is State.UNDONE
    assert "error_rate" in why_of(over)
    assert "릴리스 v1" in page


@pytest.mark.soak
@pytest.mark.parametrize(
    ("revision", "state", "why"),
    [
        ("v2", State.DONE, ""),
        ("v4", State.UNDONE, "response"),
        ("v5", State.UNDONE, "green_unhealthy"),
    ],
)
async def test_the_others_end_as_the_readme_says(
    tmp_path: Path, revision: str, state: State, why: str
) -> None:
    over, page = await deployed(revision, tmp_path)
    assert over.state is state
    assert why in why_of(over)
    assert f"릴리스 {revision if state is State.DONE else 'v1'}" in page
