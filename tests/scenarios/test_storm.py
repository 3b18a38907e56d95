"""A storm before a Slack that takes everything at once."""

from __future__ import annotations

from tests.alertmanager import Trouble
from tests.clocks import WallClock
from tests.stage import Stage
from tests.told import Told
from tests.waiting import eventually

FLOOD = [Trouble(f"node-{n:03}", service=f"shop-{n % 6}") for n in range(300)]


async def test_everybody_is_named_once_however_fast_news_follow_upon_news(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    await idle.start()
    await alertmanager.tells_in_groups(FLOOD, 10)
    await alertmanager.tells_in_groups(FLOOD, 10, "resolved")
    clock.forward(seconds=10)  # the card of the storm is drawn again every ten seconds
    await eventually(lambda: "모두 해결" in "".join(Told.of(idle.slack).storms))
    await eventually(lambda: not idle.rows("SELECT id FROM letters WHERE state = 'queued'"))

    told = Told.of(idle.slack)
    everybody = {trouble.target for trouble in FLOOD}
    assert set(told.fired) | set(told.fired_alone) == everybody
    assert set(told.resolved) | set(told.resolved_alone) == everybody
    assert (told.twice, told.doubles, told.overtaken) == (set(), 0, [])
    assert len(idle.cards()) == 1 + 6, "the storm's, and the first alert of each service"


async def test_an_alert_is_told_of_however_long_after_the_end_of_its_storm_it_ends(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    await idle.start()
    await alertmanager.tells(*FLOOD[:30])
    await eventually(lambda: len(Told.of(idle.slack).fired) >= 24)
    await alertmanager.tells(*FLOOD[:29], status="resolved")
    clock.forward(minutes=6)
    await eventually(lambda: idle.rows("SELECT id FROM storms WHERE ended_at IS NOT NULL"))
    await idle.stop()
    clock.forward(days=3)
    await idle.start()
    await alertmanager.tells(FLOOD[29], status="resolved")

    await eventually(lambda: Told.of(idle.slack).resolved[FLOOD[29].target] == 1)
    clock.forward(seconds=10)
    await eventually(lambda: "모두 해결" in "".join(Told.of(idle.slack).storms))


async def test_what_the_card_of_a_storm_did_not_show_at_a_crash_it_shows_after_it(idle: Stage) -> None:
    clock = idle.clock = WallClock()
    alertmanager = idle.with_alertmanager()
    await idle.start()
    await alertmanager.tells(*FLOOD[:30])
    await eventually(lambda: "열린 알림 24건" in "".join(Told.of(idle.slack).storms))
    await alertmanager.tells(*FLOOD[:30], status="resolved")
    await eventually(lambda: not idle.rows("SELECT id FROM letters WHERE state = 'queued'"))
    await idle.crash()
    await idle.start()

    clock.forward(seconds=10)
    await eventually(lambda: "모두 해결" in "".join(Told.of(idle.slack).storms))
