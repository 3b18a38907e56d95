"""When very many alerts open at once (alerts.md, Storms)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.domain.alerts.storm import CALM_FOR, EDIT_EVERY, Newcomer, Placed, Weather, arrive, ends_at, passed
from bot.domain.levels import Level
from tests.factories import at

CALM = Weather()


def come(weather: Weather, seconds: float, *services: str, level: Level = Level.ERROR) -> Placed:
    """So many new alerts at that second, one for each name."""
    return arrive(
        passed(weather, at(seconds)), [Newcomer(each, level) for each in services], 7, "alerts", at(seconds)
    )


def one_by_one(moments: Sequence[float], service: str = "shop") -> tuple[Weather, list[bool]]:
    weather = CALM
    folded: list[bool] = []
    for moment in moments:
        placed = come(weather, moment, service)
        weather = placed.weather
        folded += placed.folded
    return weather, folded


def test_nine_new_cards_are_no_storm_and_ten_are() -> None:
    weather, folded = one_by_one([6 * n for n in range(9)])
    assert (weather.storm, any(folded)) == (None, False)
    weather, folded = one_by_one([6 * n for n in range(10)])
    assert weather.storm is not None
    assert folded == [False] * 9 + [True]


@pytest.mark.parametrize(("last", "storm"), [(59.9, True), (60, False)])
def test_they_must_come_within_sixty_seconds(last: float, storm: bool) -> None:
    weather, _ = one_by_one([0] * 9 + [last])
    assert (weather.storm is not None) is storm


def test_ten_a_minute_is_measured_on_a_moving_minute() -> None:
    weather, folded = one_by_one([7 * n for n in range(100)])
    assert (weather.storm, any(folded)) == (None, False)


def test_a_storm_knows_where_and_when_it_began() -> None:
    placed = come(CALM, 30, *["shop"] * 10)
    storm = placed.weather.storm
    assert placed.began
    assert storm is not None
    assert (storm.id, storm.channel, storm.began_at, storm.folded) == (7, "alerts", at(30), 9)
    assert not come(placed.weather, 31, "shop").began


def test_the_first_alert_of_each_service_gets_a_card() -> None:
    placed = come(CALM, 0, *["shop", "shop", "mail", "shop", "mail"] * 2, "ads")
    assert placed.folded == (False, True, False, True, True, True, True, True, True, True, False)
    later = come(placed.weather, 10, "ads", "blog", "blog")
    assert later.folded == (True, False, True)


def test_services_whose_card_is_out_when_it_begins_had_theirs() -> None:
    weather, _ = one_by_one([n for n in range(9)])
    assert come(weather, 10, "shop", "mail").folded == (True, False)


def test_every_emergency_gets_a_card() -> None:
    weather = come(CALM, 0, *["shop"] * 20).weather
    assert come(weather, 5, "shop", "shop", level=Level.EMERGENCY).folded == (False, False)
    assert come(weather, 5, "shop", level=Level.CRITICAL).folded == (True,)


def test_it_is_over_when_fewer_than_three_a_minute_came_for_five_minutes() -> None:
    weather = come(CALM, 0, *["shop"] * 10).weather
    assert weather.storm is not None
    assert ends_at(weather.storm) == at(300)
    assert passed(weather, at(299)).storm is not None
    assert passed(weather, at(300)).storm is None
    assert come(weather, 300, "shop").folded == (False,)


def test_two_a_minute_do_not_hold_it_up() -> None:
    weather = come(CALM, 0, *["shop"] * 10).weather
    for second in range(90, 300, 30):
        placed = come(weather, second, "shop")
        assert placed.folded == (True,)
        weather = placed.weather
    assert passed(weather, at(300)).storm is None


def test_three_a_minute_hold_it_up() -> None:
    weather = come(CALM, 0, *["shop"] * 10).weather
    for second in range(50, 3600, 25):
        placed = come(weather, second, "shop")
        assert placed.folded == (True,)
        weather = placed.weather
    assert weather.storm is not None
    assert weather.storm.busy_at > at(3500)


def test_after_it_is_over_a_new_one_begins_as_the_first_did() -> None:
    weather = passed(come(CALM, 0, *["shop"] * 10).weather, at(400))
    folded: list[bool] = []
    for number in range(10):
        placed = come(weather, 400 + number, "shop")
        weather = placed.weather
        folded += placed.folded
    assert folded == [False] * 9 + [True]


def test_a_thousand_at_once_are_one_storm_with_one_card_a_service() -> None:
    placed = come(CALM, 0, *[f"service {n % 4}" for n in range(1000)])
    assert placed.folded.count(False) == 4
    assert placed.weather.storm is not None
    assert placed.weather.storm.folded == 996


def test_the_memory_of_arrivals_is_bounded() -> None:
    weather = CALM
    for second in range(30):
        weather = come(weather, second, *["shop"] * 1000).weather
    assert len(weather.arrivals) == 10_000


def test_the_figures_are_those_of_the_rules() -> None:
    assert (CALM_FOR, EDIT_EVERY) == (timedelta(minutes=5), timedelta(seconds=10))
