"""When Slack takes nothing: one letter finds out for all, and one that is itself at fault holds up nobody
(alerts.md, Delivery)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bot.domain.letters import Letter, LetterKind, Priority
from bot.engine.bucket import Allowance
from bot.engine.delivery import Ambiguous, Blocked, DeliveryFailed, Temporary
from bot.store.store import Store
from tests.engine.support import QUICK, FakeSlack, Fault, SetClock, delivering, until
from tests.factories import letter

AN_HOUR = 3600.0


@dataclass
class Away:
    """A Slack that takes nothing, or nothing of certain letters."""

    error: DeliveryFailed = field(default_factory=lambda: Temporary("internal_error"))
    all: bool = True
    of: set[int] = field(default_factory=set)

    def __call__(self, call: str, about: Letter) -> Fault | None:
        return Fault(self.error) if self.all or about.id in self.of else None


def cards(*numbers: int, priority: Priority = Priority.ALERT) -> list[Letter]:
    return [letter(number, stream=f"alert:{number}", priority=priority) for number in numbers]


def of(slack: FakeSlack, number: int) -> int:
    """How often that letter was tried."""
    return slack.calls.count(("post", number))


@pytest.mark.parametrize(
    ("error", "lasted", "first_retry", "pause"),
    [
        (Temporary("internal_error"), 6, 0.01, 0.2),
        (Ambiguous("no answer"), 6, 0.01, 0.2),
        (Temporary("internal_error"), 0, 0.1, 0.1),
    ],
)
async def test_while_slack_is_away_one_letter_tries_for_all_after_a_thirtieth_of_the_time_it_has_lasted(
    small_store: Store,
    clock: SetClock,
    error: DeliveryFailed,
    lasted: float,
    first_retry: float,
    pause: float,
) -> None:
    slack = FakeSlack(fault=Away(error))
    policy = replace(QUICK, first_retry=first_retry, longest_retry=AN_HOUR, at_once=2)
    async with delivering(small_store, clock, slack, policy) as office:
        await office.hand_in(*cards(*range(1, 40)))
        await until(lambda: len(slack.times) > 4)  # those that were under way when it was found out
        clock.forward(seconds=lasted)
        begun = len(slack.times)
        await until(lambda: len(slack.times) > begun + 3)
        gaps = [later - one for one, later in zip(slack.times, slack.times[1:], strict=False)]
    assert min(gaps[begun:]) >= pause - 0.005


async def test_when_slack_is_back_all_go_the_most_urgent_first(small_store: Store, clock: SetClock) -> None:
    away = Away()
    slack = FakeSlack(fault=away)
    async with delivering(small_store, clock, slack, replace(QUICK, at_once=2)) as office:
        await office.hand_in(*cards(1, 2, priority=Priority.EMERGENCY), *cards(*range(3, 20)))
        await until(lambda: {number for _, number in slack.calls} >= {1, 2, 3, 4, 5})
        away.all = False
        await office.emptied()
    assert {1, 2} <= set(slack.arrived[:3]), "after the one that found out"
    assert sorted(slack.arrived) == list(range(1, 20))


async def test_failures_use_up_no_allowance(small_store: Store, clock: SetClock) -> None:
    away = Away()
    slack = FakeSlack(fault=away)
    few = replace(QUICK, posts=Allowance(per_second=1e-9, burst=4))
    async with delivering(small_store, clock, slack, few) as office:
        await office.hand_in(*cards(1, 2, 3, 4))
        await until(lambda: len(slack.calls) > 12)
        away.all = False
        await office.emptied()


async def test_a_letter_that_always_fails_holds_up_no_other_and_is_hurried_a_few_times_only(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack(fault=Away(all=False, of={1}))
    patient = replace(QUICK, first_retry=AN_HOUR, longest_retry=AN_HOUR)
    async with delivering(small_store, clock, slack, patient) as office:
        await office.hand_in(*cards(1, priority=Priority.EMERGENCY))
        await until(lambda: office.outbox.failing)
        for number in range(2, 32):
            await office.hand_in(*cards(number))
            await until(lambda: office.outbox.unsent == 1)
            await until(lambda: not slack.under_way)
        assert slack.arrived == list(range(2, 32))
        assert 2 <= of(slack, 1) <= 11, "then it goes on at its own pace"


async def test_several_letters_that_always_fail_hold_up_the_others_for_one_pause_only(
    small_store: Store, clock: SetClock
) -> None:
    slack = FakeSlack(fault=Away(all=False, of={1, 2, 3, 4}))
    async with delivering(small_store, clock, slack) as office:
        await office.hand_in(*cards(1, 2, 3, 4, priority=Priority.EMERGENCY))
        await until(lambda: min(of(slack, number) for number in (1, 2, 3, 4)) > 2)
        await office.hand_in(*cards(*range(5, 25), priority=Priority.INFO))
        tries = len(slack.calls)
        await until(lambda: slack.arrived)
        assert len(slack.calls) - tries <= 2, "one may have been under way"
        await until(lambda: len(slack.arrived) == 20)


async def test_cards_of_several_channels_that_people_must_mend_hold_up_no_other_edit(
    small_store: Store, clock: SetClock
) -> None:
    away = Away(Blocked("not_in_channel"), all=False, of={11, 12, 13, 14})
    slack = FakeSlack()
    patient = replace(QUICK, first_retry=AN_HOUR, longest_retry=AN_HOUR)
    async with delivering(small_store, clock, slack, patient) as office:
        await office.hand_in(*cards(*range(1, 9)))
        await office.emptied()
        slack.fault = away
        await office.hand_in(*(letter(n + 10, LetterKind.EDIT, stream=f"alert:{n}") for n in range(1, 9)))
        await until(lambda: office.outbox.unsent == 4)
    assert sorted(about.id for _, about in slack.edits) == [15, 16, 17, 18]
