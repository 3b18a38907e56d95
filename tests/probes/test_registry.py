from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probes.base import BlockingProbe, Layer
from probes.registry import HOST_PROBES, PROBES, UnknownProbe, probe_class

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", HOST_PROBES)
def test_every_host_probe_reads_this_machine(name: str) -> None:
    probe = HOST_PROBES[name](host="web-1", interval=timedelta(seconds=7), timeout=timedelta(seconds=3))
    assert isinstance(probe, BlockingProbe)
    assert probe.name == name
    assert probe.layer is Layer.INFRASTRUCTURE
    assert (probe.interval.total_seconds(), probe.timeout.total_seconds()) == (7, 3)
    for reading in probe.read_blocking(AT):
        assert reading.at == AT
        assert reading.target.startswith("web-1")
        assert probe.metrics[reading.metric] is reading.unit


def test_no_metric_belongs_to_two_probes() -> None:
    metrics = [metric for probe in PROBES.values() for metric in probe.metrics]
    assert len(metrics) == len(set(metrics))


def test_a_mistyped_name_gets_the_nearest() -> None:
    assert probe_class("disk") is PROBES["disk"]
    with pytest.raises(UnknownProbe) as caught:
        probe_class("memmory")
    assert caught.value.nearest == "memory"
    with pytest.raises(UnknownProbe) as caught:
        probe_class("xyzzy")
    assert caught.value.nearest is None
