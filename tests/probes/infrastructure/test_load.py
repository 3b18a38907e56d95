from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from probes.infrastructure.load import Load

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_is_the_load_of_one_core() -> None:
    (reading,) = Load(host="web-1").read_blocking(AT)
    assert reading.value is not None
    assert reading.value * (os.cpu_count() or 1) == pytest.approx(os.getloadavg()[0], abs=2)
    assert set(reading.facts) == {"1min", "5min", "15min", "cores"}
