"""The lines about forecasts, causes and changes, as cards show them."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue

from messages.catalog import Catalog
from messages.example_facts import MEMORY
from messages.example_insights import (
    CANARY,
    COMPANION,
    DATABASE,
    DEPLOYED,
    DEPLOYMENT,
    FORECAST,
    INSIGHT,
    NEIGHBOUR,
    SETTINGS,
    UPSTREAM,
)
from messages.facts import Facts
from messages.insight_facts import CauseFacts, ContextFacts, InsightFacts
from messages.render import Voice
from messages.templates import Templates

CATALOGS = {language: Catalog(language) for language in ("ko", "en")}
WORDS = {
    language: Templates(language, CATALOGS, ZoneInfo("Asia/Seoul")).words("_insight")
    for language in ("ko", "en")
}


def said(section: str, facts: Facts, language: str = "ko") -> str:
    return WORDS[language](section, facts.as_json())


def test_the_forecast_line() -> None:
    assert said("forecast", FORECAST) == "예측: 2시간 10분 뒤 95% 도달 (시간당 +1.8%)"
    assert said("forecast", FORECAST, "en") == "Forecast: reaches 95% in 2h 10m (+1.8% an hour)"
    falling = replace(FORECAST, metric="uptime", bound=99.5, slope=-0.05)
    assert said("forecast", falling).endswith("99.5% 도달 (시간당 -0.05%)")
    milliseconds = replace(FORECAST, metric="response_time", unit="ms", bound=500.0, slope=120.0)
    assert said("forecast", milliseconds).endswith("500ms 도달 (시간당 +120ms)")


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        (
            UPSTREAM,
            "가능한 원인: 🔥 긴급 #11 응답시간 `https://db.example.com/health` "
            "(의존 경로 `shop → api → db`, 3분 먼저 시작)",
        ),
        (
            NEIGHBOUR,
            "가능한 원인: 🔥 긴급 #11 응답시간 `https://db.example.com/health` "
            "(같은 대상 `web-1`, 거의 동시에 시작)",
        ),
        (
            COMPANION,
            "가능한 원인: 🔥 긴급 #11 응답시간 `https://db.example.com/health` "
            "(최근 30일 동안 7번 함께 발령, 우연의 12.4배, 1분 먼저 시작)",
        ),
        (DEPLOYED, "가능한 원인: 배포 `v1.8.2` · 서비스 `shop` (12분 전 변경)"),
        (
            replace(UPSTREAM, evidence={"path": ["shop", "db"], "minutes": -2}),
            "가능한 원인: 🔥 긴급 #11 응답시간 `https://db.example.com/health` "
            "(의존 경로 `shop → db`, 2분 늦게 감지)",
        ),
        (
            replace(NEIGHBOUR, alert=replace(DATABASE, kind="reported", title="Disk <full>")),
            "가능한 원인: 🔥 긴급 #11 `Disk &lt;full&gt;` `https://db.example.com/health` "
            "(같은 대상 `web-1`, 거의 동시에 시작)",
        ),
    ],
    ids=["dependency", "same resource", "together", "change", "noticed later", "reported"],
)
def test_the_cause_line_gives_its_evidence(cause: CauseFacts, line: str) -> None:
    assert said("cause", cause) == line
    assert said("cause", cause, "en").startswith("Possible cause: ")


def test_the_change_line() -> None:
    line = said("change", DEPLOYMENT)
    assert line.startswith("최근 변경: 배포 `v1.8.2` · 서비스 `shop` · <!date^")
    assert line.endswith(" · <@U024BE7LH>")
    own = said("change", SETTINGS)
    assert own.startswith("최근 변경: 설정 변경 · 대상 `web-1` · 항목 `probes, rules` · <!date^")


def test_all_lines_in_order_and_nothing_twice() -> None:
    lines = WORDS["ko"]("lines", INSIGHT.as_extras()).splitlines()
    assert [line.split(":")[0].split(" ")[0] for line in lines] == ["예측", "가능한", "최근", "이"]
    assert lines[3] == "이 알림으로 설명되는 알림 7건: #21, #22, #23, #24, #25 외 2건"
    deployed = replace(INSIGHT, forecast=None, context=ContextFacts(DEPLOYED, (DEPLOYED,), 0, ()))
    assert WORDS["ko"]("lines", deployed.as_extras()).splitlines() == [
        "가능한 원인: 배포 `v1.8.2` · 서비스 `shop` (12분 전 변경)"
    ]


def test_a_deployment_before_the_alert_is_one_line_and_no_second_one() -> None:
    found = InsightFacts(changes=(CANARY, replace(CANARY, id=5)), deployment=CANARY)
    lines = WORDS["ko"]("lines", found.as_extras(), "2025-08-20T05:03:00+00:00").splitlines()
    assert lines == ["🚀 배포 `shop v2.4.0` (12분 전, 트래픽 25%)"]


@pytest.mark.parametrize(
    ("language", "evidence", "expected"),
    [
        ("ko", {}, "🚀 가능한 원인: 배포 `shop v2.4.0` (12분 전, 트래픽 25%)"),
        ("en", {}, "🚀 Possible cause: deployment `shop v2.4.0` (12m before, 25% of traffic)"),
        (
            "ko",
            {"path": ["pay", "shop"]},
            "🚀 가능한 원인: 배포 `shop v2.4.0` (의존 경로 `pay → shop`, 12분 전, 트래픽 25%)",
        ),
    ],
)
def test_a_deployment_that_may_be_the_cause_is_one_line_too(
    language: str, evidence: dict[str, JsonValue], expected: str
) -> None:
    cause = replace(DEPLOYED, change=CANARY, evidence={"minutes": 12, **evidence})
    found = InsightFacts(changes=(CANARY,), deployment=CANARY, context=ContextFacts(cause, (cause,), 0, ()))
    lines = WORDS[language]("lines", found.as_extras(), "2025-08-20T05:03:00+00:00").splitlines()
    assert lines == [expected]


@pytest.mark.parametrize(
    ("event", "shown"), [("traffic", "트래픽 25%부터"), ("complete", "트래픽 25%"), ("back", "되돌림")]
)
def test_how_a_deployment_stands_is_said(event: str, shown: str) -> None:
    change = replace(CANARY, facts={**CANARY.facts, "event": event})
    line = WORDS["ko"]("deployment", change.as_json(), "2025-08-20T05:03:00+00:00")
    assert line.endswith(f"(12분 전, {shown})")


@pytest.mark.parametrize(
    ("facts", "offered"),
    [
        (CANARY.facts, True),
        ({**CANARY.facts, "event": "back"}, False),
        ({**CANARY.facts, "kind": "rollback"}, False),
        ({}, False),
    ],
)
def test_only_a_deployment_of_ours_that_is_not_back_can_be_taken_back(
    facts: dict[str, JsonValue], offered: bool
) -> None:
    extras = {"deployment": replace(CANARY, facts=facts).as_json()}
    message = Voice("ko").message("alert", replace(MEMORY, extras=extras).as_json())
    assert ("deploy_rollback" in json.dumps(message.attachments)) is offered


@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_found_out_is_nothing_said(language: str) -> None:
    nothing = InsightFacts(context=ContextFacts(None, (), 0, ()))
    assert nothing.as_extras() == {}
    assert WORDS[language]("lines", {}) == ""


def test_what_others_typed_opens_no_mention() -> None:
    hostile = replace(DEPLOYMENT, title="<!channel> `x`", service="<@U1>", by="<!here>")
    text = said("change", hostile) + said("cause", replace(DEPLOYED, change=hostile))
    for mention in ("<!channel>", "<!here>", "<@U1>"):
        assert mention not in text
