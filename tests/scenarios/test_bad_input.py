"""What nobody should send, at a Guardian on watch: a clear refusal, nothing changed, the watch goes on."""

from __future__ import annotations

import json

import pytest

from tests.alertmanager import Trouble, notification
from tests.doors import SECRET
from tests.people import OPS, words
from tests.stage import Stage
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b" " * 10_000_000, 413, "MB"),
        (notification([Trouble("node-1", name="x" * 2_000_000) for _ in range(4)]), 413, "MB"),
        (b"[" * 100_000, 400, "JSON"),
        (b"\xff\xfe", 400, "JSON"),
        (json.dumps({"version": "4", "status": "firing", "alerts": "none"}).encode(), 422, "alerts"),
    ],
    ids=["10_MB", "many_MB_of_labels", "deep", "no_text", "wrong"],
)
async def test_a_payload_that_cannot_be_taken_is_refused_with_its_reason(
    idle: Stage, body: bytes, status: int, reason: str
) -> None:
    alertmanager = idle.with_alertmanager()
    await idle.start()
    await alertmanager.tells(Trouble("node-0"))
    answer = await alertmanager.posts(body)
    assert answer.status == status, answer
    assert reason in json.dumps(answer.body, ensure_ascii=False)
    assert idle.rows("SELECT target FROM alerts") == [("node-0",)]
    assert (await alertmanager.posts(notification([Trouble("node-2")]), "wrong secret")).status == 401
    assert "열린 알림 1건" in words(await idle.person().types("/guardian status"))


async def test_control_characters_in_labels_are_refused_by_their_place(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    await idle.start()
    await alertmanager.tells(Trouble("node-0"))
    answer = await alertmanager.posts(notification([Trouble("node-1"), Trouble("node\x00\x1b[31m")]))
    assert answer.status == 422
    assert answer.error.startswith("alerts[1].labels.instance")
    assert idle.rows("SELECT target FROM alerts") == [("node-0",)]


async def test_markup_in_labels_calls_nobody(idle: Stage) -> None:
    alertmanager = idle.with_alertmanager()
    await idle.start()
    nasty = Trouble("<!channel>\u202e*_~`", name="<@U0DOYUN01> `", service="&lt;!here&gt;")
    await alertmanager.tells(nasty)
    card = await idle.card("🔥 긴급")
    await idle.thread_says("발령")
    said = json.dumps([words(card), card.blocks, card.attachments, idle.thread(card)], ensure_ascii=False)
    for mark in ("<!channel>", "<@U0DOYUN01>", "<!here>", "\u202e"):
        assert mark not in said
    assert idle.slack.workspace.mentioned(card) == frozenset()
    await idle.person(1).presses(card)
    await idle.card("확인:")
    await alertmanager.tells(nasty, status="resolved")
    await idle.card("✅ 해결")


async def test_what_would_hide_everything_is_asked_twice(stage: Stage) -> None:
    doyun = stage.person(1)
    for line in ("silence * for 2h 배포", "silence target=~.* for 2h 배포", "maintenance add * now 2h 배포"):
        question = await doyun.types(f"/guardian {line}")
        assert "아직 아무것도 바뀌지 않았습니다" in words(question)
    assert stage.rows("SELECT id FROM silences") + stage.rows("SELECT id FROM maintenance") == []
    await doyun.presses(question, "cover_confirm")
    await eventually(lambda: stage.rows("SELECT matcher FROM maintenance") == [("*",)])


async def test_a_regular_expression_that_runs_away_elsewhere_is_only_an_expression(stage: Stage) -> None:
    stage.dial.target = "a" * 40 + "!"
    stage.dial.works(82)
    await stage.card("⚠️ 주의")
    doyun = stage.person(1)
    assert "알림 없음" in words(await doyun.types("/guardian alerts target=~(a+)+$"))
    assert "1건" in words(await doyun.types("/guardian alerts target=~(a|aa)+.*"))
    refused = await doyun.types("/guardian silence target=~((((a{1,100}){1,100}){1,100}){1,100}) for 2h x")
    assert "정규식" in words(refused)
    assert stage.rows("SELECT id FROM silences") == []


async def test_a_person_whom_slack_does_not_know_is_told_of_and_the_next_step_comes_at_once(
    idle: Stage,
) -> None:
    alertmanager = idle.with_alertmanager()
    steps = [{"after": "0s", "tiers": [1]}, {"after": "1h", "tiers": [2]}]
    idle.with_policy(
        tiers=[["@nobody.here"], ["@doyun.lee"]],
        ladders={"critical": {"steps": steps, "rounds": 1, "every": None}},
    )
    await idle.start()
    assert "@nobody.here" in words(await idle.post("찾을 수 없는 사람", OPS))
    await alertmanager.tells(Trouble("node-1"))
    await idle.card("node-1")
    await eventually(lambda: len(idle.thread(idle.cards()[0])) == 3)
    said = "\n".join(idle.thread(idle.cards()[0]))
    assert said.index("1단계에 받을 사람이 없어") < said.index(f"<@{idle.person(1).id}>")
    assert idle.rows("SELECT round, step FROM pages") == [(1, 2)]
    assert len([m for m in idle.posts(OPS) if "찾을 수 없는 사람" in words(m)]) == 1
    assert SECRET not in json.dumps([words(m) for m in idle.posts(OPS)])
