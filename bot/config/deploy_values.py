"""Kinds of values in the section `deploy`."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from bot.config.values import Command
from bot.config.words import looks_secret, nearest
from bot.domain.deploy.placeholders import placeholders
from bot.domain.deploy.proof import pattern_of
from bot.tools.traffic.haproxy.configuration import checked_name, checked_path, local_port

_ADDRESS = re.compile(
    r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?):(\d{1,5})"
)
_URL_PATH = re.compile(r"/[\x21\x22\x24-\x7e]{0,999}")
_LONGEST = 1000
_LONGEST_LABEL = 63
"""of a host's name, RFC 1035"""


def _address(value: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if match is None or not 1 <= int(match[1]) <= 65535 or not _is_host(value.rpartition(":")[0]):
        raise PydanticCustomError("deploy_address", "no address", {"text": value[:80]})
    return value


def _is_host(host: str) -> bool:
    """Whether it can be looked up: whoever tries one that cannot gets no answer but a bug."""
    if not host.startswith("["):
        return all(1 <= len(label) <= _LONGEST_LABEL for label in host.split("."))
    try:
        IPv6Address(host[1:-1])
    except ValueError:
        return False
    return True


def _endpoint(value: str) -> str:
    """What the driver takes: one that it refuses would be found out with the first deployment."""
    try:
        if local_port(value) is None:
            _absolute_path(value)
    except ValueError:
        raise PydanticCustomError("deploy_endpoint", "no endpoint", {"text": value[:80]}) from None
    return value


def _absolute_path(value: str) -> str:
    """Raises ValueError."""
    if not value.startswith("/"):
        raise ValueError("no absolute path")
    return checked_path(value)


def _map_name(value: str) -> str:
    """Also a relative one, as haproxy.cfg may have it."""
    try:
        return checked_path(value)
    except ValueError:
        raise PydanticCustomError("deploy_map_name", "no path", {"text": value[:80]}) from None


def _proxy_path(value: str) -> str:
    try:
        return _absolute_path(value)
    except ValueError:
        raise PydanticCustomError("deploy_proxy_path", "no path", {"text": value[:80]}) from None


def _url_path(value: str) -> str:
    if not _URL_PATH.fullmatch(value) or value.startswith("//"):
        raise PydanticCustomError("deploy_url_path", "no path", {"text": value[:80]})
    return value


def _proxy_name(value: str) -> str:
    try:
        return checked_name(value)
    except ValueError:
        raise PydanticCustomError("deploy_proxy_name", "no name", {"text": value[:80]}) from None


def _evidence(value: str) -> str:
    if pattern_of(value) is None:
        raise PydanticCustomError("deploy_evidence", "no expression", {"text": value[:80]})
    return value


def _reason(value: str) -> str:
    """What somebody wrote, and not only to get by."""
    if len(value.strip()) < 3:
        raise PydanticCustomError("deploy_reason", "no reason")
    return value.strip()


def _environment_name(value: str) -> str:
    if looks_secret(value):
        raise PydanticCustomError("deploy_secret_environment", "a secret", {"text": value[:80]})
    return value


def places(*known: str, needs: str = "") -> Callable[[str], str]:
    """A check that a text has places for nothing else than those values, and for the one that it needs."""

    def check(text: str) -> str:
        check_places((text,), known, needs)
        return text

    return check


def check_places(words: tuple[str, ...], known: tuple[str, ...], needs: str = "") -> None:
    """Raises PydanticCustomError if the words have other places than those, or lack the one that is
    needed."""
    there = placeholders(words)
    for name in sorted(there - set(known)):
        values = {"text": name, "known": ", ".join(known), "nearest": nearest(name, list(known))}
        raise PydanticCustomError("deploy_place", "unknown place", values)
    if needs and needs not in there:
        raise PydanticCustomError("deploy_place_missing", "place missing", {"text": needs})


def _command(*known: str, needs: str = "", alone: bool = False) -> AfterValidator:
    """`alone`: what it needs is a whole word, as drivers of traffic want it."""

    def check(words: tuple[str, ...]) -> tuple[str, ...]:
        check_places(words, known, needs)
        if alone and f"{{{needs}}}" not in words:
            raise PydanticCustomError("deploy_place_alone", "place in a word", {"text": needs})
        if placeholders(words[:1]):  # what is run is said here, not by whoever asks for a deployment
            raise PydanticCustomError("deploy_program", "program with places", {"text": words[0][:80]})
        return words

    return AfterValidator(check)


ABOUT = ("revision", "service", "environment")
Address = Annotated[str, AfterValidator(_address)]
"""host:port"""
Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""A Unix socket's path, or host:port of this machine alone."""
ProxyPath = Annotated[str, AfterValidator(_proxy_path)]
"""An absolute path that needs no quotes in HAProxy's commands."""
MapName = Annotated[str, AfterValidator(_map_name)]
"""A path in HAProxy's own words, without quotes."""
UrlPath = Annotated[str, AfterValidator(_url_path)]
ProxyName = Annotated[str, AfterValidator(_proxy_name)]
Evidence = Annotated[str, Field(min_length=1, max_length=_LONGEST), AfterValidator(_evidence)]
Reason = Annotated[str, Field(max_length=500), AfterValidator(_reason)]
EnvironmentName = Annotated[str, AfterValidator(_environment_name)]
"""A variable whose value may stand in the file."""
CheckCommand = Annotated[Command, _command(*ABOUT, "directory")]
TrialCommand = Annotated[Command, _command(*ABOUT, "url")]
ReleaseCommand = Annotated[Command, _command("revision", "slot", "host", "port", "directory")]
StartCommand = Annotated[Command, _command(*ABOUT, "slot", "host", "port", "marker", needs="revision")]
KnownCommand = Annotated[Command, _command("service", "environment", "revision", needs="revision")]
SlotCommand = Annotated[Command, _command("service", "environment", "slot", "host", "port")]
TrafficCommand = Annotated[Command, _command("service", "environment")]
ShiftCommand = Annotated[Command, _command("service", "environment", "percent", needs="percent", alone=True)]
CutCommand = Annotated[Command, _command("service", "environment", "slot", needs="slot", alone=True)]
