"""What docs/deploy.md tells a new user to write down, run: HAProxy, units, configuration and the check by
make as they stand there, in folders and on ports of the test's own, with a stand-in for systemctl."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.config import load
from bot.config.deploy import services_of
from bot.deploy_sites import site_of
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import State
from bot.store.database import Database
from bot.tools.commands import run
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.snippet import Split, backends_snippet, frontend_snippet
from bot.trial.shop.releases import write_releases
from tests.components import program
from tests.engine.deploy.ground import deployed_by
from tests.engine.support import SetClock
from tests.ports import free_port
from tests.repositories import Clone
from tests.tools.traffic.haproxy import Balancer, haproxy
from tests.tools.traffic.haproxy import load as requests
from tests.trial.shop import ask

GUIDE = (Path(__file__).parent.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
_SYSTEMCTL = Path(__file__).parent / "tools" / "releases" / "doubles" / "systemctl.py"
_EXPANDS = "import os, sys; words = [*map(os.path.expandvars, sys.argv[1:])]; os.execv(words[0], words)"
"""what systemd does with ${…} in ExecStart"""
_SERVER = "import runpy\nrunpy.run_module('shop', run_name='__main__')\n"
OVER = (State.DONE, State.UNDONE, State.FAILED, State.PARTIAL)
_TESTS = {"v1": "false", "v2": "echo 12 passed"}
_SOON = 'no_data: "it keeps none"'


def block(kind: str, having: str) -> str:
    """The block of that kind that has this text."""
    found = [text for text in re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.M | re.S) if having in text]
    assert len(found) == 1, (kind, having)
    return str(found[0])


def unit(having: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(block("ini", having))
    return parser["Service"]


@dataclass
class Machine:
    """The machine of the guide, in a folder."""

    folder: Path
    ports: dict[str, int]

    @classmethod
    def new(cls, folder: Path) -> Machine:
        ports = {old: free_port() for old in ("8080", "9001", "9002", "5514")}
        for name in ("run/haproxy", "etc/haproxy/guardian", "etc/shop", "srv/shop"):
            (folder / name).mkdir(parents=True)
        return cls(folder, ports)

    def here(self, text: str) -> str:
        """A text of the guide with this machine's folders and ports."""
        text = re.sub(r"/(?=(?:run/haproxy|etc/haproxy|etc/shop|srv/shop)\b)", f"{self.folder}/", text)
        text = re.sub(r"bind :8080", "bind 127.0.0.1:8080", text)
        return re.sub(r"\b(8080|9001|9002|5514)\b", lambda port: str(self.ports[port[1]]), text)

    @property
    def url(self) -> str:
        """The shop, for everybody."""
        return f"http://127.0.0.1:{self.ports['8080']}/"


