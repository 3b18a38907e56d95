"""What a driver of traffic promises. tests/tools/traffic/ has the suite that every driver passes."""

from __future__ import annotations

from typing import Protocol

from bot.domain.deploy.measures import Counters, Latencies
from bot.domain.deploy.slots import Slot


class TrafficFailed(Exception):
    """The load balancer could not be asked or told. `reason` names a phrase (`deploy.failed.REASON`):
    traffic_gone (cannot be reached), traffic_refused (it said no), traffic_unreadable, traffic_file;
    `detail` is what it said."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Traffic(Protocol):
    """The traffic of one service in one environment. All but `latencies` raise TrafficFailed; none
    outlives the time-outs it was made with."""

    async def share(self) -> int:
        """The percentage of traffic that slot b really carries now; slot a carries the rest."""
        ...

    async def shift(self, b: int) -> None:
        """Let slot b carry that percentage from now on, also when the load balancer is started anew. Nothing
        happens if it does already."""
        ...

    async def counters(self, slot: Slot) -> Counters:
        """What the slot has carried."""
        ...

    async def latencies(self, slot: Slot) -> Latencies | None:
        """How long its requests took, counted since the driver was made; None when nobody measures that."""
        ...

    async def in_flight(self, slot: Slot) -> int:
        """Requests that are under way in the slot."""
        ...

    async def cut(self, slot: Slot) -> int:
        """Cut off what is still under way in the slot; how many that were."""
        ...
