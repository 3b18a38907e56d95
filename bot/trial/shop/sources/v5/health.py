"""Whether the shop is well: whether it can see into the warehouse."""

from __future__ import annotations

import json
import os


def health(revision: str) -> tuple[str, str]:
    """The type of the answer, and the answer. Nobody has told production where the warehouse is, and what is
    said then is a page for people: this release is one to be found out."""
    if "SHOP_WAREHOUSE" not in os.environ:
        return "text/html; charset=utf-8", "<h1>잠시 후 다시 찾아 주세요</h1>"
    return "application/json", json.dumps({"status": "ok", "revision": revision})
