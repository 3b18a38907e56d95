"""The files of leases: what is read, what is refused, and who holds what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.addresses import Address
from bot.domain.deploy.slots import Slot
from bot.tools.traffic.drivers import TrafficConfiguration
from bot.tools.traffic.leases import (
    Fence,
    Lease,
    Rolled,
    checked_run,
    is_watched,
    lease_file,
    runs,
    write_file,
)
from tests.tools.traffic.test_configuration import COMMAND, HAPROXY

SLOTS = {Slot.A: Address("127.0.0.1", 9001), Slot.B: Address("::1", 9002)}
_RUNS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", fullmatch=True)


@given(
    run=_RUNS,
    counter=st.integers(0, 2**63),
    seconds=st.floats(0.001, 3600),
    traffic=st.sampled_from([HAPROXY, COMMAND]),
    b=st.integers(0, 100),
    slots=st.sampled_from([None, SLOTS]),
)
def test_a_lease_is_read_as_it_was_written(
    run: str,
    counter: int,
    seconds: float,
    traffic: TrafficConfiguration,
    b: int,
    slots: dict[Slot, Address] | None,
) -> None:
    lease = Lease(run, counter, seconds, traffic, b, slots)
    assert Lease.read(lease.written().encode(), run) == lease


@given(
    run=_RUNS,
    at=st.text(),
    waited=st.floats(0, 1e9),
    before=st.none() | st.integers(0, 100),
    share=st.none() | st.integers(0, 100),
    tries=st.integers(1),
)
def test_so_is_what_the_watchdog_wrote(
    run: str, at: str, waited: float, before: int | None, share: int | None, tries: int
) -> None:
    rolled = Rolled(run, at, 7, waited, before, share, tries)
    assert Rolled.read(rolled.written().encode()) == rolled


@given(st.binary(max_size=200))
def test_garbage_is_a_value_error(content: bytes) -> None:
    for read in (lambda: Lease.read(content, "run-1"), lambda: Rolled.read(content)):
        with pytest.raises(ValueError):
            read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", "run-2"),
        ("run", 1),
        ("counter", True),
        ("counter", -1),
        ("counter", 1.5),
        ("seconds", 0),
        ("seconds", "30"),
        ("seconds", float("nan")),
        ("seconds", float("inf")),
        ("seconds", 4000),
        ("b", -1),
        ("b", 101),
        ("b", None),
        ("traffic", None),
        ("traffic", {"driver": "none"}),
        ("slots", []),
        ("slots", {}),
        ("slots", {"a": "127.0.0.1:9001"}),
        ("slots", {"a": "127.0.0.1:9001", "b": 9002}),
        ("slots", {"a": "127.0.0.1:9001", "b": "127.0.0.1:0"}),
        ("slots", {"a": "127.0.0.1:9001", "c": "127.0.0.1:9002"}),
    ],
)
def test_a_lease_that_cannot_be_meant_is_none(name: str, value: object) -> None:
    document = json.loads(Lease("run-1", 1, 30.0, HAPROXY, 0).written())
    with pytest.raises(ValueError):
        Lease.read(json.dumps(document | {name: value}).encode(), "run-1")


def test_a_lease_of_an_older_guardian_names_no_addresses() -> None:
    document = json.loads(Lease("run-1", 1, 30.0, HAPROXY, 0, SLOTS).written())
    del document["slots"]
    lease = Lease.read(json.dumps(document).encode(), "run-1")
    assert (lease.slots, lease.blue_and_green) == (None, None)


@pytest.mark.parametrize(("b", "blue"), [(0, Slot.A), (100, Slot.B)])
def test_blue_is_where_everything_goes_back_to(b: int, blue: Slot) -> None:
    lease = Lease("run-1", 1, 30.0, HAPROXY, b, SLOTS)
    assert lease.blue_and_green == (SLOTS[blue], SLOTS[blue.other])


@pytest.mark.parametrize("run", ["", "../run", "run/1", "-run", "run 1", "rün", "r" * 81, "run\n"])
def test_a_run_is_part_of_a_name(run: str) -> None:
    with pytest.raises(ValueError, match="not a run"):
        checked_run(run)


def test_runs_are_those_with_a_lease(tmp_path: Path) -> None:
    for name in (
        "lease-run-1.json",
        ".lease-run-2.json.new",
        "rolled-run-3.json",
        "lease-.json",
        "fence-run-4",
    ):
        (tmp_path / name).touch()
    assert list(runs(tmp_path)) == ["run-1"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = lease_file(tmp_path, "run-1")
    write_file(path, "one", lasting=True)
    with path.open() as opened:
        write_file(path, "two", lasting=False)
        assert opened.read() == "one"
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_fence_has_one_holder(tmp_path: Path) -> None:
    fence = Fence.try_take(tmp_path, "run-1")
    assert fence is not None
    assert Fence.try_take(tmp_path, "run-1") is None
    other = Fence.try_take(tmp_path, "run-2")
    assert other is not None
    other.release()
    fence.release(remove=True)
    again = Fence.try_take(tmp_path, "run-1")
    assert again is not None
    again.release()


def test_only_the_watchdogs_place_is_watching(tmp_path: Path) -> None:
    assert not is_watched(tmp_path)
    place = Fence.try_watch(tmp_path)
    assert place is not None
    assert is_watched(tmp_path)
    place.release()
    assert not is_watched(tmp_path)
