"""Slack's allowances, with time as an argument."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.letters import Priority
from bot.engine.bucket import Allowance, Bucket


def bucket(per_second: float = 1.0, burst: int = 2) -> Bucket:
    return Bucket("guardian-alerts", Allowance(per_second, burst))


def test_nobody_waits_for_nothing() -> None:
    assert bucket().wait(0.0) is None
    assert len(bucket()) == 0


def test_a_burst_goes_at_once_and_then_one_by_one() -> None:
    full = bucket()
    for number in range(4):
        full.add(Priority.ALERT, number, f"alert:{number}")
    for _ in range(2):
        assert full.wait(100.0) == 0.0
        full.take()
        full.spend()
    assert full.wait(100.0) == pytest.approx(1.0)
    assert full.wait(100.4) == pytest.approx(0.6)
    assert full.wait(101.0) == pytest.approx(0.0)


def test_an_idle_time_fills_it_up_to_the_burst_and_not_beyond() -> None:
    slow = bucket()
    for number in range(10):
        slow.add(Priority.ALERT, number, f"alert:{number}")
    slow.wait(0.0)
    sent = 0
    while slow.wait(1e6) == 0.0:
        slow.take()
        slow.spend()
        sent += 1
    assert sent == 2


def test_the_more_urgent_goes_first_and_then_the_older() -> None:
    queue = bucket()
    for priority, letter in [
        (Priority.INFO, 1),
        (Priority.EDIT, 2),
        (Priority.ALERT, 3),
        (Priority.ANSWER, 4),
        (Priority.CRITICAL, 5),
        (Priority.EMERGENCY, 7),
        (Priority.EMERGENCY, 6),
    ]:
        queue.add(priority, letter, f"alert:{letter}")
    assert [queue.take() for _ in range(7)] == [(n, f"alert:{n}") for n in (6, 7, 5, 4, 3, 2, 1)]


def test_whoever_gets_another_place_stands_in_the_line_once() -> None:
    queue = bucket()
    queue.add(Priority.INFO, 1, "alert:1")
    queue.add(Priority.ALERT, 2, "alert:2")
    queue.add(Priority.EMERGENCY, 1, "alert:1")
    assert len(queue) == 2
    assert [queue.take(), queue.take()] == [(1, "alert:1"), (2, "alert:2")]
    assert (len(queue), queue.wait(0.0)) == (0, None), "the old place is none"
    queue.add(Priority.EMERGENCY, 3, "alert:3")
    queue.add(Priority.INFO, 3, "alert:3")
    queue.add(Priority.ALERT, 4, "alert:4")
    assert [queue.take(), queue.take()] == [(4, "alert:4"), (3, "alert:3")]


def test_what_was_not_taken_has_used_up_nothing() -> None:
    patient = bucket(burst=2)
    patient.add(Priority.ALERT, 1, "alert:1")
    for _ in range(5):
        assert patient.wait(0.0) == 0.0
        patient.spend()
        patient.refund()
    patient.refund()
    for _ in range(2):
        assert patient.wait(0.0) == 0.0
        patient.spend()
    assert patient.wait(0.0) == pytest.approx(1.0), "and there is never more than the burst"


def test_a_pause_holds_everything_and_a_shorter_one_does_not_end_it() -> None:
    paused = bucket()
    paused.add(Priority.EMERGENCY, 1, "alert:1")
    paused.pause(10.0, 30.0)
    paused.pause(12.0, 1.0)
    assert paused.wait(12.0) == pytest.approx(28.0)
    assert paused.wait(40.0) == 0.0


def test_after_a_refusal_there_is_no_burst_until_the_allowance_has_filled_anew() -> None:
    refused = bucket(burst=5)
    for number in range(9):
        refused.add(Priority.ALERT, number, f"alert:{number}")
    assert refused.wait(10.0) == 0.0
    refused.refused(10.0, 2.5)
    assert refused.wait(10.0) == pytest.approx(2.5)
    sent = 0
    while refused.wait(12.5) == 0.0:
        refused.take()
        refused.spend()
        sent += 1
    assert sent == 2
    assert refused.wait(12.5) == pytest.approx(0.5)


def test_a_refusal_shorter_than_the_rate_allows_is_followed_at_the_rate() -> None:
    refused = bucket(burst=5)
    refused.add(Priority.ALERT, 1, "alert:1")
    refused.wait(0.0)
    refused.refused(0.0, 0.2)
    assert refused.wait(0.2) == pytest.approx(0.8)


@settings(deadline=None)
@given(
    st.floats(0.1, 100.0),
    st.integers(1, 20),
    st.lists(st.floats(0.0, 10.0), min_size=1, max_size=40),
)
def test_never_more_than_the_allowance_in_any_time(
    per_second: float, burst: int, pauses: list[float]
) -> None:
    limited = bucket(per_second, burst)
    limited.add(Priority.ALERT, 1, "alert:1")
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        while limited.wait(now) == 0.0:
            limited.spend()
            sent.append(now)
    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            allowed = burst + (sent[last] - start) * per_second
            assert last - first + 1 <= allowed + 1e-6
