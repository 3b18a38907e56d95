from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from probes.application.uptime import Uptime


def test_nothing_is_told_before_the_window_is_full() -> None:
    uptime = Uptime(3)
    told = []
    for good in (True, False, True, True):
        uptime.add(good)
        told.append(uptime.percent)
    assert told[:2] == [None, None]
    assert told[2] == told[3]
    assert told[3] is not None
    assert round(told[3], 1) == 66.7


@given(st.integers(1, 20), st.lists(st.booleans(), max_size=60))
def test_it_is_the_share_of_the_latest(window: int, results: list[bool]) -> None:
    uptime = Uptime(window)
    for good in results:
        uptime.add(good)
    percent = uptime.percent
    if len(results) < window:
        assert percent is None
    else:
        assert percent == 100 * sum(results[-window:]) / window
