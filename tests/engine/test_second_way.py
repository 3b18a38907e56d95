"""The second way out: what Slack has not taken for a minute goes to every target, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from bot.domain.letters import Letter, LetterKind, Priority
from bot.engine.couriers import Couriers
from bot.engine.delivery import Permanent, Temporary
from bot.engine.second_way import SecondWay, SecondWayPolicy
from bot.store.database import Database
from bot.store.second_way import SecondWayStore
from bot.tools.apprise_send import AppriseFailed, send_by_apprise
from messages.elsewhere_facts import SecondWayFacts
from messages.example_facts import CRITICAL, MEMORY, note
from messages.render import Voice
from tests.engine.support import Disk, FakeSlack, SetClock
from tests.factories import letter
from tests.inbox import open_inbox

TARGETS = {"sms": SecretStr("json://sms"), "mail": SecretStr("json://mail")}
VOICE = Voice("ko")


@dataclass
class Senders:
    """What was sent where; a target in `failing` takes nothing."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    tried: int = 0

    async def send(self, url: SecretStr, title: str, text: str) -> None:
        """Send by Apprise's double."""
        name = url.get_secret_value().removeprefix("json://")
        self.tried += 1
        if name in self.failing:
            raise AppriseFailed("refused", "500")
        self.sent.append((name, title, text))

    def where(self) -> list[str]:
        """Where messages went since this was asked last."""
        names = [name for name, _, _ in self.sent]
        self.sent.clear()
        return names


@pytest.fixture
async def rows(store_url: str, disk: Disk) -> AsyncIterator[SecondWayStore]:
    """The table, new."""
    database = await Database.open(store_url)
    yield SecondWayStore(database)
    await database.close()


@pytest.fixture
def senders() -> Senders:
    """What Apprise would do."""
    return Senders()


@dataclass
class Made:
    """A second way, and what it told."""

    way: SecondWay
    told: list[SecondWayFacts]


async def made(rows: SecondWayStore, senders: Senders, clock: SetClock) -> Made:
    """A second way after a start."""
    told: list[SecondWayFacts] = []
    way = SecondWay(TARGETS, rows, VOICE.unmarked, clock, on_sent=told.append, send=senders.send)
    await way.load()
    return Made(way, told)


def urgent(number: int = 1, stream: str = "alert:1", channel: str = "guardian-alerts") -> Letter:
    """A critical alert's card."""
    facts = CRITICAL.as_json()
    return letter(number, facts=facts, priority=Priority.CRITICAL, stream=stream, channel=channel)


MILD = letter(2, facts=MEMORY.as_json(), stream="alert:2")


@pytest.mark.parametrize(
    ("seconds", "one", "expected"),
    [
        (59, urgent(), False),
        (60, urgent(), True),
        (3600, urgent(), True),
        (86_401, urgent(), False),
        (-59, urgent(), False),
        (-3600, urgent(), True),  # the clock was set back: nobody knows how long it has waited
        (3600, MILD, False),
        (60, letter(1, facts=CRITICAL.as_json(), priority=Priority.EDIT), True),
        (60, letter(1, facts=note(CRITICAL, "opened").as_json(), template="alert_note"), True),
        (60, letter(1, facts={"host": "a"}, template="store_down", priority=Priority.CRITICAL), True),
        (60, letter(1, facts={"host": "a"}, template="store_down", priority=Priority.EMERGENCY), True),
        (60, letter(1, facts={}, template="second_way", priority=Priority.CRITICAL), False),
        (60, urgent(channel="apprise:sms"), False),
    ],
)
async def test_which_letters_are_overdue(
    rows: SecondWayStore, senders: Senders, clock: SetClock, seconds: float, one: Letter, expected: bool
) -> None:
    way = (await made(rows, senders, clock)).way
    clock.forward(seconds=seconds)
    assert bool(way.overdue([one], clock())) is expected


