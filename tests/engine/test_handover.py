"""The message when somebody else is on call: once, and not again after a restart."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bot.engine.handover import HandOvers
from messages.facts import Facts
from messages.oncall_facts import HandOverFacts
from tests.domain.oncall.making import at
from tests.engine.duty import OFFICE, WEEKLY, Desk, duty, stand_in
from tests.engine.support import Disk


@dataclass
class Told:
    """What was told, and where."""

    letters: list[HandOverFacts] = field(default_factory=list)

    async def __call__(self, template: str, facts: Facts, channel: str) -> None:
        assert (template, channel) == ("hand_over", "guardian-ops")
        assert isinstance(facts, HandOverFacts)
        self.letters.append(facts)

    @property
    def pairs(self) -> list[tuple[str, str, str]]:
        return [(facts.schedule, facts.before, facts.after) for facts in self.letters]


async def begun(desk: Desk, told: Told, open_alerts: int = 2) -> HandOvers:
    watch = HandOvers(desk.roster, desk.store, told, lambda: open_alerts, "guardian-ops")
    await watch.load()
    return watch


async def test_the_first_look_tells_nothing_and_a_hand_over_is_told_once(tmp_path: Path) -> None:
    told = Told()
    async with duty(tmp_path, WEEKLY) as desk:
        watch = await begun(desk, told)
        for local in ("2026-01-06 12:00", "2026-01-12 08:59:59"):
            await watch.look(at(local))
        assert told.letters == []
        for local in ("2026-01-12 09:00", "2026-01-12 09:01", "2026-01-18 00:00"):
            await watch.look(at(local))
    (letter,) = told.letters
    assert (letter.before, letter.after, letter.open_alerts) == ("U0DOYUN01", "U0SEOYEON", 2)
    assert letter.until == at("2026-01-19 09:00").isoformat()


async def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path) -> None:
    told = Told()
    for local in ("2026-01-06 12:00", "2026-01-13 12:00", "2026-01-13 12:01", "2026-01-20 12:00"):
        async with duty(tmp_path, WEEKLY, local=local) as desk:
            await (await begun(desk, told)).look(desk.clock())
    assert told.pairs == [("primary", "U0DOYUN01", "U0SEOYEON"), ("primary", "U0SEOYEON", "U0MINJUN1")]


async def test_an_override_is_a_hand_over_to_and_fro_with_its_number_and_reason(tmp_path: Path) -> None:
    told = Told()
    async with duty(tmp_path, WEEKLY) as desk:
        watch = await begun(desk, told, open_alerts=0)
        await watch.look(desk.clock())
        added = await desk.roster.add_override(stand_in("U0MINJUN1", "2026-01-06 13:00", "2026-01-06 15:00"))
        for hour in (12, 13, 14, 15):
            await watch.look(at(f"2026-01-06 {hour}:00"))
    assert told.pairs == [("primary", "U0DOYUN01", "U0MINJUN1"), ("primary", "U0MINJUN1", "U0DOYUN01")]
    assert [facts.override for facts in told.letters] == [added.id, None]
    assert told.letters[0].until == at("2026-01-06 15:00").isoformat()


async def test_a_gap_is_no_hand_over(tmp_path: Path) -> None:
    told = Told()
    async with duty(tmp_path, OFFICE) as desk:
        watch = await begun(desk, told)
        for local in ("2026-01-06 12:00", "2026-01-06 20:00", "2026-01-07 10:00", "2026-01-07 20:00"):
            await watch.look(at(local))
    assert told.letters == []


async def test_somebody_whom_slack_does_not_know_is_not_told_of(tmp_path: Path) -> None:
    told = Told()
    async with duty(tmp_path, WEEKLY) as desk:
        watch = await begun(desk, told)
        await watch.look(desk.clock())
        seoyeon = desk.people.ids.pop("@seoyeon")
        await watch.look(at("2026-01-12 10:00"))
        assert told.letters == []
        desk.people.ids["@seoyeon"] = seoyeon
        await watch.look(at("2026-01-12 11:00"))
    assert told.pairs == [("primary", "U0DOYUN01", "U0SEOYEON")]


async def test_while_the_database_is_away_it_is_told_once_and_remembered_later(
    tmp_path: Path, disk: Disk
) -> None:
    told = Told()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(duty(tmp_path, WEEKLY))
        watch = await begun(desk, told)
        await watch.look(desk.clock())
        disk.read_only = True
        for minute in range(3):
            await watch.look(at(f"2026-01-12 09:0{minute}"))
        assert await desk.store.duties() == {"primary": "U0DOYUN01"}
        disk.read_only = False
        await watch.look(at("2026-01-12 09:05"))
        assert await desk.store.duties() == {"primary": "U0SEOYEON"}
    assert told.pairs == [("primary", "U0DOYUN01", "U0SEOYEON")]
