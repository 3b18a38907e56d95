"""Good and bad by turns (alerts.md, Flapping)."""

import pytest

from bot.domain.alerts.flapping import REOPENINGS, SLOTS, WEIGHTS, begins, ends, percent, record
from bot.domain.alerts.model import AddNote, EditCard, Note, Status
from bot.domain.alerts.paging import deadline_of
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import FIVE, Nearby, Story, alert, at, rule

BAD, GOOD = 75.0, 10.0
MINUTE = 60


def by_turns(story: Story, begin: float, count: int) -> list[tuple[float, str]]:
    """Bad and good checks by turns, 15 s apart; what people see and when."""
    return [
        (second, word)
        for number in range(count)
        for second in [begin + 15 * number]
        for word in story.value(second, BAD if number % 2 else GOOD)
    ]


def opened() -> Story:
    story = Story(around=Nearby())
    story.tell([(0, BAD), (15, BAD), (30, BAD)])
    return story


def flapping() -> Story:
    story = opened()
    assert by_turns(story, 45, 12)[-1][1] == "FLAPPING"
    return story


def test_the_newest_of_twenty_slots_weighs_1_18_and_the_oldest_0_80() -> None:
    assert (len(WEIGHTS), WEIGHTS[0]) == (SLOTS, 1.18) == (20, 1.18)
    assert WEIGHTS[-1] == pytest.approx(0.80)
    assert list(WEIGHTS) == sorted(WEIGHTS, reverse=True)


@pytest.mark.parametrize(
    ("slots", "share"),
    [
        ("0" * 20, 0),
        ("1" * 20, 100),
        ("0" * 19 + "1", 5.96),
        ("1" + "0" * 19, 4.04),
        ("1" * 5 + "0" * 15, 21.21),
    ],
)
def test_how_much_of_the_last_results_was_change(slots: str, share: float) -> None:
    assert percent(int(slots, 2)) == pytest.approx(share, abs=0.01)


def test_the_twenty_first_result_pushes_the_oldest_out() -> None:
    flips = record(0, changed=True)
    for _ in range(19):
        flips = record(flips, changed=False)
    assert flips == 1 << 19
    assert record(flips, changed=False) == 0


def test_above_thirty_percent_it_flaps() -> None:
    story = opened()
    told = by_turns(story, 45, 20)
    assert [word for _, word in told] == ["FLAPPING"]
    # Five changes in a row weigh 29.1 %, six 34.7 %.
    assert told == [(45 + 5 * 15, "FLAPPING")]
    assert story.now.flapping


@pytest.mark.parametrize(
    ("slots", "flaps"),
    [
        ("0" * 15 + "1" * 5, False),  # 29.1 %
        ("1" * 7 + "0" * 13, True),  # 30.4 %
        ("1" * 6 + "0" * 14, False),  # 25.8 %
    ],
)
def test_thirty_percent_is_the_line(slots: str, flaps: bool) -> None:
    assert begins(alert(flips=int(slots, 2), reopenings=()), at(0)) is flaps


@pytest.mark.parametrize(
    ("slots", "over"),
    [
        ("1" * 6 + "0" * 14, False),  # 25.8 %
        ("0" * 16 + "1" * 4, True),  # 23.2 %
    ],
)
def test_twenty_five_percent_is_the_other(slots: str, over: bool) -> None:
    assert ends(alert(flips=int(slots, 2), reopenings=()), at(0)) is over


def test_it_says_so_once_and_is_held_open() -> None:
    story = opened()
    by_turns(story, 45, 6)
    assert story.last is not None
    assert story.last.effects == (EditCard(), AddNote(Note.FLAPPING))
    assert story.reason is Reason.FLAPPING
    assert by_turns(story, 135, 100) == []
    assert (story.now.status, story.reason) == (Status.FIRING, Reason.FLAPPING)


def test_at_twenty_five_percent_it_flaps_no_more_and_its_end_is_told() -> None:
    story = opened()
    by_turns(story, 45, 40)
    calm: list[tuple[float, float, list[str]]] = []
    for number in range(25):
        words = story.value(645 + 15 * number, GOOD)
        calm.append((number, percent(story.now.flips), words))
        if words:
            break
    assert calm[-1][2] == ["RESOLVED"]
    assert calm[-1][1] <= 25 < calm[-2][1]
    assert (story.now.status, story.now.flapping, story.reason) == (
        Status.RESOLVED,
        False,
        Reason.FLAPPING_OVER,
    )


def test_between_the_two_lines_it_stays_as_it_is() -> None:
    story, flaps = opened(), set()
    by_turns(story, 45, 4)
    assert 20 < percent(story.now.flips) <= 30
    flaps.add(story.now.flapping)
    by_turns(story, 105, 20)
    while percent(story.now.flips) > 25:
        story.value((story.now.last_at - at(0)).total_seconds() + 15, BAD)
        if 25 < percent(story.now.flips) <= 30:
            flaps.add(story.now.flapping)
    assert flaps == {False, True}


