"""A template that fails: the facts go out all the same."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from messages.render import Message, TemplateFailed, Voice
from tests.people import words
from tests.stage import Stage
from tests.waiting import eventually


class Stammering(Voice):
    """A voice that cannot say some things."""

    def __init__(self, *unsayable: str) -> None:
        super().__init__()
        self.unsayable = set(unsayable)

    def message(self, name: str, facts: Mapping[str, JsonValue]) -> Message:
        """The message, if it can be said."""
        if name in self.unsayable:
            raise TemplateFailed(name, KeyError("missing"))
        return super().message(name, facts)


async def test_an_alert_without_words_goes_out_as_its_facts_and_is_mended_by_the_next_edit(
    idle: Stage,
) -> None:
    voice = Stammering("alert", "alert_note")
    idle.voice = voice
    await idle.start()
    idle.dial.works(82)

    raw = await eventually(lambda: next((m for m in idle.posts() if "memory_usage" in words(m)), None))
    assert "web-1" in words(raw)
    assert "82" in words(raw)

    voice.unsayable.clear()
    idle.dial.works(40)
    mended = await idle.card("✅ 해결")
    assert mended.ts == raw.ts


async def test_an_answer_without_words_is_its_facts(idle: Stage) -> None:
    idle.voice = Stammering("status", "home")
    await idle.start()
    await idle.checks(1)
    assert "memory_usage" in words(await idle.person().types("/guardian status"))
    await idle.slack.workspace.open_home(idle.person().id, idle.slack.app.id)
    assert "수호자" in words(await idle.person().types("/guardian version")), "and nothing else suffers"
