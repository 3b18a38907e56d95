"""Everything that deployments work with, put together when somebody first asks for one."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bot.alerting import Ground
from bot.deploy_sites import FOLDER, site_of
from bot.domain.deploy.service import Service
from bot.domain.operations.locks import Lock
from bot.domain.operations.record import OperationRecord
from bot.engine.deploy.book import Announce, DeployBook
from bot.engine.deploy.checkouts import Checkouts
from bot.engine.deploy.deploy import Deploy
from bot.engine.deploy.facts import BackedUp, Planner, Surroundings
from bot.engine.deploy.history import History
from bot.engine.deploy.inspection import Inspection
from bot.engine.deploy.leases import Leases
from bot.engine.deploy.overview import Overview
from bot.engine.deploy.rollback import Rollback
from bot.engine.deploy.site import Sites
from bot.store.deployments import DeploymentStore
from bot.store.insight import InsightStore
from bot.store.operations import OperationStore
from bot.tools.traffic.guarding import leases_folder
from bot.tools.traffic.haproxy.log_stream import LogStreams


class DeployParts:
    """The two operations and what they share."""

    def __init__(
        self,
        ground: Ground,
        services: tuple[Service, ...],
        announce: Announce,
        around: Callable[[str, str], Awaitable[Surroundings]],
        backed_up: BackedUp,
        running: Callable[[str, str], Awaitable[OperationRecord | None]],
        held: Callable[[], Awaitable[Sequence[Lock]]],
        command: str,
    ) -> None:
        settings, state = ground.settings, ground.settings.state_directory.absolute()
        make = partial(site_of, settings.deploy, state, ground.outside.releases, logs=LogStreams())
        self.sites = Sites(services, make)
        self.book = DeployBook(
            DeploymentStore(ground.database),
            OperationStore(ground.database),
            announce,
            InsightStore(ground.database).changes,
        )
        self.history = History()
        self.checkouts = Checkouts(state / FOLDER / "checkouts")
        inspection = Inspection(os.environ, self.checkouts)
        self.planner = Planner(
            self.sites,
            inspection,
            self.history,
            self.book,
            settings.deploy.risk.rules(settings.zone),
            around,
            backed_up,
            running,
            held,
        )
        leases = Leases(leases_folder(state))
        self.deploy = Deploy(self.sites, self.planner, inspection, leases, self.book, ground.clock)
        self.overview = Overview(
            self.sites,
            self.planner,
            self.book,
            self.history,
            OperationStore(ground.database),
            ground.clock,
            command,
        )
        self.rollback = Rollback(self.sites, self.planner, self.book, ground.clock)
