"""A service and where it runs, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from bot.domain.deploy.checks import ByCommand, Check, CheckRule, LeftOut, Trial, TrialRule
from bot.domain.deploy.plan import Checked, DeployFacts
from bot.domain.deploy.risk import Risk, RiskLevel
from bot.domain.deploy.service import Environment, HealthRules, Limits, ProbeRules, Service
from bot.domain.deploy.slots import Slot

MINUTE = timedelta(minutes=1)
PRODUCTION = Environment(
    name="production",
    addresses=MappingProxyType({Slot.A: "127.0.0.1:9001", Slot.B: "127.0.0.1:9002"}),
    health=HealthRules("/health", (200, 200), "ok", timedelta(seconds=2), MINUTE, 3),
    stages=(10, 25, 50, 75, 100),
    dwell=5 * MINUTE,
    warm=30 * MINUTE,
    limits=Limits(0.1, 500, 70, 80),
    probes=ProbeRules(("/",), 50),
    ask_for=30 * MINUTE,
    lease=timedelta(seconds=30),
    drain=timedelta(seconds=10),
    lock_after_rollback=60 * MINUTE,
    keep=5,
    second_person=True,
    data=("/srv/shop/data",),
    no_data="",
)
_LEFT_OUT = LeftOut("an API without pages")
_COMMAND = ByCommand(("make", "check"), MINUTE)
_CHECKS: dict[Check, CheckRule] = {
    each: _LEFT_OUT if each in (Check.COMPATIBILITY, Check.ACCESSIBILITY) else _COMMAND for each in Check
}
_TRIALS: dict[Trial, TrialRule] = {
    each: LeftOut("done elsewhere") if each is Trial.SECURITY else _COMMAND for each in Trial
}
SHOP = Service(
    name="shop",
    repository="/srv/shop/code",
    preflight=MappingProxyType(_CHECKS),
    verification=MappingProxyType(_TRIALS),
    environments=MappingProxyType({"production": PRODUCTION}),
)
FACTS = DeployFacts(
    service=SHOP,
    environment=PRODUCTION,
    revision="v2",
    commit="0123456789abcdef0123456789abcdef01234567",
    current="v1",
    green=Slot.B,
    has_blue=True,
    checks=tuple(
        Checked(
            each.value, "left_out" if isinstance(_CHECKS[each], LeftOut) else "pass", "an API without pages"
        )
        for each in Check
    ),
    risk=Risk(RiskLevel.LOW, ()),
)


def without_blue(facts: DeployFacts = FACTS) -> DeployFacts:
    """The first deployment: nothing is there to go back to."""
    return replace(facts, current=None, has_blue=False)
