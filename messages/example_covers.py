"""Examples of silences, maintenance windows and routes, in the small world of `example_facts`."""

from __future__ import annotations

from messages.cover_facts import (
    CoverConfirmFacts,
    CoverRefusedFacts,
    LadderFacts,
    RouteFacts,
    SilenceDoneFacts,
    SilenceFacts,
    SilenceListFacts,
    SilenceModalFacts,
    StepFacts,
    TriedFacts,
    WindowDoneFacts,
    WindowFacts,
    WindowListFacts,
)
from messages.example_facts import AT, DOWN, MEMORY
from messages.facts import Facts

_LATER = "2025-08-20T07:03:35+00:00"
_SILENCE = SilenceFacts(
    3, "service=shop, level<=error", "2025-08-20T05:00:00+00:00", _LATER, "U024BE7LH", "배포 v42"
)
_MODAL_MATCHER = "metric=memory_usage, target=web-1, environment=production"
_WINDOW = WindowFacts(2, "", "service=shop", True, AT, _LATER, False, "U024BE7LH", "데이터베이스 이전")
_WEEKLY = WindowFacts(0, "backup", 'target=~"db-.*"', False, _LATER, _LATER, True, None, "nightly backup")


def _refused(what: str, fault: str, **values: str | int) -> CoverRefusedFacts:
    return CoverRefusedFacts(what, fault, "/guardian", values)


def _confirm(what: str, everything: bool, *, hides: bool) -> CoverConfirmFacts:
    return CoverConfirmFacts(
        what,
        "*",
        AT,
        _LATER,
        "점검",
        everything,
        (DOWN, MEMORY) if hides else (),
        7 if hides else 0,
    )


_LADDERS = (
    LadderFacts("info", (), 1, 300, None),
    LadderFacts("warning", (StepFacts(1800, ("schedule:primary",)),), 1, 300, None),
    LadderFacts(
        "critical",
        (StepFacts(60, ("schedule:primary",)), StepFacts(360, ("@minjun.choi", "#ops"))),
        3,
        300,
        1800,
    ),
)

COVERS: dict[str, dict[str, Facts]] = {
    "silences": {
        "some": SilenceListFacts((_SILENCE,), AT, "/guardian"),
        "none": SilenceListFacts((), AT, "/guardian"),
    },
    "silence_done": {
        "added": SilenceDoneFacts(_SILENCE, "added", 2),
        "lifted": SilenceDoneFacts(_SILENCE, "lifted", 0),
    },
    "silence_modal": {"memory": SilenceModalFacts(MEMORY, _MODAL_MATCHER)},
    "maintenance": {
        "some": WindowListFacts((_WINDOW, _WEEKLY), AT, "/guardian"),
        "none": WindowListFacts((), AT, "/guardian"),
    },
    "maintenance_done": {
        "added": WindowDoneFacts(_WINDOW, "added"),
        "ended": WindowDoneFacts(_WINDOW, "ended"),
    },
    "cover_refused": {
        "silence_too_long": _refused("silence", "too_long"),
        "window_too_long": _refused("maintenance", "too_long"),
        "in_the_past": _refused("silence", "in_the_past"),
        "no_length": _refused("maintenance", "no_length"),
        "no_reason": _refused("silence", "no_reason"),
        "reason_too_long": _refused("silence", "reason_too_long"),
        "no_end": _refused("silence", "no_end"),
        "no_times": _refused("maintenance", "no_times"),
        "contradiction": _refused(
            "silence", "matcher_contradiction", text="service=shop, service=db", position=1
        ),
        "matcher": _refused("route", "matcher_no_condition", text="<shop>", position=1),
    },
    "cover_confirm": {
        "silence": _confirm("silence", everything=True, hides=True),
        "window": _confirm("maintenance", everything=False, hides=False),
    },
    "route": {
        "critical": RouteFacts(
            labels={"environment": "production", "service": "shop", "target": "web-1"},
            level="critical",
            route="shop at night",
            channel="shop-alerts",
            policy="night",
            tried=(
                TriedFacts("payments", "service=pay", "service=pay", "service", "shop"),
                TriedFacts("store", "team=store", "team=store", "team", ""),
                TriedFacts("shop at night", "service=shop, level>=critical", None, None, None),
            ),
            ladders=_LADDERS,
        ),
    },
}
"""Message name → state → facts."""
