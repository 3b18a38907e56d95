"""Many reports at one moment: each gets what the machine would have decided about it alone."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.covers import Cover, CoverKind
from bot.domain.alerts.ladder import Policy
from bot.domain.alerts.lifecycle import step
from bot.domain.alerts.model import Condition, Reported, Rule, Subject
from bot.domain.alerts.openings import Openings
from bot.domain.alerts.surroundings import Route
from bot.domain.levels import Level
from probes.base import Layer
from tests.factories import TIERS, Nearby, at

ROUTES = [Route("alerts", Policy(tiers=TIERS), "all"), Route("ops", Policy("nobody"), "ops")]
COVERS = [None, None, Cover(CoverKind.SILENCE, "7", at(600)), Cover(CoverKind.MAINTENANCE, "nightly", at(0))]
RULES = [Rule(metric, Layer.APPLICATION, None) for metric in ("Disk", "디스크")]


@dataclass
class Kept(Nearby):
    """Surroundings whose route is the same object each time, as it is in the Guardian."""

    taken: Route = ROUTES[0]

    def route(self, level: Level) -> Route:
        return self.taken


@dataclass(frozen=True)
class Case:
    rule: Rule
    around: Kept
    event: Reported
    target: str


def cases() -> st.SearchStrategy[Case]:
    event = st.builds(
        Reported,
        firing=st.booleans() | st.just(True),
        level=st.sampled_from(Level),
        at=st.sampled_from([at(0), at(-5)]),
        title=st.text(max_size=5),
        facts=st.dictionaries(st.sampled_from(["origin", "runbook"]), st.text(max_size=3)),
    )
    labels = st.dictionaries(st.sampled_from(["service", "team"]), st.text(max_size=3))
    on_call = st.sampled_from([{"first": "UFIRST"}, {}])
    return st.builds(
        Case,
        rule=st.sampled_from(RULES),
        around=st.builds(
            Kept, taken=st.sampled_from(ROUTES), lies=st.sampled_from(COVERS), labels=labels, on_call=on_call
        ),
        event=event,
        target=st.text(max_size=3),
    )


@given(st.lists(cases(), max_size=30))
def test_each_report_gets_what_it_would_have_got_alone(reports: list[Case]) -> None:
    openings = Openings(at(0))
    for number, case in enumerate(reports):
        subject = Subject("test", f"other:{number}", case.rule.metric, case.target, Condition.REPORTED)
        alone = step(case.rule, subject, None, case.event, at(0), case.around).about(number)
        assert openings.decide(case.rule, subject, case.event, case.around, number) == alone
