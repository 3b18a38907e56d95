"""A service behind a real HAProxy, its releases as real processes, and the desk that deploys them."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from pydantic import JsonValue

from bot.domain.alerts.happenings import Happening
from bot.domain.deploy.afterwards import locks_after
from bot.domain.deploy.checks import ByCommand, Check, CheckRule, LeftOut, Trial, TrialRule
from bot.domain.deploy.plan import DEPLOY
from bot.domain.deploy.record import DeploymentRecord, SlotRecord
from bot.domain.deploy.risk import RiskRules
from bot.domain.deploy.rollback import ROLLBACK
from bot.domain.deploy.service import Environment, HealthRules, Limits, ProbeRules, Service
from bot.domain.deploy.slots import Slot
from bot.domain.oncall.model import Hours
from bot.domain.operations.approval import OPEN, Click, Needs, State
from bot.domain.operations.locks import Lock
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role
from bot.engine.deploy.book import DeployBook
from bot.engine.deploy.checkouts import Checkouts
from bot.engine.deploy.deploy import Deploy
from bot.engine.deploy.facts import Planner, Surroundings
from bot.engine.deploy.history import History
from bot.engine.deploy.inspection import Inspection
from bot.engine.deploy.leases import Leases
from bot.engine.deploy.rollback import Rollback
from bot.engine.deploy.site import Site, Sites
from bot.engine.operations.contract import OperationRefused
from bot.engine.operations.durable import Body, Durable
from bot.store.database import Database
from bot.store.deployments import DeploymentStore
from bot.store.insight import InsightStore
from bot.store.operations import OperationStore
from bot.tools.releases.health import wait_until_healthy
from bot.tools.releases.process import ProcessDriver, ProcessReleases
from bot.tools.traffic.drivers import driver_of
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.log_stream import LogStream
from bot.tools.traffic.haproxy.runtime import Runtime
from bot.tools.traffic.haproxy.snippet import backends_snippet, frontend_snippet
from messages.operation_facts import OperationAskedFacts, OperationRefusedFacts
from tests.engine.deploy.releases import Releases
from tests.engine.operations.jobs import ANN, BOB, Yard, open_yard
from tests.engine.support import CEILING_SECONDS, SetClock
from tests.factories import T0
from tests.ports import free_port
from tests.tools.traffic.haproxy import SPLIT, Balancer, haproxy, until

_SERVICE = Path(__file__).with_name("service.py")
_HEAD = """\
global
    stats socket {socket} mode 600 level admin expose-fd listeners
    hard-stop-after 30s
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch
    option httplog
frontend shop
    bind 127.0.0.1:{port}
