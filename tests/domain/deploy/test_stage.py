"""A stage from its first look to its end: dwell, extension, own requests, a person, blindness."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bot.domain.deploy.measures import Counted
from bot.domain.deploy.sample import Fault, Lack, Sample
from bot.domain.deploy.stage import Kind, Phase, first_stage, step
from bot.domain.deploy.told import told
from bot.domain.deploy.verdict import Outcome
from tests.domain.deploy.canary import RULES, Canary, canary, faults, lacks

GREEN, BLUE = Counted(60, 0), Counted(540, 0)
FEW, FEW_BLUE = Counted(5, 0), Counted(45, 0)
PROBING = replace(RULES, probes_per_second=40)


def changes(kinds: list[Kind]) -> list[Kind]:
    """Without repetitions."""
    return [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind is not before]


def asked() -> Canary:
    """A stage with five requests a second, of which a person is asked."""
    made = canary()
    made.wait_for(Kind.ASK, FEW, FEW_BLUE)
    return made


def test_enough_traffic_passes_stage_after_stage() -> None:
    made = canary()
    for share in (10, 25, 50, 75, 100):
        made.next(share)
        assert made.looks(60, Counted(6 * share, 0), Counted(6 * (100 - share), 0)).kind is Kind.WATCH
        assert made.look(Counted(6 * share, 0), Counted(6 * (100 - share), 0)).kind is Kind.PASS
    assert made.stage.share == 100


def test_requests_of_all_stages_certify_together() -> None:
    """Ten a second: too few for a stage of a minute, enough for two with the extension."""
    made = canary()
    made.wait_for(Kind.EXTEND, Counted(20, 0), BLUE)
    made.wait_for(Kind.PASS, Counted(40, 0), BLUE)
    made.next(25)
    assert made.looks(60, FEW, BLUE).kind is Kind.WATCH
    assert made.look(FEW, BLUE).kind is Kind.PASS


def test_a_stage_without_a_request_of_its_own_does_not_pass_by_those_before() -> None:
    made = canary()
    made.wait_for(Kind.PASS, GREEN, BLUE)
    made.next(25)
    decision = made.looks(61)
    assert decision.kind is Kind.EXTEND
    assert lacks(decision) == {Lack.REQUESTS, Lack.RESPONSE_NO_DATA}


def test_too_little_traffic_is_extended_once_and_then_asked_about() -> None:
    made = asked()
    assert changes(made.kinds) == [Kind.WATCH, Kind.EXTEND, Kind.WATCH, Kind.ASK]
    assert made.stage.watched == pytest.approx(120)


def test_what_is_missing_is_told_all_the_time() -> None:
    made = canary()
    made.look()
    decision = made.look(FEW, FEW_BLUE)
    assert decision.needed == 2990
    requests = next(each for each in decision.missing if each.name is Lack.REQUESTS)
    assert requests.values["needed"] == 2990
    assert made.wait_for(Kind.EXTEND, FEW, FEW_BLUE).needed == 2995 - 60 * 5


def test_it_passes_in_the_extension_as_soon_as_enough_is_known() -> None:
    made = canary()
    made.wait_for(Kind.EXTEND, Counted(40, 0), BLUE)
    made.wait_for(Kind.PASS, Counted(40, 0), BLUE)
    assert made.stage.watched == pytest.approx(75)
    assert 40 * 75 >= 2995 > 40 * 74


def test_own_requests_begin_with_the_extension() -> None:
    made = canary(PROBING)
    made.wait_for(Kind.EXTEND)
    assert made.look().probes == 40
    made.wait_for(Kind.PASS)
    assert changes(made.kinds) == [Kind.WATCH, Kind.EXTEND, Kind.PROBE, Kind.PASS]
    assert made.stage.evidence.total.requests == made.stage.evidence.probed.requests
    assert 2995 <= made.stage.evidence.probed.requests <= 3035
    assert told(made.stage, made.now).probes == made.stage.evidence.probed.requests


def test_and_go_on_after_it() -> None:
    """Forty a second are not enough within the minute."""
    made = canary(PROBING)
    made.wait_for(Kind.PASS)
    assert made.stage.phase is Phase.PROBING
    assert made.stage.watched == pytest.approx(137, abs=1)


def test_or_begin_after_it() -> None:
    made = canary(replace(PROBING, probe_early=False, probe_for=200))
    made.wait_for(Kind.PASS, Counted(1, 0), BLUE)
    assert changes(made.kinds) == [Kind.WATCH, Kind.EXTEND, Kind.WATCH, Kind.PROBE, Kind.PASS]
    assert made.stage.phase is Phase.PROBING


def test_no_more_own_requests_than_are_needed_nor_than_a_second_s_worth_at_once() -> None:
    made = canary(PROBING)
    made.wait_for(Kind.EXTEND, Counted(49, 0), BLUE)
    decision = made.look(Counted(0, 0), BLUE, seconds=4)
    assert decision.probes == 40
    assert made.look().probes == min(40, 2995 - 49 * 60 - 40)


def test_fewer_than_one_a_second_are_sent_in_their_time() -> None:
    made = canary(replace(RULES, probes_per_second=0.25))
    made.wait_for(Kind.EXTEND)
    sent = [made.look().probes for _ in range(40)]
    assert set(sent) == {0, 1}
    assert 10 <= sum(sent) <= 11


def test_own_requests_that_fail_fail_the_stage() -> None:
    """And only by the threshold: they are no comparison with Blue's."""
    made = canary(PROBING)
    made.wait_for(Kind.PROBE, FEW, FEW_BLUE)
    failed = Sample(made.green.counters, made.blue.counters, probed=Counted(40, 30))
    _, decision = step(made.stage, failed, made.now + 1)
    assert faults(decision) == {Fault.ERROR_RATE}


