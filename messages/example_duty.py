"""Example facts about on-call duty."""

from __future__ import annotations

from dataclasses import replace

from messages.facts import Facts
from messages.oncall_facts import (
    DutyChangedFacts,
    DutyFacts,
    DutyListFacts,
    DutyRefusedFacts,
    HandOverFacts,
    OverrideFacts,
    ShiftFacts,
    UnknownPersonFacts,
)

_ANN = "U024BE7LH"
_NOW, _LATER = "2025-08-20T05:03:05+00:00", "2025-08-21T00:00:00+00:00"
_OVERRIDE = OverrideFacts(7, "primary", _ANN, _NOW, _LATER, _ANN, "치과 예약")
_PRIMARY = DutyFacts("primary", "Asia/Seoul", _ANN, None, _LATER, "@doyun.lee", ())
_OFFICE = DutyFacts("office", "Europe/Berlin", None, None, _LATER, _ANN, ())
_SWAPPED = replace(_PRIMARY, override=7, overrides=(_OVERRIDE, replace(_OVERRIDE, number=9, why="")))
_ALONE = DutyFacts("alone", "Asia/Seoul", _ANN, None, None, None, ())
_SHIFTS = (
    ShiftFacts(_ANN, _NOW, _LATER, 7),
    ShiftFacts(None, _LATER, "2025-08-21T01:00:00+00:00", None),
    ShiftFacts("@doyun.lee", "2025-08-21T01:00:00+00:00", "2025-08-28T00:00:00+00:00", None),
)
_USAGE = "/guardian oncall swap SCHEDULE @person 18:00 09:00 [reason]"
_TYPED = {
    "need_schedule": "primry",
    "unknown_person": "@nobody",
    "need_times": "soon",
    "over": "2025-01-01T09:00 1h",
    "too_long": "365d",
    "too_far": "2035-01-01T09:00 1h",
    "unknown_number": "12",
}

DUTY: dict[str, dict[str, Facts]] = {
    "oncall": {
        "some": DutyListFacts("/guardian", (_SWAPPED, _OFFICE, _ALONE)),
        "one": DutyListFacts("/guardian", (replace(_SWAPPED, shifts=_SHIFTS),)),
    },
    "oncall_changed": {
        "made": DutyChangedFacts("/guardian", _OVERRIDE, undone=False, instead_of="@doyun.lee"),
        "made_in_a_gap": DutyChangedFacts(
            "/guardian", replace(_OVERRIDE, why=""), undone=False, instead_of=None
        ),
        "undone": DutyChangedFacts("/guardian", _OVERRIDE, undone=True, instead_of=_ANN),
        "undone_in_a_gap": DutyChangedFacts("/guardian", _OVERRIDE, undone=True, instead_of=None),
    },
    "oncall_refused": {
        code: DutyRefusedFacts(
            code, _TYPED.get(code, ""), ("primary", "office") if code == "need_schedule" else (), _USAGE
        )
        for code in (
            "no_schedules need_schedule need_person unknown_person need_times over too_long too_far"
            " need_number unknown_number"
        ).split()
    },
    "hand_over": {
        "alerts": HandOverFacts("primary", _ANN, _ANN, _NOW, _LATER, None, "", 3),
        "quiet": HandOverFacts("primary", _ANN, _ANN, _NOW, None, 7, "치과 예약", 0),
    },
    "unknown_person": {"one": UnknownPersonFacts("@doyun.le")},
}
"""Message name → state → facts."""
