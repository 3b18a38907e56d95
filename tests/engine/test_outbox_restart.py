"""Kill it whenever you like: nothing is missing, and at most what was under way is there twice."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.letters import Letter, LetterKind
from bot.engine.delivery import Ambiguous, Temporary
from bot.store.changes import LetterLeased, NewLetter
from bot.store.database import Database
from bot.store.store import Store
from tests.engine.support import FakeSlack, Fault, SetClock, delivering, until
from tests.factories import T0, at, letter

CARD, EDIT, NOTE = LetterKind.CARD, LetterKind.EDIT, LetterKind.NOTE


async def test_what_is_unsent_goes_out_after_a_restart(store: Store, clock: SetClock) -> None:
    letters = [letter(1), letter(2, NOTE), letter(3, stream="alert:2")]
    await store.write([NewLetter(each) for each in letters])
    slack = FakeSlack()
    async with delivering(store, clock, slack) as office:
        await office.emptied()
        assert next(office.outbox.next_ids()) == 4
    assert sorted(slack.arrived) == [1, 2, 3]
    assert {call for call, _ in slack.calls} == {"post"}, "without a lease there is no doubt"
    async with delivering(store, clock, slack) as office:
        assert office.outbox.unsent == 0
    assert await store.queued_letters() == []


async def test_a_lease_that_a_killed_process_left_is_looked_into_first(store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    for number in (1, 2):
        await store.write([NewLetter(letter(number, stream=f"alert:{number}"))])
        await store.write([LetterLeased(number, 1, at(60))])
    await slack.post(letter(1), None, 0)  # the first arrived before the kill, the second did not
    slack.calls.clear()
    async with delivering(store, clock, slack) as office:
        await office.emptied()
    assert sorted(slack.calls) == [("find", 1), ("find", 2), ("post", 2)]
    assert sorted(slack.arrived) == [1, 2]
    assert set(await store.cards(["alert:1", "alert:2"])) == {"alert:1", "alert:2"}


async def test_after_a_restart_an_alert_goes_on_with_its_card(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1))
        await office.emptied()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(2, EDIT), letter(3, NOTE))
        await office.emptied()
    assert slack.arrived == [1, 3]
    assert slack.edits == [("1.000000", letter(2, EDIT))]
    assert slack.messages[1].thread == "1.000000"


async def test_a_kill_in_the_middle_of_a_post_neither_loses_nor_doubles(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack()
    slack.hold(1)
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1), letter(2, NOTE))
        await until(lambda: slack.under_way == {1})
    slack.release(1)
    async with delivering(small_store, clock, slack) as office:
        await office.emptied()
    assert slack.calls == [("post", 1), ("find", 1), ("post", 1), ("post", 2)]
    assert slack.arrived == [1, 2]


FAULTS = st.sampled_from(["fine", "fine", "no", "429", "lost", "unheard", "bug", "kill"])


def _fault(kind: str) -> Fault | None:
    match kind:
        case "no":
            return Fault(Temporary("internal_error"))
        case "429":
            return Fault(Temporary("ratelimited", retry_after=0.01))
        case "lost":
            return Fault(Ambiguous("no answer"))
        case "unheard":
            return Fault(Ambiguous("no answer"), after=True)
        case "bug":
            return Fault(KeyError("a bug"))
        case _:
            return None


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its schema, to copy: making one takes longer than the deliveries."""
    path = tmp_path_factory.mktemp("empty") / "guardian.db"

    async def make() -> None:
        await (await Database.open(f"sqlite+aiosqlite:///{path}")).close()

    asyncio.run(make())
    return path


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([EDIT, EDIT, NOTE]), st.booleans()), max_size=8
    ),
    faults=st.lists(FAULTS, max_size=15),
    can_find=st.booleans(),
)
def test_nothing_is_lost_and_only_what_nobody_could_find_is_double(
    empty_database: Path, kinds: list[tuple[int, LetterKind, bool]], faults: list[str], can_find: bool
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_deliver(Path(shutil.copy(str(empty_database), folder)), kinds, faults, can_find))


async def _deliver(
    path: Path, kinds: list[tuple[int, LetterKind, bool]], faults: list[str], can_find: bool
) -> None:
    letters = [letter(n, stream=f"alert:{n}") for n in (1, 2, 3)]
    letters += [letter(n, kind, stream=f"alert:{s}") for n, (s, kind, _) in enumerate(kinds, 4)]
    pauses = [True, True, True, *(pause for _, _, pause in kinds)]
    left = list(faults)
    unheard: Counter[int] = Counter()
    killed = asyncio.Event()

    def fault(call: str, about: Letter) -> Fault | None:
        kind = left.pop(0) if left and call != "find" else "fine"
        if kind == "unheard" and call == "post":
            unheard[about.id] += 1
        if kind == "kill":
            unheard.update(each.id for each in letters)  # of whatever is under way no answer is heard
            killed.set()
            return Fault(Ambiguous("killed"), after=True)
        return _fault(kind)

    slack = FakeSlack(fault=fault, can_find=can_find)
    clock = SetClock(T0)
    waiting = list(zip(letters, pauses, strict=True))
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    try:
        finished = False
        while not finished:
            killed.clear()
            async with delivering(Store(database), clock, slack) as office:
                while waiting and not killed.is_set():
                    each, pause = waiting.pop(0)
                    await office.hand_in(each)
                    if pause:
                        await asyncio.sleep(0)
                await until(lambda: killed.is_set() or office.outbox.unsent == 0)
                finished = not waiting and not killed.is_set()
        assert await Store(database).queued_letters() == []
    finally:
        await database.close()
    _check(letters, slack, unheard, can_find)


def _check(letters: list[Letter], slack: FakeSlack, unheard: Counter[int], can_find: bool) -> None:
    copies = Counter(slack.arrived)
    for each in letters:
        if each.kind is not EDIT:
            assert copies[each.id] >= 1, "lost"
        assert copies[each.id] <= 1 + (0 if can_find else unheard[each.id]), "double without need"
        stream = [m.letter.id for m in slack.messages if m.letter.stream == each.stream]
        assert stream == sorted(stream), "out of order"
        drawings = [e.id for e in letters if e.stream == each.stream and e.kind is not NOTE]
        shown = slack.shown(each.stream)
        assert shown is not None
        assert shown.id == drawings[-1], "an old drawing is shown"
