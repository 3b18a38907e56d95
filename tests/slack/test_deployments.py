"""Deployments by command, form and button, before a real workspace, with a desk that only plans them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.domain.operations.approval import Click, State
from bot.domain.operations.plan import JsonObject, Plan, Step
from bot.domain.operations.record import OperationRecord
from bot.domain.operations.roles import Role, Roles
from bot.engine.board import Board
from bot.engine.deploy.choices import RevisionChoice
from bot.engine.guardian import Guardian, Identity
from bot.engine.operations.contract import OperationRefused, Stopped, Work
from bot.slack.background import Background
from bot.slack.bodies import form_values
from bot.slack.commands import all_commands
from bot.slack.connection import SocketMode, check_tokens, slack_session, web_client
from bot.slack.deploying import read_deploy, read_rollback
from bot.slack.deployments import back
from bot.slack.dispatch import Dispatcher
from bot.slack.listeners import build_app
from bot.slack.replies import Replies
from bot.store.database import Database
from bot.workspace.model import Container, Submission, SubmissionKind, View
from bot.workspace.server import Running
from messages.deploy_facts import DeploymentsFacts, DoraFacts, PlaceFacts
from messages.operation_facts import OperationClickFacts
from messages.render import Voice
from tests.engine.operations.jobs import Yard, open_yard
from tests.engine.support import SetClock
from tests.engine.surrounded import Surrounded
from tests.engine.watching import CpuRules
from tests.factories import T0
from tests.people import Person, elements, words
from tests.waiting import eventually

PLACES = {"shop": ("staging", "production"), "pay": ("production",)}
KNOWN = ("v3", "v2")
LIVE = "v1"


class Choices:
    """Two services, and the revisions that each has."""

    def __init__(self) -> None:
        self.revisions_known = {"shop": KNOWN, "pay": ()}
        self.slow = asyncio.Event()
        self.slow.set()

    def services(self) -> tuple[str, ...]:
        return tuple(PLACES)

    def environments(self, service: str) -> tuple[str, ...]:
        return PLACES.get(service, ())

    async def revisions(self, service: str, environment: str) -> tuple[RevisionChoice, ...]:
        await self.slow.wait()
        return tuple(RevisionChoice(name, f"{name} of {service}") for name in self.revisions_known[service])

    async def kept(self, service: str, environment: str) -> tuple[str, ...]:
        return ("v0",) if service == "shop" else ()

    async def status(self) -> DeploymentsFacts:
        place = PlaceFacts("shop", "production", LIVE, "a", None, kept=("v0",))
        return DeploymentsFacts((place,), (), "/guardian")

    async def dora(self, days: int) -> DoraFacts:
        return DoraFacts(days, (), "/guardian")


class Release:
    """A deployment or a rollback that changes nothing and lasts until somebody stops it, or it `ends`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[JsonObject] = []
        self.refuses: OperationRefused | None = None
        self.planning = asyncio.Event()
        self.planning.set()
        self.ends = asyncio.Event()

    async def plan(self, request: JsonObject, at: datetime) -> Plan:
        self.asked.append(dict(request))
        await self.planning.wait()
        if self.refuses is not None:
            raise self.refuses
        if request.get("service") not in PLACES:
            raise OperationRefused("deploy_service", service=str(request.get("service")), known=list(PLACES))
        if self.name == "deploy" and request.get("revision") not in KNOWN:
            revision = str(request.get("revision"))
            raise OperationRefused("deploy_revision_unknown", revision=revision, known=list(KNOWN))
        environment = str(request.get("environment") or "production")
        shown: JsonObject = {"service": str(request["service"]), "environment": environment, "current": "v1"}
        return Plan(self.name, environment, at, (Step("complete"),), shown)

    async def do(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        while not work.stopping:
            if self.ends.is_set():
                return {}
            await work.guided.wait(0.05)
        raise Stopped

    async def undo(self, plan: Plan, step: Step, work: Work) -> JsonObject:
        return {}


class Counter:
    """Where commands are typed."""

    def __init__(self, yard: Yard, world: Surrounded, deploy: Release, rollback: Release) -> None:
        self.yard = yard
        self.deploy = deploy
        self.rollback = rollback
        self.choices = Choices()
        identity = Identity("web-1", "production", "1.0", T0)
        self.guardian = Guardian(
            identity, Board([], CpuRules()), world.desk, world.outbox, world.ledger, world.clock
        )
        self.guardian.operations = yard.desk
        self.guardian.deployments = self.choices
        self.dispatcher = Dispatcher(self.guardian, "/guardian", all_commands())

    async def runs(self) -> OperationRecord:
        """A deployment that is under way."""
        asked = await self.yard.desk.ask(
            "deploy", {"service": "shop", "revision": "v2"}, "U0A", approved=True
        )
        number = (await self.yard.store.open())[0].id
        assert asked is not None
        return await self.yard.reaches(number, State.RUNNING)


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'guardian.db'}")
    clock = SetClock()
    world = await Surrounded.begins(database, clock)
    deploy, rollback = Release("deploy"), Release("rollback")
    async with open_yard(
        database, tmp_path / "chest", clock, operations={"deploy": deploy, "rollback": rollback}
    ) as yard:
        yard.roles = Roles()
        yield Counter(yard, world, deploy, rollback)
    await database.close()


