"""Alerts by source, however many one source has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.model import Subject
from bot.engine.live import LiveAlerts
from tests.factories import alert

SUBJECTS = [
    Subject("test", source, "m", target, alert().subject.condition) for source in "ab" for target in "xyz"
]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(range(len(SUBJECTS)))), max_size=40))
def test_each_source_has_what_was_put_and_not_dropped(steps: list[tuple[bool, int]]) -> None:
    live = LiveAlerts()
    there: set[int] = set()
    for put, number in steps:
        if put:
            live.put(alert(id=number, subject=SUBJECTS[number]))
            there.add(number)
        else:
            live.drop(SUBJECTS[number].key)
            there.discard(number)
        for source in "ab":
            expected = {each for each in there if SUBJECTS[each].source == source}
            assert {each.id for each in live.of_source(source)} == expected