def test_what_still_fails_at_the_end_is_told_so() -> None:
    story = flapping()
    words: list[str] = []
    for number in range(25):
        words += story.value(300 + 15 * number, BAD)
        if not story.now.flapping:
            break
    assert words == ["FLAPPING_OVER"]
    assert (story.now.status, story.reason) == (Status.FIRING, Reason.FLAPPING_OVER)
    assert story.tell([(900, GOOD), (915, GOOD)]) == ["RESOLVED"]


def test_the_level_that_is_true_at_the_end_is_told() -> None:
    story = Story(rule(FIVE))
    story.tell([(0, 85), (15, 85)])
    for number in range(12):
        story.value(30 + 15 * number, 85 if number % 2 else GOOD)
    words: list[str] = []
    for number in range(25):
        words += story.value(300 + 15 * number, 62)
        if not story.now.flapping:
            break
    assert words == ["FLAPPING_OVER", "LEVEL_DOWN"]
    assert (story.now.level, story.now.band) == (Level.WARNING, "60-70%")


def test_a_rise_in_level_is_told_though_it_flaps() -> None:
    story = flapping()
    assert story.tell([(300, 95), (315, 95)]) == ["LEVEL_UP"]
    assert (story.now.flapping, story.now.level) == (True, Level.CRITICAL)


def test_people_are_called_though_it_flaps() -> None:
    story = flapping()
    by_turns(story, 240, 100)
    assert story.called == []
    story.due(30 + 30 * MINUTE)
    assert story.called == [(30.5, ("UFIRST",))]


def comes_back(story: Story, begin: float, every: float, times: int) -> list[str]:
    """It resolves and comes back so many times, and is steady for so long in between that no slots tell."""
    words: list[str] = []
    for number in range(times):
        moment = begin + every * number
        words += story.tell([(moment, GOOD), (moment + 15, GOOD)])
        words += story.tell([(moment + 30 + 15 * check, BAD) for check in range(20)])
    return words


def test_three_reopenings_in_half_an_hour_are_flapping() -> None:
    story = opened()
    assert comes_back(story, 400, 480, 2) == ["RESOLVED", "REOPENED"] * 2
    story.tell([(1360, GOOD), (1375, GOOD), (1390, BAD), (1405, BAD)])
    assert story.value(1420, BAD) == ["REOPENED", "FLAPPING"]
    assert story.last is not None
    assert story.last.effects == (
        EditCard(),
        AddNote(Note.REOPENED, broadcast=False),
        AddNote(Note.FLAPPING),
    )


def test_three_reopenings_in_more_than_half_an_hour_are_not() -> None:
    story = opened()
    assert comes_back(story, 400, 905, 4) == ["RESOLVED", "REOPENED"] * 4
    assert not story.now.flapping


@pytest.mark.parametrize("fails", [True, False])
def test_half_an_hour_after_the_first_of_three_reopenings_its_true_state_is_told(fails: bool) -> None:
    story = opened()
    comes_back(story, 400, 480, 3)
    ends = 400 + 60 + 30 * MINUTE
    assert len(story.now.reopenings) == REOPENINGS
    assert story.now.reopenings[0] == at(460)
    # In one state for long, so that only the reopenings hold it.
    assert all(_quiet(story, 1710 + 10 * n, BAD if fails else GOOD) for n in range(50))
    assert story.now.flapping
    assert deadline_of(story.now) == at(ends)
    assert story.due(ends - 1) == []
    assert story.due(ends) == (["FLAPPING_OVER"] if fails else ["RESOLVED"])
    assert not story.now.flapping


def _quiet(story: Story, second: float, value: float) -> bool:
    return story.value(second, value) == []


def test_one_good_check_at_that_moment_is_not_yet_an_end() -> None:
    story = opened()
    comes_back(story, 400, 480, 3)
    story.tell([(1710 + 10 * n, BAD) for n in range(50)])
    assert story.value(2250, GOOD) == []
    assert story.due(2260) == ["FLAPPING_OVER"]
    assert story.value(2265, GOOD) == ["RESOLVED"]


def test_it_can_be_acknowledged_and_ended_by_hand() -> None:
    story = flapping()
    assert story.ack(300) == ["ACKED"]
    story.value(315, GOOD)
    assert story.resolve(316) == ["RESOLVED_BY_HAND"]
    assert not story.now.flapping


def test_a_steady_alert_never_flaps() -> None:
    story = opened()
    for number in range(400):
        story.value(45 + 15 * number, BAD if number % 20 < 10 else 80)
        assert not story.now.flapping
    assert story.now.flips == 0
