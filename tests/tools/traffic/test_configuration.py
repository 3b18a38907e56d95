"""What a driver may be told, and that a configuration is the same after it was written down."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.slots import Slot
from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.drivers import TrafficConfiguration, as_json, from_json
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration
from bot.tools.traffic.haproxy.snippet import Split, backends_snippet, frontend_snippet
from tests.tools.traffic.haproxy import haproxy

HAPROXY = HaproxyConfiguration(
    "/run/haproxy/admin.sock",
    "/etc/haproxy/shop.map",
    "shop",
    {Slot.A: "shop_a", Slot.B: "shop_b"},
    "app",
    "127.0.0.1:5514",
)
COMMAND = CommandConfiguration(("share",), ("shift", "{percent}"), ("metrics",), ("cut", "{slot}"))


class Change(TypedDict, total=False):
    socket: str
    map_file: str
    key: str
    backends: dict[Slot, str]
    server: str
    log: str
    timeout: float
    map_name: str


@pytest.mark.parametrize(
    "change",
    [
        Change(key="shop 5;show info"),
        Change(key="-shop"),
        Change(key=""),
        Change(server="app\nquit"),
        Change(backends={Slot.A: "shop", Slot.B: "shop"}),
        Change(backends={Slot.A: "shop"}),
        Change(backends={Slot.A: "shop_a", Slot.B: "b/c"}),
        Change(map_file="shop.map"),
        Change(map_file="/etc/haproxy/shop map"),
        Change(map_name="#0"),
        Change(socket="admin.sock"),
        Change(socket="0.0.0.0:9999"),
        Change(socket="192.0.2.1:9999"),
        Change(socket="127.0.0.1:0"),
        Change(socket="127.0.0.1:99999"),
        Change(log="10.0.0.1:514"),
        Change(timeout=0.0),
        Change(timeout=float("nan")),
    ],
    ids=str,
)
def test_what_haproxy_could_misunderstand_is_refused(change: Change) -> None:
    with pytest.raises(ValueError):
        replace(HAPROXY, **change)


def test_ports_of_this_machine_and_paths_are_taken() -> None:
    replace(HAPROXY, socket="127.0.0.1:9999", log="/run/guardian/haproxy.sock")
    replace(HAPROXY, socket="[::1]:9999", map_name="maps/shop.map")


@pytest.mark.parametrize(
    ("share", "shift", "metrics", "cut"),
    [
        ((), ("x", "{percent}"), ("x",), None),
        (("x",), ("x",), ("x",), None),
        (("x",), ("x", "b={percent}"), ("x",), None),
        (("x",), ("{percent}",), ("x",), None),
        (("x",), ("x", "{percent}"), (), None),
        (("x",), ("x", "{percent}"), ("x",), ("x",)),
    ],
)
def test_commands_that_cannot_work_are_refused(
    share: tuple[str, ...], shift: tuple[str, ...], metrics: tuple[str, ...], cut: tuple[str, ...] | None
) -> None:
    with pytest.raises(ValueError):
        CommandConfiguration(share, shift, metrics, cut)


@pytest.mark.parametrize(
    "configuration", [HAPROXY, replace(HAPROXY, log=None), COMMAND, replace(COMMAND, cut=None)]
)
def test_it_is_the_same_after_it_was_written_down(configuration: TrafficConfiguration) -> None:
    assert from_json(json.loads(json.dumps(as_json(configuration)))) == configuration


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([as_json(HAPROXY), as_json(COMMAND)]), st.data())
def test_anything_else_is_a_value_error(document: dict[str, object], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(document)))
    value = data.draw(_JSON)
    try:
        from_json({**document, name: value})
    except ValueError:
        return
    # What is taken is a configuration that could have been written down so.
    assert as_json(from_json({**document, name: value}))


@pytest.mark.parametrize(
    ("cookie", "header", "trusted", "sample"),
    [
        ("shop-place", "X-Shop-Slot", ("127.0.0.1",), 1),
        ("shop", "X Shop", ("127.0.0.1",), 1),
        ("shop", "X-Shop-Slot", ("127.0.0.1/99",), 1),
        ("shop", "X-Shop-Slot", ("localhost or TRUE",), 1),
        ("shop", "X-Shop-Slot", (), 1),
        ("shop", "X-Shop-Slot", ("127.0.0.1",), 0),
    ],
)
def test_a_split_that_haproxy_could_misunderstand_is_refused(
    cookie: str, header: str, trusted: tuple[str, ...], sample: int
) -> None:
    with pytest.raises(ValueError):
        Split(cookie, header, trusted, sample=sample)


def test_the_document_says_the_same() -> None:
    """Word for word what the function gives, for the names that the document uses."""
    text = Path(__file__).parents[3].joinpath("docs", "haproxy.md").read_text(encoding="utf-8")
    its = replace(HAPROXY, map_file="/etc/haproxy/guardian/shop.map")
    assert frontend_snippet(its, Split("shop_place", "X-Shop-Slot", ("127.0.0.1", "10.20.0.0/16"))) in text
    assert backends_snippet(its, {Slot.A: "127.0.0.1:9001", Slot.B: "127.0.0.1:9002"}) in text


@pytest.mark.parametrize("log", ["127.0.0.1:5514", "/run/guardian/haproxy.sock", None])
@pytest.mark.parametrize(
    "split",
    [
        Split("shop_place", "X-Shop-Slot"),
        Split("shop_place", "X-Shop-Slot", ("10.0.0.0/8", "::1"), secure=True, sample=10),
    ],
)
async def test_haproxy_takes_the_snippet_as_it_is(tmp_path: Path, log: str | None, split: Split) -> None:
    """Without a warning."""
    (tmp_path / "shop.map").write_text("shop 0\n")
    configuration = replace(HAPROXY, map_file=str(tmp_path / "shop.map"), log=log)
    logged = "" if log is None else " option httplog\n"
    defaults = f"defaults\n mode http\n{logged} timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
    text = (
        defaults
        + "frontend shop\n    bind 127.0.0.1:1\n"
        + frontend_snippet(configuration, split)
        + backends_snippet(configuration, {Slot.A: "127.0.0.1:9001", Slot.B: "127.0.0.1:9002"})
    )
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    pipe = asyncio.subprocess.PIPE
    checking = await asyncio.create_subprocess_exec(
        haproxy(), "-c", "-f", str(file), stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await checking.communicate()
    assert (checking.returncode, said.decode().strip()) == (0, "Configuration file is valid")
