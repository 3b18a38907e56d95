"""Zombies are reported with their parents; a restart is only ever what the configuration names."""

from __future__ import annotations

from bot.domain.cleanup.processes import ProcessFacts
from bot.domain.cleanup.zombies import parents

SEEN = [
    ProcessFacts(1, 0, "systemd"),
    ProcessFacts(10, 1, "shop", started=5.0),
    ProcessFacts(12, 10, "worker", zombie=True),
    ProcessFacts(11, 10, "worker", zombie=True),
    ProcessFacts(20, 1, "bash"),
    ProcessFacts(21, 20, "make", zombie=True),
    ProcessFacts(30, 1, "tidy"),
    ProcessFacts(31, 30, "child"),
]
RESTART = {"shop": ("systemctl", "restart", "shop"), "bash": ("reboot",), "tidy": ("x",)}


def test_each_parent_once_with_its_supervisor_and_command() -> None:
    shop, _ = parents(SEEN, (), RESTART)
    assert (shop.pid, shop.name, shop.started) == (10, "shop", 5.0)
    assert shop.zombies == (11, 12)
    assert shop.supervisor == "systemd"
    assert shop.restart == ("systemctl", "restart", "shop")


def test_a_protected_parent_is_never_restarted_whatever_the_configuration_says() -> None:
    _, bash = parents(SEEN, {20}, RESTART)
    assert bash.protected
    assert bash.restart is None


def test_a_parent_that_has_gone_is_only_a_number() -> None:
    (lost,) = parents([ProcessFacts(5, 4, "x", zombie=True)], (), {"?": ("x",)})
    assert (lost.name, lost.restart, lost.supervisor) == ("?", None, None)


def test_without_zombies_there_is_nothing() -> None:
    assert parents([each for each in SEEN if not each.zombie], (), RESTART) == ()
