"""Example facts about operations."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from messages.cleanup_facts import CleanupScanFacts, ScanDiskFacts
from messages.facts import Facts
from messages.operation_facts import (
    FreezeAnswerFacts,
    FreezeFacts,
    GlassFacts,
    LockAnswerFacts,
    LockFacts,
    OperationAskedFacts,
    OperationClickFacts,
    OperationFacts,
    OperationNoteFacts,
    OperationPlanningFacts,
    OperationProblemFacts,
    OperationProgressFacts,
    OperationRefusedFacts,
    OperationsFacts,
    OperationStepFacts,
    RunsTroubleFacts,
)

_AT, _LATER = "2025-08-20T05:03:05+00:00", "2025-08-20T05:04:17+00:00"
_UNTIL = "2025-08-27T05:04:17+00:00"
_ANN, _BOB = "U024BE7LH", "U061F7AUR"
_SLASH = "/guardian"
_HASH = "e63bcae2fa1c11bfc0a3b74d9e4d3866012a90e8ec336153664148f030cf5679"
_LOGS = OperationStepFacts(
    "clean_logs",
    {
        "roots": ["/var/log"],
        "count": 1204,
        "bytes": 3_435_973_836,
        "oldest": "2025-03-02T01:00:00+00:00",
        "largest": [
            {"path": "/var/log/shop/access.log.9.gz", "size": 734_003_200, "modified": _AT},
            {"path": "/var/log/shop/access.log.8.gz", "size": 701_003_200, "modified": _AT},
        ],
        "linked": 0,
        "left": {"in_use": 3},
        "list": "a" * 64,
    },
    "restore",
)
_CACHES = OperationStepFacts(
    "clean_caches",
    {"caches": {"npm": {"count": 1, "bytes": 88_080_384}}, "absent": ["docker"], "list": "b" * 64},
    None,
)
_ZOMBIES = OperationStepFacts(
    "clean_zombies",
    {
        "count": 1,
        "parents": [
            {"pid": 4711, "name": "shop", "restart": ["systemctl", "restart", "shop"], "protected": None}
        ],
    },
    None,
)
_HEALTH: dict[str, JsonValue] = {
    "well": 14,
    "probes": ["cpu", "memory", "disk"],
    "addresses": ["shop"],
    "more": 2,
    "bad": [{"metric": "disk_usage", "target": "web-1:/var"}],
    "unknown": [{"probe": "disk", "target": "web-1:/srv"}],
    "unknowns": 2,
}
_UNVERIFIED = {**_HEALTH, "well": 0, "bad": [], "addresses": [], "more": 0}
_DONE_LOGS = replace(
    _LOGS,
    state="done",
    result={
        "dry_run": 1204,
        "moved": 1203,
        "bytes": 3_435_973_000,
        "left": {"changed": 1},
        "partial": ["shell"],
        "until": _UNTIL,
        "health": _HEALTH,
    },
    began_at=_AT,
    ended_at=_LATER,
)
_FAILED = replace(
    _CACHES,
    state="undone",
    problem=OperationProblemFacts("failed", "cleanup_caches", {"detail": "npm: EACCES"}),
    began_at=_AT,
    ended_at=_LATER,
)
_UNWELL = replace(
    _DONE_LOGS,
    state="undone",
    result={"undone": {"restored": 1203, "bytes": 3_435_973_000}},
    problem=OperationProblemFacts(
        "failed",
        "cleanup_unwell",
        {"bad": [{"metric": "reachable", "target": "shop"}, {"metric": "cpu_usage", "target": "web-1"}]},
    ),
)
PENDING = OperationFacts(
    id=12,
    operation="cleanup",
    family="cleanup",
    subject="host:web-1",
    state="pending",
    plan_hash=_HASH,
    asked_by=_ANN,
    asked_at=_AT,
    expires_at="2025-08-20T05:18:05+00:00",
    steps=(_LOGS, _CACHES, _ZOMBIES),
    shown={
        "risks": ["no_undo", "restart"],
        "count": 1204,
        "bytes": 3_435_973_836,
        "quarantine_seconds": 604_800,
    },
    needs_second=True,
    command=_SLASH,
    files=("logs.txt", "caches.txt"),
)
_APPROVED = replace(PENDING, state="queued", decided_by=_BOB, decided_at=_AT)
_LOCK = LockFacts("host:web-1", _BOB, _AT, None, None, "moving data", _LATER)
_RUN_LOCK = LockFacts("host:web-1", _ANN, _AT, 11, "cleanup", "", None)
RUNNING = replace(
    _APPROVED,
    state="running",
    started_at=_AT,
    steps=(replace(_LOGS, state="doing", began_at=_AT), _CACHES, _ZOMBIES),
    progress=OperationProgressFacts(0, 430, 1204, "file", 12.4),
)
DONE = replace(
    _APPROVED,
    state="done",
    started_at=_AT,
    ended_at=_LATER,
    steps=(
        _DONE_LOGS,
        replace(
            _CACHES,
            state="done",
            result={"removed": 1, "gone": 0, "failed": [], "health": _UNVERIFIED},
            began_at=_AT,
            ended_at=_LATER,
        ),
        replace(
            _ZOMBIES,
            state="done",
            result={
                "restarted": ["shop"],
                "reported": [{"pid": 4712, "name": "cron"}],
                "gone": 0,
                "failed": [],
            },
            began_at=_AT,
            ended_at=_LATER,
        ),
    ),
    undo_until=_UNTIL,
)
PARTIAL = replace(DONE, state="partial", steps=(_DONE_LOGS, _FAILED, _ZOMBIES), problem=_FAILED.problem)
UNDO = replace(
    PENDING,
    operation="cleanup_undo",
    steps=(OperationStepFacts("restore_run", {"run": 12, "count": 1203, "bytes": 3_435_973_000}, None),),
    shown={},
    files=(),
)
_UNDO_STOPPED = replace(
    UNDO.steps[0],
    state="stopped",
    result={"restored": 430, "bytes": 1_435_973_000, "kept": 773},
    began_at=_AT,
    ended_at=_LATER,
)
STOPPED = replace(
    DONE,
    state="stopped",
    stopped_by=_BOB,
    steps=(_DONE_LOGS, replace(_CACHES, state="stopped", began_at=_AT, ended_at=_LATER), _ZOMBIES),
)
CHANGED = replace(
    _APPROVED,
    state="changed",
    ended_at=_LATER,
    problem=OperationProblemFacts(
        "changed",
        "plan",
        {
            "changes": [
                {"step": 1, "name": "count", "before": "1204", "after": "1205"},
                {"step": 1, "name": "bytes", "before": "3435973836", "after": "3435973900"},
                {"step": 1, "name": "oldest", "before": _AT, "after": None},
                {"step": 1, "name": "largest", "before": None, "after": None},
                {"step": None, "name": "risks", "before": "no_undo", "after": None},
            ],
        },
    ),
)
_LOST = OperationProblemFacts("failed", "lost", {"file": "guardian-runs.db"})
_FROZEN = OperationProblemFacts("refused", "frozen", {"ref": "#3", "reason": "release day", "until": _LATER})
REFUSED = replace(_APPROVED, state="refused", ended_at=_LATER, problem=_FROZEN)
_FREEZE = FreezeFacts("#3", "production*", ("cleanup",), "release day", _BOB, _AT, _LATER, _LATER)
_WEEKEND = FreezeFacts("weekend", "*", (), "", None, None, None, None)


def _clicked(verdict: str, *could: str, click: str = "approve") -> OperationClickFacts:
    return OperationClickFacts(verdict, click, PENDING, could)


_NOTED = {
    "approve": _APPROVED,
    "break_glass": replace(_APPROVED, glass=True, reason="the disk is full"),
    "deny": replace(PENDING, state="denied"),
    "cancel": replace(PENDING, state="cancelled"),
    "stop": RUNNING,
    "start": RUNNING,
    "resumed": RUNNING,
    "changed": CHANGED,
    "refused": REFUSED,
    "end": DONE,
}

OPERATIONS: dict[str, dict[str, Facts]] = {
    "operation": {
        "pending": PENDING,
        "queued": replace(_APPROVED, place=2, waits_for=_RUN_LOCK),
        "locked": replace(_APPROVED, place=1, waits_for=_LOCK),
        "running": RUNNING,
        "running_unknown": replace(RUNNING, progress=OperationProgressFacts(0, 430, None, "file", None)),
        "stopping": replace(RUNNING, stopped_by=_ANN),
        "done": DONE,
        "partial": PARTIAL,
        "stopped": STOPPED,
        "undone": replace(PARTIAL, state="undone", undo_until=None),
        "failed": replace(PARTIAL, state="failed"),
        "denied": replace(PENDING, state="denied", decided_by=_BOB, decided_at=_AT, reason="not today"),
        "cancelled": replace(PENDING, state="cancelled", decided_by=_ANN, decided_at=_AT),
        "expired": replace(PENDING, state="expired"),
        "superseded": replace(PENDING, state="superseded"),
        "changed": CHANGED,
        "refused": REFUSED,
        "done_and_undone": replace(DONE, undo_until=None, undone_by=13),
        "glass": replace(DONE, glass=True, reason="the disk is full"),
        "lost": replace(
            RUNNING,
            state="failed",
            ended_at=_LATER,
            progress=None,
            steps=(
                replace(_LOGS, state="stuck", began_at=_AT, ended_at=_LATER, problem=_LOST),
                *RUNNING.steps[1:],
            ),
            problem=_LOST,
            undo_until=_UNTIL,
        ),
        "hindered": replace(
            _APPROVED,
            problem=OperationProblemFacts("failed", "runs_unavailable", {"detail": "disk I/O error"}),
        ),
        "unwell": replace(PARTIAL, steps=(_UNWELL, *DONE.steps[1:]), problem=_UNWELL.problem),
        "undo": UNDO,
        "undo_stopped": replace(
            UNDO, state="partial", started_at=_AT, ended_at=_LATER, stopped_by=_ANN, steps=(_UNDO_STOPPED,)
        ),
    },
    "operation_note": {
        **{
            what: OperationNoteFacts(what, facts, _BOB, (_ANN,) if what == "break_glass" else ())
            for what, facts in _NOTED.items()
        },
        "partial": OperationNoteFacts("end", PARTIAL, _ANN),
        "stopped": OperationNoteFacts("end", STOPPED, _ANN),
    },
    "operation_asked": {
        "pending": OperationAskedFacts(PENDING, "guardian-ops"),
        "running": OperationAskedFacts(RUNNING, "guardian-ops"),
    },
    "runs_trouble": {
        "broken": RunsTroubleFacts(
            "broken", "file is not a database", "guardian-runs.db.broken-20250820T050305Z", (12, 13)
        ),
        "broken_idle": RunsTroubleFacts(
            "broken", "database disk image is malformed", "guardian-runs.db.broken-20250820T050305Z"
        ),
        "unavailable": RunsTroubleFacts("unavailable", "unable to open database file"),
        "back": RunsTroubleFacts("back"),
    },
    "operation_planning": {"one": OperationPlanningFacts("cleanup")},
    "glass_modal": {"one": GlassFacts("cleanup", 12, "host:web-1")},
    "operation_refused": {
        "nothing": OperationRefusedFacts(
            "cleanup", "cleanup", OperationProblemFacts("refused", "cleanup_nothing"), _SLASH
        ),
        "role": OperationRefusedFacts(
            "cleanup",
            "cleanup",
            OperationProblemFacts("refused", "role", {"role": "operator"}),
            _SLASH,
            (_ANN, _BOB),
        ),
        "frozen": OperationRefusedFacts("cleanup", "cleanup", _FROZEN, _SLASH),
        "unknown_reason": OperationRefusedFacts(
            "cleanup", "cleanup", OperationProblemFacts("refused", "nobody_said"), _SLASH
        ),
    },
    "operation_click": {
        "unwritten": OperationClickFacts("unwritten", "stop", RUNNING),
        "taken": _clicked("taken"),
        "stale": _clicked("stale"),
        "expired": _clicked("expired"),
        "not_allowed": _clicked("not_allowed", _BOB, _ANN),
        "second_person": _clicked("second_person", _BOB),
        "second_person_nobody": _clicked("second_person"),
    },
    "ops": {
        "some": OperationsFacts(
            (RUNNING, replace(_APPROVED, id=13, place=1)),
            (_RUN_LOCK, _LOCK),
            (_FREEZE, _WEEKEND),
            (DONE,),
            _SLASH,
        ),
        "none": OperationsFacts((), (), (), (), _SLASH),
    },
    "lock_answer": {
        **{
            outcome: LockAnswerFacts("lock", outcome, "host:web-1", _SLASH, _LOCK, who_could=(_BOB,))
            for outcome in ("done", "taken", "not_allowed", "no_reason", "bad_length")
        },
        "unknown_subject": LockAnswerFacts(
            "lock", "unknown_subject", "hots:web-1", _SLASH, known=("host:web-1", "backup")
        ),
        "no_subject": LockAnswerFacts("lock", "no_subject", "", _SLASH),
        "unlocked": LockAnswerFacts("unlock", "done", "host:web-1", _SLASH, _LOCK),
        "held": LockAnswerFacts("unlock", "held", "host:web-1", _SLASH, _RUN_LOCK),
        "none": LockAnswerFacts("unlock", "none", "host:web-2", _SLASH, locks=(_LOCK,)),
        "none_said": LockAnswerFacts("unlock", "none", "", _SLASH, locks=(_LOCK,)),
        "not_allowed_to_unlock": LockAnswerFacts(
            "unlock", "not_allowed", "host:web-1", _SLASH, _LOCK, who_could=(_ANN,)
        ),
    },
    "freeze_answer": {
        "made": FreezeAnswerFacts("made", _SLASH, _FREEZE),
        "ended": FreezeAnswerFacts("ended", _SLASH, _FREEZE),
        "list": FreezeAnswerFacts("list", _SLASH, freezes=(_FREEZE, _WEEKEND)),
        "list_empty": FreezeAnswerFacts("list", _SLASH),
        "not_found": FreezeAnswerFacts("not_found", _SLASH, freezes=(_FREEZE,)),
        "not_allowed": FreezeAnswerFacts("not_allowed", _SLASH, who_could=(_BOB,)),
        "no_reason": FreezeAnswerFacts("no_reason", _SLASH),
        "bad_length": FreezeAnswerFacts("bad_length", _SLASH),
        "odd_length": FreezeAnswerFacts("bad_length", _SLASH, typed="0m"),
        "unknown_subject": FreezeAnswerFacts(
            "unknown_subject", _SLASH, subject="nowhere", known=("host:web-1", "production")
        ),
    },
    "cleanup_scan": {
        "busy": CleanupScanFacts(
            processes=212,
            largest=(("java", 2_147_483_648), ("postgres", 536_870_912)),
            memory_total=16_777_216_000,
            memory_available=1_258_291_200,
            disks=(ScanDiskFacts("/var/log", 107_374_182_400, 8_589_934_592),),
            connections={"ESTABLISHED": 120, "LISTEN": 14},
            sessions=(("ann", "pts/0"),),
            protected={"editor_server": 2, "shell": 3},
            zombies=1,
            unseen=4,
            risks=("protected_active", "sessions", "memory_low", "disk_low"),
        ),
        "quiet": CleanupScanFacts(
            processes=80,
            largest=(("guardian", 100_000_000),),
            memory_total=16_777_216_000,
            memory_available=12_582_912_000,
            disks=(),
            connections=None,
            sessions=(),
            protected={},
            zombies=0,
            unseen=0,
            risks=(),
        ),
    },
}