def test_own_requests_that_cannot_help_are_not_sent() -> None:
    made = canary(PROBING)
    made.usage = None
    made.wait_for(Kind.ASK, GREEN, BLUE)
    assert Kind.PROBE not in made.kinds


def test_own_requests_end_and_a_person_is_asked_where_they_do_not_do() -> None:
    made = canary(replace(PROBING, probes_per_second=5))
    made.wait_for(Kind.ASK)
    assert Kind.PROBE in made.kinds
    assert made.look().probes == 0


def test_a_person_lets_a_stage_pass_and_that_is_recorded() -> None:
    made = asked()
    decision = made.go("U7")
    assert (decision.kind, decision.by) == (Kind.PASS, "U7")
    assert lacks(decision) == {Lack.REQUESTS}
    assert made.look(FEW, FEW_BLUE).by == "U7"


def test_a_person_s_word_comes_after_a_question_only() -> None:
    made = canary()
    made.looks(30, GREEN, BLUE)
    assert made.go().kind is Kind.WATCH
    assert made.look(GREEN, BLUE).kind is Kind.WATCH


def test_nobody_answers_and_traffic_goes_back() -> None:
    made = asked()
    decision = made.wait_for(Kind.ROLL_BACK, FEW, FEW_BLUE)
    assert faults(decision) == {Fault.NOBODY_ANSWERED}
    assert decision.reasons[0].values["seconds"] == 120


def test_it_watches_on_while_a_person_is_asked() -> None:
    made = asked()
    assert faults(made.look(Counted(4, 4), FEW_BLUE)) == {Fault.ERROR_RATE}


def test_enough_requests_answer_what_was_asked() -> None:
    made = asked()
    decision = made.wait_for(Kind.PASS, GREEN, BLUE)
    assert decision.by is None


def test_no_word_outweighs_a_fault() -> None:
    made = asked()
    made.look(Counted(4, 4), FEW_BLUE)
    decision = made.go()
    assert (decision.kind, faults(decision)) == (Kind.ROLL_BACK, {Fault.ERROR_RATE})
    assert made.hold().kind is Kind.ROLL_BACK
    assert made.look(GREEN, BLUE).kind is Kind.ROLL_BACK


def test_a_stage_that_is_held_goes_on_being_watched_and_no_further() -> None:
    made = canary()
    made.looks(10, GREEN, BLUE)
    made.hold("U3")
    assert made.looks(300, GREEN, BLUE).kind is Kind.WATCH
    assert told(made.stage, made.now).held_by == "U3"
    assert made.go("U4").kind is Kind.WATCH
    decision = made.look(GREEN, BLUE)
    assert (decision.kind, decision.by) == (Kind.PASS, None)


def test_a_stage_that_is_held_still_rolls_back() -> None:
    made = canary()
    made.looks(10, GREEN, BLUE)
    made.hold()
    assert faults(made.look(Counted(4, 4), BLUE)) == {Fault.ERROR_RATE}


def test_a_hold_takes_back_a_pass() -> None:
    made = canary()
    made.wait_for(Kind.PASS, GREEN, BLUE)
    made.hold()
    assert made.look(GREEN, BLUE).kind is Kind.WATCH


def test_a_pass_before_a_hold_is_none_after_it() -> None:
    """It was certain; while it was held an error came, and it no longer is."""
    made = canary()
    made.wait_for(Kind.PASS, Counted(50, 0), BLUE)
    made.hold()
    made.look(Counted(50, 1), BLUE)
    made.go()
    assert made.look(Counted(50, 0), BLUE).kind is Kind.EXTEND


