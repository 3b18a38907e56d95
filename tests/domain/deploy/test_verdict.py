"""What each measure makes of a stage, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.deploy.measures import Counted, Latencies, Usage
from bot.domain.deploy.sample import Fault, Lack
from bot.domain.deploy.stage import Decision, Kind
from bot.domain.deploy.thresholds import Rules, Thresholds
from tests.domain.deploy.canary import FAST, RULES, SLOW, Canary, canary, faults, lacks

GREEN, BLUE = Counted(60, 0), Counted(540, 0)


def settled() -> Canary:
    """Half a minute of nothing wrong."""
    made = canary()
    assert made.looks(30, GREEN, BLUE).kind is Kind.WATCH
    return made


def values(decision: Decision, fault: Fault) -> dict[str, object]:
    return dict(next(each for each in decision.reasons if each.name is fault).values)


def test_a_good_release_passes_after_its_dwell() -> None:
    made = canary()
    assert made.looks(60, GREEN, BLUE).kind is Kind.WATCH
    decision = made.look(GREEN, BLUE)
    assert (decision.kind, decision.by, decision.missing) == (Kind.PASS, None, ())


def test_what_the_slot_carried_before_is_not_this_release_s() -> None:
    """There were 4,000 errors in the counters at the first look."""
    made = canary()
    made.look(GREEN, BLUE)
    assert made.stage.evidence.total == Counted()
    made.look(GREEN, BLUE)
    assert made.stage.evidence.total == GREEN


def test_an_outage_is_found_at_once() -> None:
    made = settled()
    decision = made.look(Counted(4, 4), BLUE)
    assert decision.kind is Kind.ROLL_BACK
    assert values(decision, Fault.ERROR_RATE) == {"rate": 100.0, "requests": 4, "errors": 4, "limit": 0.1}


def test_the_reason_has_the_requests_that_speak_against_green() -> None:
    made = settled()
    decision = made.until(lambda each: each.kind is Kind.ROLL_BACK, Counted(20, 1), BLUE, 20)
    assert values(decision, Fault.ERROR_RATE) == {"rate": 5.0, "requests": 80, "errors": 4, "limit": 0.1}


def test_an_outage_that_hits_both_fails_by_the_threshold_and_says_so() -> None:
    made = settled()
    decision = made.look(Counted(60, 60), Counted(540, 540))
    assert faults(decision) == {Fault.ERROR_RATE_BOTH}
    assert values(decision, Fault.ERROR_RATE_BOTH)["blue_rate"] == 100.0


def test_worse_than_blue_fails_below_the_threshold_too() -> None:
    """With a threshold of 5 %, Green at 2 % is in order, but Blue has 0.1 %."""
    made = canary(replace(RULES, thresholds=Thresholds(error_rate=5)))
    made.looks(5, GREEN, BLUE)
    decision = made.looks(50, Counted(100, 2), Counted(900, 1))
    assert faults(decision) == {Fault.ERRORS_AGAINST_BLUE}
    told = values(decision, Fault.ERRORS_AGAINST_BLUE)
    assert told["rate"] == pytest.approx(2, abs=0.3)
    assert told["blue_rate"] == pytest.approx(0.11, abs=0.05)


def test_both_alike_do_not_fail_green_beside_blue() -> None:
    made = canary(replace(RULES, thresholds=Thresholds(error_rate=5)))
    assert made.looks(300, Counted(100, 2), Counted(900, 18)).kind is not Kind.ROLL_BACK


def test_slow_answers_fail() -> None:
    made = settled()
    for _ in range(20):
        decision = made.look(GREEN, BLUE, green_ms=[FAST] * 50 + [SLOW] * 10, blue_ms=[FAST] * 540)
        if decision.kind is Kind.ROLL_BACK:
            break
    assert {Fault.RESPONSE, Fault.RESPONSE_AGAINST_BLUE} & faults(decision)


def test_slow_answers_of_both_are_told_as_such() -> None:
    made = settled()
    for _ in range(20):
        decision = made.look(GREEN, BLUE, green_ms=[SLOW] * 60, blue_ms=[SLOW] * 540)
        if decision.kind is Kind.ROLL_BACK:
            break
    assert faults(decision) == {Fault.RESPONSE_BOTH}


def test_slower_than_blue_fails_within_the_threshold() -> None:
    """100 ms where Blue takes 20: below 500, and five times as long."""
    made = settled()
    for _ in range(20):
        decision = made.look(GREEN, BLUE, green_ms=[FAST] * 50 + [100.0] * 10, blue_ms=[FAST] * 540)
        if decision.kind is Kind.ROLL_BACK:
            break
    assert faults(decision) == {Fault.RESPONSE_AGAINST_BLUE}
    limit = values(decision, Fault.RESPONSE_AGAINST_BLUE)["limit"]
    assert isinstance(limit, float)
    assert 40 <= limit < 42


@pytest.mark.parametrize("slower", [25.0, 38.0])
def test_what_nobody_notices_is_not_slower_than_blue(slower: float) -> None:
    """Less than 20 ms more."""
    made = settled()
    for _ in range(60):
        decision = made.look(GREEN, BLUE, green_ms=[slower] * 60, blue_ms=[FAST] * 540)
    assert decision.kind is Kind.PASS


def test_one_pause_of_green_does_not_fail_it() -> None:
    made = settled()
    decision = made.look(GREEN, BLUE, green_ms=[SLOW] * 60, blue_ms=[FAST] * 540)
    assert decision.kind is Kind.WATCH
    assert made.wait_for(Kind.PASS, GREEN, BLUE)


def test_rare_pauses_of_green_s_own_do_not_fail_it_beside_blue() -> None:
    """One second in thirty, and Blue had none yet: chance, and nothing of a 95th percentile."""
    made = canary(replace(RULES, dwell=300))
    for number in range(1, 302):
        took = [100.0 if number % 30 == 0 else FAST] * 60
        decision = made.look(GREEN, BLUE, green_ms=took, blue_ms=[FAST] * 540)
    assert decision.kind is Kind.PASS


def test_pauses_that_no_single_test_finds_fail_at_the_end() -> None:
    """A second in ten is slow: 10 % of requests are, between looks that speak for Green."""
    made = canary()
    for number in range(1, 63):
        took = [SLOW if number % 10 == 0 else FAST] * 60
        decision = made.look(GREEN, green_ms=took)
        if decision.kind is Kind.ROLL_BACK:
            break
    assert number == 61
    assert faults(decision) == {Fault.RESPONSE}


def test_what_is_surely_over_the_threshold_fails_at_the_end() -> None:
    """0.18 %: between the two rates of the test, which never finds it; of 30,000 requests it is sure."""
    made = canary()
    assert made.looks(60, Counted(556, 1)).kind is Kind.WATCH
    decision = made.look(Counted(556, 1))
    assert values(decision, Fault.ERROR_RATE)["errors"] == 60


def test_no_latencies_never_pass() -> None:
    made = canary()
    made.latencies = False
    decision = made.looks(61, GREEN, BLUE)
    assert decision.kind is Kind.EXTEND
    assert lacks(decision) == {Lack.RESPONSE_NO_DATA}
    assert Kind.PASS not in [made.look(GREEN, BLUE).kind for _ in range(100)]


@pytest.mark.parametrize(
    ("usage", "fault", "told"),
    [
        (Usage(83.5, 40), Fault.CPU, {"cpu": 83.5, "limit": 70.0}),
        (Usage(70, 40), Fault.CPU, {"cpu": 70.0, "limit": 70.0}),
        (Usage(30, 91), Fault.MEMORY, {"memory": 91.0, "limit": 80.0}),
    ],
)
def test_too_much_cpu_or_memory_over_the_window_fails(
    usage: Usage, fault: Fault, told: dict[str, float]
) -> None:
    made = settled()
    made.usage = usage
    decision = made.looks(40, GREEN, BLUE)
    assert faults(decision) == {fault}
    assert values(decision, fault).keys() == told.keys()
    assert made.stage.seen_at is not None
    assert made.kinds[30:].count(Kind.WATCH) >= 1, "not by the first look"


def test_usage_that_is_just_below_passes() -> None:
    made = canary()
    made.usage = Usage(69.9, 79.9)
    assert made.looks(61, GREEN, BLUE).kind is Kind.PASS


def test_a_busy_moment_does_not_fail() -> None:
    made = canary()
    made.usage = Usage(100, 40)
    assert made.looks(5, GREEN, BLUE).kind is Kind.WATCH
    made.usage = Usage(20, 40)
    assert made.looks(56, GREEN, BLUE).kind is Kind.PASS


def test_usage_that_nobody_knows_does_not_pass_unless_it_may() -> None:
    made = canary()
    made.usage = None
    assert lacks(made.looks(61, GREEN, BLUE)) == {Lack.USAGE_NO_DATA}
    made = canary(replace(RULES, usage_needed=False))
    made.usage = None
    assert made.looks(61, GREEN, BLUE).kind is Kind.PASS


def test_usage_that_ended_is_no_data() -> None:
    made = settled()
    made.usage = None
    assert lacks(made.looks(31, GREEN, BLUE)) == {Lack.USAGE_NO_DATA}


def test_a_dead_release_fails_at_once_even_unseen() -> None:
    made = settled()
    made.alive, made.answering = False, False
    decision = made.look()
    assert (decision.kind, faults(decision)) == (Kind.ROLL_BACK, {Fault.NOT_ALIVE})


@pytest.mark.parametrize("restarts", [1, 7])
def test_a_release_that_was_started_again_fails_at_once(restarts: int) -> None:
    made = settled()
    made.restarts = restarts
    decision = made.look(GREEN, BLUE)
    assert values(decision, Fault.RESTARTED) == {"restarts": restarts}


def test_restarts_of_before_are_not_counted() -> None:
    made = canary()
    made.restarts = 3
    assert made.looks(61, GREEN, BLUE).kind is Kind.PASS


def test_the_health_check_may_fail_once_and_not_twice_in_a_row() -> None:
    made = settled()
    for healthy in (False, True, None, False, None):
        made.healthy = healthy
        assert made.look(GREEN, BLUE).kind is Kind.WATCH
    made.healthy = False
    assert values(made.look(GREEN, BLUE), Fault.UNHEALTHY) == {"failed": 2}


def test_what_lives_must_be_known() -> None:
    made = canary()
    made.alive = None
    assert lacks(made.looks(61, GREEN, BLUE)) == {Lack.LIFE_UNKNOWN}


def test_all_faults_are_told_together() -> None:
    made = settled()
    made.restarts, made.healthy = 1, True
    decision = made.look(Counted(60, 30), BLUE)
    assert faults(decision) >= {Fault.RESTARTED, Fault.ERROR_RATE}


@pytest.mark.parametrize("wrong", [{"error_rate": 0}, {"error_rate": 100}, {"cpu": 0}, {"response_ms": -1}])
def test_thresholds_must_make_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="below"):
        Thresholds(**wrong)


def test_a_dwell_is_longer_than_nothing() -> None:
    with pytest.raises(ValueError, match="longer"):
        Rules(dwell=0)


def test_a_driver_that_was_made_anew_counts_latencies_from_nothing() -> None:
    made = settled()
    before = made.stage.evidence.took.total
    made.green.took = Latencies()
    made.look(GREEN, BLUE)
    assert made.stage.evidence.took.total == before + GREEN.requests
