"""Two places that a service can live in, and how traffic is shared between them.

Blue is what carried production before a deployment, Green the new release beside it. Where they live, slot a
or slot b, changes places with every deployment; people are told the colours, drivers the slots.
"""

from __future__ import annotations

from enum import StrEnum


class Slot(StrEnum):
    """A place with an address of its own. The load balancer's configuration names both."""

    A = "a"
    B = "b"

    @property
    def other(self) -> Slot:
        """The other one."""
        return Slot.B if self is Slot.A else Slot.A


def share_of_b(green: Slot, percent: int) -> int:
    """The share of traffic that slot b has to carry so that Green in that slot carries `percent`."""
    if not 0 <= percent <= 100:
        raise ValueError("a share is from 0 to 100")
    return percent if green is Slot.B else 100 - percent


def share_of(slot: Slot, b: int) -> int:
    """The percentage of traffic that a slot carries when slot b carries `b`."""
    return b if slot is Slot.B else 100 - b
