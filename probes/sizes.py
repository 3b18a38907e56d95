"""Sizes in facts, as people read them."""

from __future__ import annotations

_STEPS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def human_bytes(size: float) -> str:
    """`size` bytes in the largest binary unit that keeps it at 1 or above: `1.5 GiB`, `312 MiB`, `17 B`."""
    step = 0
    while size >= 1024 and step < len(_STEPS) - 1:
        size /= 1024
        step += 1
    unit = _STEPS[step]
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
