"""The metrics the Guardian knows, their units, and their bands unless the configuration gives others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from probes.base import Unit

UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "cpu_usage": Unit.PERCENT,
        "memory_usage": Unit.PERCENT,
        "swap_usage": Unit.PERCENT,
        "disk_usage": Unit.PERCENT,
        "inode_usage": Unit.PERCENT,
        "network_receive_rate": Unit.BYTES_PER_SECOND,
        "network_transmit_rate": Unit.BYTES_PER_SECOND,
        "network_errors": Unit.PER_SECOND,
        "network_drops": Unit.PER_SECOND,
        "load_average": Unit.COUNT,
        "process_count": Unit.COUNT,
        "zombie_count": Unit.COUNT,
        "response_time": Unit.MILLISECONDS,
        "reachable": Unit.COUNT,
        "uptime": Unit.PERCENT,
        "error_rate": Unit.PERCENT,
        "throughput": Unit.REQUESTS_PER_SECOND,
    }
)
"""Every metric by its unit: those of the probes, and those of the source document's tables."""

UNMEASURED = frozenset({"error_rate", "throughput"})
"""Known from the source document, but no probe measures them yet."""

DEFAULT_KPIS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # The source document's infrastructure_kpis and application_kpis.
        "cpu_usage": {"target": "< 70%", "warning": "70-85%", "critical": "> 85%"},
        "memory_usage": {"target": "< 80%", "warning": "80-90%", "critical": "> 90%"},
        "disk_usage": {"target": "< 85%", "warning": "85-95%", "critical": "> 95%"},
        "response_time": {"target": "< 200ms", "warning": "200-500ms", "critical": "> 500ms"},
        "uptime": {"target": "> 99.9%", "warning": "99.5-99.9%", "critical": "< 99.5%"},
        "error_rate": {"target": "< 0.1%", "warning": "0.1-1%", "critical": "> 1%"},
        "throughput": {"target": "> 1000 rps", "warning": "500-1000 rps", "critical": "< 500 rps"},
        # Our own. A file system without inodes is as full as one without bytes.
        "inode_usage": {"target": "< 85%", "warning": "85-95%", "critical": "> 95%"},
        # Full swap is a hint: what hurts is memory_usage, which has its own bands.
        "swap_usage": {"target": "< 80%", "warning": ">= 80%"},
        # Per core: above 1 work waits, above 2 it waits as long as it runs.
        "load_average": {"target": "< 1", "warning": "1-2", "critical": "> 2"},
        "zombie_count": {"target": "< 10", "warning": ">= 10"},
        "network_errors": {"target": "< 1 /s", "warning": ">= 1 /s"},
        "network_drops": {"target": "< 100 /s", "warning": ">= 100 /s"},
        # 1 when the target answered as expected, 0 when not.
        "reachable": {"target": ">= 1", "critical": "< 1"},
    }
)
"""Bands by metric. process_count and the network's rates have none: what is much depends on the machine."""

DEFAULT_MARGINS: Mapping[str, float] = MappingProxyType({"reachable": 0.0})
"""Exit margins that `Bands.default_margin` would get wrong: nothing is better than 1."""
