"""How many processes want a processor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

import psutil

from probes.base import Layer, ProblemKind, Reading, Unit, measured, unmeasured


class Load:
    """`load_average`: the load of the last minute divided by the number of cores; above 1 work is waiting.

    Facts: the load of the last `1min`, `5min` and `15min` as the system counts it, not divided.
    """

    name: ClassVar[str] = "load"
    layer: ClassVar[Layer] = Layer.INFRASTRUCTURE
    metrics: ClassVar[Mapping[str, Unit]] = {"load_average": Unit.COUNT}

    def __init__(
        self,
        *,
        host: str,
        interval: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(seconds=5),
    ) -> None:
        self.target = host
        self.interval = interval
        self.timeout = timeout

    def read_blocking(self, at: datetime) -> list[Reading]:
        """One reading; the problem `unsupported` where the system keeps no load average."""
        try:
            one, five, fifteen = psutil.getloadavg()
        except (OSError, AttributeError):
            return [unmeasured("load_average", self.target, Unit.COUNT, at, ProblemKind.UNSUPPORTED)]
        cores = psutil.cpu_count() or 1
        facts = {"1min": f"{one:.2f}", "5min": f"{five:.2f}", "15min": f"{fifteen:.2f}", "cores": str(cores)}
        return [measured("load_average", self.target, one / cores, Unit.COUNT, at, facts)]
