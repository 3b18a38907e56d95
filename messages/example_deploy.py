"""Example facts about deployments and rollbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from messages.deploy_facts import (
    DeployChoiceFacts,
    DeployFormFacts,
    DeploymentFacts,
    DeploymentsFacts,
    DeployUsageFacts,
    DoraFacts,
    DoraFigureFacts,
    DoraPlaceFacts,
    PlaceFacts,
    RunningDeploymentFacts,
)
from messages.facts import Facts
from messages.operation_facts import (
    OperationFacts,
    OperationNoteFacts,
    OperationProblemFacts,
    OperationProgressFacts,
    OperationRefusedFacts,
    OperationStepFacts,
)

_AT, _LATER = "2025-08-20T05:03:05+00:00", "2025-08-20T05:04:17+00:00"
_ANN, _BOB = "U024BE7LH", "U061F7AUR"
_SLASH = "/guardian"
_HASH = "5b0cf1e8fa1c11bfc0a3b74d9e4d3866012a90e8ec336153664148f030cf5679"


def _check(
    name: str, verdict: str = "pass", phrase: str = "", values: Mapping[str, JsonValue] | None = None
) -> dict[str, JsonValue]:
    return {"name": name, "verdict": verdict, "phrase": phrase, "values": dict(values or {}), "seconds": 1.2}


_LEFT_OUT = "사내 도구라 화면이 없음"
_CHECKS = [
    _check("code_quality"),
    _check("security", "pass", "evidence", {"found": "212"}),
    _check("dependencies"),
    _check("performance"),
    _check("compatibility"),
    _check("accessibility", "left_out", "left_out", {"why": _LEFT_OUT}),
]
_SHOWN: list[dict[str, JsonValue]] = [
    *[{"name": each["name"], "verdict": "pass", "reason": ""} for each in _CHECKS[:5]],
    {"name": "accessibility", "verdict": "left_out", "reason": _LEFT_OUT},
]
_BAD_CHECKS = [
    _check("code_quality", "fail", "reason.status", {"status": 1, "said": "3 errors in 2 files"}),
    _check("dependencies", "nothing", "nothing.said", {"said": "audited 0 packages"}),
]
_TESTS = [
    _check("smoke"),
    _check("integration"),
    _check("performance"),
    _check("security", "left_out", "left_out", {"why": "분기마다 따로 점검"}),
]
_SHIFTS = tuple(
    OperationStepFacts("shift", {"percent": percent, "seconds": 300.0}, "traffic_back")
    for percent in (10, 25, 50, 75, 100)
)
_STEPS = (
    OperationStepFacts("preflight", {"checks": [str(each["name"]) for each in _CHECKS[:5]]}, None),
    OperationStepFacts("prepare", {"data": ["/srv/shop/data"], "no_data": ""}, "check_blue"),
    OperationStepFacts(
        "green", {"revision": "v2.4.0", "slot": "b", "address": "127.0.0.1:9002"}, "stop_green"
    ),
    OperationStepFacts(
        "verify",
        {
            "tests": ["smoke", "integration", "performance"],
            "left_out": [{"name": "security", "reason": "분기마다 따로 점검"}],
        },
        None,
    ),
    *_SHIFTS,
    OperationStepFacts("complete", {"revision": "v2.4.0", "slot": "b"}, None),
    OperationStepFacts("warm", {"seconds": 1800.0}, None),
    OperationStepFacts("retire", {"slot": "a", "revision": "v2.3.1"}, None),
)
_FIRST_SHIFT = 4
PENDING = OperationFacts(
    id=21,
    operation="deploy",
    family="deploy",
    subject="production",
    state="pending",
    plan_hash=_HASH,
    asked_by=_ANN,
    asked_at=_AT,
    expires_at="2025-08-20T05:18:05+00:00",
    steps=_STEPS,
    shown={
        "service": "shop",
        "environment": "production",
        "revision": "v2.4.0",
        "commit": "9f3c2a7be1d04c5588a1",
        "current": "v2.3.1",
        "has_blue": True,
        "stages": [10, 25, 50, 75, 100],
        "dwell_seconds": 300.0,
        "warm_seconds": 1800.0,
        "checks": list(_SHOWN),
    },
    needs_second=True,
    command=_SLASH,
    aside={
        "committed_at": _AT,
        "risk": "medium",
        "risks": [
            {
                "name": "friday",
                "level": "medium",
                "values": {"at": "2025-08-22 16:10", "day": "fri", "zone": "Asia/Seoul"},
            },
            {"name": "left_out", "level": "low", "values": {"count": 2}},
            {"name": "first_today", "level": "low", "values": {}},
        ],
        "notes": {
            "commits": [
                {
                    "id": "9f3c2a7be1d04c5588a1",
                    "subject": "장바구니 합계를 서버에서 다시 계산",
                    "author": "김수호",
                    "at": _AT,
                },
                {
                    "id": "01c7d52fa2bb4c5588a1",
                    "subject": "결제 시간 초과를 3초로 줄임",
                    "author": "Ann",
                    "at": _AT,
                },
            ],
            "count": 14,
            "files": 9,
            "insertions": 214,
            "deletions": 76,
            "backwards": False,
        },
    },
)
_SHORT = replace(
    PENDING,
    shown={**PENDING.shown, "dwell_seconds": 6.0, "warm_seconds": 20.0},
    aside={"risk": "low", "risks": [], "notes": {}},
)
_FIRST = replace(
    PENDING,
    steps=(
        *_STEPS[:1],
        replace(_STEPS[1], params={"data": [], "no_data": "데이터가 없는 서비스"}),
        *_STEPS[2:4],
        _SHIFTS[4],
        _STEPS[9],
    ),
    shown={
        **PENDING.shown,
        "current": None,
        "commit": None,
        "has_blue": False,
        "stages": [100],
        "warm_seconds": 0.0,
    },
    aside={
        "risk": "high",
        "risks": [{"name": "no_blue", "level": "high", "values": {}}],
        "notes": {"commits": [], "count": 0, "files": 0, "insertions": 0, "deletions": 0, "backwards": False},
    },
)
_FIRST_UNDONE = replace(
    _FIRST,
    state="undone",
    decided_by=_BOB,
    decided_at=_AT,
    started_at=_AT,
    ended_at=_LATER,
    steps=(
        replace(_STEPS[0], state="done", result={"checks": list(_CHECKS)}, began_at=_AT, ended_at=_LATER),
        replace(
            _FIRST.steps[1],
            state="undone",
            result={
                "baseline": {},
                "back_to": None,
                "backed_up": False,
                "undone": {"blue": None, "environment": "production", "locked_until": None},
            },
            began_at=_AT,
            ended_at=_LATER,
        ),
        *_FIRST.steps[2:],
    ),
)
_LOCKED: dict[str, JsonValue] = {"by": "guardian", "until": "2025-08-20T05:33:05+00:00", "reason": "#20 롤백"}


def _stage(share: int, requests: int, errors: int = 0, by: str | None = None) -> dict[str, JsonValue]:
    return {
        "share": share,
        "requests": requests,
        "errors": errors,
        "rate": round(100 * errors / requests, 4),
        "p95": 42.3,
        "blue_requests": 9 * requests,
        "blue_rate": 0.011,
        "blue_p95": 40.1,
        "probes": 0,
        "surely_below": 0.0932,
        "by": by,
    }


_RESULTS: tuple[dict[str, JsonValue], ...] = (
    {"checks": list(_CHECKS)},
    {
        "baseline": {"requests": 120_400, "errors": 12, "p95": 40.1},
        "back_to": "v2.3.1",
        "backed_up": True,
    },
    {"seconds": 3.2},
    {"checks": list(_TESTS)},
    _stage(10, 3212),
    _stage(25, 8040, 1),
    _stage(50, 16_050, 2, _BOB),
    _stage(75, 24_110, 2),
    _stage(100, 32_090, 3),
    {},
    _stage(100, 190_220, 20),
    {"stopped": True, "drained": {"seconds": 10.0, "cut": 3, "left": 0}},
)


def _done(number: int) -> tuple[OperationStepFacts, ...]:
    """The first steps done, the others not begun."""
    return tuple(
        replace(step, state="done", result=_RESULTS[at], began_at=_AT, ended_at=_LATER)
        if at < number
        else step
        for at, step in enumerate(_STEPS)
    )


def _running(
    number: int, progress: OperationProgressFacts, held_by: str | None = None, state: str = "running"
) -> OperationFacts:
    """While that step (its index) is done."""
    steps = [*_done(number)]
    steps[number] = replace(steps[number], state="doing", began_at=_LATER)
    return replace(
        PENDING,
        state=state,
        decided_by=_BOB,
        decided_at=_AT,
        started_at=_AT,
        steps=tuple(steps),
        progress=progress,
        held_by=held_by,
    )


_LIVE: dict[str, JsonValue] = {
    "share": 25,
    "requests": 2140,
    "errors": 1,
    "rate": 0.0467,
    "p95": 44.2,
    "blue_requests": 6420,
    "blue_rate": 0.0156,
    "blue_p95": 40.8,
    "probes": 200,
    "surely_below": 0.1821,
    "phase": "dwelling",
    "held": False,
    "seconds": 300.0,
    "seconds_left": 192.0,
    "outcome": "inconclusive",
    "reasons": [
        {
            "name": "requests",
            "values": {"rate": 0.0467, "requests": 2140, "errors": 1, "needed": 2603, "limit": 0.1},
        },
        {"name": "usage_no_data", "values": {}},
    ],
    "needed": 2603,
    "cpu": 31.2,
    "memory": 48.0,
    "rates": [None, 0.0, 0.0, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    "blue_rates": [0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.0, 0.0, 0.0],
    "p95s": [None, 51.0, 44.0, 43.0, 47.0, 42.0, 44.0, 45.0, 43.0, 44.0, 42.0, 43.0],
    "blue_p95s": [41.0, 40.0, 42.0, 39.0, 41.0, 40.0, 40.0, 43.0, 40.0, 41.0, 40.0, 41.0],
}


def _live(*controls: str, **changed: JsonValue) -> OperationProgressFacts:
    return OperationProgressFacts(5, 0, None, "", None, {**_LIVE, **changed}, controls)


_SHIFTING = _running(5, _live("hold", "stop"))
_JUDGED = OperationProblemFacts(
    "failed",
    "judged",
    {
        "faults": [
            {
                "name": "error_rate",
                "values": {"rate": 5.06, "requests": 79, "errors": 4, "limit": 0.1},
            },
            {
                "name": "errors_against_blue",
                "values": {
                    "rate": 5.06,
                    "requests": 79,
                    "errors": 4,
                    "blue_rate": 0.0,
                    "blue_requests": 705,
                    "blue_errors": 0,
                },
            },
        ],
        **_stage(10, 79, 4),
    },
)
_BACK: dict[str, JsonValue] = {
    "milliseconds": 41.2,
    "before": 90,
    "at": _LATER,
    "still": {"requests": 79},
    "drained": {"seconds": 0.1, "cut": 0},
}


_WELL: dict[str, JsonValue] = {
    "blue": "v2.3.1",
    "seconds": 0.4,
    "environment": "production",
    "locked_until": "2025-08-20T05:34:17+00:00",
}


def _undone(problem: OperationProblemFacts, ended: bool = True) -> OperationFacts:
    """The first stage of traffic went wrong."""
    steps = [*_done(_FIRST_SHIFT)]
    steps[_FIRST_SHIFT] = replace(
        _STEPS[_FIRST_SHIFT],
        state="undone",
        problem=problem,
        result={"undone": _BACK},
        began_at=_AT,
        ended_at=_LATER,
    )
    if ended:
        steps[2] = replace(steps[2], state="undone", result={**_RESULTS[2], "undone": {"stopped": True}})
        steps[1] = replace(steps[1], state="undone", result={**_RESULTS[1], "undone": dict(_WELL)})
    else:
        steps[2] = replace(steps[2], state="undoing")
    return replace(
        PENDING,
        state="undone" if ended else "undoing",
        decided_by=_BOB,
        decided_at=_AT,
        started_at=_AT,
        ended_at=_LATER if ended else None,
        steps=tuple(steps),
        problem=problem if ended else None,
    )


UNDONE = _undone(_JUDGED)
DONE = replace(
    _SHIFTING, state="done", progress=None, steps=_done(len(_STEPS)), ended_at="2025-08-20T06:01:00+00:00"
)
_ROLL_STEPS = (
    OperationStepFacts("journal", {"target": "v2.3.1", "current": "v2.4.0"}, None),
    OperationStepFacts("start", {"slot": "a", "revision": "v2.3.1", "address": "127.0.0.1:9001"}, None),
    OperationStepFacts("traffic", {"slot": "a", "revision": "v2.3.1"}, None),
    OperationStepFacts("still", {"slot": "b"}, None),
    OperationStepFacts("drain", {"slot": "b", "seconds": 10.0}, None),
    OperationStepFacts("recover", {"slot": "a", "revision": "v2.3.1"}, None),
)
_ROLL_RESULTS: tuple[dict[str, JsonValue], ...] = (
    {},
    {"seconds": 2.1},
    {"milliseconds": 38.0, "before": 0},
    {"requests": 190_220},
    {"seconds": 10.0, "cut": 2},
    {"seconds": 0.6, "environment": "production", "locked_until": "2025-08-20T05:34:17+00:00"},
)
ROLLBACK = replace(
    PENDING,
    id=22,
    operation="rollback",
    family="rollback",
    subject="production/shop",
    needs_second=False,
    steps=_ROLL_STEPS,
    shown={
        "service": "shop",
        "environment": "production",
        "target": "v2.3.1",
        "current": "v2.4.0",
        "running": False,
    },
    aside={"locked_by": None},
)
_ROLLED = replace(
    ROLLBACK,
    state="done",
    decided_by=_ANN,
    decided_at=_AT,
    started_at=_AT,
    ended_at=_LATER,
    steps=tuple(
        replace(step, state="done", result=result, began_at=_AT, ended_at=_LATER)
        for step, result in zip(_ROLL_STEPS, _ROLL_RESULTS, strict=True)
    ),
)
_UNWELL = OperationProblemFacts(
    "failed",
    "blue_unwell",
    {"seconds": 20.0, "problem": "health_status", "values": {"status": 503, "low": 200, "high": 299}},
)


def _refused(
    reason: str, family: str = "deploy", remedy: str | None = None, **values: JsonValue
) -> OperationRefusedFacts:
    problem = OperationProblemFacts("refused", reason, values)
    return OperationRefusedFacts(family, family, problem, _SLASH, remedy=remedy)


_DETAIL = "/run/haproxy/admin.sock: No such file or directory"
REFUSED: dict[str, OperationRefusedFacts] = {
    "deploy_service": _refused("deploy_service", service="shpo", known=["shop", "pay"]),
    "deploy_no_services": _refused("deploy_service", service="shop", known=[]),
    "deploy_environment": _refused(
        "deploy_environment", environment="prod", service="shop", known=["production", "staging"]
    ),
    "deploy_which_environment": _refused(
        "deploy_environment", environment="", service="shop", known=["production", "staging"]
    ),
    "deploy_revision_odd": _refused("deploy_revision_odd", revision="--upload-pack=x"),
    "deploy_revision_unknown": _refused("deploy_revision_unknown", revision="v9", known=["v2.4.0", "v2.3.1"]),
    "deploy_running": _refused("deploy_running", "rollback", "stop", id=21, hash=_HASH),
    "deploy_under_way": _refused("deploy_under_way", id=21, revision="v2.4.0", percent=25),
    "deploy_under_way_early": _refused("deploy_under_way", id=21, revision="v2.4.0", percent=None),
    "deploy_repository": _refused(
        "deploy_repository", service="shop", path="/srv/shop", detail="no such folder"
    ),
    "deploy_same": _refused("deploy_same", revision="v2.4.0"),
    "deploy_preflight": _refused("deploy_preflight", revision="v2.4.0", checks=list(_BAD_CHECKS)),
    "deploy_no_release": _refused("deploy_no_release", "rollback", known=[]),
    "deploy_not_kept": _refused("deploy_not_kept", "rollback", revision="v1", known=["v2.3.1"]),
    "deploy_traffic_gone": _refused("traffic_gone", "rollback", detail=_DETAIL),
    "deploy_traffic_mixed": _refused("traffic_mixed", share=25),
}


def _call(what: str) -> OperationNoteFacts:
    missing = list(_LIVE["reasons"]) if isinstance(_LIVE["reasons"], list) else []
    return OperationNoteFacts("call", _SHIFTING, None, call=what, detail={"missing": missing, "share": 25})


_ASKING: dict[str, JsonValue] = {"phase": "asking", "seconds_left": 1720.0}
DEPLOY_OPERATIONS: dict[str, dict[str, Facts]] = {
    "operation": {
        "deploy_pending": PENDING,
        "deploy_short": _SHORT,
        "deploy_first": _FIRST,
        "deploy_first_undone": _FIRST_UNDONE,
        "deploy_locked": replace(PENDING, aside={**PENDING.aside, "locked": _LOCKED}),
        "deploy_denied": replace(
            PENDING, state="denied", decided_by=_BOB, decided_at=_AT, reason="not today"
        ),
        "deploy_preflight": _running(0, OperationProgressFacts(0, 3, 6, "check", None)),
        "deploy_shifting": _SHIFTING,
        "deploy_held": _running(5, _live("go", "stop", held=True), _ANN),
        "deploy_held_before": _running(
            4, OperationProgressFacts(4, 0, None, "", None, {"held": True, "share": 0}, ("go", "stop")), _ANN
        ),
        "deploy_asking": _running(5, _live("go", "hold", "stop", **_ASKING)),
        "deploy_extended": _running(5, _live("hold", "stop", phase="extended", probes=0)),
        "deploy_unseen": _running(
            4,
            OperationProgressFacts(
                4,
                0,
                None,
                "",
                None,
                {
                    **_LIVE,
                    "share": 10,
                    "requests": 0,
                    "errors": 0,
                    "rate": None,
                    "p95": None,
                    "blue_p95": None,
                    "probes": 0,
                    "reasons": [{"name": "no_data", "values": {"seconds": 12.0}}],
                    "needed": None,
                    "cpu": None,
                    "memory": None,
                    "rates": [],
                    "blue_rates": [],
                    "p95s": [],
                    "blue_p95s": [],
                },
                ("hold", "stop"),
            ),
        ),
        "deploy_passed": _running(
            5,
            _live(
                "hold", "stop", outcome="pass", reasons=[], needed=None, surely_below=0.0874, seconds_left=0.0
            ),
        ),
        "deploy_warm": _running(
            10,
            OperationProgressFacts(
                10,
                0,
                None,
                "",
                None,
                {
                    **_LIVE,
                    "share": 100,
                    "blue_requests": 0,
                    "blue_rate": None,
                    "blue_p95": None,
                    "blue_rates": [None] * 12,
                    "blue_p95s": [None] * 12,
                    "outcome": "pass",
                    "needed": None,
                    "reasons": [],
                    "surely_below": 0.0211,
                    "seconds_left": 1490.0,
                },
                ("go", "hold", "stop"),
            ),
        ),
        "deploy_warm_unsure": _running(
            10, replace(_live("go", "hold", "stop", share=100, blue_requests=0, blue_rate=None), step=10)
        ),
        "deploy_undoing": _undone(_JUDGED, ended=False),
        "deploy_undone": UNDONE,
        "deploy_rolled_back": replace(UNDONE, problem=None, stopped_by=_ANN),
        "deploy_watchdog": _undone(OperationProblemFacts("failed", "watchdog", _stage(10, 79))),
        "deploy_unwatched": _undone(
            OperationProblemFacts("failed", "watchdog_absent", {"detail": "Permission denied"})
        ),
        "deploy_failed": replace(
            UNDONE,
            state="failed",
            steps=(
                *UNDONE.steps[:4],
                replace(
                    UNDONE.steps[4],
                    state="stuck",
                    problem=OperationProblemFacts("failed", "traffic_gone", {"detail": _DETAIL}),
                    result={},
                ),
                *UNDONE.steps[5:],
            ),
        ),
        "deploy_done": DONE,
        "rollback_pending": ROLLBACK,
        "rollback_warm": replace(
            ROLLBACK,
            steps=(_ROLL_STEPS[0], *_ROLL_STEPS[2:]),
            shown={**ROLLBACK.shown, "running": True},
            aside={"locked_by": _BOB},
        ),
        "rollback_locked": replace(ROLLBACK, aside={"locked": _LOCKED}),
        "rollback_done": _ROLLED,
        "rollback_partial": replace(
            _ROLLED,
            state="partial",
            steps=(
                *_ROLLED.steps[:-1],
                replace(_ROLL_STEPS[-1], state="failed", problem=_UNWELL, began_at=_AT, ended_at=_LATER),
            ),
            problem=_UNWELL,
        ),
    },
    "operation_note": {
        "deploy_ask": _call("ask"),
        "deploy_undone": OperationNoteFacts("end", UNDONE, _ANN),
        "deploy_stop": OperationNoteFacts("stop", replace(_SHIFTING, stopped_by=_ANN), _ANN),
        "deploy_stop_early": OperationNoteFacts(
            "stop", _running(0, OperationProgressFacts(0, 3, 6, "check", None)), _ANN
        ),
        "deploy_done": OperationNoteFacts("end", DONE, _ANN),
        "rollback_done": OperationNoteFacts("end", _ROLLED, _ANN),
    },
    "operation_refused": dict(REFUSED),
}


_FORM = DeployFormFacts(
    ("shop", "pay"),
    "shop",
    ("staging", "production"),
    "production",
    (
        DeployChoiceFacts("v2.4.0", "장바구니 합계를 서버에서 다시 계산"),
        DeployChoiceFacts("v2.3.1", "결제 시간 초과를 3초로 줄임"),
        DeployChoiceFacts("v2.3.0"),
    ),
)
_SHOP = PlaceFacts(
    "shop", "production", "v2.4.0", "b", _AT, blue="v2.3.1", kept=("v2.3.1", "v2.3.0", "v2.2.7")
)


def _was(
    operation: int, outcome: str, kind: str = "deploy", previous: str | None = "v2.3.1"
) -> DeploymentFacts:
    return DeploymentFacts(operation, kind, "shop", "production", "v2.4.0", previous, outcome, _AT, _ANN)


_FIGURES = (
    DoraFigureFacts("frequency", "frequency", {"per_day": 0.4, "count": 12, "days": 30.0}, "high"),
    DoraFigureFacts("lead_time", "lead_time", {"seconds": 11_520.0, "count": 11, "unknown": 1}, "elite"),
    DoraFigureFacts("failure_rate", "failure_rate", {"percent": 8.3, "count": 12, "failed": 1}, "high"),
    DoraFigureFacts("restore_time", "no_data"),
)
DEPLOYMENTS: dict[str, dict[str, Facts]] = {
    "deploy_modal": {"choices": _FORM, "typed": replace(_FORM, choices=())},
    "rollback_modal": {
        "kept": replace(_FORM, choices=(DeployChoiceFacts("-"), DeployChoiceFacts("v2.3.1"))),
        "previous": replace(_FORM, choices=(DeployChoiceFacts("-"),)),
    },
    "deploy_usage": {
        "deploy": DeployUsageFacts("deploy", _SLASH, ("shop", "pay")),
        "rollback": DeployUsageFacts("rollback", _SLASH, ("shop",)),
        "none": DeployUsageFacts("deploy", _SLASH, ()),
    },
    "deployments": {
        "some": DeploymentsFacts(
            (
                replace(_SHOP, running=RunningDeploymentFacts(24, "deploy", "v2.5.0", 25), blue=None),
                replace(
                    _SHOP, service="pay", running=RunningDeploymentFacts(25, "deploy", "v7", None), kept=()
                ),
                replace(_SHOP, environment="staging"),
                PlaceFacts("mail", "production", None, None, None),
                PlaceFacts("search", "production", None, None, None, problem="traffic_gone", detail=_DETAIL),
            ),
            (
                _was(24, "running"),
                _was(23, "done"),
                _was(22, "done", "rollback"),
                _was(21, "rolled_back"),
                _was(20, "stopped"),
                _was(19, "failed", previous=None),
            ),
            _SLASH,
        ),
        "new": DeploymentsFacts((replace(_SHOP, since=None, blue=None, kept=()),), (), _SLASH),
        "none": DeploymentsFacts((), (), _SLASH),
    },
    "dora": {
        "some": DoraFacts(30, (DoraPlaceFacts("shop", "production", _FIGURES),), _SLASH),
        "none": DoraFacts(30, (), _SLASH),
    },
}
