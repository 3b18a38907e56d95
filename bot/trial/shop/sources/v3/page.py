"""The one page of the shop."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

COLOUR = "#c2410c"


def page(revision: str, items: Sequence[dict[str, Any]]) -> str:
    """The page with these items."""
    rows = "".join(f"<li>{escape(each['name'])} {each['price']:,}원</li>" for each in items)
    return (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>체험 상점 {escape(revision)}</title>"
        "<style>body{font:18px/1.6 sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}"
        f"header{{background:{COLOUR};color:#fff;padding:1rem;border-radius:.5rem}}</style></head>"
        f"<body><header><h1>체험 상점</h1><p>릴리스 {escape(revision)}</p></header>"
        f"<main><h2>오늘의 상품</h2><ul>{rows}</ul></main></body></html>"
    )
