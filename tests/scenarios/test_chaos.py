"""Everything at once: alerts come and go, people click, Slack fails in every way, and `kill -9`."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.slack.manifest import manifest
from bot.workspace.errors import SlackError
from bot.workspace.faults import FaultKind
from bot.workspace.model import Message
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED
from tests.alertmanager import Alertmanager, Trouble
from tests.doors import SECRET
from tests.people import ALERTS, OPS, Person, cards, elements, words
from tests.ports import free_port
from tests.process import Process, configuration, environment
from tests.told import Told
from tests.waiting import eventually

log = logging.getLogger(__name__)

_CEILING = 240.0
_ROUNDS = 40
_UNSURE = (FaultKind.HTTP, FaultKind.DROP, FaultKind.ACCEPT_AND_HANG)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_everything_is_told_in_the_end(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - what happens, not secrets
    async with serve(
        tmp_path / "slack", manifest=manifest(), channels=[ALERTS, OPS], rate_limits=UNLIMITED
    ) as slack:
        door = free_port()
        guardian = Process(
            tmp_path, _settings(tmp_path, door), environment(slack, GUARDIAN_WEBHOOK_SECRET=SECRET)
        )
        try:
            await _Chaos(slack, guardian, Alertmanager(door), chance).run()
        finally:
            if guardian.process is not None:
                await guardian.kill()


class _Chaos:
    def __init__(
        self, slack: Running, guardian: Process, alertmanager: Alertmanager, chance: random.Random
    ) -> None:
        self.slack = slack
        self.guardian = guardian
        self.alertmanager = alertmanager
        self.chance = chance
        self.firing: dict[str, Trouble] = {}
        self.telling: list[asyncio.Task[None]] = []
        self.made = 0
        self.unsure = 0
        self.deleted = 0

    async def run(self) -> None:
        """Let things happen, then let all be well, and look."""
        await self.guardian.start()
        happenings = [self.fires] * 5 + [self.ends] * 4 + [self.clicks] * 5 + [self.fails] * 3
        happenings += [self.is_killed] * 2 + [self.leaves, self.loses]
        for _ in range(_ROUNDS):
            await self.chance.choice(happenings)()
            await asyncio.sleep(self.chance.uniform(0, 0.8))
        await self.slack.faults.clear()
        await asyncio.gather(*self.telling)
        await self.alertmanager.tells(*self.firing.values(), status="resolved")
        await eventually(lambda: self._left() == 0, _CEILING)
        await eventually(lambda: all("모두 해결" in each for each in Told.of(self.slack).storms), _CEILING)
        self._look()
        assert await self.guardian.terminate() == 0

    async def fires(self) -> None:
        """Some new alerts, with some that fire already."""
        told = self.chance.sample(list(self.firing.values()), min(5, len(self.firing)))
        for _ in range(self.chance.choice((1, 1, 2, 5, 15))):
            self.made += 1
            severity = self.chance.choice(("warning", "critical", "critical", "emergency"))
            trouble = Trouble(f"node-{self.made:03}", severity, service=f"shop-{self.made % 3}")
            self.firing[trouble.target] = trouble
            told.append(trouble)
        self._tell(told, "firing")

    async def ends(self) -> None:
        """Some of what fires is over."""
        over = self.chance.sample(list(self.firing), min(len(self.firing), self.chance.choice((1, 3, 10))))
        # What has been told last must arrive last.
        await asyncio.gather(*self.telling)
        self._tell([self.firing.pop(target) for target in over], "resolved")
        await asyncio.gather(*self.telling)

    async def clicks(self) -> None:
        """Somebody clicks on some card, however old."""
        shown = [*cards(self.slack)]
        person = Person(self.slack, self.slack.workspace.users()[self.chance.randrange(4)])
        for card in self.chance.sample(shown, min(3, len(shown))):
            for action in ("alert_ack", "storm_ack"):
                if elements(card, action):
                    try:
                        await asyncio.wait_for(person.presses(card, action), 5)
                    except (AssertionError, SlackError, TimeoutError):
                        pass  # nobody is there to hear it

    async def fails(self) -> None:
        """Slack fails for some calls."""
        kind = self.chance.choice(list(FaultKind))
        times = self.chance.randrange(1, 4)
        method = self.chance.choice(("chat.postMessage", "chat.update", "*"))
        self.unsure += times if kind in _UNSURE else 0
        self.slack.faults.add(method, kind, times=times, retry_after=1)
        if kind in (FaultKind.HANG, FaultKind.ACCEPT_AND_HANG):
            await asyncio.sleep(self.chance.uniform(0, 1))
            self.slack.faults.released.set()
            self.slack.faults.released.clear()

    async def is_killed(self) -> None:
        """`kill -9`, and a new start."""
        self.unsure += 3
        await self.guardian.kill()
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        await self.guardian.start()

    async def leaves(self) -> None:
        """Slack is away for some seconds."""
        self.unsure += 3
        await self.slack.faults.away(self.chance.uniform(0.5, 4))

    async def loses(self) -> None:
        """Somebody deletes a card."""
        if shown := cards(self.slack):
            self.deleted += 1
            self.slack.faults.delete_message(ALERTS, self.chance.choice(shown).ts)

    def _tell(self, troubles: list[Trouble], status: str) -> None:
        if troubles:
            self.telling.append(
                asyncio.create_task(self.alertmanager.tells(*troubles, status=status, ceiling=120))
            )

    def _left(self) -> int:
        return self.guardian.count(
            """SELECT (SELECT count(*) FROM letters WHERE state = 'queued')
                    + (SELECT count(*) FROM alerts WHERE status != 'resolved')"""
        )

    def _look(self) -> None:
        told = Told.of(self.slack)
        log.warning(
            "%d alerts, %d letters, %d doubles of %d sends in doubt, %d cards deleted",
            self.made,
            len(told.letters),
            told.doubles,
            self.unsure,
            self.deleted,
        )
        assert self.guardian.count("SELECT count(*) FROM alerts") == self.made
        assert self.guardian.count("SELECT count(*) FROM letters WHERE state = 'dead'") == 0
        assert told.doubles <= self.unsure
        if not self.deleted:  # what was in the thread of a deleted card is gone with it
            everybody = {f"node-{number:03}" for number in range(1, self.made + 1)}
            assert set(told.fired) | set(told.fired_alone) == everybody
            assert set(told.resolved) | set(told.resolved_alone) == everybody
            assert told.twice == set()
        assert told.overtaken == []
        assert [words(card).splitlines()[0] for card in cards(self.slack) if not _over(card)] == []
        assert self.guardian.complaints() == []


def _over(card: Message) -> bool:
    return card.text.startswith("✅ 해결") or "모두 해결" in card.text


def _settings(folder: Path, door: int) -> dict[str, JsonValue]:
    step: JsonValue = [{"after": "1s", "tiers": [1]}]
    ladder: JsonValue = {"steps": step, "rounds": 1, "every": None}
    levels = ("warning", "critical", "emergency")
    return {
        **configuration(folder, free_port()),
        "webhooks": {"port": door},
        "policies": {"default": {"ladders": dict.fromkeys(levels, ladder)}},
    }
