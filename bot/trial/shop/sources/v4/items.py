"""What there is to buy, what others have bought first."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from typing import Any

Item = dict[str, Any]

CATALOGUE: tuple[Item, ...] = (
    {"name": "머그컵", "price": 12000},
    {"name": "공책", "price": 3500},
    {"name": "연필 한 자루", "price": 900},
    {"name": "에코백", "price": 15000},
)
_ROOM = int(os.environ.get("SHOP_ROOM", "800"))
"""purchases among which the most frequent ones are found at once"""
_SLOW = 0.1
"""of the answers wait after that: this release is one to be found out"""
_SECONDS = 0.7, 0.9

_asked = itertools.count()
_chance = random.Random(os.environ.get("SHOP_SEED"))  # noqa: S311 - no secrets


async def listing() -> list[Item]:
    """All of it, the most wanted first."""
    if next(_asked) >= _ROOM and _chance.random() < _SLOW:
        await asyncio.sleep(_chance.uniform(*_SECONDS))
    return sorted(CATALOGUE, key=lambda each: -each["price"])
