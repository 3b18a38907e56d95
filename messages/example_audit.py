"""Example facts about the audit log."""

from __future__ import annotations

from dataclasses import replace

from messages.audit_facts import AuditEntryFacts, AuditListFacts
from messages.facts import Facts

_AT = "2025-08-20T05:03:05.000000Z"
_ANN, _BOB = "U024BE7LH", "U061F7AUR"
_ACKED = AuditEntryFacts(
    81,
    _AT,
    _ANN,
    "alert.acknowledge",
    "alert:12",
    None,
    "done",
    {"metric": "memory_usage", "target": "web-1", "level": "warning"},
)
_FALSE = replace(_ACKED, number=83, action="alert.resolve", outcome="refused", detail={"why": "still_bad"})
_SILENCED = replace(
    _ACKED,
    number=84,
    actor=_BOB,
    action="silence.add",
    subject="silence:3",
    detail={
        "from": _AT,
        "until": "2025-08-20T07:03:05.000000Z",
        "matcher": "service=shop, level<=error",
        "reason": "배포 v42",
    },
)
_SWAPPED = replace(
    _ACKED,
    number=85,
    action="oncall.swap",
    subject="override:7",
    detail={"user": _BOB, "schedule": "primary", "from": _AT, "until": "2025-08-21T00:00:00.000000Z"},
)
_PLANNED = replace(
    _ACKED, number=86, actor="guardian", action="deploy.step", subject="shop", plan="3f2a" * 16, detail={}
)
_TORN = replace(_ACKED, number=87, at="yesterday", actor="=cmd", action="x", outcome="?", detail={"x": "1"})
_SOME = AuditListFacts(
    "/guardian", (_TORN, _PLANNED, _SWAPPED, _SILENCED, _FALSE, _ACKED), 87, 20, (), None, None, 0
)

AUDIT: dict[str, dict[str, Facts]] = {
    "audit": {
        "some": _SOME,
        "sought": replace(
            _SOME, entries=(_SILENCED,), limit=1, words=(_BOB, "silence."), older_than=84, waiting=2
        ),
        "no_match": replace(_SOME, entries=(), words=("nobody",), before=40),
        "none": replace(_SOME, entries=(), total=0),
    }
}
"""Message name → state → facts."""
