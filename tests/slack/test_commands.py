"""Everything one can ask, in every way one can ask it, through a real workspace."""

from __future__ import annotations

import asyncio

import pytest

from bot import __version__
from bot.slack.commands import all_commands
from tests.people import ALERTS, Person, words
from tests.stage import Stage
from tests.waiting import eventually

SAYS = {
    "status": "시스템 상태: 정상 (Green)",
    "상태": "시스템 상태: 정상 (Green)",
    "probes": "점검 항목 1개, 모두 측정됨",
    "점검": "점검 항목 1개, 모두 측정됨",
    "alerts": "모니터링 알림 없음",
    "알림": "모니터링 알림 없음",
    "explain": "이렇게 써 주세요: `/guardian 근거 번호`",
    "근거": "이렇게 써 주세요: `/guardian 근거 번호`",
    "heartbeats": "등록된 생존신호 없음",
    "생존신호": "등록된 생존신호 없음",
    "noise": "최근 30일 동안 발령된 알림이 없습니다.",
    "소음": "최근 30일 동안 발령된 알림이 없습니다.",
    "audit": "감사 기록이 아직 없습니다",
    "감사": "감사 기록이 아직 없습니다",
    "oncall": "설정된 당직이 없습니다",
    "당직": "설정된 당직이 없습니다",
    "silence": "알림 멈춤 없음",
    "침묵": "알림 멈춤 없음",
    "maintenance": "점검창 없음",
    "점검창": "점검창 없음",
    "route": "경로: default",
    "경로": "경로: default",
    "ops": "열린 작업이 없습니다.",
    "작업": "열린 작업이 없습니다.",
    "deploy": "배포할 서비스가 없습니다",
    "배포": "배포할 서비스가 없습니다",
    "rollback": "배포할 서비스가 없습니다",
    "롤백": "배포할 서비스가 없습니다",
    "deployments": "배포할 서비스가 설정에 없습니다",
    "배포현황": "배포할 서비스가 설정에 없습니다",
    "dora": "아직 배포가 없습니다",
    "지표": "아직 배포가 없습니다",
    "cleanup": "백업 없는 작업 절대 금지",
    "정리": "백업 없는 작업 절대 금지",
    "backup": "백업이 설정되지 않았습니다",
    "백업": "백업이 설정되지 않았습니다",
    "lock": "무엇을 잠글지 쓰세요.",
    "잠금": "무엇을 잠글지 쓰세요.",
    "unlock": "무엇을 풀지 쓰세요",
    "잠금해제": "무엇을 풀지 쓰세요",
    "freeze": "동결이 없습니다.",
    "동결": "동결이 없습니다.",
    "help": "수호자에게 할 수 있는 말",
    "도움말": "수호자에게 할 수 있는 말",
    "version": f"수호자 {__version__}",
    "버전": f"수호자 {__version__}",
}


def test_every_command_is_tried_here() -> None:
    assert {name for command in all_commands() for name in (command.name, command.korean)} == set(SAYS)


@pytest.fixture
async def asked(stage: Stage) -> Person:
    """Somebody who asks after the first check."""
    await stage.checks(1)
    return stage.person()


async def test_every_command_answers_by_each_of_its_names(asked: Person) -> None:
    for word, said in SAYS.items():
        answer = await asked.types(f"/guardian {word}")
        assert said in words(answer), word
        assert answer.ephemeral_for == asked.id


async def test_a_mention_is_answered_in_its_thread(asked: Person) -> None:
    for word, said in SAYS.items():
        answer = await asked.mentions(word)
        assert said in words(answer), word


async def test_a_direct_message_is_answered_there(asked: Person) -> None:
    for word, said in SAYS.items():
        assert said in words(await asked.writes(word)), word


@pytest.mark.parametrize("line", ["/guardian", "/guardian   ", "/guardian STATUS", "/guardian  status  "])
async def test_the_status_is_what_one_gets_by_default(asked: Person, line: str) -> None:
    assert "시스템 상태: 정상 (Green)" in words(await asked.types(line))


async def test_a_bare_mention_and_the_slash_in_a_message_work_too(asked: Person) -> None:
    assert "시스템 상태" in words(await asked.mentions(""))
    assert "모니터링 알림 없음" in words(await asked.writes("/guardian alerts"))


@pytest.mark.parametrize(
    ("typed", "meant"), [("statsu", "status"), ("도움마", "도움말"), ("probe", "probes")]
)
async def test_a_mistyped_command_gets_the_nearest(asked: Person, typed: str, meant: str) -> None:
    answer = words(await asked.types(f"/guardian {typed}"))
    assert f"모르는 명령: `{typed}`" in answer
    assert f"`/guardian {meant}`" in answer


async def test_nonsense_gets_the_list_of_commands(asked: Person) -> None:
    answer = words(await asked.types("/guardian ㅁㄴㅇㄹ 12 <@everyone>"))
    assert "모르는 명령" in answer
    assert "혹시" not in answer
    assert "`상태`" in answer


