"""Which drivers of traffic there are: made from their configuration, and that as JSON, which is how a lease
tells the watchdog whom to turn to.

Nothing heavy is imported for it: the watchdog waits for days in few megabytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from bot.domain.deploy.slots import Slot
from bot.tools.traffic.command.configuration import CommandConfiguration
from bot.tools.traffic.contract import Traffic
from bot.tools.traffic.haproxy.configuration import HaproxyConfiguration

if TYPE_CHECKING:
    from bot.tools.traffic.haproxy.log_stream import LogStream

TrafficConfiguration: TypeAlias = HaproxyConfiguration | CommandConfiguration
Json: TypeAlias = Mapping[str, object]


class Divertible(Traffic, Protocol):
    """What all drivers of ours can do besides."""

    async def divert(self, b: int) -> None:
        """As `shift`, for going back: the load balancer is told first, and what is in the way of making that
        last (a full disk, say) doesn't keep it from being done. Raises TrafficFailed for what could not be
        done, and may be called again."""
        ...


def driver_of(configuration: TrafficConfiguration, log: LogStream | None = None) -> Divertible:
    """The driver. `log` is for HAProxy's, and is opened and closed by whoever made it."""
    if isinstance(configuration, HaproxyConfiguration):
        from bot.tools.traffic.haproxy.driver import HaproxyTraffic

        return HaproxyTraffic(configuration, log)
    from bot.tools.traffic.command.driver import CommandTraffic  # pydantic

    return CommandTraffic(configuration)


def as_json(configuration: TrafficConfiguration) -> dict[str, object]:
    """All of it, for `from_json`."""
    if isinstance(configuration, HaproxyConfiguration):
        return {
            "driver": "haproxy",
            "socket": configuration.socket,
            "map_file": configuration.map_file,
            "key": configuration.key,
            "backends": {slot.value: name for slot, name in configuration.backends.items()},
            "server": configuration.server,
            "log": configuration.log,
            "timeout": configuration.timeout,
            "map_name": configuration.map_name,
        }
    return {
        "driver": "command",
        "share": list(configuration.share),
        "shift": list(configuration.shift),
        "metrics": list(configuration.metrics),
        "cut": None if configuration.cut is None else list(configuration.cut),
        "timeout": configuration.timeout,
        "environment": dict(configuration.environment),
    }


def from_json(value: object) -> TrafficConfiguration:
    """The configuration that `as_json` wrote. Raises ValueError for anything else."""
    document = _object(value)
    if document.get("driver") == "haproxy":
        log = document.get("log")
        return HaproxyConfiguration(
            socket=_text(document.get("socket")),
            map_file=_text(document.get("map_file")),
            key=_text(document.get("key")),
            backends={Slot(slot): _text(name) for slot, name in _object(document.get("backends")).items()},
            server=_text(document.get("server")),
            log=None if log is None else _text(log),
            timeout=_seconds(document.get("timeout")),
            map_name=_text(document.get("map_name")),
        )
    if document.get("driver") == "command":
        cut = document.get("cut")
        variables = _object(document.get("environment"))
        return CommandConfiguration(
            share=_words(document.get("share")),
            shift=_words(document.get("shift")),
            metrics=_words(document.get("metrics")),
            cut=None if cut is None else _words(cut),
            timeout=_seconds(document.get("timeout")),
            environment={name: _text(text) for name, text in variables.items()},
        )
    raise ValueError("no driver of traffic that there is")


def _object(value: object) -> Json:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError("not an object")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"not a text: {value!r:.50}")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"not a number: {value!r:.50}")
    return float(value)


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"not a list of words: {value!r:.50}")
    return tuple(_text(word) for word in value)
