"""Names that would page everyone, through the whole chain."""

from __future__ import annotations

import pytest

from probes.base import Problem, ProblemKind
from tests.people import words
from tests.stage import Stage
from tests.waiting import eventually

NAME = "web <!channel> <!here> <@U0000001> &amp; @everyone *x* `y`"


async def test_a_hostile_target_pages_nobody_anywhere(idle: Stage) -> None:
    idle.dial.target = NAME
    idle.changed(name=NAME[:60], environment="<!channel>")
    await idle.start()
    idle.dial.works(82)
    card = await idle.card("⚠️ 주의")
    someone = idle.person(1)
    await someone.presses(card)
    await idle.card(f"<@{someone.id}>")
    idle.dial.problem = Problem(ProblemKind.FAILED, "<!channel> <!subteam^S0000001> broke")
    await idle.card("측정 불가", number=1)
    answers = [
        await someone.types(f"/guardian {line}")
        for line in (
            "status",
            "probes",
            f"probes {NAME}",
            "alerts",
            "alerts 1",
            "version",
            NAME,
            f"alerts {NAME}",
        )
    ]
    answers.append(await someone.mentions("version"))
    await idle.slack.workspace.open_home(someone.id, idle.slack.app.id)
    home = await eventually(lambda: idle.slack.workspace.home(idle.slack.app.id, someone.id))

    shown = [*idle.posts(), *idle.posts("guardian-ops"), *answers]
    for message in shown:
        paged = idle.slack.workspace.mentioned(message) - {someone.id}
        assert paged == frozenset(), words(message)
        assert "<!" not in words(message).replace("<!date^", "")
    assert "<!" not in words(home).replace("<!date^", "")
    assert "&lt;!channel&gt;" in words(card), "it is shown as it is written"


@pytest.mark.parametrize("typed", ["@channel", "@here @everyone", "<!channel>", "@doyun.lee"])
async def test_what_somebody_types_pages_nobody_when_it_is_repeated(stage: Stage, typed: str) -> None:
    answer = await stage.person().types(f"/guardian {typed}")
    assert "모르는 명령" in words(answer)
    assert stage.slack.workspace.mentioned(answer) == frozenset()
