"""Every state and every reason of the alert machine can come about."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import find
from hypothesis import strategies as st

from bot.domain.alerts.model import Condition, Status
from bot.domain.alerts.reasons import Reason
from bot.domain.levels import Level
from tests.factories import Nearby, Story, silence, subject

STEPS = st.lists(
    st.tuples(st.sampled_from(["measure", "miss", "ack", "unwatch"]), st.sampled_from([40.0, 75.0, 95.0]))
)


def _reaches(status: Status, steps: list[tuple[str, float]]) -> bool:
    story = Story()
    for number, (what, value) in enumerate(steps):
        seconds = number * 120.0
        match what:
            case "measure":
                story.value(seconds, value)
            case "miss":
                story.missed(seconds)
            case "ack":
                story.ack(seconds)
            case _:
                story.unwatched(seconds)
    return story.alert is not None and story.alert.status is status


def test_every_status_can_be_reached() -> None:
    for status in Status:
        find(STEPS, partial(_reaches, status))


def _of_checks(story: Story) -> None:
    story.tell([(0, 10), (1, None), (2, 75), (3, 10), (4, 75), (5, 75), (6, 75), (7, 75), (400, 75)])
    drawn = story.now.version
    story.tell([(401, 95), (402, 95)])
    story.ack(403, version=drawn)
    story.ack(404)
    story.ack(405)
    story.tell([(406, 75), (407, 75), (408, 10), (409, 10)])
    story.ack(410)
    story.tell([(411, 95), (412, 95)])
    story.unwatched(413)


def _of_misses(story: Story) -> None:
    story.subject = subject(Condition.NO_DATA)
    story.tell([(0, None), (1, None), (2, None), (3, 1.0), (4, 1.0)])


def _of_reports(story: Story) -> None:
    story.subject = subject(Condition.REPORTED)
    story.report(0, Level.WARNING)
    story.report(1, None)


def _of_failed_runs(story: Story) -> None:
    story.subject = subject(Condition.FAILED_RUN)
    story.failed(0, 1)
    story.failed(1, 2)


def _of_people(story: Story) -> None:
    story.tell([(0, 95), (1, 95)])
    story.resolve(2)
    story.active(3)
    story.ack(4)
    story.active(5)
    story.due(6)
    story.due(7200)
    story.value(7201, 10)
    story.resolve(7202)


def _of_the_ladder(story: Story) -> None:
    near = Nearby(on_call={"second": "U2"})
    story.around = near
    story.tell([(0, 95), (1, 95)])
    story.due(61)
    near.on_call.clear()
    story.due(7200)


def _of_covers(story: Story) -> None:
    near = Nearby(lies=silence())
    story.around = near
    story.tell([(0, 75), (1, 75), (2, 75), (3, 95), (4, 95)])
    near.lies = silence(ref="2")
    story.due(5)
    near.lies = None
    story.due(6)


def _of_flapping(story: Story) -> None:
    story.tell([(n, 75) for n in range(3)])
    story.tell([(3 + n, 75 if n % 2 else 10) for n in range(20)])
    story.tell([(30 + n, 75) for n in range(20)])


def _of_raising(story: Story) -> None:
    story.tell([(0, 75), (1, 75), (2, 75)])
    story.raised(3, Level.ERROR)
    story.raised(4, None)


def test_every_reason_can_come_about() -> None:
    """A reason that never comes about would be a sentence that nobody reads."""
    stories: list[Callable[[Story], None]] = [
        _of_checks,
        _of_misses,
        _of_reports,
        _of_failed_runs,
        _of_people,
        _of_the_ladder,
        _of_covers,
        _of_flapping,
        _of_raising,
    ]
    reasons: set[Reason] = set()
    for tell in stories:
        story = Story()
        tell(story)
        reasons |= set(story.reasons)
    assert reasons == set(Reason)
