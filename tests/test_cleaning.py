"""What a cleanup's card offers."""

from __future__ import annotations

import pytest

from bot.cleaning import has_kept
from bot.domain.operations.plan import JsonObject
from bot.domain.operations.record import StepRecord, StepState
from tests.factories import T0


@pytest.mark.parametrize(
    ("state", "result", "kept"),
    [
        (StepState.DONE, {"moved": 3}, True),
        (StepState.DONE, {"moved": 0}, False),
        (StepState.DONE, {"restarted": []}, False),
        (StepState.UNDONE, {"moved": 3}, False),
        (StepState.STUCK, {}, True),
    ],
)
def test_the_way_back_is_offered_while_a_stage_has_files_in_quarantine(
    state: StepState, result: JsonObject, kept: bool
) -> None:
    assert has_kept(StepRecord(0, state, T0, T0, result)) is kept