async def test_an_overdue_letter_goes_to_every_target_once(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    first = await made(rows, senders, clock)
    clock.forward(seconds=61)
    for _ in range(3):
        await first.way.carry([urgent(), MILD])
    assert [(name, title) for name, title, _ in senders.sent] == [
        ("sms", "🔥 긴급: 메모리 사용률 93.4%"),
        ("mail", "🔥 긴급: 메모리 사용률 93.4%"),
    ]
    assert "대상: web-1" in senders.sent[0][2]
    [told] = first.told
    assert (told.targets, told.failed, told.letters, told.waited_seconds) == (("sms", "mail"), (), 1, 61.0)
    senders.where()
    again = await made(rows, senders, clock)
    await again.way.carry([urgent()])
    assert senders.where() == [], "a restart repeats nothing"
    assert again.told == []


async def test_letters_of_one_alert_are_one_message_and_a_later_one_is_another(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    way = (await made(rows, senders, clock)).way
    clock.forward(seconds=61)
    risen = note(CRITICAL, "level_up", from_level="warning").as_json()
    up = letter(2, LetterKind.NOTE, template="alert_note", facts=risen)
    other = urgent(3, stream="alert:9")
    await way.carry([urgent(1), up, other])
    assert senders.sent[0][1].startswith("단계 상승")
    assert senders.where() == ["sms", "mail", "sms", "mail"]
    await way.carry([urgent(1), up, other, urgent(4)])
    assert senders.where() == ["sms", "mail"]


async def test_a_target_that_fails_is_tried_again_with_pauses_and_told_once(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    first = await made(rows, senders, clock)
    senders.failing = {"sms"}
    clock.forward(seconds=61)
    await first.way.carry([urgent()])
    assert senders.where() == ["mail"]
    assert [(told.targets, told.failed) for told in first.told] == [(("mail",), ("sms",))]
    await first.way.carry([urgent()])
    assert senders.tried == 2, "not before the pause is over"
    for _ in range(10):
        clock.forward(minutes=6)
        await first.way.carry([urgent()])
    assert senders.tried == 12
    assert len(first.told) == 1, "told once"
    senders.failing.clear()
    clock.forward(minutes=6)
    await first.way.carry([urgent()])
    assert senders.where() == ["sms"]
    assert first.told[-1].targets == ("sms",)


async def test_a_restart_goes_on_with_what_has_failed(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    senders.failing = {"sms"}
    clock.forward(seconds=61)
    await (await made(rows, senders, clock)).way.carry([urgent()])
    senders.failing.clear()
    senders.where()
    await (await made(rows, senders, clock)).way.carry([urgent()])
    assert senders.where() == ["sms"]


async def test_a_full_disk_keeps_nothing_from_going_out_and_nothing_goes_twice(
    rows: SecondWayStore, senders: Senders, clock: SetClock, disk: Disk
) -> None:
    way = (await made(rows, senders, clock)).way
    clock.forward(seconds=61)
    disk.read_only = True
    await way.carry([urgent()])
    await way.carry([urgent()])
    assert senders.where() == ["sms", "mail"]
    disk.read_only = False
    await way.carry([])
    await (await made(rows, senders, clock)).way.carry([urgent()])
    assert senders.where() == [], "written as soon as that was possible"


async def test_old_rows_are_forgotten(rows: SecondWayStore, senders: Senders, clock: SetClock) -> None:
    way = (await made(rows, senders, clock)).way
    clock.forward(seconds=61)
    await way.carry([urgent()])
    assert await rows.prune(clock()) == 0
    clock.forward(days=8)
    assert await rows.prune(clock()) == 2
    assert await rows.sent() == set()


async def test_what_no_longer_waits_is_forgotten_and_what_waits_is_not(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    way = (await made(rows, senders, clock)).way
    direct = letter(5, facts=MEMORY.as_json(), channel="apprise:sms")
    await way.send_to("sms", direct)
    clock.forward(seconds=61)
    await way.carry([urgent()])
    assert way.has_gone_to("sms", direct), "it may have been written after those that wait were asked for"
    clock.forward(hours=20)
    await way.carry([urgent()])
    assert (way.has_gone_to("sms", urgent()), way.has_gone_to("sms", direct)) == (True, False)
    await way.carry([])
    assert not way.has_gone_to("sms", urgent())
    assert senders.where() == ["sms", "sms", "mail"], "nothing twice"


async def test_what_a_start_has_read_is_forgotten_too(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    clock.forward(seconds=61)
    await (await made(rows, senders, clock)).way.carry([urgent()])
    clock.forward(days=30)
    way = (await made(rows, senders, clock)).way
    assert way.has_gone_to("sms", urgent())
    clock.forward(days=-9)  # the clock is set back
    await way.carry([])
    assert not way.has_gone_to("sms", urgent())


async def test_a_complaint_is_remembered_as_long_as_its_letter_waits(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    first = await made(rows, senders, clock)
    senders.failing = {"sms", "mail"}
    for letters, told in (([urgent()], 1), ([urgent()], 1), ([], 1), ([urgent()], 2)):
        clock.forward(minutes=6)
        await first.way.carry(letters)
        assert len(first.told) == told


async def test_what_is_stuck_has_gone_out_by_neither_way(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    way = (await made(rows, senders, clock)).way
    assert way.oldest_stuck([urgent(), MILD]) == urgent().created_at
    senders.failing = {"sms"}
    clock.forward(seconds=61)
    await way.carry([urgent()])
    assert way.oldest_stuck([urgent(), MILD]) is None, "one of the targets has it"
    assert SecondWayPolicy().after.total_seconds() == 60


async def test_an_escalation_target_gets_its_letter_once_and_slack_the_others(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    slack = FakeSlack()
    couriers = Couriers(slack, (await made(rows, senders, clock)).way)
    direct = letter(5, facts=MEMORY.as_json(), channel="apprise:sms")
    assert await couriers.find(direct, None) is None
    await couriers.post(direct, None, 0)
    await couriers.post(direct, None, 0)
    assert senders.where() == ["sms"]
    assert await couriers.find(direct, None) is not None
    after_restart = Couriers(slack, (await made(rows, senders, clock)).way)
    await after_restart.post(direct, None, 0)
    assert senders.where() == []
    await couriers.post(MILD, None, 0)
    assert [message.letter for message in slack.messages] == [MILD]


async def test_an_escalation_target_that_fails_is_tried_again_and_an_unknown_one_is_not(
    rows: SecondWayStore, senders: Senders, clock: SetClock
) -> None:
    couriers = Couriers(FakeSlack(), (await made(rows, senders, clock)).way)
    senders.failing = {"sms"}
    with pytest.raises(Temporary):
        await couriers.post(letter(5, channel="apprise:sms"), None, 0)
    with pytest.raises(Permanent, match="unknown_target"):
        await couriers.post(letter(6, channel="apprise:pager"), None, 0)


async def test_it_really_arrives(rows: SecondWayStore, clock: SetClock) -> None:
    async with open_inbox() as inbox:
        way = SecondWay({"sms": inbox.url}, rows, VOICE.unmarked, clock, send=send_by_apprise)
        clock.forward(seconds=61)
        await way.carry([urgent()])
    assert inbox.titles == ["🔥 긴급: 메모리 사용률 93.4%"]
