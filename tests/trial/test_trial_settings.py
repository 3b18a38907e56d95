"""What the trial configures for its shop, where the visitor has not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.config import RuleBook, Settings
from bot.config.deploy import DeploySettings, services_of
from bot.domain.deploy.slots import Slot
from bot.trial.balancer import traffic_of
from bot.trial.settings import may_have_shop, playground_of, shop_settings, with_people
from bot.trial.shop.places import PRODUCTION, STAGING, places_in
from tests.components import program


def settings(folder: Path) -> Settings:
    return with_people(Settings(state_directory=folder / "state"))


def test_a_visitors_own_deployments_are_left_alone(tmp_path: Path) -> None:
    own = Settings(state_directory=tmp_path, deploy=DeploySettings())
    assert not may_have_shop(own)
    assert may_have_shop(settings(tmp_path)) == (sys.platform == "linux")


def test_it_is_short_enough_to_be_watched_and_asks_for_a_second_person(tmp_path: Path) -> None:
    made = shop_settings(settings(tmp_path), places_in(tmp_path / "state" / "shop"))
    RuleBook(settings(tmp_path).model_copy(update={"deploy": made}))
    production = services_of(made)[0].environments[PRODUCTION]
    staging = services_of(made)[0].environments[STAGING]
    assert (production.second_person, staging.second_person) == (True, False)
    assert production.stages == (10, 25, 50, 75, 100)
    assert production.dwell.total_seconds() * len(production.stages) + production.warm.total_seconds() <= 60


def test_production_needs_a_backup_of_the_playground(tmp_path: Path) -> None:
    program("restic")
    its = settings(tmp_path)
    playground = playground_of(its)
    assert playground is not None
    service = services_of(shop_settings(its, places_in(tmp_path / "state" / "shop")))[0]
    assert service.environments[PRODUCTION].data == (str(playground.settings),)
    assert service.environments[STAGING].data == ()
    assert service.environments[STAGING].no_data


def test_without_restic_it_says_why_it_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = services_of(shop_settings(settings(tmp_path), places_in(tmp_path / "state" / "shop")))[0]
    assert made.environments[PRODUCTION].data == ()
    assert "restic" in made.environments[PRODUCTION].no_data
    assert made.repository is None, "and no Git means no release notes"


def test_it_names_what_the_load_balancer_is_told(tmp_path: Path) -> None:
    there = places_in(tmp_path / "state" / "shop")
    made = shop_settings(settings(tmp_path), there).services["shop"]
    for name, configuration in traffic_of(there).items():
        traffic = made.environments[name].traffic
        assert traffic.driver == "haproxy"
        assert (traffic.socket, traffic.map, traffic.key) == (
            configuration.socket,
            configuration.map_file,
            configuration.key,
        )
        assert (traffic.backends.a, traffic.backends.b) == (
            configuration.backends[Slot.A],
            configuration.backends[Slot.B],
        )
        assert (traffic.server, traffic.log) == (configuration.server, configuration.log)
