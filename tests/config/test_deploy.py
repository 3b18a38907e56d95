"""The section `deploy`: what it becomes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config import ConfigProblem, ConfigurationInvalid
from bot.config.deploy import DeploySettings, services_of
from bot.config.deploy_drivers import (
    HaproxySettings,
    ProcessSettings,
    SystemdSettings,
    TrafficCommandSettings,
)
from bot.config.deploy_secrets import release_secrets
from bot.config.outside import OutsideSecrets, missing_variables
from bot.config.schema import json_schema
from bot.config.settings import Settings
from bot.domain.deploy.checks import ByCommand, ByLoad, ByRequests, Check, LeftOut, Trial
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from messages.catalog import load

Refusing = Callable[[str], Sequence[ConfigProblem]]

GOOD = """
services:
  shop:
    repository: /srv/shop
    preflight:
      code_quality: {command: [make, -C, "{directory}", check], evidence: '(\\d+) files', timeout: 1m}
      security: {command: [bandit], nothing_statuses: [7]}
      dependencies: {command: [pip-audit], variables: [INDEX_TOKEN]}
      performance: {left_out: measured later}
      compatibility: {left_out: has no pages}
      accessibility: {left_out: has no pages}
    verification:
      smoke: {requests: [{path: /health, contains: ok}]}
      integration: {command: [pytest, '{url}']}
      performance: {requests: {count: 100}}
      security: {left_out: scanned before}
    environments:
      production:
        slots: {a: "127.0.0.1:9001", b: "127.0.0.1:9002"}
        releases:
          driver: process
          directory: /srv/shop/{revision}
          command: [python3, server.py, "{port}"]
          secrets: {DB_PASSWORD: SHOP_DB_PASSWORD}
        traffic:
          driver: haproxy
          socket: /run/haproxy.sock
          map: /etc/haproxy/shop.map
          key: shop
          backends: {a: shop_a, b: shop_b}
        data: [/srv/uploads]
      staging:
        slots: {a: "[::1]:9003", b: "localhost:9004"}
        releases: {driver: systemd, unit: "shop@{slot}.service", environment_file: "/etc/shop/{slot}.env"}
        traffic: {driver: command, share: [t, share], shift: [t, shift, '{percent}'], metrics: [t, metrics]}
        no_data: test data only
