"""What people do while a deployment waits, runs, and asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deploy.record import Outcome
from bot.domain.deploy.slots import Slot
from bot.domain.operations.approval import Click, State
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.store.database import Database
from messages.operation_facts import OperationAskedFacts, OperationClickFacts
from tests.engine.deploy.ground import BRISK, Ground, grounded
from tests.engine.deploy.test_deploy import is_back, problem
from tests.engine.deploy.visitors import asking, visitors
from tests.engine.operations.jobs import ANN, BOB, CHO, DAN
from tests.engine.support import Disk, SetClock, until
from tests.tools.traffic.haproxy import until as comes

LONG = replace(BRISK, dwell=timedelta(minutes=5))
"""Its stages do not end while a test lasts."""
SILENT = replace(BRISK, probes=replace(BRISK.probes, per_second=0), dwell=timedelta(seconds=0.3))
"""Without visitors nothing is known of the release."""


async def shows(ground: Ground, number: int, name: str, value: object) -> None:
    """Wait until the step that is under way tells that of itself."""

    async def shown() -> bool:
        facts = await ground.yard.desk.one(number)
        return facts is not None and facts.progress is not None and facts.progress.detail.get(name) == value

    await comes(shown)


async def test_rollback_at_a_quarter(small: Database, clock: SetClock) -> None:
    environment = replace(LONG, lock_after_rollback=timedelta(hours=1))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("v2")
            await ground.carries(25)
            await until(lambda: found.answers["v2"] > 10)
            clock.forward(seconds=60)
            await ground.press(Click.STOP, number, ANN)
            over = await ground.over(number)
            await found.more(20)
        assert (over.state, over.problem, over.stopped_by) == (State.UNDONE, None, ANN)
        assert found.failures == []
        (held,) = await ground.yard.locks.held()
        prepared = next(step for step in over.steps if over.plan.steps[step.number].name == "prepare")
        undone = prepared.result["undone"]
        assert isinstance(undone, dict)
        assert held.until is not None
        assert (undone["environment"], undone["locked_until"]) == ("production", held.until.isoformat())
        assert (held.subject, held.run, held.until) == ("production", None, clock.now + timedelta(hours=1))
        await ground.yard.locks.unlock("production", CHO)
        await is_back(ground, number)
        row = await ground.row(number)
        # A person decided, after a minute of traffic.
        assert row.failed_at == clock.now
        assert (row.requests or 0) > 0
        await until(lambda: ground.yard.thread(number)[-1:] == ["end"])
        assert ground.yard.thread(number) == ["approve", "start", "stop", "end"]


async def test_a_deployment_that_is_held_stays_where_it_is_until_somebody_lets_it_go_on(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("v2")
            # Long before there is any traffic: it must not move at all.
            await ground.reaches_step(number, "preflight")
            await ground.press(Click.HOLD, number, ANN)
            await ground.reaches_step(number, "shift")
            await shows(ground, number, "held", True)
            assert await ground.site.traffic.share() == 0
            assert found.answers["v2"] == 0
            await ground.press(Click.GO, number, BOB)
            await ground.carries(25)
            await ground.press(Click.HOLD, number, ANN)
            # Far more than is needed to pass.
            await until(lambda: found.answers["v2"] > 400)
            assert await ground.site.traffic.share() == 25
            await ground.press(Click.GO, number, BOB)
            over = await ground.over(number)
        assert over.state is State.DONE
        assert found.failures == []
        assert await ground.live() == "v2"


async def test_a_held_deployment_goes_back_at_once_though_nothing_can_be_written(
    small: Database, clock: SetClock, disk: Disk
) -> None:
    """After a restart nothing is known of the stages before, and it is held with what it carries."""
    async with grounded(small, clock, environment=replace(LONG, stages=(25, 50, 100))) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        await ground.reaches_step(number, "preflight")
        await ground.press(Click.HOLD, number, ANN)
        await ground.reaches_step(number, "shift")
        await shows(ground, number, "held", True)
        await ground.site.traffic.shift(10)
        await ground.press(Click.STOP, number, BOB)
        disk.read_only = True
        await ground.carries(0)
        disk.read_only = False
        assert (await ground.over(number)).state is State.UNDONE
        await is_back(ground, number, moved=False)


async def test_who_wants_blue_back_while_it_is_being_cleaned_up_gets_it(
    small: Database, clock: SetClock
) -> None:
    environment = replace(BRISK, stages=(100,), drain=timedelta(minutes=1), warm=timedelta(0))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        late = asyncio.create_task(asking(f"{ground.balancer.url}?wait=20000"))
        await ground.asked(Slot.A)
        number = await ground.begin("v2")
        await ground.reaches_step(number, "retire")
        await ground.press(Click.STOP, number, ANN)
        assert await late == 200
        over = await ground.over(number)
        assert (over.state, over.stopped_by) == (State.UNDONE, ANN)
        await is_back(ground, number, moved=False)


async def test_a_held_deployment_that_turns_out_bad_goes_back_all_the_same(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2", errors=5)
        async with visitors(ground.balancer.url):
            number = await ground.begin("v2")
            await ground.reaches_step(number, "shift")
            await ground.press(Click.HOLD, number, ANN)
            # It may be held before the first request, and then is let go on once.
            if await ground.site.traffic.share() == 0:
                await ground.press(Click.GO, number, BOB)
            over = await ground.over(number)
        assert over.state is State.UNDONE
        assert problem(over)[0] == "judged"
        await is_back(ground, number)


async def test_where_nothing_is_known_a_person_is_asked_and_may_let_it_go_on(
    database: Database, clock: SetClock
) -> None:
    async with grounded(database, clock, environment=SILENT) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        for share in (25, 100):
            await ground.carries(share)
            await shows(ground, number, "phase", "asking")
            assert await ground.site.traffic.share() == share
            await ground.press(Click.GO, number, BOB)
        over = await ground.over(number)
        assert over.state is State.DONE
        by = [
            step.result["by"]
            for step, it in zip(over.steps, over.plan.steps, strict=True)
            if it.name == "shift"
        ]
        assert by == [BOB, BOB]
        assert await ground.live() == "v2"
        await until(lambda: ground.yard.thread(number)[-1:] == ["end"])
        said = ground.yard.thread(number)
        # Asked once a stage, where those who asked and approved see it; that it takes longer calls nobody.
        assert said.count("call") == 2


async def test_where_nobody_answers_it_goes_back(small: Database, clock: SetClock) -> None:
    environment = replace(SILENT, ask_for=timedelta(seconds=1))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        number = await ground.begin("v2")
        over = await ground.over(number)
        assert over.state is State.UNDONE
        assert problem(over) == ("judged", ("nobody_answered",))
        await is_back(ground, number)


async def test_whoever_asks_may_not_approve_and_of_two_clicks_one_counts(
    small: Database, clock: SetClock
) -> None:
    roles = Roles(
        {
            Role.OPERATOR: frozenset({ANN}),
            Role.APPROVER: frozenset({BOB, CHO}),
            Role.ADMINISTRATOR: frozenset({DAN}),
        },
        assigned=True,
    )
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.yard.roles = roles
        ground.put("v2")
        asked = await ground.ask("v2", by=BOB)
        assert isinstance(asked, OperationAskedFacts)
        number = asked.operation.id
        shown = (await ground.yard.record(number)).plan_hash
        own = await ground.yard.desk.press(Click.APPROVE, number, shown, BOB)
        assert own is not None
        assert own.verdict == "second_person"
        clicked = await asyncio.gather(
            *(ground.yard.desk.press(Click.APPROVE, number, shown, by) for by in (CHO, DAN, CHO))
        )
        verdicts = [each.verdict for each in clicked if isinstance(each, OperationClickFacts)]
        assert sorted(verdicts) == ["stale", "stale", "taken"]
        async with visitors(ground.balancer.url):
            over = await ground.over(number)
        assert over.state is State.DONE
        assert ground.yard.thread(number).count("approve") == 1
        assert ground.yard.thread(number).count("start") == 1
        assert len(await ground.book.store.of_environment("shop", "production", 10)) == 1


async def waits(ground: Ground, revision: str) -> int:
    """An approved one that waits for a lock that a person holds; its number."""
    await ground.yard.locks.lock("production", CHO, timedelta(hours=1), "a look")
    number = await ground.begin(revision)
    await ground.yard.reaches(number, State.QUEUED)
    return number


async def unlocked(ground: Ground, number: int) -> OperationRecord:
    """What becomes of it when the lock is lifted."""
    await ground.yard.locks.unlock("production", CHO)
    return await ground.over(number)


async def test_what_was_approved_for_another_release_is_refused_with_the_difference(
    small: Database, clock: SetClock
) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        ground.put("v3")
        number = await waits(ground, "v2")
        # Meanwhile somebody puts another release where v1 was, past the Guardian.
        await ground.site.releases.start(Slot.A, "v3", "by hand")
        over = await unlocked(ground, number)
        assert over.state is State.CHANGED
        assert over.problem is not None
        changes = over.problem.values["changes"]
        assert isinstance(changes, list)
        assert ("v1", "v3") in {(each["before"], each["after"]) for each in changes if isinstance(each, dict)}
        assert await ground.site.traffic.share() == 0
        assert await ground.book.store.of_operation(number) is None


async def test_a_role_that_is_gone_when_it_should_start_refuses_it(small: Database, clock: SetClock) -> None:
    async with grounded(small, clock, environment=BRISK) as ground:
        ground.put("v2")
        number = await waits(ground, "v2")
        ground.yard.roles = Roles(
            {Role.OPERATOR: frozenset({ANN, BOB}), Role.APPROVER: frozenset({CHO})}, assigned=True
        )
        over = await unlocked(ground, number)
        assert over.state is State.REFUSED
        assert over.problem is not None
        assert (over.problem.reason, over.problem.values["user"]) == ("role_gone", BOB)
        assert await ground.live() == "v1"


@pytest.mark.parametrize("how", ["go", "stop"])
async def test_the_warm_time_ends_by_a_word_or_takes_everything_back(
    small: Database, clock: SetClock, how: str
) -> None:
    environment = replace(BRISK, warm=timedelta(hours=1))
    async with grounded(small, clock, environment=environment) as ground:
        ground.put("v2")
        async with visitors(ground.balancer.url) as found:
            number = await ground.begin("v2")
            await ground.reaches_step(number, "warm")
            assert await ground.live() == "v2"
            if how == "go":
                # A hold and the word that ends it declare nothing.
                await ground.press(Click.HOLD, number, ANN)
                await ground.press(Click.GO, number, BOB)
                await found.more(100)
                assert (await ground.yard.record(number)).state is State.RUNNING
                await ground.press(Click.GO, number, BOB)
            else:
                await ground.press(Click.STOP, number, BOB)
            over = await ground.over(number)
        assert found.failures == []
        if how == "go":
            assert over.state is State.DONE
            assert await ground.live() == "v2"
            assert (await ground.row(number)).outcome is Outcome.DONE
        else:
            assert over.state is State.UNDONE
            assert await ground.live() == "v1"
            row = await ground.row(number)
            assert (row.outcome, row.restored_at) == (Outcome.ROLLED_BACK, clock.now)
            assert [event for event, _ in await ground.changes()][1:] == ["traffic", "complete", "back"]
