"""The plan of a cleanup: one step a stage, bound to the hash of its list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.cleanup.caches import CacheEntry, CacheKind
from bot.domain.cleanup.candidate import Candidate
from bot.domain.cleanup.plan import CacheListing, Facts, Listing, is_empty, plan
from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import AgeBy, FileRules, Root, Rules, Stage, cut_off, moment_of, nanoseconds
from bot.domain.cleanup.zombies import Parent
from bot.domain.operations.plan import OnFailure, difference, plan_of

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
LOGS = Listing(
    path="/state/1.txt",
    sha256="1" * 64,
    count=2,
    bytes=30,
    oldest_ns=nanoseconds(datetime(2025, 1, 1, tzinfo=UTC)),
    largest=(Candidate(b"/var/log/\xff.log", 20, nanoseconds(AT), 1, 2),),
    left={Left.IN_USE: 1, Left.UNREADABLE: 0},
)
CACHES = CacheListing(
    "/state/2.txt",
    "2" * 64,
    (CacheEntry(CacheKind.NPM, "a:b"), CacheEntry(CacheKind.PIP, "/c", 5)),
    ("docker",),
)
SHOP = Parent(10, "shop", 5.4, (11, 12), "systemd", ("systemctl", "restart", "shop"))
FACTS = Facts(
    "host:web-1",
    AT,
    timedelta(days=7),
    files={Stage.LOGS: LOGS, Stage.TEMPORARY: replace(LOGS, sha256="3" * 64, linked=1)},
    roots={Stage.LOGS: ["/var/log"]},
    caches=CACHES,
    zombies=[SHOP],
)


def test_one_step_a_stage_in_their_order() -> None:
    made = plan(FACTS)
    assert [(step.name, step.undo) for step in made.steps] == [
        ("clean_logs", "restore"),
        ("clean_temporary", "restore"),
        ("clean_caches", None),
        ("clean_zombies", None),
    ]
    assert made.on_failure is OnFailure.UNDO_STEP
    assert [file.name for file in made.files] == ["logs.txt", "temporary.txt", "caches.txt"]


def test_a_step_has_what_the_card_shows() -> None:
    assert plan(FACTS).steps[0].params == {
        "roots": ["/var/log"],
        "count": 2,
        "bytes": 30,
        "oldest": "2025-01-01T00:00:00+00:00",
        "largest": [{"path": "/var/log/\\xff.log", "size": 20, "modified": "2026-03-01T09:00:00+00:00"}],
        "linked": 0,
        "left": {"in_use": 1},
        "list": "1" * 64,
    }


def test_caches_without_sizes_are_not_empty() -> None:
    assert plan(FACTS).steps[2].params["caches"] == {
        "npm": {"count": 1, "bytes": None},
        "pip": {"count": 1, "bytes": 5},
    }


def test_risks_are_named() -> None:
    assert plan(FACTS).shown["risks"] == ["hard_links", "no_undo", "restart"]
    blind = replace(FACTS, unseen=True, caches=None, zombies=None)
    assert plan(blind).shown["risks"] == ["hard_links", "use_unknown"]


def test_it_survives_the_database() -> None:
    made = plan(FACTS)
    assert plan_of(made.as_json()) == made
    assert plan_of(made.as_json()).hash == made.hash


def test_another_list_is_another_plan_and_says_where() -> None:
    other = replace(FACTS, files={**FACTS.files, Stage.LOGS: replace(LOGS, count=3, sha256="9" * 64)})
    paths = [each.path for each in difference(plan(FACTS), plan(other))]
    assert "steps.0.params.count" in paths
    assert plan(FACTS).hash != plan(other).hash


def test_where_a_list_lies_and_how_many_zombies_there_are_is_not_bound() -> None:
    moved = replace(FACTS, files={**FACTS.files, Stage.LOGS: replace(LOGS, path="/elsewhere")})
    assert plan(moved).hash == plan(FACTS).hash
    merely_reported = replace(SHOP, pid=20, restart=None)
    more = replace(FACTS, zombies=[replace(SHOP, zombies=(11, 12, 13)), merely_reported])
    assert plan(more).hash == plan(FACTS).hash


def test_nothing_to_do() -> None:
    nothing = Facts(
        "host:web-1", AT, timedelta(days=7), {Stage.LOGS: Listing("", "")}, caches=CacheListing("", "")
    )
    assert is_empty(nothing)
    assert not is_empty(FACTS)
    assert not is_empty(replace(nothing, zombies=[SHOP]))


def test_times_of_files_are_exact_and_may_be_absurd() -> None:
    assert nanoseconds(moment_of(1_700_000_000_123_456_000)) == 1_700_000_000_123_456_000
    assert moment_of(2**63 - 1).year == 2262
    assert moment_of(-(2**80)).year == 1
    assert moment_of(2**80).year == 9999


def test_the_cut_off_depends_on_the_plans_moment_only() -> None:
    rules = FileRules((Root(b"/srv/tmp"),), ("*",), timedelta(days=7), AgeBy.CHANGED)
    assert cut_off(rules, AT) == nanoseconds(datetime(2026, 2, 22, 9, tzinfo=UTC))


def test_stages_without_rules_do_not_exist() -> None:
    logs = FileRules((Root(b"/var/log"),), ("*.log",), timedelta(days=30))
    assert Rules({Stage.LOGS: logs}, None, zombies=False).stages == (Stage.LOGS,)
    assert Rules({}).stages == (Stage.ZOMBIES,)
