"""Handles become ids, before a real workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.domain.operations.roles import Role
from bot.slack.connection import web_client
from bot.slack.manifest import manifest
from bot.slack.people import SlackPeople
from bot.slack.roles import SlackRoles
from bot.store.database import Database
from bot.store.duty import DutyStore
from bot.workspace.faults import FaultKind
from bot.workspace.model import User
from bot.workspace.server import Running, serve
from bot.workspace.settings import UNLIMITED


@dataclass
class Town:
    """A workspace and who is asked about it."""

    slack: Running
    client: Callable[[], SlackPeople]
    store: DutyStore
    told: list[str] = field(default_factory=list)

    def user(self, handle: str) -> User:
        return next(user for user in self.slack.workspace.users() if user.name == handle)


@pytest.fixture
async def town(slack: Running, tmp_path: Path) -> AsyncIterator[Town]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'people.db'}")
    store = DutyStore(database)
    async with aiohttp.ClientSession() as session:
        web = web_client(slack.bot_token, slack.api_url, session)
        made: Town
        made = Town(slack, lambda: SlackPeople(web, store, lambda each: made.told.append(each)), store)
        yield made
    await database.close()


async def test_handles_display_names_and_ids_of_people_and_handles_of_groups(town: Town) -> None:
    people = town.client()
    doyun = town.user("doyun.lee")
    assert await people.refresh() is None
    for reference in ("@doyun.lee", "@Doyun.Lee", "@이도윤", doyun.id):
        assert people.id_of(reference) == doyun.id, reference
    group = next(group for group in town.slack.workspace.user_groups() if group.handle == "operators")
    assert people.group_of("@operators") == group.id
    assert people.id_of("@operators") is None
    assert people.group_of("@doyun.lee") is None


async def test_an_unknown_handle_is_told_once_until_somebody_has_it(town: Town) -> None:
    people = town.client()
    assert people.id_of("@new.one") is None
    assert town.told == []  # nothing is known yet
    with capture_logs() as logs:
        await people.refresh()
        for _ in range(3):
            assert people.id_of("@new.one") is None
    assert town.told == ["@new.one"]
    assert [entry["reference"] for entry in logs if entry["event"] == "unknown_person"] == ["@new.one"]
    book = town.slack.workspace.book
    book.put_user(replace(town.user("jiwoo.han"), name="new.one"))
    await people.refresh()
    assert people.id_of("@new.one") == town.user("new.one").id
    book.put_user(replace(town.user("new.one"), deleted=True))
    await people.refresh()
    assert people.id_of("@new.one") is None
    assert town.told == ["@new.one"] * 2


async def test_of_what_people_type_nothing_is_told(town: Town) -> None:
    people = town.client()
    await people.refresh()
    assert people.find("@nobody") is None
    assert people.find("@doyun.lee") == town.user("doyun.lee").id
    assert town.told == []


async def test_a_display_name_of_two_people_and_a_bot_are_nobody(town: Town) -> None:
    book = town.slack.workspace.book
    for handle in ("doyun.lee", "minjun.choi"):
        book.put_user(replace(town.user(handle), display_name="당직"))
    people = town.client()
    await people.refresh()
    bot = town.slack.workspace.users()[-1]
    assert people.id_of("@당직") is None
    assert people.id_of(f"@{bot.name}") is None
    assert people.id_of("@doyun.lee") is not None


async def test_many_pages_are_read_to_the_end(town: Town) -> None:
    book, pattern = town.slack.workspace.book, town.user("jiwoo.han")
    for number in range(1500):
        book.put_user(replace(pattern, id=f"U0PAGE{number:04}", name=f"person.{number}", display_name=""))
    people = town.client()
    await people.refresh()
    assert people.id_of("@person.1499") == "U0PAGE1499"


async def test_after_a_restart_without_slack_the_ids_that_were_needed_are_still_known(town: Town) -> None:
    first = town.client()
    first.id_of("@doyun.lee")
    await first.refresh()
    second = town.client()
    await second.load()
    town.slack.faults.add("users.list", FaultKind.ERROR)
    assert await second.refresh() is not None
    assert second.id_of("@doyun.lee") == town.user("doyun.lee").id
    assert second.id_of("@seoyeon.park") is None
    assert town.told == []
    assert await second.refresh() is None
    assert second.id_of("@seoyeon.park") == town.user("seoyeon.park").id


async def test_without_the_permission_it_waits_longer_and_without_that_for_groups_knows_people(
    tmp_path: Path,
) -> None:
    for missing, known in (("usergroups:read", True), ("users:read", False)):
        values = manifest()
        config = values["oauth_config"]
        assert isinstance(config, dict)
        scopes = config["scopes"]
        assert isinstance(scopes, dict)
        bot = scopes["bot"]
        assert isinstance(bot, list)
        bot.remove(missing)
        async with serve(
            tmp_path / missing[:5], manifest=values, channels=["a"], rate_limits=UNLIMITED
        ) as slack:
            async with aiohttp.ClientSession() as session:
                people = SlackPeople(web_client(slack.bot_token, slack.api_url, session))
                wait = await people.refresh()
                assert (people.id_of("@doyun.lee") is not None) is known
                assert (wait is None) is known
                assert people.group_of("@operators") is None


async def test_power_comes_by_a_handle_and_never_by_a_display_name(town: Town) -> None:
    book = town.slack.workspace.book
    mallory = replace(town.user("jiwoo.han"), display_name="former.colleague")
    book.put_user(mallory)
    people = town.client()
    await people.refresh()
    assert people.id_of("@former.colleague") == mallory.id
    roles = SlackRoles(people, {Role.APPROVER: ("@former.colleague",), Role.OPERATOR: ("@doyun.lee",)})
    found = await roles.fresh()
    assert not found.may(mallory.id, Role.OPERATOR)
    assert found.may(town.user("doyun.lee").id, Role.OPERATOR)
