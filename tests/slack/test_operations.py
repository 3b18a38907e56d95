"""Operations by command, button and form, through a real workspace, with a zombie of our own to look at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from pydantic import JsonValue

from bot.config.cleanup import CleanupSettings
from bot.config.operations import OperationSettings, RoleSettings
from bot.workspace.faults import FaultKind
from bot.workspace.model import Message, SubmissionKind
from tests.people import OPS, elements, words
from tests.stage import Stage
from tests.waiting import eventually

ROLES = {
    "operator": ["group:@operators"],
    "approver": ["group:@approvers"],
    "administrator": ["group:@administrators"],
}
ONLY_ZOMBIES = {
    "logs": {"roots": []},
    "temporary": {"roots": []},
    "caches": {"npm": None, "pip": None, "docker": None},
}
DONE = "host:web-1 – 완료"
VIEWER, OPERATOR, APPROVER, ADMINISTRATOR = range(4)
SLEEPS = "import os, sys; pid = os.fork(); pid or os._exit(0); print(pid, flush=True); sys.stdin.read()"


@pytest.fixture
def zombie() -> Iterator[int]:
    """A process that has ended and that nobody has waited for."""
    parent = subprocess.Popen([sys.executable, "-c", SLEEPS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    try:
        yield int(parent.stdout.readline())
    finally:
        parent.communicate()


@pytest.fixture
async def guarded(idle: Stage, zombie: int) -> Stage:
    """A Guardian with roles, that cleans up nothing but zombies; and one is there."""
    assert zombie > 1
    idle.changed(
        roles=RoleSettings.model_validate(ROLES), cleanup=CleanupSettings.model_validate(ONLY_ZOMBIES)
    )
    await idle.start()
    await eventually(lambda: idle.posts(OPS))
    return idle


async def card_of(stage: Stage, said: str) -> Message:
    """The card in the channel that says this."""
    return await eventually(lambda: next((m for m in stage.posts(OPS) if said in words(m)), None))


async def reaches(stage: Stage, card: Message, said: str) -> Message:
    """The card as soon as it says this."""
    return await eventually(lambda: current if said in words(current := stage.current(card)) else None)


async def planned(stage: Stage, who: int = OPERATOR) -> Message:
    """A cleanup that somebody has asked for, and its card."""
    answer = await stage.person(who).types("/cleanup 좀비")
    assert "계획을" in words(answer)
    return await card_of(stage, "승인 대기")


async def test_an_operator_asks_an_approver_approves_and_it_is_done(guarded: Stage) -> None:
    card = await planned(guarded)
    assert "좀비 프로세스의 부모 확인" in words(card)
    assert [len(elements(card, f"op_{name}")) for name in ("approve", "deny", "cancel", "glass")] == [1] * 4
    await guarded.person(OPERATOR).presses(card, "op_approve")
    told = await guarded.person(OPERATOR).is_told("권한이 없습니다", OPS)
    assert guarded.person(APPROVER).id in words(told)
    await guarded.person(APPROVER).presses(guarded.current(card), "op_approve")
    done = await reaches(guarded, card, DONE)
    assert elements(done, "op_approve") == []
    thread = await eventually(
        lambda: (
            said if "끝났습니다" in (said := "".join(map(words, guarded.person().sees(OPS, card.ts)))) else ""
        )
    )
    assert "정밀 스캔" in thread


async def test_a_viewer_is_told_who_could_ask(guarded: Stage) -> None:
    answer = await guarded.person(VIEWER).types("/guardian cleanup")
    assert "운영자" in words(answer)
    assert guarded.person(OPERATOR).id in words(answer)


async def test_a_stale_click_is_answered_and_changes_nothing(guarded: Stage) -> None:
    card = await planned(guarded)
    await guarded.person(APPROVER).presses(card, "op_deny")
    await reaches(guarded, card, "거부됨")
    await guarded.person(ADMINISTRATOR).presses_late(card, "op_approve")
    await guarded.person(ADMINISTRATOR).is_told("늦었습니다", OPS)
    assert "거부됨" in words(guarded.current(card))


async def test_whoever_asked_takes_it_back(guarded: Stage) -> None:
    card = await planned(guarded)
    await guarded.person(OPERATOR).presses(card, "op_cancel")
    await reaches(guarded, card, "취소됨")


async def test_the_glass_is_broken_by_a_form_with_a_reason(guarded: Stage) -> None:
    card = await planned(guarded)
    who = guarded.person(OPERATOR)
    await who.presses(card, "op_glass")
    workspace = guarded.slack.workspace
    view = (await eventually(lambda: workspace.views.stack(who.id)))[-1]
    values: dict[str, JsonValue] = {
        "reason": {"reason": {"type": "plain_text_input", "value": "disk is full"}}
    }
    outcome = await workspace.submit_view(who.id, view.id, values)
    assert outcome.kind is SubmissionKind.CLOSED, outcome
    done = await reaches(guarded, card, DONE)
    assert "비상 승인" in words(done)
    assert "disk is full" in words(done)
    note = await eventually(lambda: next((m for m in guarded.posts(OPS) if "혼자 승인" in words(m)), None))
    assert guarded.person(ADMINISTRATOR).id in words(note)


async def test_a_second_person_has_to_approve_where_the_configuration_says_so(
    idle: Stage, zombie: int
) -> None:
    idle.changed(
        cleanup=CleanupSettings.model_validate(ONLY_ZOMBIES),
        operations=OperationSettings.model_validate({"second_person": ["cleanup"]}),
    )
    await idle.start()
    card = await planned(idle)
    assert "다른 사람" in words(card)
    await idle.person(OPERATOR).presses(card, "op_approve")
    await idle.person(OPERATOR).is_told("스스로 승인할 수 없습니다", OPS)
    await idle.person(VIEWER).presses(idle.current(card), "op_approve")
    await reaches(idle, card, DONE)


async def test_locks_and_freezes_by_command(guarded: Stage) -> None:
    operator, approver = guarded.person(OPERATOR), guarded.person(APPROVER)
    assert "잠갔습니다" in words(await operator.types("/guardian lock host:web-1 2h 데이터 이전"))
    assert "데이터 이전" in words(await operator.types("/guardian ops"))
    card = await planned(guarded)
    await approver.presses(card, "op_approve")
    await reaches(guarded, card, "대기 1번째")
    assert "풀었습니다" in words(await approver.types("/guardian unlock host:web-1"))
    await reaches(guarded, card, DONE)
    assert "권한이 없습니다" in words(await operator.types("/guardian freeze * 2h 출시"))
    assert "작업 대상이 아닙니다" in words(await approver.types("/guardian freeze nowhere 2h 출시"))
    assert "쓸 수 없는 기간: 0m." in words(await approver.types("/guardian freeze * 0m 출시"))
    assert "쓸 수 없는 기간: 99999h." in words(await approver.types("/guardian freeze * 99999h 출시"))
    assert "동결했습니다" in words(await approver.types("/guardian freeze * 2h 출시"))
    await operator.types("/cleanup")
    await operator.is_told("지금은 동결 중입니다", "general")
    assert "동결을 끝냈습니다" in words(await approver.types("/guardian freeze end 1"))
    assert "동결이 없습니다" in words(await approver.types("/guardian freeze"))


async def test_locks_and_freezes_by_korean_words_and_names_in_quotes(guarded: Stage) -> None:
    operator, approver = guarded.person(OPERATOR), guarded.person(APPROVER)
    said = words(await operator.types("/guardian 잠금 “host:web-1” 2시간 don't touch 'it"))
    assert "잠갔습니다" in said
    assert "don't touch 'it" in said
    assert "`/guardian 잠금해제 host:web-1`" in said
    assert "풀었습니다" in words(await approver.types("/guardian 잠금해제 'host:web-1'"))
    assert "따옴표가 닫히지 않았습니다" in words(
        await operator.types('/guardian 잠금 "host:web-1 2시간 이전')
    )
    made = words(await approver.types('/guardian 동결 "host:my web*" 2시간 출시'))
    assert "`host:my web*`" in made
    assert "`/guardian 동결 끝 #1`" in made
    assert "동결을 끝냈습니다" in words(await approver.types("/guardian 동결 끝 #1"))
    assert "`/guardian 정리 되돌리기 번호`" in words(await operator.types("/guardian 정리 되돌리기 x"))


async def test_a_run_goes_on_after_the_guardian_was_stopped_and_started(guarded: Stage) -> None:
    operator, approver = guarded.person(OPERATOR), guarded.person(APPROVER)
    await operator.types("/guardian lock host:web-1 2h 기다림")
    card = await planned(guarded)
    await approver.presses(card, "op_approve")
    await reaches(guarded, card, "대기 1번째")
    await guarded.stop()
    await guarded.start()
    await approver.types("/guardian unlock host:web-1")
    await reaches(guarded, card, DONE)


@pytest.mark.parametrize("words_typed", ["; rm -rf /", "--all", "../..", "$(reboot)", "x" * 10_000])
async def test_words_that_name_no_stage_are_refused_and_nothing_starts(
    guarded: Stage, words_typed: str
) -> None:
    answer = await guarded.person(OPERATOR).types(f"/cleanup {words_typed}")
    assert "정리할 수 없는 단계입니다" in words(answer)
    assert not any("승인 대기" in words(m) for m in guarded.posts(OPS))


async def test_the_audit_log_has_every_step(guarded: Stage) -> None:
    card = await planned(guarded)
    await guarded.person(APPROVER).presses(card, "op_approve")
    await reaches(guarded, card, DONE)
    actions = [row[0] for row in guarded.rows("SELECT action FROM audit ORDER BY number")]
    assert actions == ["operation.ask", "operation.approve", "operation.start", "operation.end"]


ORPHAN = """
import os, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork() == 0:
    os._exit(0)
