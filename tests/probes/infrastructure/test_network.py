from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probes.base import ProblemKind, Reading
from probes.infrastructure.network import Network, Traffic, traffic

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Machine:
    """Counters and a stopwatch that a test moves by hand."""

    def __init__(self, **interfaces: Traffic) -> None:
        self.interfaces = interfaces
        self.now = 0.0

    def probe(self, *names: str) -> Network:
        return Network(
            host="web-1",
            interfaces=names or None,
            counters=lambda: dict(self.interfaces),
            stopwatch=lambda: self.now,
        )

    def after(self, seconds: float, **interfaces: Traffic) -> None:
        self.now += seconds
        self.interfaces = interfaces


def values(readings: list[Reading]) -> dict[str, float | None]:
    return {f"{reading.target} {reading.metric}": reading.value for reading in readings}


def test_rates_are_over_the_time_that_passed() -> None:
    machine = Machine(eth0=Traffic(1000, 500, 0, 10))
    probe = machine.probe()
    machine.after(10, eth0=Traffic(6000, 2500, 5, 30))
    assert values(probe.read_blocking(AT)) == {
        "web-1:eth0 network_receive_rate": 500.0,
        "web-1:eth0 network_transmit_rate": 200.0,
        "web-1:eth0 network_errors": 0.5,
        "web-1:eth0 network_drops": 2.0,
    }
    machine.after(5, eth0=Traffic(6000, 2500, 5, 30))
    assert set(values(probe.read_blocking(AT)).values()) == {0.0}


def test_counters_that_start_anew_give_no_reading_that_time() -> None:
    machine = Machine(eth0=Traffic(2**32 - 5, 500, 0, 0))
    probe = machine.probe()
    machine.after(10, eth0=Traffic(100, 600, 0, 0))
    assert probe.read_blocking(AT) == []
    machine.after(10, eth0=Traffic(1100, 600, 0, 0))
    assert values(probe.read_blocking(AT))["web-1:eth0 network_receive_rate"] == 100.0


def test_an_interface_that_ends_is_forgotten() -> None:
    """A container's bridge, a tunnel: what ends with its work is no loss, and counts anew when it is back."""
    machine = Machine(eth0=Traffic(1, 1, 0, 0), tun0=Traffic(1, 1, 0, 0))
    probe = machine.probe()
    machine.after(10, eth0=Traffic(1, 1, 0, 0), tun0=Traffic(21, 1, 0, 0))
    assert values(probe.read_blocking(AT))["web-1:tun0 network_receive_rate"] == 2.0
    for _ in range(3):
        machine.after(10, eth0=Traffic(1, 1, 0, 0))
        assert {reading.target for reading in probe.read_blocking(AT)} == {"web-1:eth0"}
    machine.after(10, eth0=Traffic(1, 1, 0, 0), tun0=Traffic(0, 0, 0, 0))
    assert {reading.target for reading in probe.read_blocking(AT)} == {"web-1:eth0"}
    machine.after(10, eth0=Traffic(1, 1, 0, 0), tun0=Traffic(30, 0, 0, 0))
    assert values(probe.read_blocking(AT))["web-1:tun0 network_receive_rate"] == 3.0


def test_a_configured_interface_that_vanishes_is_not_found_until_it_is_back() -> None:
    machine = Machine(eth0=Traffic(1, 1, 0, 0), eth1=Traffic(1, 1, 0, 0))
    probe = machine.probe("eth0", "eth1")
    machine.after(10, eth0=Traffic(1, 1, 0, 0), eth1=Traffic(1, 1, 0, 0))
    probe.read_blocking(AT)
    machine.after(10, eth0=Traffic(1, 1, 0, 0))
    gone = [reading for reading in probe.read_blocking(AT) if reading.target == "web-1:eth1"]
    assert [reading.problem.kind for reading in gone if reading.problem] == [ProblemKind.NOT_FOUND]
    machine.after(10, eth0=Traffic(1, 1, 0, 0), eth1=Traffic(5, 5, 0, 0))
    assert "web-1:eth1" not in {reading.target for reading in probe.read_blocking(AT)}  # no baseline yet
    machine.after(10, eth0=Traffic(1, 1, 0, 0), eth1=Traffic(25, 5, 0, 0))
    assert values(probe.read_blocking(AT))["web-1:eth1 network_receive_rate"] == 2.0


def test_a_configured_interface_that_was_never_there_is_not_found() -> None:
    machine = Machine(eth0=Traffic(1, 1, 0, 0))
    probe = machine.probe("eth7")
    machine.after(10, eth0=Traffic(1, 1, 0, 0))
    (reading,) = probe.read_blocking(AT)
    assert reading.problem is not None
    assert reading.problem.kind is ProblemKind.NOT_FOUND


def test_loopback_cables_of_containers_and_idle_interfaces_are_left_out() -> None:
    used = Traffic(10, 10, 0, 0)
    machine = Machine(lo=used, veth3a=used, eth0=used, eth1=Traffic(0, 0, 0, 0))
    probe = machine.probe()
    machine.after(10, lo=used, veth3a=used, eth0=used, eth1=Traffic(0, 0, 0, 0))
    assert {reading.target for reading in probe.read_blocking(AT)} == {"web-1:eth0"}


@pytest.mark.skipif(not Path("/sys/class/net/lo").exists(), reason="compares with Linux's /sys/class/net/lo")
def test_real_bytes_over_loopback_are_counted() -> None:
    probe = Network(host="web-1", interfaces=["lo"])
    sent = 200_000
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            peer, _ = server.accept()
            with peer:
                client.sendall(b"x" * sent)
                client.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass
    before = traffic()["lo"].received
    readings = {reading.metric: reading.value for reading in probe.read_blocking(AT)}
    counter = int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())
    assert before >= sent
    assert counter >= before
    received = readings["network_receive_rate"]
    assert received is not None
    assert received > 0
    assert None not in readings.values()
