"""From settings to sites: what a release is given, and what the drivers are told."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from bot.config.deploy import DeploySettings, services_of
from bot.deploy_sites import site_of
from bot.domain.deploy.slots import Slot
from bot.engine.deploy.site import Site
from bot.engine.deploy.watching import rules_of
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from tests.deployments import shop_in
from tests.ports import free_port
from tests.waiting import eventually

_PROGRAM = """
import os, pathlib, time
pathlib.Path("given.part").write_text(os.environ["DB_PASSWORD"])
pathlib.Path("given.part").rename("given")
time.sleep(3600)
"""


HAPROXY: dict[str, JsonValue] = {
    "driver": "haproxy",
    "socket": "/run/haproxy.sock",
    "map": "/etc/haproxy/shop.map",
    "key": "shop",
    "backends": {"a": "shop_a", "b": "shop_b"},
}


def site_with(
    folder: Path,
    releases: JsonValue,
    secrets: Mapping[str, SecretStr] | None = None,
    traffic: JsonValue = HAPROXY,
    **more: JsonValue,
) -> Site:
    """The service `shop` in production, its releases run and its traffic shared like that."""
    production: JsonValue = {
        "slots": {"a": f"127.0.0.1:{free_port()}", "b": f"127.0.0.1:{free_port()}"},
        "releases": releases,
        "traffic": traffic,
        "no_data": "a test",
        **more,
    }
    settings = DeploySettings.model_validate(shop_in({"production": production}))
    (service,) = services_of(settings)
    found = {("shop", "production"): dict(secrets or {})}
    return site_of(settings, folder / "state", found, service, service.environments["production"])


@pytest.mark.parametrize(
    ("health", "every"),
    [({}, 0.5), ({"every": "100ms"}, 0.1), ({"every": "10s"}, 6.0), ({"within": "1s"}, 0.1)],
)
def test_health_is_asked_for_as_often_as_is_said_and_ten_times_at_least(
    tmp_path: Path, health: JsonValue, every: float
) -> None:
    releases: JsonValue = {"driver": "process", "directory": f"{tmp_path}/{{revision}}", "command": ["shop"]}
    assert site_with(tmp_path, releases, health=health).health.every == pytest.approx(every)


async def test_a_release_gets_the_secrets_that_were_read_for_it(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    releases: JsonValue = {
        "driver": "process",
        "directory": f"{tmp_path}/{{revision}}",
        "command": [sys.executable, "-c", _PROGRAM],
        "secrets": {"DB_PASSWORD": "SHOP_DB_PASSWORD"},
    }
    site = site_with(tmp_path, releases, {"DB_PASSWORD": SecretStr("hunter2")})
    try:
        await site.releases.start(Slot.A, "v1", "run-1")
        await eventually((tmp_path / "v1" / "given").exists)
        assert (tmp_path / "v1" / "given").read_text() == "hunter2"
        kept = [file.read_text() for file in (tmp_path / "state").rglob("*") if file.is_file()]
        assert kept and not any("hunter2" in text for text in kept)
    finally:
        await site.releases.stop(Slot.A)


def commands(**more: JsonValue) -> JsonValue:
    """Commands that start nothing."""
    return {"driver": "command", "start": ["true", "{revision}"], "stop": ["true", "{slot}"],
            "status": ["sh", "-c", "exit 3", "{slot}"], **more}  # fmt: skip


async def test_a_command_says_which_revisions_there_are(tmp_path: Path) -> None:
    known: JsonValue = ["sh", "-c", 'test "$1" = v1', "sh", "{revision}"]
    site = site_with(tmp_path, commands(known=known, usage_left_out="a test"))
    assert await site.releases.known("v1")
    assert not await site.releases.known("v2")
    with pytest.raises(ReleaseFailed, match="release_unknown"):
        await site.releases.start(Slot.B, "v2", "run-1")


def test_cpu_and_memory_may_be_left_out_with_a_reason_and_are_needed_otherwise(tmp_path: Path) -> None:
    left_out = site_with(tmp_path, commands(usage_left_out="runs elsewhere"))
    assert left_out.environment.no_usage == "runs elsewhere"
    assert not rules_of(left_out).usage_needed
    assert rules_of(site_with(tmp_path, commands(usage=["usage", "{slot}"]))).usage_needed


async def test_a_unit_is_started_only_for_a_revision_that_lies_there(tmp_path: Path) -> None:
    (tmp_path / "shop" / "v1").mkdir(parents=True)
    releases: dict[str, JsonValue] = {
        "driver": "systemd",
        "unit": "shop@{slot}.service",
        "environment_file": f"{tmp_path}/{{slot}}.env",
        "systemctl": ["true"],
    }
    directory: JsonValue = f"{tmp_path}/{{service}}/{{revision}}"
    site = site_with(tmp_path, {**releases, "directory": directory})
    assert await site.releases.known("v1")
    assert not await site.releases.known("v2")
    with pytest.raises(ReleaseFailed, match="release_unknown"):
        await site.releases.start(Slot.B, "v2", "run-1")
    assert await site_with(tmp_path, releases).releases.known("v2")


async def test_what_a_unit_is_given_besides_stands_in_its_file(tmp_path: Path) -> None:
    shown = "ActiveState=active\nSubState=running\nInvocationID=1\n"
    releases: JsonValue = {
        "driver": "systemd",
        "unit": "shop@{slot}.service",
        "environment_file": f"{tmp_path}/{{slot}}.env",
        "systemctl": ["printf", shown],
        "directory": f"{tmp_path}/{{revision}}",
        "environment": {"ROOT": "{directory}"},
    }
    (tmp_path / "v1").mkdir()
    await site_with(tmp_path, releases).releases.start(Slot.B, "v1", "run-1")
    assert f'ROOT="{tmp_path}/v1"' in (tmp_path / "b.env").read_text().splitlines()


def test_a_map_may_have_another_name_in_haproxys_container(tmp_path: Path) -> None:
    releases = commands(usage_left_out="a test")
    name = "maps/shop.map"
    for traffic, expected in ((HAPROXY, "/etc/haproxy/shop.map"), ({**HAPROXY, "map_name": name}, name)):
        configuration = site_with(tmp_path, releases, traffic=traffic).configuration
        assert isinstance(configuration, HaproxyConfiguration)
        assert (configuration.map_file, configuration.map) == ("/etc/haproxy/shop.map", expected)


async def test_commands_cut_what_is_under_way_if_they_are_told_how(tmp_path: Path) -> None:
    metrics = '{"requests": 1, "errors": 0, "epoch": "1"}'
    traffic: dict[str, JsonValue] = {
        "driver": "command",
        "share": ["echo", '{"b": 0}'],
        "shift": ["true", "{percent}"],
        "metrics": ["echo", f'{{"a": {metrics}, "b": {metrics}}}'],
        "environment": {"MANY": "3"},
    }
    told = tmp_path / "told"
    cut: JsonValue = [
        "sh",
        "-c",
        f'echo "$1 $2" > {told}; echo "{{\\"cut\\": $MANY}}"',
        "sh",
        "{service}",
        "{slot}",
    ]
    releases = commands(usage_left_out="a test")
    assert await site_with(tmp_path, releases, traffic={**traffic, "cut": cut}).traffic.cut(Slot.B) == 3
    assert told.read_text() == "shop b\n"
    assert await site_with(tmp_path, releases, traffic=traffic).traffic.cut(Slot.B) == 0


def test_own_requests_may_wait_until_the_extension_is_over(tmp_path: Path) -> None:
    releases = commands(usage_left_out="a test")
    assert rules_of(site_with(tmp_path, releases)).probe_early
    assert not rules_of(site_with(tmp_path, releases, probes={"probe_early": False})).probe_early


async def test_an_image_is_fetched_where_that_is_allowed(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n")  # here is none, in the registry there is
    docker.chmod(0o755)
    for pull in (True, False):
        releases: JsonValue = {
            "driver": "docker",
            "image": "shop:{revision}",
            "port": 80,
            "docker": [str(docker)],
            "pull": pull,
        }
        assert await site_with(tmp_path, releases).releases.known("v1") is pull
