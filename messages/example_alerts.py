"""Alerts as ladder, covers, storms and other systems leave them: more of the examples' small world."""

from __future__ import annotations

from dataclasses import replace

from messages.example_facts import ACKED, CRITICAL, DECISIONS, MEMORY, note
from messages.example_insights import CANARY
from messages.facts import (
    AlertNoteFacts,
    CoverFacts,
    ExplainFacts,
    PageFacts,
    PageMadeFacts,
    RecipientFacts,
    StormDigestFacts,
    StormDigestGroup,
    StormFacts,
    StormGroup,
    StormLine,
    StormPageFacts,
)

ON_CALL = RecipientFacts("person", "U024BE7LH", "@seoyeon.park")
GROUP = RecipientFacts("group", "S0614TZR7", "@administrators")
HERE = RecipientFacts("channel", "guardian-alerts", "guardian-alerts")
SMS = RecipientFacts("apprise", "sms", "sms")
_LATER = "2025-08-20T05:33:35+00:00"

CALLING = replace(MEMORY, service="shop", next_page_at=_LATER, next_page_to=(ON_CALL, GROUP), pages=1)
NOBODY = replace(MEMORY, next_page_at=_LATER)
HELD = replace(ACKED, ack_until=_LATER, seen_by=("U024BE7LH", "U061F7AUR"))
SILENCED = replace(MEMORY, cover=CoverFacts("silence", "3", _LATER, "U024BE7LH", "디스크를 늘리는 중입니다"))
IN_MAINTENANCE = replace(MEMORY, cover=CoverFacts("maintenance", "nightly", _LATER, None, ""))
INHIBITED = replace(MEMORY, cover=CoverFacts("inhibited", "11", None, None, "db"))
FLAPPING = replace(CRITICAL, flapping=True, reopened=3)
RAISED = replace(MEMORY, level="error", peak_level="error", raised="forecast")
DEPLOYED = replace(MEMORY, extras={"deployment": CANARY.as_json()})
REPORTED = replace(
    MEMORY,
    id=17,
    kind="reported",
    level="critical",
    peak_level="critical",
    metric="HighErrorRate",
    title="결제 오류율이 5 %를 넘었습니다",
    target="pay-1",
    layer="application",
    value=None,
    band=None,
    target_band=None,
    value_at_firing=None,
    peak=None,
    service="pay",
    facts={"description": "5xx 응답이 지난 5분 동안 늘었습니다."},
)
FAILED_RUN = replace(
    REPORTED,
    id=16,
    kind="failed_run",
    level="error",
    peak_level="error",
    metric="operation",
    title="배포 shop v2.4.0 롤백됨 – 트래픽 10%",
    target="production/shop",
    service="shop",
    facts={
        "operation": "#21",
        "트래픽 10%": "트래픽 10% 단계에서 이상을 발견했습니다. 오류율 1.4% (요청 500건 중 7건)",
    },
    extras={"deployment": replace(CANARY, facts={**CANARY.facts, "event": "back"}).as_json()},
)
JOB = replace(
    REPORTED, id=18, kind="heartbeat", level="error", metric="heartbeat", title="nightly-backup", facts={}
)
BACKUP = replace(
    REPORTED,
    id=19,
    metric="backup",
    target="files",
    title="백업 손상 (로컬 저장소)",
    layer="infrastructure",
    facts={},
)

NOTES: dict[str, AlertNoteFacts] = {
    "resolved_by_hand": note(ACKED, "resolved_by_hand", actor="U024BE7LH"),
    "ack_expired": note(CRITICAL, "ack_expired", actor="U024BE7LH"),
    "empty_step": replace(note(CRITICAL, "empty_step"), step=2),
    "covered": note(SILENCED, "covered"),
    "uncovered": note(MEMORY, "uncovered"),
    "silence_broken": note(CRITICAL, "silence_broken"),
    "again": note(FAILED_RUN, "again"),
    "flapping": note(FLAPPING, "flapping"),
    "flapping_over": note(CRITICAL, "flapping_over"),
}
PAGES = {
    "first": PageFacts(CRITICAL, (ON_CALL, GROUP), 1, 1, False),
    "channel": PageFacts(CRITICAL, (HERE,), 1, 2, False),
    "expired": PageFacts(CRITICAL, (ON_CALL,), 0, 0, True),
    "reported": PageFacts(REPORTED, (ON_CALL,), 2, 3, False),
}
_LINES = (
    *(StormLine("opened", 20 + n, "critical", "reachable", "", f"web-{n}", "shop") for n in range(4)),
    StormLine("opened", 30, "warning", "cpu_usage", "", "db-1", ""),
    StormLine("resolved", 21, "critical", "HighErrorRate", "결제 오류율", "pay-1", "pay"),
)
DIGEST = StormDigestFacts(
    2,
    (
        StormDigestGroup("opened", "critical", "reachable", "", "shop", ("web-0", "web-1", "web-2", "web-3")),
        StormDigestGroup("opened", "warning", "cpu_usage", "", "", ("db-1",)),
        StormDigestGroup("resolved", "critical", "HighErrorRate", "결제 오류율", "pay", ("pay-1",)),
    ),
)
STORM_PAGE = StormPageFacts(2, (ON_CALL,), _LINES, 12)
STORM = StormFacts(
    id=2,
    began_at="2025-08-20T05:03:05+00:00",
    ended_at=None,
    folded=312,
    open=300,
    acked=12,
    level="critical",
    groups=(
        StormGroup("shop", "critical", 280, 2, 10, "reachable"),
        StormGroup("", "warning", 20, 10, 2, "cpu_usage"),
    ),
    services=3,
    delivery_ms=640,
)
STORMS = {
    "raging": replace(STORM, next_page_at=_LATER, next_page_to=(ON_CALL,), seen_by=("U061F7AUR",)),
    "nobody": replace(STORM, next_page_at=_LATER),
    "over": replace(STORM, ended_at=_LATER, open=0, acked=0),
    "calmer": replace(STORM, ended_at=_LATER, open=4, services=2),
}
EXPLAINED = {
    "some": ExplainFacts(
        CRITICAL,
        DECISIONS,
        (
            PageMadeFacts("2025-08-20T05:04:35+00:00", 1, 1, "critical", (ON_CALL, SMS)),
            PageMadeFacts(_LATER, 0, 0, "critical", (ON_CALL,)),
        ),
        3,
    ),
    "bare": ExplainFacts(MEMORY, (), (), 0),
}
