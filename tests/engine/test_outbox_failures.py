"""What becomes of a letter that Slack does not take (alerts.md, Delivery)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.letters import Letter, LetterKind
from bot.engine.delivery import Ambiguous, Blocked, DeliveryFailed, Permanent, Temporary
from bot.store.store import Store
from tests.engine.support import QUICK, FakeSlack, Fault, SetClock, delivering, failing, until
from tests.factories import T0, at, letter

CARD, EDIT, NOTE = LetterKind.CARD, LetterKind.EDIT, LetterKind.NOTE


async def test_429_pauses_its_own_channel_and_nothing_else(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack(
        fault=lambda call, about: (
            Fault(Temporary("ratelimited", retry_after=3600.0)) if about.channel == "busy" else None
        )
    )
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1, stream="alert:1", channel="busy"))
        await until(lambda: slack.calls == [("post", 1)])
        await office.hand_in(
            letter(2, stream="alert:2", channel="busy"),
            letter(3, stream="alert:3"),
            letter(4, EDIT, stream="alert:3"),
        )
        await until(lambda: ("edit", 4) in slack.calls)
        assert slack.calls == [("post", 1), ("post", 3), ("edit", 4)]
        await until(lambda: office.outbox.unsent == 2)
        assert office.outbox.failing == {"busy": "ratelimited"}


async def test_retry_after_is_honoured_and_nothing_is_dropped(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack(fault=failing(Fault(Temporary("ratelimited", retry_after=0.3))))
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=1)) as office:
        await office.hand_in(letter(1), letter(2, stream="alert:2"))
        await office.emptied()
    assert sorted(slack.arrived) == [1, 2]
    assert slack.times[1] - slack.times[0] >= 0.29
    assert ("find", 1) not in slack.calls, "it is certain that nothing arrived"


async def test_other_failures_are_tried_again_later_and_later(small_store: Store, clock: SetClock) -> None:
    growing = replace(QUICK, first_retry=0.04, longest_retry=0.16)
    slack = FakeSlack(fault=failing(*[Fault(Temporary("internal_error"))] * 5))
    async with delivering(small_store, clock, slack, growing) as office:
        await office.hand_in(letter(1))
        await office.emptied()
    assert slack.calls == [("post", 1)] * 6
    gaps = [later - earlier for earlier, later in zip(slack.times, slack.times[1:], strict=False)]
    for gap, longest in zip(gaps, [0.04, 0.08, 0.16, 0.16, 0.16], strict=True):
        assert gap >= longest / 2 - 0.005


@pytest.mark.parametrize(
    ("after", "can_find", "calls", "copies"),
    [
        (True, True, ["post", "find"], 1),
        (False, True, ["post", "find", "post"], 1),
        (True, False, ["post", "find", "post"], 2),
    ],
    ids=["it had arrived", "it had not", "nobody can tell: rather twice than never"],
)
async def test_without_an_answer_it_looks_before_it_posts_again(
    small_store: Store, clock: SetClock, after: bool, can_find: bool, calls: list[str], copies: int
) -> None:
    slack = FakeSlack(fault=failing(Fault(Ambiguous("no answer"), after)), can_find=can_find)
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1), letter(2, NOTE))
        await office.emptied()
    assert [call for call, number in slack.calls if number == 1] == calls
    assert slack.arrived.count(1) == copies
    assert (await small_store.cards(["alert:1"]))["alert:1"].ts == f"{copies}.000000"
    assert slack.messages[-1].thread == f"{copies}.000000"


async def test_looking_may_fail_too_and_the_doubt_remains(small_store: Store, clock: SetClock) -> None:
    looks = [Fault(Temporary("internal_error")), Fault(Ambiguous("no answer"))]
    first = failing(Fault(Ambiguous("no answer"), after=True))
    slack = FakeSlack(
        fault=lambda call, about: looks.pop() if call == "find" and looks else first(call, about)
    )
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1))
        await office.emptied()
    assert [call for call, _ in slack.calls] == ["post", "find", "find", "find"]
    assert slack.arrived == [1]


async def test_a_card_that_is_gone_is_posted_anew_and_the_alert_follows_it(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1))
        await office.emptied()
        slack.messages.clear()  # somebody deleted it
        await office.hand_in(letter(2, EDIT), letter(3, NOTE))
        await office.emptied()
        await office.hand_in(letter(4, EDIT))
        await office.emptied()
        card = office.outbox.card("alert:1")
    assert slack.arrived == [2, 3]
    assert card is not None
    assert slack.messages[1].thread == card.ts == slack.messages[0].ts
    assert slack.edits == [(card.ts, letter(4, EDIT))]
    assert await small_store.cards(["alert:1"]) == {"alert:1": card}


async def test_a_page_never_goes_into_the_thread_of_a_card_that_is_known_to_be_gone(
    small_store: Store, clock: SetClock
) -> None:
    """The edit that found out came to nothing itself, and a newer one stands for it behind the page."""
    slack = FakeSlack(
        fault=lambda call, about: (
            Fault(Temporary("internal_error")) if call == "post" and about.id == 3 else None
        )
    )
    page, newer = letter(4, NOTE, template="page"), letter(5, EDIT)
    # Not under way again when the newer one comes, which can only stand for what waits.
    seldom = replace(QUICK, first_retry=3.0, longest_retry=3.0)
    async with delivering(small_store, clock, slack, seldom) as office:
        await office.hand_in(letter(1), letter(2, NOTE))
        await office.emptied()
        old = slack.messages[0].ts
        slack.deleted.add(old)
        await office.hand_in(letter(3, EDIT))
        await until(lambda: ("post", 3) in slack.calls and office.outbox.superseded_by([newer]) == [3])
        assert await small_store.cards(["alert:1"]) == {}, "a restart must know it too"
        await office.hand_in(page, newer)
        await office.emptied()
    assert [(message.letter.id, message.thread) for message in slack.messages] == [
        (1, None),
        (2, old),
        (4, None),
        (5, None),
    ]


async def test_a_deleted_card_is_forgotten_and_a_new_one_is_not(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1), letter(2, NOTE))
        await office.emptied()
        old = slack.messages[0].ts
        slack.deleted.add(old)
        await office.outbox.lose_card("alert:1", old)
        page, later_page = (letter(number, NOTE, template="page") for number in (4, 7))
        await office.hand_in(letter(3, NOTE), page, letter(5, EDIT), letter(6, NOTE))
        await office.emptied()
        await office.outbox.lose_card("alert:1", old)  # Slack says it late
        await office.hand_in(later_page)
        await office.emptied()
    new = slack.messages[4].ts
    told = [(message.letter.id, message.thread) for message in slack.messages]
    assert told == [(1, None), (2, old), (3, old), (4, None), (5, None), (6, new), (7, new)]
    assert (await small_store.cards(["alert:1"]))["alert:1"].ts == new


async def test_a_note_whose_thread_is_gone_goes_into_the_channel(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1))
        await office.emptied()
        slack.messages.clear()
        await office.hand_in(letter(2, NOTE))
        await office.emptied()
    assert [(message.letter.id, message.thread) for message in slack.messages] == [(2, None)]


async def test_what_is_refused_for_good_is_a_dead_letter_and_the_next_goes_out(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack(fault=failing(Fault(Permanent("invalid_arguments"))))
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1), letter(2, EDIT), letter(3, NOTE))
        await office.emptied()
        assert office.dead.told == [(letter(1, attempts=1), "invalid_arguments")]
        assert office.outbox.dead == 1
        assert office.outbox.failing == {}
    assert slack.arrived == [2, 3], "the edit became the card"
    assert len(await small_store.dead_letters(T0)) == 1
    async with delivering(small_store, clock, slack) as office:
        assert office.outbox.dead == 1, "still counted after a restart"
        clock.forward(hours=24, seconds=1)
        assert office.outbox.dead == 0, "no trouble of today"


async def test_a_day_long_it_is_tried_and_then_given_up(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack(fault=lambda call, about: Fault(Temporary("internal_error")))
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1))
        await until(lambda: len(slack.calls) > 3)
        clock.forward(hours=24)
        tries = len(slack.calls)
        await until(lambda: len(slack.calls) > tries + 2)  # a day to the second is not yet over
        assert office.outbox.unsent == 1
        clock.forward(seconds=1)
        await office.emptied()
        ((given_up, why),) = office.dead.told
        assert given_up == letter(1, attempts=len(slack.calls))
        assert why == "internal_error"
    assert len(await small_store.dead_letters(T0)) == 1


async def test_a_bug_in_the_courier_stalls_nobody_else_and_loses_nothing(
    small_store: Store, clock: SetClock
) -> None:
    bugs = 3
    slack = FakeSlack(fault=failing(*[Fault(ZeroDivisionError("a bug"))] * bugs))
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=1)) as office:
        await office.hand_in(letter(1))
        await until(lambda: slack.calls)
        await office.hand_in(*(letter(n, stream=f"alert:{n}") for n in range(2, 6)))
        await office.emptied()
    assert sorted(slack.arrived) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("away", "told"), [(59, 0), (60, 1), (7200, 1)])
async def test_a_long_outage_is_told_afterwards(
    small_store: Store, clock: SetClock, away: float, told: int
) -> None:
    broken = True
    slack = FakeSlack(fault=lambda call, about: Fault(Temporary("unreachable")) if broken else None)
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1), letter(2, NOTE))
        await until(lambda: office.outbox.failing)
        clock.forward(seconds=away)
        broken = False
        await office.emptied()
        assert office.late.told == [(T0, T0 + timedelta(seconds=away), 2)] * told
        assert office.outbox.failing == {}
    assert slack.arrived == [1, 2]


async def test_a_channel_that_people_must_mend_is_told_once_and_found_mended(
    small_store: Store, clock: SetClock
) -> None:
    broken = True
    slack = FakeSlack(fault=lambda call, about: Fault(Blocked("not_in_channel")) if broken else None)
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(*(letter(n, stream=f"alert:{n}") for n in range(1, 5)))
        await until(lambda: len(slack.calls) > 6)
        assert office.blocked.told == [("guardian-alerts", "not_in_channel")]
        broken = False
        await office.emptied()
    assert sorted(slack.arrived) == [1, 2, 3, 4]


async def test_an_outage_that_turns_into_a_closed_door_is_told_as_one(
    small_store: Store, clock: SetClock
) -> None:
    faults: list[DeliveryFailed] = [Temporary("unreachable")]
    slack = FakeSlack(fault=lambda call, about: Fault(faults[-1]) if faults else None)
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1), letter(2, NOTE))
        await until(lambda: office.outbox.failing)
        assert office.blocked.told == []
        faults.append(Blocked("not_in_channel"))
        await until(lambda: office.blocked.told)
        clock.forward(seconds=7200)
        faults.clear()
        await office.emptied()
        assert office.blocked.told == [("guardian-alerts", "not_in_channel")]
        assert office.late.told == [], "it was told when it began, and Slack was not away"


async def test_an_edit_that_people_must_mend_holds_up_no_other_edit(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack()
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(*(letter(n, stream=f"alert:{n}") for n in range(1, 9)))
        await office.emptied()
        stuck = office.outbox.card("alert:1")
        assert stuck is not None

        def stubborn(call: str, about: Letter) -> Fault | None:
            return Fault(Blocked("restricted_action")) if (call, about.id) == ("edit", 11) else None

        slack.fault = stubborn
        await office.hand_in(*(letter(n + 10, EDIT, stream=f"alert:{n}") for n in range(1, 9)))
        await until(lambda: office.outbox.unsent == 1)
        assert len(slack.edits) == 7
        slack.fault = lambda call, about: None
        await office.emptied()
    assert len(slack.edits) == 8


async def test_each_card_says_how_long_it_took(small_store: Store, clock: SetClock) -> None:
    slack = FakeSlack()
    clock.forward(seconds=2)
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(letter(1, since=at(0.75)))
        await office.emptied()
        card = office.outbox.card("alert:1")
    assert card is not None
    assert (card.delivery_ms, card.posted_at) == (1250, T0 + timedelta(seconds=2))


def test_ways_to_fail_keep_the_other_side_s_word() -> None:
    for kind in (Temporary, Ambiguous, Permanent, Blocked):
        failure: DeliveryFailed = kind("word")
        assert failure.detail == "word"
