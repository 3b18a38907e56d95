"""What there is to buy, and how much of it is left."""

from __future__ import annotations

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
"""answers whose stock is remembered"""
_LOST = 0.05
"""of the answers after that find nothing remembered: this release is one to be found out"""

_asked = itertools.count()
_chance = random.Random(os.environ.get("SHOP_SEED"))  # noqa: S311 - no secrets


async def listing() -> list[Item]:
    """All of it, with what is left. Raises KeyError when that was forgotten."""
    number = next(_asked)
    if number >= _ROOM and _chance.random() < _LOST:
        raise KeyError(f"stock of {number}")
    return [{**each, "stock": 7} for each in CATALOGUE]