def test_a_word_before_a_hold_is_none_after_it() -> None:
    made = asked()
    assert made.go().kind is Kind.PASS
    made.hold()
    made.go()
    assert made.look(FEW, FEW_BLUE).kind is Kind.ASK


def test_after_a_hold_the_question_stands_again() -> None:
    made = asked()
    made.hold()
    assert made.looks(200, FEW, FEW_BLUE).kind is Kind.WATCH, "who holds is there"
    assert made.go().kind is Kind.WATCH
    assert made.look(FEW, FEW_BLUE).kind is Kind.ASK
    assert made.looks(119, FEW, FEW_BLUE).kind is Kind.WATCH
    assert made.go("U9").by == "U9"


def test_a_fault_after_the_pass_is_still_found() -> None:
    made = canary()
    made.wait_for(Kind.PASS, GREEN, BLUE)
    assert made.look(GREEN, BLUE).kind is Kind.PASS
    assert made.look(Counted(4, 4), BLUE).kind is Kind.ROLL_BACK


def test_a_release_that_turns_bad_in_a_later_stage_is_found_as_quickly() -> None:
    made = canary()
    made.wait_for(Kind.PASS, GREEN, BLUE)
    made.next(50)
    made.looks(30, Counted(300, 0), Counted(300, 0))
    assert faults(made.look(Counted(3, 3), BLUE)) == {Fault.ERROR_RATE}


def test_what_speaks_against_green_is_taken_along() -> None:
    made = canary()
    made.looks(61, GREEN, BLUE)
    made.look(Counted(2, 2), BLUE)
    made.next(25)
    assert made.look(Counted(1, 1), BLUE).kind is Kind.ROLL_BACK


def test_a_load_balancer_that_began_anew_fails_nothing_and_loses_nothing() -> None:
    made = canary()
    made.looks(30, GREEN, BLUE)
    made.green.restart("2")
    made.blue.restart("2")
    before = made.stage.evidence.total
    made.look(GREEN, BLUE)
    assert made.stage.evidence.total == before + GREEN
    made.wait_for(Kind.PASS, GREEN, BLUE)
    assert made.stage.watched == pytest.approx(60)


def test_a_short_blindness_says_so_and_is_no_dwell() -> None:
    made = canary()
    made.looks(31, GREEN, BLUE)
    made.answering = False
    assert made.looks(5).kind is Kind.WATCH
    decision = made.look()
    assert (decision.kind, Lack.NO_DATA in lacks(decision)) == (Kind.WATCH, True)
    made.looks(12)
    made.answering = True
    made.looks(30, GREEN, BLUE)
    assert made.stage.watched == pytest.approx(59)
    assert made.looks(2, GREEN, BLUE).kind is Kind.PASS


def test_a_look_that_failed_once_is_no_blindness() -> None:
    made = canary()
    for number in range(64):
        made.answering = number % 4 != 3
        made.look(GREEN, BLUE)
    assert made.stage.passed is not None
    assert made.stage.watched >= 60


def test_requests_of_a_blind_time_are_judged_when_it_ends() -> None:
    made = canary()
    made.looks(10, GREEN, BLUE)
    made.answering = False
    made.looks(8, Counted(1, 1), BLUE)
    made.answering = True
    assert faults(made.look(GREEN, BLUE)) == {Fault.ERROR_RATE, Fault.ERRORS_AGAINST_BLUE}


def test_a_canary_does_not_go_on_unwatched() -> None:
    made = canary()
    made.looks(10, GREEN, BLUE)
    made.answering = False
    assert made.looks(19).kind is Kind.WATCH
    decision = made.look()
    assert decision.kind is Kind.ROLL_BACK
    assert decision.reasons[0].values == {"seconds": 20}
    assert faults(decision) == {Fault.BLIND}


def test_nor_does_one_that_was_never_seen() -> None:
    stage = first_stage(RULES, 10, 0.0)
    for second in range(20):
        stage, decision = step(stage, None, float(second))
        assert decision.kind is Kind.WATCH
    stage, decision = step(stage, None, 20.0)
    assert faults(decision) == {Fault.BLIND}


def test_neither_hold_nor_question_keeps_an_unwatched_canary() -> None:
    for made in (canary(), asked()):
        made.looks(3, FEW, FEW_BLUE)
        made.hold()
        made.answering = False
        assert faults(made.looks(25)) == {Fault.BLIND}


def test_nobody_can_vouch_for_what_nobody_sees() -> None:
    made = asked()
    made.answering = False
    made.looks(10)
    assert made.go().kind is Kind.WATCH
    made.answering = True
    made.look(FEW, FEW_BLUE)
    assert made.go().kind is Kind.PASS