"""


STAGING = 'releases: {driver: systemd, unit: "shop@{slot}.service", environment_file: "/etc/shop/{slot}.env"}'
COMMANDS = "releases: {driver: command, start: [s, '{revision}'], stop: [s, '{slot}'], status: [s, '{slot}']}"
"""without what it takes, and without a reason why not"""


def settings(text: str = GOOD) -> DeploySettings:
    """What that YAML becomes."""
    return DeploySettings.model_validate(yaml.safe_load(text))


def test_checks_and_tests_are_all_there_in_the_documents_order() -> None:
    (shop,) = services_of(settings())
    assert list(shop.preflight) == list(Check)
    assert list(shop.verification) == list(Trial)
    assert shop.preflight[Check.CODE_QUALITY] == ByCommand(
        ("make", "-C", "{directory}", "check"), timedelta(minutes=1), r"(\d+) files"
    )
    security = shop.preflight[Check.SECURITY]
    assert isinstance(security, ByCommand)
    assert security.nothing_statuses == {7}
    assert shop.preflight[Check.PERFORMANCE] == LeftOut("measured later")
    smoke, load_test = shop.verification[Trial.SMOKE], shop.verification[Trial.PERFORMANCE]
    assert isinstance(smoke, ByRequests)
    assert smoke.requests[0].contains == "ok"
    assert isinstance(load_test, ByLoad)
    assert (load_test.count, load_test.p95_ms) == (100, 500)


def test_defaults_are_the_documents() -> None:
    (shop,) = services_of(settings())
    production = shop.environments["production"]
    assert production.addresses == {Slot.A: "127.0.0.1:9001", Slot.B: "127.0.0.1:9002"}
    assert production.stages == (10, 25, 50, 75, 100)
    assert production.dwell == timedelta(minutes=5)
    limits = production.limits
    assert (limits.error_rate, limits.response_ms, limits.cpu, limits.memory) == (0.1, 500, 70, 80)
    assert production.drain == timedelta(seconds=10)
    assert production.second_person
    assert not shop.environments["staging"].second_person
    assert shop.environments["staging"].no_data == "test data only"


def test_no_section_means_no_services() -> None:
    assert services_of(DeploySettings()) == ()


def test_each_driver_has_its_own_section() -> None:
    production, staging = settings().services["shop"].environments.values()
    assert isinstance(production.releases, ProcessSettings)
    assert isinstance(production.traffic, HaproxySettings)
    assert isinstance(staging.releases, SystemdSettings)
    assert staging.releases.systemctl == ("systemctl",)


@given(st.text("ab1_.:-/ ;[]0", max_size=12))
@example("[::1]:9999")
@example("127.0.0.1:9999")
@example("localhost:9999")
def test_what_the_settings_of_haproxy_take_its_driver_takes(text: str) -> None:
    good: dict[str, object] = {
        "driver": "haproxy",
        "socket": "/run/haproxy.sock",
        "map": "/etc/shop.map",
        "key": "shop",
        "backends": {"a": "shop_a", "b": "shop_b"},
    }
    for name in ("socket", "map", "map_name", "key", "server", "log"):
        try:
            section = HaproxySettings.model_validate(good | {name: text})
        except ValidationError:
            continue
        HaproxyConfiguration(
            socket=section.socket,
            map_file=section.map,
            key=section.key,
            backends={Slot.A: section.backends.a, Slot.B: section.backends.b},
            server=section.server,
            log=section.log,
            timeout=section.timeout.total_seconds(),
            map_name=section.map_name or "",
        )


def test_the_working_hours_are_in_the_zone_of_the_whole_unless_they_have_their_own() -> None:
    seoul, utc = ZoneInfo("Asia/Seoul"), ZoneInfo("UTC")
    assert settings().risk.rules(seoul).zone == seoul
    assert settings("risk: {timezone: UTC}").risk.rules(seoul).zone == utc


def test_secrets_of_releases_come_from_the_environment_and_show_nowhere() -> None:
    found = release_secrets(settings(), {"SHOP_DB_PASSWORD": "hunter2"})
    assert found["shop", "production"]["DB_PASSWORD"].get_secret_value() == "hunter2"
    assert ("shop", "staging") not in found
    assert "hunter2" not in str(found)
    with pytest.raises(ConfigurationInvalid) as invalid:
        release_secrets(settings(), {})
    (problem,) = invalid.value.problems
    assert (problem.code, problem.values["variable"]) == ("variable_missing", "SHOP_DB_PASSWORD")


def test_secrets_of_releases_are_read_at_the_start_also_from_files_and_hidden_in_logs(tmp_path: Path) -> None:
    whole = Settings(deploy=settings())
    file = tmp_path / "secret"
    file.write_text("hunter2\n")
    secrets = OutsideSecrets.from_environment(whole, {"SHOP_DB_PASSWORD_FILE": str(file)})
    assert secrets.releases["shop", "production"]["DB_PASSWORD"].get_secret_value() == "hunter2"
    assert "hunter2" in [each.get_secret_value() for each in secrets.all()]
    with pytest.raises(ConfigurationInvalid) as invalid:
        OutsideSecrets.from_environment(whole, {})
    assert missing_variables(invalid.value.problems) == ("SHOP_DB_PASSWORD",)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("{left_out: measured later}", "{}", "deploy_check"),
        ("{left_out: measured later}", "{left_out: measured later, command: [x]}", "deploy_check"),
        ("{left_out: measured later}", "{left_out: '  '}", "deploy_reason"),
        ("performance: {left_out: measured later}", "", "missing"),
        ("{requests: [{path: /health, contains: ok}]}", "{left_out: why, command: [x]}", "deploy_trial"),
        ("{requests: {count: 100}}", "{}", "deploy_trial"),
        ("path: /health", "path: //other.host/", "deploy_url_path"),
        ("path: /health", "path: 'x y'", "deploy_url_path"),
        ("(\\d+) files", "(\\d+ files", "deploy_evidence"),
        ("(\\d+) files", "(a)\\1", "deploy_evidence"),
        ("{directory}", "{directori}", "deploy_place"),
        ("repository: /srv/shop", "", "deploy_no_directory"),
        ("'{url}'", "'{port}'", "deploy_place"),
        ("[make, -C", "['{revision}', -C", "deploy_program"),
        ("command: [bandit]", "command: bandit -r", "command"),
        ("127.0.0.1:9002", "127.0.0.1:9001", "deploy_same"),
        ("localhost:9004", "127.0.0.1:9002", "deploy_same"),
        ("127.0.0.1:9002", "127.0.0.1", "deploy_address"),
        ("127.0.0.1:9002", "a..b:80", "deploy_address"),
        ("127.0.0.1:9002", f"{'a' * 64}:80", "deploy_address"),
        ("127.0.0.1:9002", "[::::]:80", "deploy_address"),
        ("127.0.0.1:9002", "127.0.0.1:70000", "deploy_address"),
        ("b: shop_b", "b: shop_a", "deploy_same"),
        ("b: shop_b", "b: 'shop b'", "deploy_proxy_name"),
        ("key: shop", "key: 'shop; disable server'", "deploy_proxy_name"),
        ("key: shop", "key: -shop", "deploy_proxy_name"),
        ("socket: /run/haproxy.sock", "socket: 'haproxy:9999'", "deploy_endpoint"),
        ("socket: /run/haproxy.sock", "socket: '10.0.0.5:9999'", "deploy_endpoint"),
        ("socket: /run/haproxy.sock", "socket: run/haproxy.sock", "deploy_endpoint"),
        ("key: shop", "key: shop\n          log: '0.0.0.0:5140'", "deploy_endpoint"),
        ("/etc/haproxy/shop.map", "'/etc/my haproxy/shop.map'", "deploy_proxy_path"),
        ("key: shop", "key: shop\n          map_name: '/etc/my haproxy/shop.map'", "deploy_map_name"),
        ("key: shop", "key: shop\n          map_name: '#0'", "deploy_map_name"),
        ("key: shop", "key: shop\n          timeout: 2m", "duration_range"),
        ("data: [/srv/uploads]", "data: [/x]\n        thresholds: {error_rate: 100}", "less_than"),
        ("driver: process", "driver: proces", "deploy_driver"),
        ("/srv/shop/{revision}", "/srv/shop/current", "deploy_place_missing"),
        ("shift, '{percent}'", "shift", "deploy_place_missing"),
        ("shift, '{percent}'", "'--to={percent}'", "deploy_place_alone"),
        ("metrics: [t, metrics]", "metrics: [t, metrics], cut: [t, cut]", "deploy_place_missing"),
        ("metrics: [t, metrics]", "metrics: [t, metrics], cut: [t, '-{slot}']", "deploy_place_alone"),
        ("metrics: [t, metrics]", "metrics: [t], cut: [t, '{slot}', '{percent}']", "deploy_place"),
        ("metrics: [t, metrics]", "metrics: [t], environment: {TOKEN: x}", "deploy_secret_environment"),
        ('service", env', 'service", directory: /srv/shop, env', "deploy_place_missing"),
        ('service", env', 'service", directory: "/srv/{slot}/{revision}", env', "deploy_place"),
        ('service", env', 'service", directory: "srv/{revision}", env', "backup_path"),
        ('service", env', 'service", environment: {TOKEN: x}, env', "deploy_secret_environment"),
        ("data: [/srv/uploads]", "data: [/x]\n        probes: {probe_early: soon}", "bool_type"),
        ("shop@{slot}.service", "shop.service", "deploy_place_missing"),
        ("secrets: {", "environment: {", "deploy_secret_environment"),
        ("data: [/srv/uploads]", "data: [/x]\n        stages: [10, 10, 100]", "deploy_stages"),
        ("data: [/srv/uploads]", "stages: [10, 50]\n        data: [/x]", "deploy_stages"),
        ("data: [/srv/uploads]", "stages: []\n        data: [/x]", "deploy_stages"),
        (
            "data: [/srv/uploads]",
            "data: [/x]\n        lease: 5s\n        health: {timeout: 5s}",
            "deploy_lease",
        ),
        (STAGING, COMMANDS, "deploy_usage"),
        (
            STAGING,
            COMMANDS.replace("{driver", "{usage: [u, '{slot}'], usage_left_out: why, driver"),
            "deploy_usage",
        ),
        (
            STAGING,
            COMMANDS.replace("{driver", "{usage_left_out: why, known: [known], driver"),
            "deploy_place_missing",
        ),
        ("data: [/srv/uploads]", "", "deploy_data"),
        ("data: [/srv/uploads]", "data: [/srv/uploads]\n        no_data: why", "deploy_data"),
        ("data: [/srv/uploads]", "data: [/srv/uploads]\n        drain: 11s", "duration_range"),
    ],
)
def test_what_is_wrong_is_refused_by_a_code_that_has_words(old: str, new: str, code: str) -> None:
    assert old in GOOD
    with pytest.raises(ValidationError) as refused:
        settings(GOOD.replace(old, new, 1))
    # A list whose only item was refused is called too short as well; `refusals` leaves that out.
    assert [each["type"] for each in refused.value.errors() if each["type"] != "too_short"] == [code]
    if code.startswith("deploy_") or code == "command":
        for language in ("ko", "en"):
            assert f"config.{code}" in load(language)


@pytest.mark.parametrize("shared", ["127.0.0.1:9001", "shop", "map_name"])
def test_services_share_neither_a_slot_nor_an_entry_of_the_map(shared: str) -> None:
    text = yaml.safe_load(GOOD)
    elsewhere = GOOD.replace(":900", ":910").replace("shop_", "other_").replace("/etc/shop/", "/etc/other/")
    other = yaml.safe_load(elsewhere.replace("shop@", "other@"))["services"]["shop"]
    production = other["environments"]["production"]
    if shared == "shop":
        production["traffic"]["key"] = "shop"
    elif shared == "map_name":  # one map by HAProxy's own words, whatever the paths here
        production["traffic"] |= {"map": "/etc/other.map", "map_name": "/etc/haproxy/shop.map"}
        shared = "shop"
    else:
        production["slots"]["a"] = shared
        production["traffic"]["key"] = "other"
    text["services"]["other"] = other
    with pytest.raises(ValidationError) as refused:
        DeploySettings.model_validate(text)
    (error,) = refused.value.errors()
    assert (error["type"], error["ctx"]) == ("deploy_same", {"text": shared})
    production["traffic"]["key"], production["slots"]["a"] = "other", "127.0.0.1:9109"
    assert len(DeploySettings.model_validate(text).services) == 2


@pytest.mark.parametrize(
    ("copied", "shared"),
    [
        ({"traffic": {"key": "other"}}, "shop_a"),
        ({"traffic": {"backends": {"a": "other_a", "b": "other_b"}}}, "shop"),
        ({"traffic": {"socket": "/run/other.sock"}}, "shop_a"),
        ({"traffic": {"socket": "/run/other.sock", "log": "127.0.0.1:5515"}}, None),
        ({"traffic": {"key": "other", "backends": {"a": "other_a", "b": "other_b"}}}, None),
        ({"releases": {"unit": "shop@{slot}.service"}}, "/etc/a.env"),
        ({"releases": {"environment_file": "/etc/{service}-{slot}.env"}}, "shop@a.service"),
        ({"releases": {"environment_file": "/etc/{environment}-{slot}.env"}}, "shop@a.service"),
        (
            {
                "releases": {
                    "environment_file": "/etc/{environment}-{slot}.env",
                    "systemctl": ["ssh", "web-2", "systemctl"],
                }
            },
            None,
        ),
    ],
)
def test_environments_of_one_service_share_nothing_that_moves_traffic_or_starts_releases(
    copied: dict[str, dict[str, object]], shared: str | None
) -> None:
    text = yaml.safe_load(GOOD)
    environments = text["services"]["shop"]["environments"]
    production, staging = environments["production"], environments["staging"]
    if "traffic" in copied:
        production["traffic"]["log"] = "127.0.0.1:5514"
        staging["traffic"] = production["traffic"] | copied["traffic"]
    else:
        units = {"driver": "systemd", "unit": "shop@{slot}.service", "environment_file": "/etc/{slot}.env"}
        production["releases"] = units
        staging["releases"] = units | copied["releases"]
    if shared is None:
        assert len(DeploySettings.model_validate(text).services) == 1
        return
    with pytest.raises(ValidationError) as refused:
        DeploySettings.model_validate(text)
    (error,) = refused.value.errors()
    assert (error["type"], error["ctx"]) == ("deploy_same", {"text": shared})


def test_a_refusal_names_the_place_as_the_file_has_it(refused: Refusing) -> None:
    wrong = "directory: /srv/shop/{revison}\n          comand: [x]"
    text = GOOD.replace("directory: /srv/shop/{revision}", wrong)
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    problems = {(problem.path, problem.code): problem for problem in refused(f"deploy:\n{indented}")}
    place = "deploy.services.shop.environments.production.releases"
    data = "deploy.services.shop.environments.production.data"
    assert set(problems) == {
        (f"{place}.directory", "deploy_place"),
        (f"{place}.comand", "unknown_key"),
        (data, "deploy_no_backup"),
    }
    assert problems[f"{place}.directory", "deploy_place"].values["nearest"] == "revision"
    assert problems[f"{place}.comand", "unknown_key"].values["nearest"] == "command"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("/run/haproxy.sock", "run/haproxy.sock", "deploy_endpoint"),
        ("/etc/haproxy/shop.map", "shop.map", "deploy_proxy_path"),
        ("key: shop", "key: shop\n          map_name: '#0'", "deploy_map_name"),
        ("shift, '{percent}'", "'--to={percent}'", "deploy_place_alone"),
        ("data: [/srv", "health: {timeout: 5s}\n        lease: 5s\n        data: [/srv", "deploy_lease"),
    ],
)
def test_a_refusal_has_its_own_words(refused: Refusing, old: str, new: str, code: str) -> None:
    indented = "".join(f"  {line}\n" for line in GOOD.replace(old, new, 1).splitlines())
    assert code in {problem.code for problem in refused(f"deploy:\n{indented}")}


def test_what_the_settings_of_commands_take_their_driver_takes() -> None:
    section = settings(GOOD.replace("[t, metrics]", "[t], cut: [t, '{slot}']")).services["shop"]
    traffic = section.environments["staging"].traffic
    assert isinstance(traffic, TrafficCommandSettings)
    made = CommandConfiguration(traffic.share, traffic.shift, traffic.metrics, traffic.cut)
    assert made.cut == ("t", "{slot}")


def test_the_schema_tells_the_drivers_apart() -> None:
    definitions = json_schema()["$defs"]
    assert isinstance(definitions, dict)
    drivers = {"ProcessSettings", "SystemdSettings", "DockerSettings", "ReleaseCommandSettings"}
    assert drivers <= set(definitions)
