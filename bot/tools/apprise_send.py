"""Sending a message by Apprise (e-mail, SMS, another messenger), in a child process that ends afterwards.

Apprise takes 30 MB, and its addresses hold passwords: neither stays in the Guardian. The address goes to the
child on standard input, never as an argument or in its environment, where others here could read it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping

from pydantic import SecretStr

_WORKER = "bot.tools.apprise_worker"
_KEPT = frozenset(
    "PATH HOME LANG LC_ALL LC_CTYPE TZ TMPDIR PYTHONPATH VIRTUAL_ENV SSL_CERT_FILE SSL_CERT_DIR"
    " REQUESTS_CA_BUNDLE HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy".split()
)
"""Of our environment, which holds the tokens of Slack and of all else, the child gets these."""


class AppriseFailed(Exception):
    """The message did not go out. `code`: bad_url, refused, timeout or crashed; `detail`: Apprise's own
    words, without anything of the address."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


async def send_by_apprise(
    url: SecretStr, title: str, body: str, seconds: float = 30.0, environment: Mapping[str, str] | None = None
) -> None:
    """Send it; raises AppriseFailed. `environment`: ours unless given, of which the child gets little."""
    ours = os.environ if environment is None else environment
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _WORKER,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,  # a traceback could show the address
        env={name: value for name, value in ours.items() if name in _KEPT},
        start_new_session=True,
    )
    order = json.dumps({"url": url.get_secret_value(), "title": title, "body": body}).encode()
    try:
        async with asyncio.timeout(seconds):
            said, _ = await child.communicate(order)
    except TimeoutError:
        raise AppriseFailed("timeout") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        answer = json.loads(said)
        sent, code, detail = answer["sent"], str(answer.get("error", "")), str(answer.get("detail", ""))
    except (ValueError, KeyError, TypeError):
        raise AppriseFailed("crashed", f"exit status {child.returncode}") from None
    if sent is not True:
        raise AppriseFailed(code, detail)
