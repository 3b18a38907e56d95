"""Who has which role, by what the workspace says now."""

from __future__ import annotations

import asyncio

from bot.domain.operations.roles import Role
from bot.slack.connection import web_client
from bot.slack.people import SlackPeople
from bot.slack.roles import SlackRoles


class Workspace(SlackPeople):
    """Answers who is in the only group when it is let."""

    def __init__(self) -> None:
        super().__init__(web_client("xoxb-none", "http://127.0.0.1:9/", None))
        self.users = frozenset({"U0BOB"})
        self.lets = asyncio.Event()
        self.asked = 0

    def members_of(self, handle: str) -> frozenset[str]:
        return self.users

    async def refresh_groups(self) -> None:
        self.asked += 1
        await self.lets.wait()
        self.users = frozenset()


async def test_whoever_asks_while_slack_is_being_asked_waits_for_its_answer() -> None:
    people = Workspace()
    roles = SlackRoles(people, {Role.APPROVER: ("group:@approvers",)})
    both = [asyncio.create_task(roles.fresh()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    people.lets.set()
    assert [found.may("U0BOB", Role.APPROVER) for found in await asyncio.gather(*both)] == [False, False]
    assert people.asked == 1
