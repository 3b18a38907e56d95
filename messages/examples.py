"""Example facts for each message and each of its states: for the snapshots and for a look at a new text."""

from __future__ import annotations

from dataclasses import replace

from messages import answer_facts as answers
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
    },
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
    "bad_argument": {"id": answers.BadArgumentFacts("/guardian", "alerts", "twelve", "[ID]")},
    "not_found": {
        "alert": answers.NotFoundFacts("alert", "#99"),
        "probe": answers.NotFoundFacts("probe", "cpux", ("cpu", "disk", "memory")),
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
    "home": {
        "green": HomeFacts(GREEN, "/guardian", COMMANDS),
        "red": HomeFacts(RED, "/guardian", COMMANDS),
    },
}
"""Message name → state → facts."""