@pytest.fixture
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="guardian-"))  # the name of a socket has to be short
    yield Machine.new(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_lines_for_haproxy_are_those_of_the_driver() -> None:
    backends = {Slot.A: "shop_a", Slot.B: "shop_b"}
    its = HaproxyConfiguration(
        "/run/haproxy/admin.sock", "/etc/haproxy/guardian/shop.map", "shop", backends, "app", "127.0.0.1:5514"
    )
    text = block("haproxy", "frontend")
    assert frontend_snippet(its, Split("shop_place", "X-Shop-Slot")) in text
    assert backends_snippet(its, {Slot.A: "127.0.0.1:9001", Slot.B: "127.0.0.1:9002"}) in text


def test_units_keep_what_the_guardian_started() -> None:
    assert unit("guardian run")["KillMode"] == "process"
    assert unit("guardian watchdog")["ExecStart"].endswith("/bin/guardian watchdog")


async def test_the_guide_as_it_stands_leads_to_the_first_deployment(machine: Machine, tmp_path: Path) -> None:
    releases = machine.folder / "srv/shop/releases"
    write_releases(releases)
    for release in releases.iterdir():
        (release / "server.py").write_text(_SERVER)
    systemd = tmp_path / "systemd"
    systemd.mkdir()
    service = unit("Description=shop, slot %i")
    started = shlex.split(machine.here(service["ExecStart"]).replace("/usr/bin/python3", sys.executable))
    order = {
        "name": "shop@%i.service",
        "ExecStart": [sys.executable, "-c", _EXPANDS, *started],
        "EnvironmentFile": machine.here(service["EnvironmentFile"]),
    }
    (systemd / "unit.json").write_text(json.dumps(order))
    systemctl = [sys.executable, str(_SYSTEMCTL), str(systemd)]

    # Of the repository v1 is checked out, whose tests fail. Those of v2 don't.
    program("make")
    tests = {name: {"Makefile": f"test:\n\t@{test}\n"} for name, test in _TESTS.items()}
    clone = Clone(machine.folder / "srv/shop/repository", v1=tests["v1"], v2=tests["v2"])
    before = clone.files()

    # Slot a takes over what runs now, then HAProxy gets its two backends.
    (machine.folder / "etc/shop/a.env").write_text(machine.here(block("sh", "GUARDIAN_MARKER")))
    (machine.folder / "etc/haproxy/guardian/shop.map").write_text("shop 0\n")
    file = machine.folder / "etc/haproxy/haproxy.cfg"
    file.write_text(machine.here(block("haproxy", "frontend")).replace(" group guardian", ""))

    # The configuration, with stages that are short, and fewer requests to be sure of 1 % than of 0.1 %.
    text = machine.here(block("yaml", "preflight"))
    text = re.sub(r"(?m)^( +security): {command.*$", r'\1: {left_out: "not here"}', text)
    text = re.sub(r"(?m)^( +dependencies):\n.*\n.*$", r'\1: {left_out: "not here"}', text)
    soon = "dwell: 2s\n          warm: 1s\n          thresholds: {error_rate: 1, cpu: 100}\n          "
    text = text.replace(_SOON, f"{soon}probes: {{per_second: 400}}\n          {_SOON}")
    calls = f"systemctl: {json.dumps(systemctl)}"
    text = text.replace("{driver: systemd, ", f"{{driver: systemd, {calls}, ")
    (tmp_path / "guardian.yaml").write_text(text)
    settings = load(tmp_path / "guardian.yaml", {})
    shop = services_of(settings.deploy)[0]
    site = site_of(settings.deploy, tmp_path, {}, shop, shop.environments["production"])
    assert isinstance(site.configuration, HaproxyConfiguration)

    balancer = Balancer(haproxy(), machine.folder, machine.ports["8080"], site.configuration, file)
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/guardian.db")
    try:
        ran = await run([*systemctl, "restart", "shop@a.service"], timeout=60)
        assert ran.status == 0, ran
        await balancer.start()
        async with deployed_by(database, SetClock(), tmp_path, balancer, site) as ground:
            blue = await site.releases.find(Slot.A)
            assert blue is not None
            assert (blue.revision, blue.marker) == ("v1", "before"), "what was written by hand is known"
            async with requests(machine.url, 2) as found:
                number = await ground.begin("v2")
                over = await ground.yard.reaches(number, *OVER)
            assert over.state is State.DONE, [(each.state, each.result) for each in over.steps]
            assert found.failures == []
            checks = over.steps[0].result["checks"]
            assert isinstance(checks, list)
            assert [(each["verdict"], each["values"]) for each in checks[:1] if isinstance(each, dict)] == [
                ("pass", {"found": "12"})
            ], "the tests of v2 were run"
            assert over.plan.shown["commit"] == clone.v2
            assert clone.files() == before, "what is checked out stays as it is"
            assert list((tmp_path / "checkouts").iterdir()) == []
        assert "릴리스 v2" in (await ask(machine.url))[1]
        assert await site.traffic.share() == 100
    finally:
        for slot in Slot:
            await site.releases.stop(slot)
        if site.log is not None:
            site.log.close()
        await balancer.stop()
        await database.close()
