"""`guardian run`: the lock, the trial's Slack, signals, and sentences for what keeps it from starting."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import structlog
import typer
from pydantic import SecretStr, ValidationError

from bot.collector import spare_what_is_loaded
from bot.config import Secrets, Settings
from bot.config.around import policies_of
from bot.config.deploy import DeploySettings
from bot.config.outside import OutsideSecrets
from bot.config.secrets import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from bot.domain.alerts.ladder import TargetKind
from bot.engine.leader import AlreadyRunning, FileLock
from bot.runtime import CannotStart, Runtime
from bot.slack.manifest import manifest_yaml
from bot.tools.processes import ChildFailed
from bot.trial.local_slack import DEFAULT_PORT, LocalSlackRefused, start_local_slack
from bot.trial.settings import may_have_shop, playground_of, shop_settings
from messages.render import Voice

if TYPE_CHECKING:
    from bot.trial.shop.program import RunningShop

log = structlog.get_logger(__name__)

_END_SECONDS = 4.5
"""from the signal to the end, at most"""

_LAST_PORT = 65535


def run(
    settings: Settings, secrets: Secrets | None, outside: OutsideSecrets, trial: bool, port: int | None
) -> int:
    """Watch until told to stop (SIGTERM, SIGINT). The exit status: 0 stopped, 1 a bug, 2 could not start."""
    voice = Voice(settings.language, settings.zone)
    os.umask(0o077)  # whatever we write, the database and the log of the trial too, is nobody else's
    for name in (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET):
        # They are in `secrets` now: no program that we start inherits them, and Bolt doesn't read them again.
        os.environ.pop(name, None)
    spare_what_is_loaded()
    # A probe that computes in its thread holds up everything else for no longer than this; 5 ms by default.
    sys.setswitchinterval(0.001)
    try:
        return asyncio.run(_run(settings, secrets, outside, trial, port, voice))
    except CannotStart as error:
        typer.echo(error.sentence, err=True)
        return 2
    except KeyboardInterrupt:
        return 0


async def _run(
    settings: Settings,
    secrets: Secrets | None,
    outside: OutsideSecrets,
    trial: bool,
    port: int | None,
    voice: Voice,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    guard = threading.Timer(_END_SECONDS, _end_by_force)
    guard.daemon = True

    def told_to_stop() -> None:
        if not stop.is_set():
            guard.start()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(guard.cancel)
        lock = FileLock.beside(settings.store_url)
        if lock is not None:
            _take(lock, voice)
            stack.callback(lock.release)
        if trial:
            settings, secrets = await _trial(settings, port, voice, stack)
        if secrets is None:
            raise CannotStart(voice.phrase("run.no_tokens"))
        return await Runtime(settings, secrets, voice, stack, stop, outside=outside).run()


def _end_by_force() -> None:
    """The last resort, from a thread of its own, when an orderly end takes too long: the disk hangs, say.

    What is written is whole, and letters under way have their lease: nothing is half done.
    """
    os.write(2, b"guardian: not ended in time, ending by force\n")
    os._exit(1)


def _take(lock: FileLock, voice: Voice) -> None:
    try:
        lock.acquire()
    except AlreadyRunning as error:
        raise CannotStart(
            voice.phrase("run.already_running", path=str(error.path), pid=error.pid or 0)
        ) from error
    except OSError as error:
        raise CannotStart(
            voice.phrase("run.store_unusable", detail=f"{error.filename}: {error.strerror}")
        ) from error


def _why_no_trial(error: LocalSlackRefused, voice: Voice) -> str:
    details = error.details
    match error.code, details.get("port"):
        case (("port_in_use" | "port_unusable"), int(port)):
            other = port + 1 if DEFAULT_PORT <= port < _LAST_PORT else DEFAULT_PORT
            return voice.phrase(f"run.trial_{error.code}", port=port, other=other)
        case (("state_in_use" | "state_unusable" | "state_unreadable"), _):
            return voice.phrase(f"run.trial_{error.code}", path=str(details.get("path", "")))
    return voice.phrase("run.trial_failed", detail=error.said)


def _named(settings: Settings) -> Iterator[str]:
    """The channels that routes and policies of the configuration name, and that a visitor cannot make."""
    for route in settings.routes:
        if route.channel is not None:
            yield route.channel
    for policy in policies_of(settings).values():
        for target in policy.targets(tuple(range(1, len(policy.tiers) + 1))):
            if target.kind is TargetKind.CHANNEL:
                yield target.name


async def _playground(settings: Settings, stack: contextlib.AsyncExitStack) -> None:
    """Make what a visitor may clean up; without it the rest is worth a visit all the same."""
    playground = playground_of(settings)
    if playground is None:
        return
    try:
        await asyncio.to_thread(playground.make)
        holder = await playground.hold(settings.state_directory / "playground.log")
    except (ChildFailed, OSError) as error:
        log.warning("no_playground", detail=str(error))
        return
    if holder is not None:
        stack.push_async_callback(holder.stop)


async def _open_shop(settings: Settings) -> tuple[RunningShop, DeploySettings] | None:
    """Open the trial's shop; what deploys it. Without it the rest is worth a visit all the same."""
    from bot.tools.traffic.haproxy.program import haproxy_program  # nothing that production needs
    from bot.trial.shop.places import places_in
    from bot.trial.shop.program import start_shop

    program = haproxy_program() if may_have_shop(settings) else None
    if program is None:
        return None
    state = settings.state_directory.absolute()
    try:
        places = await asyncio.to_thread(places_in, state / "shop")
        deploy = shop_settings(settings, places)
        return await start_shop(places, state, program), deploy
    except (ChildFailed, OSError, ValidationError) as error:
        log.warning("no_shop", detail=str(error))
        return None


async def _close_shop(opening: asyncio.Task[tuple[RunningShop, DeploySettings] | None]) -> None:
    opened = await opening
    if opened is not None:
        await opened[0].stop()


async def _trial(
    settings: Settings, port: int | None, voice: Voice, stack: contextlib.AsyncExitStack
) -> tuple[Settings, Secrets]:
    """Start the local workspace, and the shop meanwhile; the settings and secrets to reach them."""
    slack = settings.slack
    opening = asyncio.create_task(_open_shop(settings), name="shop")
    stack.push_async_callback(_close_shop, opening)
    try:
        local = await start_local_slack(
            state=settings.state_directory / "slack",
            port=DEFAULT_PORT if port is None else port,
            manifest=manifest_yaml(
                language=settings.language, private_channels=settings.slack.private_channels
            ),
            channels=tuple(
                dict.fromkeys((slack.alerts_channel, slack.ops_channel, "general", *_named(settings)))
            ),
        )
    except LocalSlackRefused as error:
        raise CannotStart(_why_no_trial(error, voice)) from error
    except ChildFailed as error:
        raise CannotStart(voice.phrase("run.trial_failed", detail=error.said)) from error
    stack.push_async_callback(local.child.stop)
    await _playground(settings, stack)
    opened = await opening
    shop = "" if opened is None else opened[0].url
    typer.echo(voice.phrase("run.trial_ready", url=local.url, shop=shop))
    changes: dict[str, object] = {
        "slack": slack.model_copy(update={"api_url": local.api_url, "mode": "socket"})
    }
    if opened is not None:
        changes["deploy"] = opened[1]
    reachable = settings.model_copy(update=changes)
    return reachable, Secrets(
        bot_token=SecretStr(local.bot_token),
        app_token=SecretStr(local.app_token),
        signing_secret=SecretStr(local.signing_secret),
    )
