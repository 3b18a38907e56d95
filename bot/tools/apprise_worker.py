"""Sends one message with Apprise: a program of its own, started by `bot.tools.apprise_send`.

The address holds secrets: it comes on standard input and goes with this process. On standard output is one
JSON object afterwards: `{"sent": true}` or `{"sent": false, "error": CODE, "detail": TEXT}`.
"""

from __future__ import annotations

import json
import logging
import re
import sys

from apprise import Apprise, NotifyType
from apprise.logger import logger

_LINES_KEPT = 3


class _Complaints(logging.Handler):
    """Keeps what Apprise complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


def masked(text: str, url: str) -> str:
    """`text` without any part of the address that could be a secret."""
    parts = {part for part in re.split(r"[^\w.-]+", url.partition("://")[2]) if len(part) >= 4}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "…")
    return text


def send(url: str, title: str, body: str) -> dict[str, object]:
    """Send it; what goes to standard output."""
    complaints = _Complaints()
    logger.addHandler(complaints)
    logger.propagate = False
    sender = Apprise()
    if not sender.add(url):
        return {"sent": False, "error": "bad_url", "detail": ""}
    if sender.notify(body=body, title=title, notify_type=NotifyType.FAILURE):
        return {"sent": True}
    said = masked(" ".join(complaints.lines[-_LINES_KEPT:]), url)
    return {"sent": False, "error": "refused", "detail": said[:300]}


def main() -> int:
    """Read what to send, send it, say what came of it."""
    order = json.loads(sys.stdin.read())
    answer = send(str(order["url"]), str(order["title"]), str(order["body"]))
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
