"""In which order letters go out, and which need not go out at all (alerts.md, Delivery)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.letters import Letter, LetterKind, Priority
from bot.engine.bucket import Allowance
from bot.engine.delivery import Ambiguous, Temporary
from bot.store.changes import LetterSuperseded, NewLetter
from bot.store.store import Store
from tests.engine.support import QUICK, Disk, FakeSlack, Fault, SetClock, delivering, failing, until
from tests.factories import letter

CARD, EDIT, NOTE = LetterKind.CARD, LetterKind.EDIT, LetterKind.NOTE


def other(number: int, kind: LetterKind = CARD, stream: str = "alert:2", **changes: object) -> Letter:
    return letter(number, kind, stream=stream, **changes)


async def test_what_belongs_together_goes_out_in_order(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        slack.hold(1)
        await office.hand_in(letter(1), letter(2, NOTE))
        await office.hand_in(letter(3, EDIT), letter(4, NOTE))
        await office.hand_in(other(5), other(6, NOTE))
        await until(lambda: slack.arrived == [5, 6])  # another stream doesn't wait
        await until(lambda: office.outbox.unsent == 4)
        slack.release(1)
        await office.emptied()
    assert slack.arrived == [5, 6, 1, 2, 4]
    assert slack.calls.index(("edit", 3)) < slack.calls.index(("post", 4))
    card = slack.messages[2]
    assert [message.thread for message in slack.messages] == [None, "1.000000", None, card.ts, card.ts]
    assert slack.edits == [(card.ts, letter(3, EDIT))]
    assert await small_store.queued_letters() == []


async def test_the_more_urgent_goes_first(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=1)) as office:
        slack.hold(1)
        await office.hand_in(letter(1))
        await until(lambda: slack.under_way == {1})
        urgency = [Priority.INFO, Priority.ALERT, Priority.CRITICAL, Priority.EMERGENCY, Priority.ANSWER]
        await office.hand_in(
            *(other(n, stream=f"alert:{n}", priority=priority) for n, priority in enumerate(urgency, 2))
        )
        slack.release(1)
        await office.emptied()
    assert slack.arrived == [1, 5, 4, 6, 3, 2]


@pytest.mark.parametrize("together", [True, False], ids=["handed in with it", "handed in later"])
async def test_what_stands_before_a_page_is_as_urgent_as_the_page(
    small_store: Store, clock: SetClock, together: bool
) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=1)) as office:
        slack.hold(1)
        await office.hand_in(letter(1))
        await until(lambda: slack.under_way == {1})
        opened = other(2, NOTE, priority=Priority.EDIT)
        page = other(9, NOTE, priority=Priority.EMERGENCY)
        others = [other(n, stream=f"alert:{n}", priority=Priority.ALERT) for n in range(3, 9)]
        if together:
            await office.hand_in(opened, *others, page)
        else:
            await office.hand_in(opened, *others)
            await office.hand_in(page)
        slack.release(1)
        await office.emptied()
    assert slack.arrived == [1, 2, 9, 3, 4, 5, 6, 7, 8]


async def test_a_page_hurries_the_drawing_before_it(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=1)) as office:
        await office.hand_in(*(letter(n, stream=f"alert:{n}") for n in range(1, 5)))
        await office.emptied()
        slack.hold(11)
        edits = [letter(n + 10, EDIT, stream=f"alert:{n}", priority=Priority.EDIT) for n in range(1, 5)]
        await office.hand_in(*edits)
        await until(lambda: slack.under_way == {11})
        await office.hand_in(letter(20, NOTE, stream="alert:4", priority=Priority.CRITICAL))
        slack.release(11)
        await office.emptied()
    assert [number for call, number in slack.calls if call == "edit"] == [11, 14, 12, 13]


async def test_of_several_unsent_drawings_only_the_newest_is_drawn(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        slack.hold(1)
        await office.hand_in(letter(1))
        await until(lambda: slack.under_way == {1})
        for number in range(2, 10, 2):
            await office.hand_in(letter(number, EDIT), letter(number + 1, NOTE))
        unsent = [each.id for each in await small_store.queued_letters()]
        assert unsent == [1, 3, 5, 7, 8, 9], "the database knows which are superfluous"
        slack.release(1)
        await office.emptied()
    assert [number for _, number in slack.calls] == [1, 3, 5, 7, 8, 9]
    assert await small_store.queued_letters() == []


async def test_a_drawing_that_failed_while_the_next_was_written_is_not_left_unsent(
    small_store: Store, clock: SetClock
) -> None:
    """Else the next start would draw the old state over the new one."""
    slack = FakeSlack(fault=failing(None, Fault(Temporary("internal_error"))))
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1))
        await office.emptied()
        slack.hold(2)
        await office.hand_in(letter(2, EDIT))
        await until(lambda: slack.under_way == {2})
        superseded = office.outbox.superseded_by([letter(3, EDIT)])
        await office.ledger.write([NewLetter(letter(3, EDIT))])
        slack.release(2)
        await until(lambda: not slack.under_way and office.outbox.failing)
        office.outbox.accept([letter(3, EDIT)], superseded)
        await office.emptied()
    assert await small_store.queued_letters() == []
    assert slack.shown("alert:1") == letter(3, EDIT)


@pytest.mark.parametrize(("status", "calls"), [("acked", 0), ("resolved", 0), ("firing", 2)])
async def test_a_page_that_waits_is_not_sent_when_nobody_need_come_any_more(
    small_store: Store, clock: SetClock, status: str, calls: int
) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=1)) as office:
        slack.hold(1, 9)
        await office.hand_in(letter(1), other(9, stream="alert:2", channel="ops"))
        await until(lambda: slack.under_way == {1, 9})
        in_thread = letter(2, NOTE, template="page")
        elsewhere = letter(3, stream="alert:1:1.1.1:ops", channel="ops", template="page")
        another = letter(4, stream="alert:12:1.1.1:ops", channel="ops", template="page")
        await office.hand_in(in_thread, elsewhere, another)
        await office.hand_in(letter(5, EDIT, facts={"status": status}))
        slack.release(1)
        slack.release(9)
        await office.emptied()
    assert sum(number in slack.arrived for number in (2, 3)) == calls
    assert 4 in slack.arrived, "that is about another alert"
    assert await small_store.queued_letters() == []


async def test_what_is_about_to_be_superseded_is_not_sent_meanwhile(
    small_store: Store, clock: SetClock
) -> None:
    """Else what it says would be said twice: once by it, and once by the letter that stands for it."""
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        slack.hold(1)
        await office.hand_in(letter(1), letter(2, NOTE))
        await until(lambda: slack.under_way == {1})
        assert office.outbox.last_waiting("alert:1") == letter(2, NOTE)
        with office.outbox.holding([2]):
            slack.release(1)
            await until(lambda: slack.arrived == [1] and office.outbox.unsent == 1)
            await office.hand_in(other(9))
            await until(lambda: slack.arrived == [1, 9])  # the others go on
            await office.ledger.write([NewLetter(letter(3, NOTE)), LetterSuperseded(2)])
        office.outbox.accept([letter(3, NOTE)], [2])
        await office.emptied()
    assert slack.arrived == [1, 9, 3]


async def test_what_was_not_superseded_after_all_is_sent(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        with office.outbox.holding([1]):
            await office.hand_in(letter(1), other(2))
            await until(lambda: slack.arrived == [2])
        await office.emptied()
    assert slack.arrived == [2, 1]


async def test_what_may_have_arrived_can_no_longer_be_taken_back(small_store: Store, clock: SetClock) -> None:
    patient = replace(QUICK, first_retry=3600.0, longest_retry=3600.0)
    slack = FakeSlack(fault=failing(Fault(Ambiguous("no answer"))))
    async with delivering(small_store, clock, slack, patient) as office:
        await office.hand_in(letter(1))
        await until(lambda: office.outbox.failing)
        assert office.outbox.last_waiting("alert:1") is None
        await office.hand_in(letter(2, NOTE))
        assert office.outbox.last_waiting("alert:1") == letter(2, NOTE)


async def test_a_drawing_that_rests_after_a_failure_gives_way_to_the_newer_one(
    small_store: Store, clock: SetClock
) -> None:
    patient = replace(QUICK, first_retry=3600.0, longest_retry=3600.0)
    slack = FakeSlack(fault=failing(None, Fault(Temporary("internal_error"))))
    async with delivering(small_store, clock, slack, patient) as office:
        await office.hand_in(letter(1))
        await office.emptied()
        await office.hand_in(letter(2, EDIT))
        await until(lambda: office.outbox.failing)
        await office.hand_in(letter(3, EDIT))
        assert office.outbox.unsent == 1
        assert await small_store.queued_letters() == [letter(3, EDIT)]
    async with delivering(small_store, clock, slack) as office:
        await office.emptied()
    assert slack.calls == [("post", 1), ("edit", 2), ("edit", 3)]


async def test_a_stream_rests_although_something_new_comes_in(small_store: Store, clock: SetClock) -> None:
    patient = replace(QUICK, first_retry=3600.0, longest_retry=3600.0)
    slack = FakeSlack(fault=failing(Fault(Temporary("internal_error"))))
    async with delivering(small_store, clock, slack, patient) as office:
        await office.hand_in(letter(1))
        await until(lambda: office.outbox.failing)
        await office.hand_in(letter(2, NOTE), letter(3, EDIT))
        await office.hand_in(other(4))
        await until(lambda: 4 in slack.arrived)
        assert slack.calls == [("post", 1), ("post", 4)]


async def test_nothing_goes_faster_than_allowed(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    allowed = replace(QUICK, posts=Allowance(per_second=20.0, burst=2))
    async with delivering(small_store, clock, slack, allowed) as office:
        before = asyncio.get_running_loop().time()
        await office.hand_in(*(other(n, stream=f"alert:{n}") for n in range(1, 8)))
        await office.emptied()
    for number, time in enumerate(sorted(slack.times), 1):
        assert time - before >= (number - 2) / 20.0 - 0.005


async def test_letters_go_out_although_the_database_cannot_be_written(
    store: Store, clock: SetClock, disk: Disk
) -> None:
    slack = FakeSlack()
    async with delivering(store, clock, slack) as office:
        disk.read_only = True
        await office.hand_in(letter(1), letter(2, NOTE))
        await office.hand_in(letter(3, EDIT))
        await office.emptied()
        assert office.ledger.kept > 0
        assert slack.arrived == [1, 2]
        assert slack.shown("alert:1") == letter(3, EDIT)
        disk.read_only = False
        assert await office.ledger.flush()
    assert await store.queued_letters() == []
    assert "alert:1" in await store.cards(["alert:1"])


async def test_an_edit_without_a_card_becomes_one(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1, EDIT))
        await office.emptied()
        await office.hand_in(letter(2, EDIT))
        await office.emptied()
    assert slack.arrived == [1]
    assert slack.shown("alert:1") == letter(2, EDIT)


async def test_it_waits_for_what_is_under_way_and_not_longer_than_told(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        assert await office.outbox.drain(0)
        slack.hold(1)
        await office.hand_in(letter(1))
        await until(lambda: slack.under_way == {1})
        assert not await office.outbox.drain(0.01)
        assert not slack.under_way, "given up"
    assert [each.id for each in await small_store.queued_letters()] == [1]
    assert (await small_store.queued_letters())[0].leased_until is not None, "and in doubt"