def test_a_stage_that_passed_is_not_taken_back_for_a_lost_sight() -> None:
    """The release may carry everything by now."""
    made = canary()
    made.wait_for(Kind.PASS, GREEN, BLUE)
    made.answering = False
    assert made.looks(100).kind is Kind.WATCH
    made.answering = True
    assert made.look(GREEN, BLUE).kind is Kind.PASS


@pytest.mark.parametrize("apart", [(6.0,), (6.0, 1.0), (1.0, 1.0, 19.0)])
def test_looks_too_far_apart_to_be_watching_end_a_stage_as_blindness_does(apart: tuple[float, ...]) -> None:
    made = canary()
    for seconds in apart * 20:
        decision = made.look(GREEN, BLUE, seconds=seconds)
        if decision.kind is not Kind.WATCH:
            break
    assert faults(decision) == {Fault.HARDLY_SEEN}
    lasted = made.now - made.stage.began_at
    assert decision.reasons[0].values == {"seconds": lasted, "watched": made.stage.watched}
    assert RULES.blind_patience <= lasted - made.stage.watched <= 2 * RULES.blind_patience
    assert told(made.stage, made.now).outcome is Outcome.FAIL


def test_what_was_missed_is_made_up_for_by_watching() -> None:
    """A minute of watching takes a while longer, and comes to its end."""
    made = canary()
    while made.stage.watched < RULES.dwell:
        made.look(GREEN, BLUE, seconds=6.0)
        for _ in range(6):
            decision = made.look(GREEN, BLUE)
    assert decision.kind is Kind.PASS


def test_a_stage_that_passed_is_not_taken_back_for_looks_that_came_late() -> None:
    made = canary()
    made.wait_for(Kind.PASS, GREEN, BLUE)
    for _ in range(20):
        assert made.look(GREEN, BLUE, seconds=6.0).kind is Kind.PASS
    made.hold()
    assert made.look(GREEN, BLUE).kind is Kind.WATCH


def test_restarts_since_it_was_healthy_are_found_at_the_first_look() -> None:
    made = Canary(first_stage(RULES, 10, 1000.0, restarts=0), restarts=1)
    assert faults(made.look()) == {Fault.RESTARTED}


def test_the_card_is_told_where_a_stage_stands() -> None:
    made = canary()
    made.looks(31, GREEN, BLUE)
    made.look(Counted(60, 1), BLUE)
    seen = told(made.stage, made.now)
    assert (seen.share, seen.phase, seen.outcome) == (10, Phase.DWELLING, Outcome.INCONCLUSIVE)
    assert seen.seconds_left == pytest.approx(29)
    assert seen.green == Counted(31 * 60, 1)
    assert seen.blue == Counted(31 * 540, 0)
    assert seen.green_p95 == seen.blue_p95 == pytest.approx(20, rel=0.06)
    assert seen.needed == 4742 - 31 * 60
    assert seen.probes == 0
    assert 0.1 < seen.surely_below < 0.4
    assert seen.usage is not None


def test_the_card_s_chart_is_the_last_forty_points() -> None:
    made = canary(replace(RULES, dwell=400))
    made.looks(200, GREEN, BLUE)
    made.look(Counted(60, 0), BLUE, green_ms=[400] * 60)
    points = told(made.stage, made.now).points
    assert [round(later.began_at - each.began_at) for each, later in pairwise(points)] == [10] * 20
    assert points[-1].green_p95 == pytest.approx(400, rel=0.06)
    assert points[-1].blue_p95 == pytest.approx(20, rel=0.06)
    assert points[3].green == Counted(600, 0)
    made.looks(900, GREEN, BLUE)
    assert len(told(made.stage, made.now).points) == 40


def test_time_left_follows_the_phase() -> None:
    made = canary()
    made.wait_for(Kind.EXTEND, FEW, FEW_BLUE)
    assert told(made.stage, made.now).seconds_left == pytest.approx(60)
    made.wait_for(Kind.ASK, FEW, FEW_BLUE)
    made.looks(20, FEW, FEW_BLUE)
    assert told(made.stage, made.now).seconds_left == pytest.approx(100)
    made.go()
    assert told(made.stage, made.now).seconds_left == 0


def test_of_a_stage_that_was_rolled_back_the_card_is_told_why() -> None:
    made = asked()
    made.wait_for(Kind.ROLL_BACK, FEW, FEW_BLUE)
    seen = told(made.stage, made.now)
    assert seen.outcome is Outcome.FAIL
    assert {each.name for each in seen.reasons} == {Fault.NOBODY_ANSWERED}
