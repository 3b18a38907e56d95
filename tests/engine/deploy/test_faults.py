"""What is around a deployment goes away in the middle: HAProxy, its socket, its file, Slack, the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.audit import Action
from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.plan import Plan
from bot.domain.operations.record import STUCK, StepState
from bot.engine.delivery import Temporary
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.engine.deploy.ground import BRISK, Ground, garble, grounded, unwritable
from tests.engine.deploy.test_deploy import is_back, problem
from tests.engine.deploy.test_rollback import became
from tests.engine.deploy.visitors import asking, visitors
from tests.engine.operations.jobs import BOB
from tests.engine.operations.test_desk import deeds
from tests.engine.support import Disk, Fault, SetClock, until

SLOW = replace(BRISK, dwell=timedelta(seconds=2))
"""There is time enough for something to happen in a stage."""
LONG = replace(BRISK, dwell=timedelta(minutes=5))


async def at_a_quarter(ground: Ground) -> int:
    """A deployment whose first stage has begun; its number."""
    ground.put("v2")
    number = await ground.begin("v2")
    await ground.carries(25)
    return number


async def test_haproxy_is_reloaded_in_the_middle(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=SLOW) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            number = await at_a_quarter(ground)
            await ground.balancer.reload()
            assert await ground.site.traffic.share() == 25
            over = await ground.over(number)
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v2"
        assert found.failures == []


async def test_haproxy_is_restarted_in_the_middle_and_shares_as_before(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=SLOW) as ground:
        async with visitors(ground.balancer.url, 4):
            number = await at_a_quarter(ground)
            await ground.balancer.stop()
            await ground.balancer.start()
            assert await ground.site.traffic.share() == 25
            over = await ground.over(number)
        assert over.state is State.DONE, over.problem
        assert await ground.live() == "v2"
        assert ground.balancer.map_file.read_text() == "shop 100\n"


async def test_a_socket_that_comes_back_in_time_is_waited_for(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=SLOW) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            number = await at_a_quarter(ground)
            socket = ground.folder / "admin.sock"
            socket.rename(ground.folder / "away.sock")
            # As long as a stage lasts, nobody sees anything, and so nothing passes.
            await asyncio.sleep(SLOW.dwell.total_seconds())
            (ground.folder / "away.sock").rename(socket)
            over = await ground.over(number)
        assert over.state is State.DONE, over.problem
        assert found.failures == []


async def test_a_socket_that_stays_away_ends_it_and_somebody_has_to_look(
    small: Database, clock: SetClock
) -> None:
    async with grounded(
        small, clock, environment=LONG, tuned=lambda site: replace(site, patience=0.5, blind_patience=6.0)
    ) as ground:
        async with visitors(ground.balancer.url, 2) as found:
            number = await at_a_quarter(ground)
            (ground.folder / "admin.sock").rename(ground.folder / "away.sock")
            over = await ground.over(number)
        assert over.state is State.FAILED
        # Why it had to go back is kept, beside why it could not.
        assert problem(over) == ("judged", ("blind",))
        assert over.problem is not None
        stuck = over.problem.values[STUCK]
        assert isinstance(stuck, dict)
        assert stuck["reason"] == "traffic_gone"
        assert ground.yard.alerts == [(number, State.FAILED)]
        (ground.folder / "away.sock").rename(ground.folder / "admin.sock")
        # Traffic could not be moved: what carries it must not be stopped.
        assert found.failures == []
        assert await ground.site.traffic.share() == 25
        for slot in Slot:
            instance = await ground.site.releases.find(slot)
            assert instance is not None
            assert instance.alive
        row = await ground.row(number)
        assert (row.outcome, row.restored_at) == (Outcome.FAILED, None)
        assert {each for each in became(over).values()} >= {StepState.STUCK}


async def test_a_socket_that_comes_back_late_is_in_time_to_go_back(small: Database, clock: SetClock) -> None:
    async with grounded(
        small, clock, environment=LONG, tuned=lambda site: replace(site, blind_patience=6.0)
    ) as ground:
        async with visitors(ground.balancer.url, 2) as found:
            number = await at_a_quarter(ground)
            (ground.folder / "admin.sock").rename(ground.folder / "away.sock")
            await ground.yard.reaches(number, State.UNDOING)
            (ground.folder / "away.sock").rename(ground.folder / "admin.sock")
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert problem(over) == ("judged", ("blind",))
        assert found.failures == []
        await is_back(ground, number)


async def test_a_map_that_says_no_share_is_mended_by_going_back(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=LONG) as ground:
        async with visitors(ground.balancer.url, 2) as found:
            number = await at_a_quarter(ground)
            await garble(ground.balancer.configuration)
            await ground.press(Click.STOP, number)
            over = await ground.over(number)
        assert over.state is State.UNDONE, over.problem
        assert found.failures == []
        await is_back(ground, number)


async def test_a_map_file_that_cannot_be_written_keeps_it_from_going_on_and_not_from_going_back(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=SLOW) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            number = await at_a_quarter(ground)
            late = asyncio.create_task(asking(f"{ground.balancer.url}?wait=1500"))
            with unwritable(ground.balancer.map_file):
                over = await ground.over(number)
            assert await late == 200
        # HAProxy does as it was told, but would not after its next start.
        assert over.state is State.FAILED
        assert over.problem is not None
        assert over.problem.reason == "traffic_file"
        assert await ground.live() == "v1"
        assert await ground.site.releases.find(Slot.B) is None
        assert ground.balancer.map_file.read_text() == "shop 25\n"
        assert found.failures == []
        assert ground.yard.alerts == [(number, State.FAILED)]


async def test_a_map_file_that_cannot_be_written_at_first_moves_nothing(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=SLOW) as ground:
        ground.put("v2")
        async with visitors(ground.balancer.url, 2) as found:
            with unwritable(ground.balancer.map_file):
                number = await ground.begin("v2")
                over = await ground.over(number)
        assert found.failures == []
        assert set(found.answers) == {"v1"}
        assert over.state is State.UNDONE
        assert over.problem is not None
        assert over.problem.reason == "traffic_file"
        # What is meant is written before it is done, and so it counts as one that went back.
        await is_back(ground, number)


@pytest.mark.parametrize(
    ("behaviour", "ends", "live"),
    [({}, State.DONE, "v2"), ({"errors": 10}, State.UNDONE, "v1")],
    ids=["good", "bad"],
)
async def test_slack_is_away_for_the_whole_of_it_and_is_told_all_of_it_afterwards(
    database: Database, clock: SetClock, behaviour: dict[str, int], ends: State, live: str
) -> None:
    async with grounded(database, clock, environment=BRISK) as ground:
        slack = ground.yard.slack
        slack.fault = lambda call, letter: Fault(Temporary("internal_error"))
        ground.put("v2", **behaviour)
        async with visitors(ground.balancer.url):
            number = await ground.begin("v2")
            over = await ground.over(number)
        assert over.state is ends
        assert await ground.live() == live
        slack.fault = lambda call, letter: None
        await until(lambda: ground.yard.thread(number)[-1:] == ["end"])
        said = Counter(what for what in ground.yard.thread(number) if what != "call")
        assert said == Counter(["approve", "start", "end"])
        await until(lambda: ground.yard.card(number).get("state") == ends.value)
        cards = [each for each in slack.messages if each.thread is None]
        assert len(cards) == 1


async def test_the_database_is_away_for_a_while_in_a_stage(
    small: Database, clock: SetClock, disk: Disk
) -> None:
    async with grounded(small, clock, environment=SLOW) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            number = await at_a_quarter(ground)
            await found.more(20)
            disk.read_only = True
            # The judge goes on; the run waits with what it has to write down.
            await found.more(400)
            disk.read_only = False
            over = await ground.over(number)
        assert over.state is State.DONE, over.problem
        assert found.failures == []
        assert await ground.live() == "v2"
        assert await ground.changes() == [("traffic", "v2"), ("traffic", "v2"), ("complete", "v2")]


@pytest.mark.parametrize("fault", ["read_only", "away"])
async def test_who_wants_it_back_while_the_database_is_away_gets_it_at_once(
    small: Database, clock: SetClock, disk: Disk, fault: str
) -> None:
    async with grounded(small, clock, environment=LONG) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            number = await at_a_quarter(ground)
            record = await ground.yard.record(number)
            setattr(disk, fault, True)
            denied = await ground.yard.desk.press(Click.STOP, number, record.plan_hash, "U0STRANGER")
            assert denied is not None
            assert denied.verdict == "not_allowed"
            with pytest.raises(StoreUnavailable):
                await ground.yard.desk.press(Click.HOLD, number, record.plan_hash, BOB)
            clicked = await ground.yard.desk.press(Click.STOP, number, record.plan_hash, BOB)
            assert clicked is not None
            assert clicked.verdict == "unwritten"
            await ground.carries(0)
            setattr(disk, fault, False)
            over = await ground.over(number)
        assert (over.state, over.stopped_by) == (State.UNDONE, BOB)
        assert found.failures == []
        await is_back(ground, number)
        await ground.yard.audit.flush()
        stop = Action.OPERATION_STOP
        assert [each for each in await deeds(small) if each[1] == stop] == [
            ("U0STRANGER", stop, "refused"),
            (BOB, stop, "done"),
        ]


async def test_a_canary_that_cannot_go_on_for_the_database_is_not_left_unwatched(
    small: Database, clock: SetClock, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = replace(SLOW, dwell=timedelta(seconds=0.6), lease=timedelta(seconds=3))
    async with grounded(small, clock, environment=environment) as ground:
        shifted = ground.book.shifted

        async def just_before(run: int, plan: Plan, percent: int, at: datetime) -> None:
            if percent == 100 and percent not in tried:
                disk.read_only = True
            tried.append(percent)
            await shifted(run, plan, percent, at)

        tried: list[int] = []
        monkeypatch.setattr(ground.book, "shifted", just_before)
        async with visitors(ground.balancer.url) as found:
            number = await at_a_quarter(ground)
            await until(lambda: tried.count(100) > 1)
            await ground.carries(0)
            disk.read_only = False
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert problem(over) == ("watchdog", ())
        assert found.failures == []
        await is_back(ground, number)


async def test_the_database_is_away_while_it_goes_back(small: Database, clock: SetClock, disk: Disk) -> None:
    async with grounded(small, clock, environment=LONG) as ground:
        async with visitors(ground.balancer.url, 4) as found:
            number = await at_a_quarter(ground)
            await ground.press(Click.STOP, number)
            disk.read_only = True
            # Nothing can be written down, and traffic goes back all the same.
            await ground.carries(0)
            disk.read_only = False
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert found.failures == []
        await is_back(ground, number)
