"""HAProxy's log: what is counted, what is not, and that it costs no memory."""

from __future__ import annotations

import functools
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deploy.measures import Latencies
from bot.tools.traffic.contract import TrafficFailed
from bot.tools.traffic.haproxy.log_stream import LogStream, LogStreams, duration
from tests.ports import free_port
from tests.tools.traffic.haproxy import staged, until
from tests.waiting import eventually

_BACKENDS = ("shop_a", "shop_b")


def line(backend: str, times: str, status: str = "200") -> bytes:
    """As HAProxy writes it."""
    element = f'[guardian@32473 backend="{backend}" status="{status}" times="{times}"]'
    return f'<134>1 2026-11-29T17:52:16.9+00:00 - haproxy 26765 - {element} 127.0.0.1:3 "GET /"\n'.encode()


def _heard(stream: LogStream, count: int) -> bool:
    return stream.heard == count


@pytest.mark.parametrize(
    ("times", "milliseconds"),
    [
        ((0, 0, 3, 3), 3),
        ((5, 2, 30, 900), 37),  # the client took its time to read
        ((0, 0, -1, 3008), 3008),  # no answer
        ((-1, -1, -1, 4), 4),
        ((0, 0, -1, -1), 0),
    ],
)
def test_a_duration_is_what_the_service_took(times: tuple[int, int, int, int], milliseconds: int) -> None:
    assert duration(*times) == milliseconds


def test_lines_are_counted_by_backend() -> None:
    stream = LogStream("/unused", _BACKENDS)
    stream.take(line("shop_a", "0/0/3/3"))
    stream.take(line("shop_a", "0/1/2000/+2001"))
    stream.take(line("shop_b", "0/-1/-1/3008", "503"))
    stream.take(line("other", "0/0/3/3"))
    assert stream.latencies("shop_a") == Latencies.of([3, 2001])
    assert stream.latencies("shop_b") == Latencies.of([3008])
    assert (stream.heard, stream.others, stream.malformed) == (3, 1, 0)


@given(st.binary(max_size=300))
def test_what_is_no_line_is_counted_and_nothing_else(datagram: bytes) -> None:
    stream = LogStream("/unused", _BACKENDS)
    stream.take(datagram)
    stream.take(line("shop_a", "0/0/x/3"))
    stream.take(line("shop_a", "0/0/3/3")[:80])
    assert (stream.heard, stream.malformed) == (0, 3)


@pytest.fixture(params=["port", "path"])
async def stream(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[LogStream, str]]:
    """One that listens, and where."""
    address = f"127.0.0.1:{free_port()}" if request.param == "port" else str(tmp_path / "log.sock")
    stream = LogStream(address, _BACKENDS)
    stream.open()
    yield stream, address
    stream.close()


async def test_it_listens_at_a_port_or_a_path(stream: tuple[LogStream, str]) -> None:
    listening, address = stream
    host, _, port = address.rpartition(":")
    kind = socket.AF_INET if host else socket.AF_UNIX
    with socket.socket(kind, socket.SOCK_DGRAM) as sending:
        for sent in range(1, 21):
            sending.sendto(line("shop_b", "0/0/7/7"), (host, int(port)) if host else address)
            if sent % 5 == 0:  # a Unix socket may hold no more than ten that nobody has read
                await eventually(functools.partial(_heard, listening, sent))
    assert listening.latencies("shop_b") == Latencies.of([7] * 20)


async def test_an_address_that_is_taken_is_said(stream: tuple[LogStream, str]) -> None:
    _, address = stream
    with pytest.raises(TrafficFailed) as failed:
        LogStream(address, _BACKENDS).open()
    assert failed.value.reason == "traffic_gone"


async def test_two_who_listen_at_one_address_share_its_socket_until_both_have_left(tmp_path: Path) -> None:
    socket_file = tmp_path / "log.sock"
    path = str(socket_file)
    streams = LogStreams()
    one, other = streams.of(path, ["shop_a", "shop_b"]), streams.of(path, ["pay_a"])
    assert streams.of(str(tmp_path / "else.sock"), ["shop_a"]) is not one
    one.open()
    other.open()
    one.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.sendto(line("pay_a", "0/0/7/7"), path)
        sending.sendto(line("shop_a", "0/0/5/5"), path)
    await eventually(functools.partial(_heard, other, 2))
    assert (other.latencies("pay_a"), one.latencies("shop_a")) == (Latencies.of([7]), Latencies.of([5]))
    other.close()
    assert not socket_file.exists()
    one.open()
    one.close()


async def test_the_socket_of_a_killed_one_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left_behind:
        left_behind.bind(str(path))
    stream = LogStream(str(path), _BACKENDS)
    stream.open()
    stream.close()
    assert not path.exists()


async def test_a_file_at_that_place_stays(tmp_path: Path) -> None:
    path = tmp_path / "log.sock"
    path.write_text("mine")
    with pytest.raises(TrafficFailed):
        LogStream(str(path), _BACKENDS).open()
    assert path.read_text() == "mine"


async def test_a_real_haproxy_writes_such_lines() -> None:
    async with staged(log=True) as stage:
        its = stage.balancer.configuration
        assert its.log is not None
        stream = LogStream(its.log, its.backends.values())
        stream.open()
        try:

            async def heard() -> bool:
                await stage.ask()
                return stream.heard > 20

            await until(heard)
            assert (stream.malformed, stream.others) == (0, 0)
            assert stream.latencies("shop_a").total == stream.heard
        finally:
            stream.close()
