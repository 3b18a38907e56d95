"""The card of on-call duty with more than it can show."""

from __future__ import annotations

import json
from dataclasses import replace

from messages.example_duty import DUTY
from messages.oncall_facts import DutyListFacts
from messages.render import Voice
from tests.messages.test_limits import HUGE, assert_accepted


def example(state: str) -> DutyListFacts:
    facts = DUTY["oncall"][state]
    assert isinstance(facts, DutyListFacts)
    return facts


def test_many_schedules_with_many_overrides_are_taken_by_slack_and_counted() -> None:
    duty = example("some").schedules[0]
    override = replace(duty.overrides[0], why=HUGE)
    many = tuple(replace(duty, schedule=f"{n}-{HUGE}", overrides=(override,) * 30) for n in range(200))
    facts = DutyListFacts("/guardian", many)
    assert_accepted("oncall", facts)
    blocks = Voice("en").message("oncall", facts.as_json()).blocks
    shown = sum(str(block["block_id"]).startswith("schedule:") for block in blocks)
    text = json.dumps(blocks)
    assert shown >= 3
    assert f"{200 - shown} more schedules" in text
    assert "26 more overrides" in text


def test_one_schedule_with_a_year_of_shifts_shows_the_next_ones() -> None:
    duty = example("one").schedules[0]
    assert_accepted("oncall", DutyListFacts("/guardian", (replace(duty, shifts=duty.shifts * 100),)))
