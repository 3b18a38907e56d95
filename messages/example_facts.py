"""The small world that the examples tell of: one shop, its web server and what happens to them."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from messages.facts import (
    AlertFacts,
    AlertNoteFacts,
    CommandFacts,
    DecisionFacts,
    ProbeFacts,
    ProblemFacts,
    ReadingFacts,
    StatusFacts,
)

MEMORY = AlertFacts(
    id=12,
    version=3,
    status="firing",
    kind="threshold",
    level="warning",
    peak_level="warning",
    metric="memory_usage",
    target="web-1",
    layer="infrastructure",
    environment="production",
    value=82.0,
    unit="%",
    band="80-90%",
    target_band="< 80%",
    problem=None,
    value_at_firing=82.0,
    peak=82.0,
    detected_at="2025-08-20T05:03:05+00:00",
    fired_at="2025-08-20T05:03:35+00:00",
    resolved_at=None,
    acked_by=None,
    acked_at=None,
    repeats=0,
    reopened=0,
    delivery_ms=None,
    facts={"top_processes": "postgres 31%, java 22%, nginx 4%"},
    reason="confirmed",
)
CRITICAL = replace(
    MEMORY,
    version=5,
    level="critical",
    peak_level="critical",
    value=93.4,
    peak=95.1,
    band="> 90%",
    repeats=14,
    delivery_ms=812,
)
ACKED = replace(
    CRITICAL,
    version=6,
    status="acked",
    acked_by="U024BE7LH",
    acked_at="2025-08-20T05:09:40+00:00",
    reopened=1,
)
RESOLVED = replace(
    ACKED,
    version=9,
    status="resolved",
    value=61.0,
    band=None,
    level="critical",
    resolved_at="2025-08-20T05:15:17+00:00",
    reason="cleared",
)
DOWN = replace(
    MEMORY,
    id=13,
    version=2,
    level="critical",
    peak_level="critical",
    metric="reachable",
    target="https://shop.example.com/health",
    layer="application",
    value=0.0,
    unit="",
    band="< 1",
    target_band="> 0",
    value_at_firing=0.0,
    peak=0.0,
    problem=ProblemFacts("refused", "connect to 192.0.2.10:443"),
    facts={},
)
NO_DATA = replace(
    MEMORY,
    id=14,
    kind="no_data",
    level="error",
    peak_level="error",
    metric="cpu_usage",
    value=None,
    band=None,
    target_band="< 70%",
    value_at_firing=None,
    peak=None,
    problem=ProblemFacts("timeout", "no answer within 5 s"),
    facts={},
    reason="no_data",
)
DISK = replace(
    MEMORY,
    id=15,
    level="critical",
    peak_level="critical",
    metric="disk_usage",
    target="/var",
    value=96.3,
    band="> 95%",
    target_band="< 85%",
    value_at_firing=96.1,
    peak=96.3,
    facts={"device": "/dev/sda2", "free": "3.7 GiB"},
)
SLOW = replace(
    MEMORY,
    id=16,
    metric="response_time",
    target="https://shop.example.com/",
    layer="application",
    value=342.4,
    unit="ms",
    band="200-500ms",
    target_band="< 200ms",
    value_at_firing=310.0,
    peak=411.0,
    facts={},
)
THROUGHPUT = replace(
    SLOW,
    id=17,
    level="critical",
    peak_level="critical",
    metric="throughput",
    target="shop",
    value=480.0,
    unit="rps",
    band="< 500 rps",
    target_band="> 1000 rps",
    value_at_firing=480.0,
    peak=455.0,
)
SECURITY = replace(
    MEMORY,
    id=18,
    level="error",
    peak_level="error",
    metric="failed_logins",
    target="sshd",
    layer="security",
    value=42.0,
    unit="",
    band="> 30",
    target_band="< 10",
    value_at_firing=42.0,
    peak=42.0,
    facts={},
)

AT = "2025-08-20T05:20:00+00:00"


def _reading(
    metric: str, target: str, value: float, unit: str, band: str | None, level: str | None
) -> ReadingFacts:
    return ReadingFacts(metric, target, value, unit, level, band, None, AT)


READINGS = (
    _reading("cpu_usage", "web-1", 67.0, "%", "< 70%", None),
    _reading("memory_usage", "web-1", 58.2, "%", "< 80%", None),
    _reading("disk_usage", "/", 61.0, "%", "< 85%", None),
    _reading("disk_usage", "/var", 44.9, "%", "< 85%", None),
    _reading("network_receive_rate", "eth0", 1_258_291.0, "B/s", None, None),
    _reading("load_average", "web-1", 0.42, "", None, None),
    _reading("response_time", "https://shop.example.com/", 87.4, "ms", "< 200ms", None),
    _reading("reachable", "https://shop.example.com/", 1.0, "", "> 0", None),
)
GREEN = StatusFacts(
    state="green",
    host="web-1",
    environment="production",
    version="0.1.0",
    at=AT,
    started_at="2025-08-20T02:05:00+00:00",
    readings=READINGS,
    alerts=(),
    alerts_open={},
    probes=6,
    probes_failing=0,
    undelivered=0,
    dead_letters=0,
    store_problem=None,
)
RED = replace(
    GREEN,
    state="red",
    readings=(
        ReadingFacts(
            "cpu_usage", "web-1", None, "%", None, None, ProblemFacts("timeout", "no answer within 5 s"), AT
        ),
        _reading("memory_usage", "web-1", 93.4, "%", "> 90%", "critical"),
        _reading("disk_usage", "/", 88.0, "%", "85-95%", "warning"),
        *(
            _reading("response_time", f"https://shop.example.com/{n}", 80.0 + n, "ms", "< 200ms", None)
            for n in range(5)
        ),
        _reading("response_time", "https://shop.example.com/slow", 342.4, "ms", "200-500ms", "warning"),
        _reading("reachable", "https://pay.example.com/", 0.0, "", "< 1", "critical"),
    ),
    alerts=(ACKED, DOWN, NO_DATA),
    alerts_open={"critical": 2, "error": 1},
    probes_failing=1,
    undelivered=3,
    dead_letters=1,
    store_problem="attempt to write a readonly database",
)
WAITING = replace(
    GREEN, readings=(replace(_reading("cpu_usage", "web-1", 91.0, "%", "> 85%", "critical"), waiting=True),)
)
COMMANDS = (
    CommandFacts("status", "상태", ""),
    CommandFacts("probes", "점검", "[NAME]"),
    CommandFacts("alerts", "알림", "[ID]"),
    CommandFacts("help", "도움말", ""),
    CommandFacts("version", "버전", ""),
)

PROBES = (
    ProbeFacts("cpu", "infrastructure", "web-1", 15.0, 5.0, AT, 2.4, None, READINGS[:1]),
    ProbeFacts(
        "disk",
        "infrastructure",
        "web-1",
        60.0,
        10.0,
        AT,
        31.0,
        None,
        (
            replace(READINGS[2], facts={"free": "39 GiB", "total": "100 GiB", "device": "/dev/sda1"}),
            _reading("disk_usage", "/var", 88.0, "%", "85-95%", "warning"),
        ),
    ),
    ProbeFacts(
        "shop",
        "application",
        "https://shop.example.com/",
        10.0,
        5.0,
        AT,
        5000.0,
        ProblemFacts("timeout", "no answer within 5 s"),
        (),
    ),
    ProbeFacts("network", "infrastructure", "web-1", 15.0, 5.0, None, None, None, ()),
)


def _decision(
    second: int, reason: str, from_status: str | None, to_status: str, **more: JsonValue
) -> DecisionFacts:
    actor = more.pop("actor", None)
    return DecisionFacts(
        at=f"2025-08-20T05:03:{second:02}+00:00",
        event="ack" if actor else "measured",
        reason=reason,
        from_status=from_status,
        to_status=to_status,
        level="warning",
        actor=str(actor) if actor else None,
        values=more,
    )


DECISIONS = (
    _decision(5, "below_confirmation", None, "pending", bad=1, needed=3),
    _decision(20, "below_confirmation", "pending", "pending", bad=2, needed=3),
    _decision(35, "confirmed", "pending", "firing", bad=3),
    _decision(40, "still_firing", "firing", "firing", value=82.5, unit="%", band="80-90%"),
    _decision(45, "still_firing", "firing", "firing", value=83.0, unit="%", band="80-90%"),
    _decision(50, "level_rise", "firing", "firing", level="critical"),
    _decision(51, "step_empty", "firing", "firing", round=1, step=1, meant=["schedule:night", "@민준.이"]),
    _decision(51, "step_empty", "firing", "firing", round=1, step=2, meant=["group:@administrators"]),
    _decision(51, "paged", "firing", "firing"),
    _decision(55, "acked", "firing", "acked", actor="U024BE7LH"),
)


def note(
    alert: AlertFacts, note: str, actor: str | None = None, from_level: str | None = None
) -> AlertNoteFacts:
    return AlertNoteFacts(alert, note, actor, from_level)
