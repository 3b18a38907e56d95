"""`guardian route`: which way an alert goes, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Result

Guardian = Callable[..., Result]

CONFIGURATION = """\
language: en
services: {shop: {targets: ["web-*"], labels: {team: store}}}
policies: {night: {tiers: [["@a"], ["#ops"]]}}
routes:
  - {name: payments, match: service=pay}
  - {name: loud, match: "service=shop, level>=critical", channel: loud, policy: night}
"""


@pytest.fixture
def configured(guardian: Guardian) -> Guardian:
    Path("guardian.yaml").write_text(CONFIGURATION, encoding="utf-8")
    return guardian


def test_the_route_its_channel_and_who_is_paged_when(configured: Guardian) -> None:
    result = configured("route", "target=web-1", "level=critical")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "Route: loud · channel: #loud · policy: night · level: 🔥 Critical"
    assert {"target\tweb-1", "service\tshop", "team\tstore", "environment\tproduction"} <= set(lines)
    assert "payments\tservice=pay\tservice=pay does not match, the value is shop" in lines
    assert "loud\tservice=shop, level>=critical\tyes" in lines
    assert "🔥 Critical\t1m: @a → 6m: #ops · 3 rounds, 5m apart · then all every 30m" in lines
    assert "ℹ️ Info\tnobody is paged" in lines


def test_the_default_takes_the_rest_and_says_why_the_others_did_not(configured: Guardian) -> None:
    lines = configured("route", "target=web-1 level=warning").out.splitlines()
    assert lines[0].startswith("Route: default · channel: #guardian-alerts")
    assert (
        "loud\tservice=shop, level>=critical\tlevel>=critical does not match, the value is warning" in lines
    )
    absent = configured("route").out
    assert "service=pay does not match, the value is (absent)" in absent


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["shop"], "shop (character 1) is no condition"),
        (["service!=shop"], "Labels are named with = only"),
        (["level=bad"], "There is no level bad"),
        (['service="shop'], "never closed"),
    ],
)
def test_labels_that_cannot_be_read(configured: Guardian, labels: list[str], said: str) -> None:
    result = configured("route", *labels)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_in_korean(configured: Guardian) -> None:
    result = configured("--language", "ko", "route", "service=shop")
    assert "경로: loud · 채널: #loud · 정책: night · 단계: 🔥 긴급" in result.out
    assert "service=pay 맞지 않음, 지금 값: shop" in result.out