print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def orphan() -> Iterator[int]:
    """A process with a zombie that is no child of ours: only such ones may be restarted."""
    started = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE)
    assert started.stdout is not None
    with started.stdout as told:
        pid = int(told.readline())
    started.wait()
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_a_stage_that_fails_is_an_alert_that_says_which(idle: Stage, orphan: int) -> None:
    name = psutil.Process(orphan).name()
    idle.changed(
        cleanup=CleanupSettings.model_validate({**ONLY_ZOMBIES, "zombies": {"restart": {name: ["false"]}}})
    )
    await idle.start()
    card = await planned(idle)
    await idle.person(APPROVER).presses(card, "op_approve")
    await reaches(idle, card, "되돌림")
    alert = await idle.card("좀비 프로세스의 부모 확인")
    assert "다시 시작하도록 요청하지 못했습니다" in words(alert)


NPM = """#!/bin/sh
[ "$2" = ls ] && echo make-fetch-happen:request-cache:https://registry.example/one
[ "$2" = clean ] && touch "$0.began" && while [ -e "$0.hold" ]; do sleep 0.05; done
exit 0
"""


@pytest.fixture
def with_a_list(idle: Stage) -> Stage:
    """A Guardian whose cleanups have a list: of a cache, because that needs no backup."""
    npm = idle.folder / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    caches = {"npm": [str(npm)], "pip": None, "docker": None}
    idle.changed(cleanup=CleanupSettings.model_validate({**ONLY_ZOMBIES, "caches": caches}))
    return idle