@pytest.mark.parametrize("argument", ["-1", "abc", "1 2", "99999999999999999999", "#", "1.5"])
async def test_a_bad_argument_is_named_with_what_would_be_right(asked: Person, argument: str) -> None:
    answer = words(await asked.types(f"/guardian alerts {argument}"))
    assert f"쓸 수 없는 값: `{argument}`" in answer
    assert "/guardian 알림 [전체] [조건] | 번호" in answer


@pytest.mark.parametrize("number", ["0", "7", "#7", "99999999999999999"])
async def test_an_unknown_alert_is_said_to_be_unknown(asked: Person, number: str) -> None:
    answer = words(await asked.types(f"/guardian alerts {number}"))
    assert "없는 알림" in answer


async def test_an_alert_is_explained_by_its_number(stage: Stage) -> None:
    stage.dial.works(82)
    card = await stage.card("⚠️ 주의")
    doyun = stage.person(1)
    await doyun.presses(card)
    await stage.card(f"<@{doyun.id}>")
    for line in ("/guardian alerts 1", "/guardian 알림 #1"):
        answer = words(await stage.person().types(line))
        assert "나쁜 값이 이어져 알림을 발령했습니다" in answer
        assert f"사람이 알림을 확인했습니다. (발령 → 확인됨) · <@{doyun.id}>" in answer or doyun.id in answer
    everything = words(await stage.person().types("/guardian 알림 전체"))
    assert "#1" in everything
    unknown = words(await stage.person().types("/guardian alerts 9"))
    assert "가능: `1`" in unknown


async def test_a_step_that_reached_nobody_is_explained_like_any_decision(idle: Stage) -> None:
    at_once = {"steps": [{"after": "0s", "tiers": [tier]} for tier in (1, 2, 3)]}
    absent = [["schedule:night", "@nobody.here"], ["group:@none"]]
    idle.with_policy(tiers=[*absent, [f"#{ALERTS}"]], ladders={"critical": at_once})
    await idle.start()
    idle.dial.works(95)
    await idle.card("🔥 긴급")
    await eventually(lambda: idle.rows("SELECT step FROM pages"))
    for line in ("/guardian explain 1", "/guardian alerts 1"):
        said = words(await idle.person().types(line))
        fired = said.index("알림을 발령했습니다")
        first = said.index("1회차 1단계에 받을 사람이 없었습니다")
        second = said.index("1회차 2단계에 받을 사람이 없었습니다")
        assert fired < first < second
        assert "부르려던 대상: `group:@none` (찾을 수 없음)" in said[second:]
        assert "`schedule:night` (당직자 없음), `@nobody.here` (찾을 수 없음)" in said[first:second]
    reasons = idle.rows("SELECT reason FROM decisions WHERE alert_id = 1 ORDER BY id")
    assert reasons == [("below_confirmation",), ("confirmed",), ("step_empty",), ("step_empty",)]


async def test_one_probe_is_shown_in_full_by_its_name_or_target(asked: Person) -> None:
    for name in ("memory", "MEMORY", "web-1"):
        answer = words(await asked.types(f"/guardian probes {name}"))
        assert "점검: memory" in answer
        assert "50%" in answer
    unknown = words(await asked.types("/guardian probes memry"))
    assert "없는 점검 항목: `memry`" in unknown
    assert "`memory`" in unknown


async def test_duplicate_envelopes_are_answered_once(asked: Person, stage: Stage) -> None:
    stage.slack.faults.duplicate(2)
    await asked.types("/guardian status")
    await asked.mentions("version")
    await eventually(lambda: stage.slack.workspace.sockets.duplicates == 0)
    await asked.types("/guardian help")
    await asked.writes("help")

    answers = [words(message) for message in asked.sees("general") if message.ephemeral_for]
    assert sum("(Green)" in answer for answer in answers) == 1
    threads = [m for parent in asked.sees("general") for m in asked.sees("general", parent.ts)[1:]]
    assert len(threads) == 1


async def test_what_bots_say_and_what_is_edited_is_nobodys_question(asked: Person, stage: Stage) -> None:
    answer = await asked.writes("version")
    direct = answer.channel
    own = next(message for message in asked.sees(direct) if message.user == asked.id)
    await stage.slack.workspace.edit_own_message(asked.id, direct, own.ts, "status")
    await asked.writes("help")

    from_bot = [words(message) for message in asked.sees(direct) if message.user != asked.id]
    assert len(from_bot) == 2
    assert not any("(Green)" in said for said in from_bot)


async def test_many_questions_at_once_are_all_answered(asked: Person) -> None:
    place = asked.channel("general").id
    outcomes = await asyncio.gather(
        *(asked.slack.workspace.run_command(asked.id, place, "/guardian version") for _ in range(50))
    )
    assert all(outcome.error is None for outcome in outcomes)
    answers = await eventually(
        lambda: found if len(found := [m for m in asked.sees("general") if m.ephemeral_for]) >= 50 else None
    )
    assert len(answers) == 50


async def test_english_is_spoken_where_the_configuration_says_so(idle: Stage) -> None:
    idle.changed(language="en")
    await idle.start()
    await idle.checks(1)
    assert "(Green)" in words(await idle.person().types("/guardian 상태"))
    assert "Acknowledge" in words(await idle.person().types("/guardian 도움말"))
    idle.dial.works(82)
    await idle.card("Warning", "Acknowledge", "memory")