@pytest.mark.parametrize(
    ("line", "request_made"),
    [
        ("shop v2 production", ("shop", "v2", "production")),
        ("shop v2 to production", ("shop", "v2", "production")),
        ("shop v2 → production", ("shop", "v2", "production")),
        ("SHOP v2 Production", ("shop", "v2", "production")),
        ("shop v2 production에", ("shop", "v2", "production")),
        ("shop v2 프로덕션으로", ("shop", "v2", "production")),
        ("shop v2 운영", ("shop", "v2", "production")),
        ("shop v2 moon", ("shop", "v2", "moon")),
        ("pay v2 스테이징", ("pay", "v2", "스테이징")),
        ("shop v2", ("shop", "v2", "")),
        ("nothing v2 production", ("nothing", "v2", "production")),
        ("shop --upload-pack=x production", ("shop", "--upload-pack=x", "production")),
    ],
)
def test_how_a_deployment_is_typed(line: str, request_made: tuple[str, str, str]) -> None:
    wanted = read_deploy(line.split(), Choices())
    assert wanted is not None
    assert (wanted.service, wanted.release, wanted.environment) == request_made


@pytest.mark.parametrize(
    ("line", "request_made"),
    [
        ("shop", ("shop", "", "")),
        ("shop production", ("shop", "", "production")),
        ("shop in production", ("shop", "", "production")),
        ("shop v1", ("shop", "v1", "")),
        ("shop v1 in staging", ("shop", "v1", "staging")),
        ("shop 프로덕션", ("shop", "", "production")),
    ],
)
def test_how_a_rollback_is_typed(line: str, request_made: tuple[str, str, str]) -> None:
    wanted = read_rollback(line.split(), Choices())
    assert wanted is not None
    assert (wanted.service, wanted.release, wanted.environment) == request_made


def test_more_words_than_are_understood_are_no_request() -> None:
    assert read_deploy("shop v2 production now".split(), Choices()) is None
    assert read_rollback("shop v1 production now".split(), Choices()) is None


async def test_a_button_on_an_alert_stops_the_deployment_while_it_is_under_way(counter: Counter) -> None:
    record = await counter.runs()
    value = json.dumps({"operation": record.id})
    assert await back(counter.dispatcher, value, "U0B") is None
    over = await counter.yard.reaches(record.id, State.UNDONE)
    assert over.stopped_by == "U0B"
    assert counter.rollback.asked == []


async def test_a_button_on_an_alert_plans_a_rollback_to_what_was_before_once_it_is_done(
    counter: Counter,
) -> None:
    record = await counter.runs()
    counter.deploy.ends.set()
    await counter.yard.reaches(record.id, State.DONE)
    value = json.dumps({"operation": record.id})
    answer = await back(counter.dispatcher, value, "U0B")
    assert answer is not None
    assert answer.template == "operation_asked"
    # Not to whatever was before the latest one: another may have been deployed since.
    assert counter.rollback.asked == [{"service": "shop", "environment": "production", "release": "v1"}]