def lists(stage: Stage, card: Message) -> list[Message]:
    """The messages with a file in the thread of that card."""
    return [message for message in stage.person().sees(OPS, card.ts) if message.files]


async def test_a_list_that_slack_did_not_take_before_a_restart_is_there_after_it(with_a_list: Stage) -> None:
    stage = with_a_list
    await stage.start()
    stage.slack.faults.add("files.getUploadURLExternal", FaultKind.RATE_LIMITED, seconds=600, retry_after=30)
    await stage.person(OPERATOR).types("/cleanup 캐시")
    card = await card_of(stage, "승인 대기")
    await stage.stop()
    assert lists(stage, card) == []
    await stage.slack.faults.clear()
    await stage.start()
    await eventually(lambda: lists(stage, card))
    await eventually(lambda: stage.rows("SELECT name FROM operation_files"))
    await stage.stop()
    await stage.start()
    await stage.person(OPERATOR).types("/guardian ops")
    assert len(lists(stage, card)) == 1


async def test_a_list_that_arrived_without_an_answer_is_not_sent_twice(with_a_list: Stage) -> None:
    stage = with_a_list
    await stage.start()
    stage.slack.faults.add("files.completeUploadExternal", FaultKind.ACCEPT_AND_HANG)
    await stage.person(OPERATOR).types("/cleanup 캐시")
    card = await card_of(stage, "승인 대기")
    await eventually(lambda: lists(stage, card))
    await stage.crash()
    await stage.slack.faults.clear()
    await stage.start()
    await eventually(lambda: stage.rows("SELECT name FROM operation_files"))
    assert len(lists(stage, card)) == 1


async def test_a_damaged_file_of_runs_is_said_and_the_watch_and_new_runs_go_on(with_a_list: Stage) -> None:
    stage = with_a_list
    hold = stage.folder / "npm.hold"
    hold.touch()
    await stage.start()
    await stage.person(OPERATOR).types("/cleanup 캐시")
    lost = await card_of(stage, "승인 대기")
    await stage.person(APPROVER).presses(lost, "op_approve")
    await eventually((stage.folder / "npm.began").exists)
    await stage.crash()
    runs = stage.database.with_name("guardian-runs.db")
    for file in (runs, runs.with_name("guardian-runs.db-wal")):
        file.write_bytes(b"this is no database " * 5000)
    hold.unlink()

    await stage.start()
    failed = await reaches(stage, lost, "실패, 확인 필요")
    assert "손상된 실행 기록 파일" in words(failed)
    notice = await eventually(
        lambda: next((m for m in stage.posts(OPS) if "손상되었습니다" in words(m)), None)
    )
    (aside,) = runs.parent.glob("guardian-runs.db.broken-*Z")
    assert str(aside) in words(notice)
    assert aside.read_bytes() == b"this is no database " * 5000
    await stage.card("캐시 비우기", "🔥 긴급")
    await stage.checks(2)
    await stage.person(OPERATOR).types("/cleanup 캐시")
    again = await card_of(stage, "승인 대기")
    await stage.person(APPROVER).presses(again, "op_approve")
    await reaches(stage, again, DONE)
