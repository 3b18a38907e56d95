"""The local workspace as a program beside the Guardian, so that it can be away as the real one can."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from bot.tools.processes import Child, ChildFailed

DEFAULT_PORT = 8723
_READY_SECONDS = 20.0


class LocalSlackRefused(ChildFailed):
    """The workspace says why it can't start: `code` and `details` as docs/local-workspace.md has them."""

    def __init__(self, code: str, details: Mapping[str, JsonValue]) -> None:
        super().__init__(2, str(details.get("message", code)))
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class LocalSlack:
    """A running workspace: the page's address, the Web API's, and the app's tokens."""

    child: Child
    url: str
    api_url: str
    bot_token: str
    app_token: str
    signing_secret: str


async def start_local_slack(state: Path, port: int, manifest: str, channels: tuple[str, ...]) -> LocalSlack:
    """Start the workspace with an app installed from `manifest` (YAML).

    Raises LocalSlackRefused with the reason that it gives, for instance that the port is taken, and
    ChildFailed if it ends otherwise.
    """
    file = _write_manifest(state, manifest)
    arguments = [sys.executable, "-m", "bot.workspace", "--state", str(state), "--port", str(port)]
    arguments += ["--manifest", str(file), "--exit-with-stdin"]
    for channel in channels:
        arguments += ["--channel", channel]
    child = await Child.start(arguments, os.environ, state / "workspace.log")
    try:
        ready = json.loads(await child.first_line(_READY_SECONDS))
        if "error" in ready:
            raise LocalSlackRefused(str(ready["error"]), ready)
        credentials = _read_credentials(ready["credentials"])
        return LocalSlack(
            child=child,
            url=ready["url"],
            api_url=ready["api_url"],
            bot_token=credentials["bot_token"],
            app_token=credentials["app_token"],
            signing_secret=credentials["signing_secret"],
        )
    except (ValueError, KeyError, OSError) as error:
        await child.stop()
        raise ChildFailed(None, f"{type(error).__name__}: {error}") from error
    except BaseException:
        await child.stop()
        raise


def _write_manifest(state: Path, manifest: str) -> Path:
    state.mkdir(parents=True, exist_ok=True)
    file = state / "manifest.yaml"
    file.write_text(manifest, encoding="utf-8")
    return file


def _read_credentials(path: str) -> dict[str, str]:
    credentials: dict[str, str] = json.loads(Path(path).read_text(encoding="utf-8"))
    return credentials
