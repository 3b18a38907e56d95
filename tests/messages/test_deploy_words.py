"""Every code about the checks of a deployment has its words, in both languages."""

from __future__ import annotations

import pytest

from bot.domain.deploy.notes import Direction
from bot.domain.deploy.risk import RiskLevel
from messages.catalog import load
from messages.render import Voice

HEALTH: dict[str, dict[str, object]] = {
    "health_refused": {"detail": "Connection refused"},
    "health_slow": {"seconds": 2.0},
    "health_status": {"status": 500, "low": 200, "high": 299},
    "health_body": {"contains": "ok"},
    "health_gone": {},
    "health_dead": {"restarts": 3},
    "health_restarts": {"restarts": 3},
    "health_stopped": {},
    "health_late": {"in_a_row": 1, "needed": 3},
}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_code_has_a_word(language: str) -> None:
    there = load(language)
    wanted = [
        *(f"deploy.notes.direction.{each}" for each in Direction),
        *(f"deploy.risk.level.{each}" for each in RiskLevel),
    ]
    assert [key for key in wanted if key not in there] == []


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("name", sorted(HEALTH))
def test_why_a_release_is_not_healthy_can_be_said(name: str, language: str) -> None:
    sentence = Voice(language).phrase(f"deploy.health.{name}", **HEALTH[name])
    assert sentence and "{" not in sentence and not sentence.startswith("deploy.")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_audit_log_says_in_words_why_a_deployment_was_refused(language: str) -> None:
    there = load(language)
    refused = {key.removeprefix("deploy.refused.") for key in there if key.startswith("deploy.refused.")}
    traffic = {
        key.removeprefix("deploy.failed.") for key in there if key.startswith("deploy.failed.traffic_")
    }
    # Only a run that has begun finds these.
    later = {"traffic_moved", "traffic_not_moved", "traffic_goes_on"}
    wanted = {f"terms.why.{each}" for each in refused | (traffic - later)}
    assert wanted <= there.keys()