"""
QUICK = Environment(
    name="production",
    addresses=MappingProxyType({}),
    health=HealthRules(
        "/health",
        (200, 200),
        "ok",
        timeout=timedelta(seconds=5),
        within=timedelta(seconds=60),
        in_a_row=2,
        every=timedelta(seconds=0.05),
    ),
    stages=(10, 50, 100),
    dwell=timedelta(seconds=1),
    warm=timedelta(seconds=1),
    # Requests enough for the document's 0.1 % take longer than a test may: of 1 % 299 are enough.
    limits=Limits(error_rate=1, response_ms=500, cpu=10_000, memory=100),
    probes=ProbeRules(("/",), 300),
    ask_for=timedelta(seconds=60),
    lease=timedelta(seconds=30),
    drain=timedelta(seconds=5),
    lock_after_rollback=timedelta(0),
    keep=5,
    second_person=True,
    data=(),
    no_data="a test",
)
BRISK = replace(
    QUICK,
    stages=(25, 100),
    dwell=timedelta(seconds=0.6),
    warm=timedelta(seconds=0.6),
    limits=replace(QUICK.limits, error_rate=2),
)
"""Two stages, and 149 requests are enough."""
EAGER = replace(BRISK, stages=(100,), dwell=timedelta(seconds=0.3), warm=timedelta(0))
"""To come to a second release soon."""
_CHECKS: dict[Check, CheckRule] = {
    each: ByCommand((sys.executable, "-c", "print('3 files checked')"), timedelta(seconds=60))
    if each is Check.CODE_QUALITY
    else LeftOut("a test")
    for each in Check
}
_TRIALS: dict[Trial, TrialRule] = {each: LeftOut("a test") for each in Trial}


ENDS = tuple(state for state in State if state not in OPEN)


@dataclass
class Ground:
    """Everything, at work."""

    folder: Path
    balancer: Balancer
    site: Site
    yard: Yard
    book: DeployBook
    insight: InsightStore
    deploy: Deploy
    clock: SetClock

    def put(self, revision: str, **behaviour: JsonValue) -> None:
        """Have a release that behaves so."""
        put(self.folder, revision, **behaviour)

    async def ask(
        self, revision: str, by: str = ANN, operation: str = DEPLOY, **request: JsonValue
    ) -> OperationAskedFacts | OperationRefusedFacts:
        """Ask for a deployment."""
        wanted: dict[str, JsonValue] = {"service": "shop", "environment": "production", **request}
        if operation == DEPLOY:
            wanted["revision"] = revision
        elif revision:
            wanted["release"] = revision
        return await self.yard.desk.ask(operation, wanted, by)

    async def begin(self, revision: str, operation: str = DEPLOY, by: str = BOB) -> int:
        """An approved one; its number."""
        asked = await self.ask(revision, operation=operation)
        assert isinstance(asked, OperationAskedFacts), asked
        await self.press(Click.APPROVE, asked.operation.id, by)
        return asked.operation.id

    async def press(self, click: Click, number: int, by: str = BOB) -> None:
        """Somebody presses a button, and it is taken."""
        record = await self.yard.record(number)
        clicked = await self.yard.desk.press(click, number, record.plan_hash, by)
        assert clicked is not None
        assert clicked.verdict == "taken", clicked.verdict

    @property
    def releases(self) -> Releases:
        """Those of its site, with what fails of them."""
        assert isinstance(self.site.releases, Releases)
        return self.site.releases

    async def changes(self) -> list[tuple[str, str]]:
        """What the context of alerts knows of, oldest first: event and revision."""
        return [(event, revision) for event, revision, _ in await self.shares()]

    async def shares(self) -> list[tuple[str, str, JsonValue]]:
        """The same, each with the percentage that it was then."""
        found: list[Happening] = await self.insight.changes(T0 - timedelta(days=1))
        return [
            (str(each.facts["event"]), str(each.facts["revision"]), each.facts["percent"])
            for each in reversed(found)
        ]

    async def row(self, number: int) -> DeploymentRecord:
        """What the book says of a run."""
        found = await self.book.store.of_operation(number)
        assert found is not None
        return found

    async def over(self, number: int) -> OperationRecord:
        """Wait for its end."""
        return await self.yard.reaches(number, *ENDS)

    async def reaches_step(self, number: int, name: str, count: int = 1) -> None:
        """Wait until the step of that name has begun, the so-many-th of them."""
        record = await self.yard.record(number)
        places = [at for at, step in enumerate(record.plan.steps) if step.name == name]
        async with asyncio.timeout(CEILING_SECONDS):
            while (record := await self.yard.record(number)).step(places[count - 1]) is None:
                assert record.state in OPEN, record.problem
                await asyncio.sleep(0.02)

    async def carries(self, percent: int) -> None:
        """Wait until slot b carries that share."""

        async def does() -> bool:
            return await self.site.traffic.share() == percent

        await until(does)

    async def asked(self, slot: Slot) -> None:
        """Wait until a request is under way in that slot."""

        async def is_asked() -> bool:
            return await self.site.traffic.in_flight(slot) > 0

        await until(is_asked)

    async def live(self) -> str:
        """The revision that carries everything, by what really runs and what HAProxy does."""
        b = await self.site.traffic.share()
        assert b in (0, 100), b
        found = await self.site.releases.find(Slot.B if b else Slot.A)
        assert found is not None
        return found.revision


@contextmanager
def unwritable(file: Path) -> Iterator[None]:
    """That file cannot be written meanwhile: where the new one would be, a folder is in the way, which stops
    root as well."""
    way = file.with_name(f".{file.name}.guardian")
    way.mkdir()
    try:
        yield
    finally:
        way.rmdir()


async def garble(configuration: HaproxyConfiguration) -> None:
    """Have HAProxy find something in its map that is no share; it sends all to slot b then."""
    await Runtime(configuration.socket, 10.0).ask(f"set map {configuration.map} {configuration.key} 250")


def put(folder: Path, revision: str, **behaviour: JsonValue) -> None:
    """Lay a release down."""
    release = folder / "releases" / revision
    release.mkdir(parents=True, exist_ok=True)
    (release / "behaviour.json").write_text(json.dumps(behaviour))
    shutil.copy(_SERVICE, release / "service.py")


@asynccontextmanager
async def balanced(folder: Path) -> AsyncIterator[tuple[Balancer, dict[Slot, str]]]:
    """A real HAProxy before two slots, slot a in charge."""
    configuration = HaproxyConfiguration(
        socket=str(folder / "admin.sock"),
        map_file=str(folder / "shop.map"),
        key="shop",
        backends={Slot.A: "shop_a", Slot.B: "shop_b"},
        server="app",
        log=f"127.0.0.1:{free_port()}",
        timeout=10.0,
    )
    addresses = {slot: f"127.0.0.1:{free_port()}" for slot in Slot}
    (folder / "shop.map").write_text("shop 0\n")
    file, port = folder / "haproxy.cfg", free_port()
    head = _HEAD.format(socket=configuration.socket, port=port)
    file.write_text(
        head + frontend_snippet(configuration, SPLIT) + backends_snippet(configuration, addresses)
    )
    balancer = Balancer(haproxy(), folder, port, configuration, file)
    try:
        await balancer.start()
        yield balancer, addresses
    finally:
        await balancer.stop()


def service_of(
    environment: Environment,
    checks: dict[Check, CheckRule] | None = None,
    trials: dict[Trial, TrialRule] | None = None,
) -> Service:
    """The service, in that environment alone."""
    return Service(
        name="shop",
        repository=None,
        preflight=MappingProxyType({**_CHECKS, **(checks or {})}),
        verification=MappingProxyType({**_TRIALS, **(trials or {})}),
        environments=MappingProxyType({environment.name: environment}),
    )


def site_at(
    folder: Path,
    configuration: HaproxyConfiguration,
    addresses: dict[Slot, str],
    environment: Environment = QUICK,
    checks: dict[Check, CheckRule] | None = None,
    trials: dict[Trial, TrialRule] | None = None,
) -> Site:
    """The service there."""
    from bot.domain.deploy.addresses import Address

    here = replace(environment, addresses=MappingProxyType(addresses))
    service = service_of(here, checks, trials)
    assert configuration.log is not None
    log = LogStream(configuration.log, configuration.backends.values())
    releases = ProcessReleases(
        command=(sys.executable, "service.py", "{port}"),
        directory=f"{folder}/releases/{{revision}}",
        slots={slot: Address.of(text) for slot, text in addresses.items()},
        state=folder / "state",
        logs=folder / "logs",
        stop_within=20.0,
        backoff=(0.2, 1.0, 60.0),
    )
    return Site(
        service, here, Releases(ProcessDriver(releases)), driver_of(configuration, log), configuration, log
    )


@asynccontextmanager
async def standing(
    environment: Environment = QUICK,
    checks: dict[Check, CheckRule] | None = None,
    trials: dict[Trial, TrialRule] | None = None,
) -> AsyncIterator[tuple[Path, Balancer, Site]]:
    """The service in an environment, with release v1 in slot a, which carries everything."""
    folder = Path(tempfile.mkdtemp(prefix="guardian-"))  # the name of a socket has to be short
    try:
        async with balanced(folder) as (balancer, addresses):
            site = site_at(folder, balancer.configuration, addresses, environment, checks, trials)
            put(folder, "v1")
            try:
                await site.releases.start(Slot.A, "v1", "before")
                health = replace(site.health, within=60.0)
                well = await wait_until_healthy(
                    site.address(Slot.A), health, lambda: site.releases.find(Slot.A)
                )
                assert well.healthy, well
                yield folder, balancer, site
            finally:
                assert isinstance(site.releases, Releases)
                site.releases.fails.clear()
                for slot in Slot:
                    await site.releases.stop(slot)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def grounded(
    database: Database,
    clock: SetClock,
    *,
    environment: Environment = QUICK,
    checks: dict[Check, CheckRule] | None = None,
    trials: dict[Trial, TrialRule] | None = None,
    backed_up: OperationRefused | None = None,
    tuned: Callable[[Site], Site] = lambda site: site,
    runs: Callable[[Body], Durable] | None = None,
) -> AsyncIterator[Ground]:
    """With release v1 in slot a, which carries everything. `runs`: where runs live, instead of in memory."""
    async with standing(environment, checks, trials) as (folder, balancer, site):
        async with deployed_by(
            database, clock, folder, balancer, tuned(site), runs=runs, backed_up=backed_up
        ) as ground:
            yield ground


@asynccontextmanager
async def deployed_by(
    database: Database,
    clock: SetClock,
    folder: Path,
    balancer: Balancer,
    site: Site,
    runs: Callable[[Body], Durable] | None = None,
    backed_up: OperationRefused | None = None,
    more: Sequence[Site] = (),
    leases: Leases | None = None,
) -> AsyncIterator[Ground]:
    """The desk beside what is there. `more`: the same service in other environments. `leases`: others than
    those that a real watchdog looks at."""
    made: list[Ground] = []

    async def around(service: str, name: str) -> Surroundings:
        return Surroundings(None, 99.99, 0, None)

    async def covered(paths: Sequence[str]) -> Mapping[str, datetime] | OperationRefused:
        return backed_up or dict.fromkeys(paths, clock())

    async def running(service: str, name: str) -> OperationRecord | None:
        for record in await made[0].yard.store.open():
            here = record.plan.shown["environment"] == name
            if here and record.plan.operation == DEPLOY and record.state.value in ("running", "undoing"):
                return record
        return None

    async def held() -> Sequence[Lock]:
        return await made[0].yard.locks.held()

    from datetime import time
    from zoneinfo import ZoneInfo

    risks = RiskRules(
        frozenset(range(7)), Hours(time(0), time(0)), 24, ZoneInfo("Asia/Seoul"), 99.9, 50, 1000, 50
    )
    store = DeploymentStore(database)
    insight = InsightStore(database)
    book = DeployBook(store, OperationStore(database), insight.adding_change, insight.changes)
    places = {each.environment.name: each for each in (site, *more)}
    for name in places:
        if not await store.slots_of("shop", name):
            first = SlotRecord("shop", name, Slot.A, "v1", "before", clock(), clock())
            await store.write(store.placing(first))
    service = replace(site.service, environments={name: each.environment for name, each in places.items()})
    sites = Sites((service,), lambda service, environment: places[environment.name])
    inspection = Inspection({}, Checkouts(folder / "checkouts"))
    planner = Planner(sites, inspection, History(), book, risks, around, covered, running, held)
    deploy = Deploy(sites, planner, inspection, leases or Leases(folder / "leases"), book, clock)
    rollback = Rollback(sites, planner, book, clock)
    async with open_yard(
        database,
        folder / "chest",
        clock,
        needs=Needs(second_person=True, stop=Role.OPERATOR),
        operations={DEPLOY: deploy, ROLLBACK: rollback},
        runs=runs,
        locks_after=lambda over: locks_after(over, site.environment, clock(), "locked after a rollback"),
        ended=book.ended,
    ) as yard:
        ground = Ground(folder, balancer, site, yard, book, insight, deploy, clock)
        made.append(ground)
        yield ground
