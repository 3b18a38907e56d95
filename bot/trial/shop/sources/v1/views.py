"""What is behind each path."""

from __future__ import annotations

import json

from .health import health
from .items import listing
from .page import page
from .server import Answer

_JSON = "application/json; charset=utf-8"


class Views:
    """The shop of one release."""

    def __init__(self, revision: str) -> None:
        self._revision = revision

    async def answer(self, path: str) -> Answer:
        """The page, the data behind it, and how the shop is."""
        match path:
            case "/":
                return Answer(page(self._revision, await listing()).encode())
            case "/api/items":
                items = {"revision": self._revision, "items": await listing()}
                return Answer(json.dumps(items, ensure_ascii=False).encode(), _JSON)
            case "/health":
                kind, body = health(self._revision)
                return Answer(body.encode(), kind)
        return Answer(b"<h1>404</h1>", status=404)
