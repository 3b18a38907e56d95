"""What there is to buy."""

from __future__ import annotations

from typing import Any

Item = dict[str, Any]

CATALOGUE: tuple[Item, ...] = (
    {"name": "머그컵", "price": 12000},
    {"name": "공책", "price": 3500},
    {"name": "연필 한 자루", "price": 900},
    {"name": "에코백", "price": 15000},
)


async def listing() -> list[Item]:
    """All of it."""
    return list(CATALOGUE)
