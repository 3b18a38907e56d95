from __future__ import annotations

import pytest

from probes.sizes import human_bytes


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1.5 * 1024**3, "1.5 GiB"),
        (312 * 1024**2, "312 MiB"),
        (5000 * 1024**5, "5000 PiB"),
    ],
)
def test_it_picks_the_unit_people_would(size: float, text: str) -> None:
    assert human_bytes(size) == text
