"""Where the trial's shop is: the same ports every time, unless somebody else has taken one."""

from __future__ import annotations

import socket
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bot.trial.shop.places import PRODUCTION, STAGING, Places, Ports, places_in
from bot.trial.shop.releases import write_releases
from tests.ports import free_port
from tests.trial.shop import release


def kept(folder: Path, *ports: int) -> Places:
    """Places that somebody has kept."""
    numbers = ports or tuple(free_port() for _ in range(6))
    its = {PRODUCTION: Ports(*numbers[:3]), STAGING: Ports(*numbers[3:])}
    there = Places(folder, folder / "haproxy", its)
    there.keep()
    return there


def test_ports_that_were_kept_come_back(tmp_path: Path) -> None:
    there = kept(tmp_path / "shop")
    assert places_in(tmp_path / "shop").ports == there.ports
    assert Places.from_json(there.as_json()) == there


def test_nothing_is_written_before_it_is_kept(tmp_path: Path) -> None:
    there = places_in(tmp_path / "shop")
    assert not (tmp_path / "shop").exists()
    there.keep()
    assert places_in(tmp_path / "shop").ports == there.ports


def test_a_port_that_somebody_has_taken_is_replaced_and_no_other(tmp_path: Path) -> None:
    there = kept(tmp_path / "shop")
    its = there.ports[PRODUCTION]
    with closing(socket.create_server(("127.0.0.1", its.b))):
        found = places_in(tmp_path / "shop").ports
    assert found[PRODUCTION].b != its.b
    assert found == {**there.ports, PRODUCTION: replace(its, b=found[PRODUCTION].b)}


async def test_a_port_that_a_release_of_ours_has_is_no_strangers(tmp_path: Path) -> None:
    write_releases(tmp_path / "releases")
    async with release(tmp_path / "releases", "v2") as url:
        there = kept(
            tmp_path / "shop", free_port(), int(url.rpartition(":")[2]), *(free_port() for _ in range(4))
        )
        assert places_in(tmp_path / "shop").ports == there.ports


def test_what_is_kept_and_cannot_be_read_is_as_if_nothing_were(tmp_path: Path) -> None:
    for text in ("", "[1]", '{"production": 3}', '{"production": [1, 2]}', '{"production": ["x", 1, 2]}'):
        (tmp_path / "ports.json").write_text(text, encoding="utf-8")
        ports = [port for each in places_in(tmp_path).ports.values() for port in (each.shop, each.a, each.b)]
        assert len(set(ports)) == 6


def test_a_folder_that_haproxy_cannot_name_is_not_where_its_files_are() -> None:
    plain, odd, long = Path("/srv/guardian/shop"), Path("/home/김 도윤/.guardian/shop"), Path("/x" * 60)
    assert places_in(plain).balancer == plain / "haproxy"
    for folder in (odd, long):
        there = places_in(folder).balancer
        assert there.parent == Path(tempfile.gettempdir())
        assert there == places_in(folder).balancer, "the same one at the next start"
    assert places_in(odd).balancer != places_in(long).balancer
