"""The shop, seen from the Guardian: a program beside it, so that it costs the Guardian nothing."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.tools.processes import Child, ChildFailed
from bot.trial.shop.places import PRODUCTION, Places

_READY_SECONDS = 30.0
_END_SECONDS = 3.5
"""for all that belongs to it"""


@dataclass(frozen=True, slots=True)
class RunningShop:
    """An open shop."""

    child: Child
    url: str
    haproxy: int
    """the load balancer's process"""

    async def stop(self) -> None:
        """Close it: releases, load balancer and visitors end."""
        await self.child.stop(_END_SECONDS)


async def start_shop(places: Places, state: Path, program: str) -> RunningShop:
    """Open the shop of those places; `state` is the Guardian's state directory, `program` is HAProxy's.
    Raises ChildFailed with the reason that it gives, and OSError."""
    words = [sys.executable, "-m", "bot.trial.shop", "--state", str(state), "--haproxy", program]
    child = await Child.start([*words, places.as_json()], os.environ, state / "shop.log")
    try:
        ready = json.loads(await child.first_line(_READY_SECONDS))
        if "error" in ready:
            raise ChildFailed(2, str(ready["error"]))
        return RunningShop(child, places.ports[PRODUCTION].url, int(ready["haproxy"]))
    except (ValueError, KeyError, TypeError) as error:
        await child.stop()
        raise ChildFailed(None, f"{type(error).__name__}: {error}") from error
    except BaseException:
        await child.stop(_END_SECONDS)
        raise
