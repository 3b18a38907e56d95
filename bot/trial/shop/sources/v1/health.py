"""Whether the shop is well."""

from __future__ import annotations

import json


def health(revision: str) -> tuple[str, str]:
    """The type of the answer, and the answer."""
    return "application/json", json.dumps({"status": "ok", "revision": revision})