async def test_a_button_on_an_alert_does_not_go_beyond_what_is_back_already(counter: Counter) -> None:
    record = await counter.runs()
    await counter.yard.desk.press(Click.STOP, record.id, record.plan_hash, "U0B")
    await counter.yard.reaches(record.id, State.UNDONE)
    answer = await back(counter.dispatcher, json.dumps({"operation": record.id}), "U0B")
    assert answer is not None
    assert isinstance(answer.facts, OperationClickFacts)
    assert answer.facts.verdict == "stale"
    assert counter.rollback.asked == []


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"operation": "x"}', '{"operation": 99}'])
async def test_a_button_of_nobody_starts_nothing(counter: Counter, value: str) -> None:
    answer = await back(counter.dispatcher, value, "U0B")
    assert answer is not None
    assert answer.template == "not_found"
    assert counter.rollback.asked == []


# Before a real workspace


class Door:
    """The counter, heard by people in a workspace."""

    def __init__(self, counter: Counter, slack: Running) -> None:
        self.counter = counter
        self.slack = slack

    def person(self) -> Person:
        return Person(self.slack, self.slack.workspace.users()[1])

    async def opens(self, line: str) -> View:
        """The form that a command opens."""
        person, workspace = self.person(), self.slack.workspace
        outcome = await workspace.run_command(person.id, person.channel("general").id, line)
        assert outcome.error is None, outcome
        return (await eventually(lambda: workspace.views.stack(person.id)))[-1]

    def current(self) -> View:
        """The form as it is now."""
        return self.slack.workspace.views.stack(self.person().id)[-1]

    async def chooses(self, view: View, field: str, value: str) -> None:
        """Choose from a menu of the form."""
        block_id, _ = elements(view, f"deploy_{field}")[0]
        action: dict[str, JsonValue] = {
            "block_id": block_id,
            "action_id": f"deploy_{field}",
            "selected_option": {"value": value},
        }
        outcome = await self.slack.workspace.click(self.person().id, Container(view_id=view.id), action)
        assert outcome.error is None, outcome

    async def submits(self, view: View, typed: str | None = None) -> Submission:
        """Send the form as it is, or with a revision that is typed."""
        values = dict(view.state_values)
        if typed is not None:
            block_id, _ = elements(view, "choice")[0]
            values[block_id] = {"choice": {"type": "plain_text_input", "value": typed}}
        return await self.slack.workspace.submit_view(self.person().id, view.id, values)


@pytest.fixture
async def door(counter: Counter, slack: Running) -> AsyncIterator[Door]:
    async with slack_session() as session:
        client = web_client(slack.bot_token, slack.api_url, session)
        replies = Replies(session, client, Voice("ko"))
        background = Background()
        app = build_app(
            web_client(slack.bot_token, slack.api_url, None), counter.dispatcher, replies, None, background
        )
        socket = SocketMode(app, slack.app_token)
        running = asyncio.create_task(socket.run(await check_tokens(client, slack.app_token)))
        await eventually(lambda: slack.workspace.app_online(slack.app.id))
        yield Door(counter, slack)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await socket.close()
        await background.close(1)


async def test_a_command_with_all_that_is_needed_asks_at_once(door: Door) -> None:
    answer = await door.person().types("/deploy shop v2 to production")
    assert "배포 #1 계획을" in words(answer)
    assert door.counter.deploy.asked == [{"service": "shop", "revision": "v2", "environment": "production"}]
    assert "롤백 #2 계획을" in words(await door.person().types("/guardian 롤백 shop production"))
    assert door.counter.rollback.asked == [{"service": "shop", "environment": "production"}]


async def test_what_there_is_none_of_is_said_with_what_there_is(door: Door) -> None:
    assert "`shop` `pay`" in words(await door.person().types("/deploy shpo v2"))
    assert "`v3` `v2`" in words(await door.person().types("/deploy shop v9"))
    for typed in ("shop v2 a b", "--help", "help", "도움말"):
        assert "`/deploy 서비스 리비전 [환경]`" in words(await door.person().types(f"/deploy {typed}"))
    assert "`/rollback 서비스 [릴리스] [환경]`" in words(await door.person().types("/rollback help"))


async def test_no_form_opens_for_somebody_who_may_not_ask(door: Door) -> None:
    members = {Role.OPERATOR: frozenset({"U0OPERATOR"})}
    door.counter.yard.roles = Roles(members, assigned=True)
    for typed in ("/deploy", "/rollback"):
        assert "할 수 있는 사람: <@U0OPERATOR>" in words(await door.person().types(typed))
    assert not door.slack.workspace.views.stack(door.person().id)


