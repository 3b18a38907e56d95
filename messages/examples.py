"""Example facts for each message and each of its states: for the snapshots and for a look at a new text."""

from __future__ import annotations

from dataclasses import replace

from messages import answer_facts as answers
from messages import elsewhere_facts as elsewhere
from messages import example_alerts as alerts
from messages.example_audit import AUDIT
from messages.example_backup import BACKUP
from messages.example_covers import COVERS
from messages.example_deploy import DEPLOY_OPERATIONS, DEPLOYMENTS
from messages.example_duty import DUTY
from messages.example_facts import (
    ACKED,
    AT,
    COMMANDS,
    CRITICAL,
    DECISIONS,
    DISK,
    DOWN,
    GREEN,
    MEMORY,
    NO_DATA,
    PROBES,
    RED,
    RESOLVED,
    SECURITY,
    SLOW,
    THROUGHPUT,
    WAITING,
    note,
)
from messages.example_insights import NOISE, QUIET, RATED_BARE, RATED_HINT, RATED_USEFUL
from messages.example_operations import OPERATIONS
from messages.facts import AlertDetailFacts, AlertListFacts, Facts, HomeFacts, ProbeListFacts

EXAMPLES: dict[str, dict[str, Facts]] = {
    "alert": {
        "firing": MEMORY,
        "critical": CRITICAL,
        "acked": ACKED,
        "resolved": RESOLVED,
        "down": DOWN,
        "down_resolved": replace(DOWN, status="resolved", value=1.0, band=None, problem=None, resolved_at=AT),
        "no_data": NO_DATA,
        "no_data_resolved": replace(NO_DATA, status="resolved", value=54.0, problem=None, resolved_at=AT),
        "disk": DISK,
        "slow": SLOW,
        "throughput": THROUGHPUT,
        "security": SECURITY,
        "calling": alerts.CALLING,
        "nobody": alerts.NOBODY,
        "held": alerts.HELD,
        "silenced": alerts.SILENCED,
        "in_maintenance": alerts.IN_MAINTENANCE,
        "inhibited": alerts.INHIBITED,
        "flapping": alerts.FLAPPING,
        "raised": alerts.RAISED,
        "reported": alerts.REPORTED,
        "failed_run": alerts.FAILED_RUN,
        "deployed": alerts.DEPLOYED,
        "backup": alerts.BACKUP,
        "job": alerts.JOB,
    },
    "page": dict(alerts.PAGES),
    "storm": dict(alerts.STORMS),
    "storm_digest": {"some": alerts.DIGEST},
    "storm_page": {"many": alerts.STORM_PAGE},
    "storm_acked": {"some": answers.StormAckedFacts(2, 300), "none": answers.StormAckedFacts(2, 0)},
    "explain": dict(alerts.EXPLAINED),
    "still_bad": {"firing": answers.ClickFacts(MEMORY), "acked": answers.ClickFacts(ACKED)},
    "resolve_done": {"one": answers.ClickFacts(RESOLVED)},
    "status": {
        "green": GREEN,
        "red": RED,
        "empty": replace(GREEN, readings=(), probes=0),
        "waiting": WAITING,
    },
    "startup": {"green": GREEN},
    "alert_note": {
        "opened": note(MEMORY, "opened"),
        "opened_down": note(DOWN, "opened"),
        "acked": note(ACKED, "acked", actor="U024BE7LH"),
        "level_up": note(CRITICAL, "level_up", from_level="warning"),
        "level_down": note(MEMORY, "level_down", from_level="critical"),
        "resolved": note(RESOLVED, "resolved"),
        "reopened": note(ACKED, "reopened"),
        "no_data": note(NO_DATA, "no_data"),
        "measured_again": note(CRITICAL, "measured_again"),
        **alerts.NOTES,
    },
    "probes": {
        "some": ProbeListFacts(PROBES),
        "fine": ProbeListFacts(PROBES[:2]),
        "none": ProbeListFacts(()),
    },
    "probe": {"disk": PROBES[1], "failing": PROBES[2], "new": PROBES[3]},
    "alerts": {
        "open": AlertListFacts((ACKED, DOWN, NO_DATA), "open", 3),
        "all": AlertListFacts((RESOLVED,), "all", 31),
        "none": AlertListFacts((), "open", 0),
    },
    "alert_detail": {
        "acked": AlertDetailFacts(ACKED, DECISIONS),
        "resolved": AlertDetailFacts(RESOLVED, ()),
    },
    "help": {"all": answers.HelpFacts("/guardian", COMMANDS)},
    "version": {"one": answers.VersionFacts("0.1.0", "3.11.7", "web-1", "2025-08-20T02:05:00+00:00")},
    "unknown_command": {
        "near": answers.UnknownCommandFacts("stauts", "status", "/guardian", COMMANDS),
        "far": answers.UnknownCommandFacts("coffee", None, "/guardian", COMMANDS),
    },
    "bad_argument": {
        "id": answers.BadArgumentFacts("/guardian", "alerts", "twelve", "[ID]", "알림"),
        "undo": answers.BadArgumentFacts("/guardian", "cleanup", "undo x", "undo N", "정리", "cleanup_undo"),
        "plain": answers.BadArgumentFacts("/guardian", "noise", "long", "[1-90]"),
    },
    "unclosed_quote": {"one": answers.UnclosedQuoteFacts("/srv/my files")},
    "not_found": {
        "alert": answers.NotFoundFacts("alert", "#99"),
        "silence": answers.NotFoundFacts("silence", "9", ("3",)),
        "window": answers.NotFoundFacts("window", "9"),
        "operation": answers.NotFoundFacts("operation", "backup", ("cleanup", "cleanup_undo")),
        "operation_number": answers.NotFoundFacts("operation", "#99", ("#12",)),
        "probe": answers.NotFoundFacts("probe", "cpux", ("cpu", "disk", "memory")),
    },
    "number_missing": {
        "silence": answers.NumberMissingFacts("silence", "/guardian", ("3", "5")),
        "no_silence": answers.NumberMissingFacts("silence", "/guardian", ()),
        "window": answers.NumberMissingFacts("window", "/guardian", ("2",)),
        "no_window": answers.NumberMissingFacts("window", "/guardian", ()),
    },
    "error": {"one": answers.ErrorFacts("a1f3")},
    "stale_click": {"resolved": answers.ClickFacts(RESOLVED), "acked": answers.ClickFacts(ACKED)},
    "ack_done": {"one": answers.ClickFacts(ACKED)},
    "already_acked": {"one": answers.ClickFacts(ACKED)},
    "store_down": {"one": answers.StoreDownFacts("web-1", AT, "database or disk is full")},
    "store_unreadable": {"one": answers.StoreDownFacts("web-1", AT, "database is locked")},
    "store_back": {"one": answers.StoreBackFacts("web-1", "2025-08-20T05:03:05+00:00", AT)},
    "dead_letter": {
        "one": answers.DeadLetterFacts(
            "alert", "⚠️ 주의: 메모리 사용률 82%", "#guardian-alerts", "is_archived", 1, AT, 1
        ),
    },
    "delivered_late": {"some": answers.DeliveredLateFacts("2025-08-20T05:03:05+00:00", AT, 4)},
    "channel_blocked": {
        problem: answers.ChannelBlockedFacts("guardian-alerts", problem, 3, AT)
        for problem in ("not_in_channel", "is_archived", "channel_not_found", "restricted_action")
    },
    "heartbeats": {
        "some": elsewhere.HeartbeatListFacts(
            (
                elsewhere.HeartbeatFacts(
                    "backup", "late", "error", 86_400, 1800, "2025-08-18T18:00:00+00:00", AT, None
                ),
                elsewhere.HeartbeatFacts("invoices", "failed", "critical", 3600, 300, AT, AT, None),
                elsewhere.HeartbeatFacts("reindex", "running", "warning", 3600, 300, AT, AT, AT),
                elsewhere.HeartbeatFacts("cleanup", "new", "error", 604_800, 3600, None, AT, None),
            )
        ),
        "fine": elsewhere.HeartbeatListFacts(
            (elsewhere.HeartbeatFacts("backup", "fine", "error", 86_400, 1800, AT, AT, None),)
        ),
        "none": elsewhere.HeartbeatListFacts(()),
    },
    "self_check": {
        problem: elsewhere.SelfCheckFacts("web-1", problem, seconds, AT, AT)
        for problem, seconds in (("ladder_late", 75.0), ("letters_stuck", 190.0), ("loop_lag", 6.5))
    },
    "self_check_over": {
        problem: elsewhere.SelfCheckFacts("web-1", problem, seconds, "2025-08-20T05:03:05+00:00", AT)
        for problem, seconds in (("ladder_late", 75.0), ("letters_stuck", 190.0), ("loop_lag", 6.5))
    },
    "watchdog_failing": {
        problem: elsewhere.WatchdogFacts("web-1", problem, AT, AT) for problem in ("timeout", "404")
    },
    "watchdog_back": {
        "one": elsewhere.WatchdogFacts("web-1", "timeout", "2025-08-20T05:03:05+00:00", AT),
    },
    "door_closed": {"one": elsewhere.DoorClosedFacts("127.0.0.1:9465")},
    "second_way": {
        "sent": elsewhere.SecondWayFacts("🔥 긴급: CPU 사용률 91%", 1, ("sms", "mail"), (), 61.0, AT),
        "some": elsewhere.SecondWayFacts("🔥 긴급: CPU 사용률 91%", 3, ("mail",), ("sms",), 61.0, AT),
        "failed": elsewhere.SecondWayFacts("🔥 긴급: CPU 사용률 91%", 1, (), ("sms",), 61.0, AT),
    },
    "plain_alert": {"critical": CRITICAL, "down": DOWN, "no_data": NO_DATA, "resolved": RESOLVED},
    **AUDIT,
    **{name: {**states, **DEPLOY_OPERATIONS.get(name, {})} for name, states in OPERATIONS.items()},
    **BACKUP,
    **DEPLOYMENTS,
    "noise": {"some": NOISE, "none": QUIET},
    "rating": {"useful": RATED_USEFUL, "hint": RATED_HINT, "hint_without": RATED_BARE},
    **COVERS,
    **DUTY,
    "home": {
        "green": HomeFacts(GREEN, "/guardian", COMMANDS),
        "red": HomeFacts(RED, "/guardian", COMMANDS),
    },
}
"""Message name → state → facts."""