async def test_a_command_alone_opens_a_form_with_what_may_be_chosen(door: Door) -> None:
    view = await door.opens("/deploy")
    said = words(view)
    for each in ("shop", "pay", "staging", "production", "v3 – v3 of shop", "v2 – v2 of shop"):
        assert each in said
    # Production is this Guardian's own environment, and so it is chosen already.
    assert form_values({"state": {"values": view.state_values}})["environment"] == "production"
    assert (await door.submits(view)).kind is SubmissionKind.CLOSED
    await door.person().is_told("배포 #1 계획을", "general")
    assert door.counter.deploy.asked == [{"service": "shop", "revision": "v3", "environment": "production"}]


async def test_another_service_has_other_choices(door: Door) -> None:
    view = await door.opens("/deploy shop")
    await door.chooses(view, "service", "pay")
    changed = await eventually(lambda: new if (new := door.current()).hash != view.hash else None)
    assert "v3 – v3 of shop" not in words(changed)
    assert "staging" not in words(changed)
    # Nobody knows its revisions: they are typed.
    outcome = await door.submits(changed, "v9")
    assert outcome.kind is SubmissionKind.ERRORS
    ((field, problem),) = outcome.errors.items()
    assert field.startswith("choice:")
    assert "없는 리비전입니다: v9" in problem
    assert (await door.submits(changed, "v2")).kind is SubmissionKind.CLOSED
    await door.person().is_told("배포 #1 계획을", "general")


async def test_a_form_for_a_rollback_offers_the_release_before_and_what_is_kept(door: Door) -> None:
    view = await door.opens("/rollback")
    assert "바로 앞 릴리스" in words(view)
    assert "v0" in words(view)
    assert (await door.submits(view)).kind is SubmissionKind.CLOSED
    await door.person().is_told("롤백 #1 계획을", "general")
    assert door.counter.rollback.asked == [{"service": "shop", "environment": "production"}]


async def test_a_plan_that_takes_long_is_told_where_the_command_was_typed(door: Door) -> None:
    door.counter.deploy.planning.clear()
    view = await door.opens("/deploy")
    assert (await door.submits(view)).kind is SubmissionKind.CLOSED
    await door.person().is_told("계획을 세우는 중입니다", "general")
    door.counter.deploy.planning.set()
    await door.person().is_told("배포 #1 계획을", "general")


async def test_revisions_that_are_not_listed_in_time_are_typed(door: Door) -> None:
    door.counter.choices.slow.clear()
    view = await door.opens("/deploy")
    assert "태그, 브랜치, 커밋" in words(view)


async def test_in_a_conversation_there_is_no_form_and_the_words_are_said(door: Door) -> None:
    answer = await door.person().mentions("배포")
    assert "/deploy 서비스 리비전" in words(answer)
    assert "`shop` `pay`" in words(answer)


async def test_a_deployment_under_way_is_stopped_by_the_button_of_the_refusal(door: Door) -> None:
    record = await door.counter.runs()
    door.counter.rollback.refuses = OperationRefused("deploy_running", id=record.id, hash=record.plan_hash)
    person = door.person()
    answer = await person.types("/rollback shop")
    assert f"작업 #{record.id}" in words(answer)
    await person.presses(answer, "op_stop")
    over = await door.counter.yard.reaches(record.id, State.UNDONE)
    assert over.stopped_by == person.id


async def test_how_deployments_stand_is_answered(door: Door) -> None:
    assert "v1" in words(await door.person().types("/guardian 배포현황"))
    assert "최근 30일" in words(await door.person().types("/guardian 지표"))
    assert "최근 90일" in words(await door.person().types("/guardian dora 90"))
    assert "[1-365일]" in words(await door.person().types("/guardian dora many"))


async def test_where_nothing_is_deployed_that_is_said(door: Door) -> None:
    door.counter.guardian.deployments = None
    assert "배포할 서비스가 설정에 없습니다" in words(await door.person().types("/guardian deployments"))
    assert "아직 배포가 없습니다" in words(await door.person().types("/guardian dora"))
