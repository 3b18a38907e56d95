"""From valid settings to what surrounds alerts: services, routes and policies, windows, inhibitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.config.covers import WindowSettings
from bot.config.routing import ExpiryBook, LadderBook, LadderSettings, PolicySettings
from bot.config.settings import Settings
from bot.domain.alerts.ladder import DEFAULT_ACK_EXPIRES, DEFAULT_LADDERS, Ladder, Policy, Rung
from bot.domain.alerts.surroundings import Route
from bot.domain.alerts.whereabouts import Whereabouts
from bot.domain.inhibition import InhibitRule
from bot.domain.labels import Service, Services
from bot.domain.levels import Level
from bot.domain.maintenance import Once, Weekly, Window
from bot.domain.matcher_notation import parse
from bot.domain.oncall.localtime import moment_of
from bot.domain.oncall.model import ALL_DAYS
from bot.domain.routing import DEFAULT, RouteRule, Routes, channel_policy
from bot.domain.targets import parse_target


def services_of(settings: Settings) -> Services:
    """The services, in the configuration's order."""
    return Services(
        tuple(
            Service(
                name=name,
                targets=each.targets,
                probes=each.probes,
                backends=each.backends,
                depends_on=each.depends_on,
                labels=MappingProxyType(dict(each.labels)),
                environment=each.environment or "",
            )
            for name, each in settings.services.items()
        ),
        host=settings.name,
    )


def whereabouts_of(settings: Settings) -> Whereabouts:
    """To which deployments alerts belong."""
    deployed = {name: tuple(each.environments) for name, each in settings.deploy.services.items()}
    return Whereabouts(settings.environment, MappingProxyType(deployed), services_of(settings))


def routes_of(settings: Settings) -> Routes:
    """The routes with their policies; without any, everything goes to `slack.alerts_channel`."""
    channel = settings.slack.alerts_channel
    policies = policies_of(settings)
    rules = (
        RouteRule(
            parse(each.match),
            Route(each.channel or channel, policies[each.policy or DEFAULT], each.name),
        )
        for each in settings.routes
    )
    return Routes(tuple(rules), Route(channel, policies[DEFAULT], DEFAULT))


def policies_of(settings: Settings) -> Mapping[str, Policy]:
    """The policies by name; `default` is always there."""
    given = {DEFAULT: PolicySettings(), **settings.policies}
    return {name: _policy(name, each, settings.slack.alerts_channel) for name, each in given.items()}


def windows_of(settings: Settings) -> tuple[Window, ...]:
    """The maintenance windows of the configuration."""
    return tuple(_window(each, settings.zone) for each in settings.maintenance)


def inhibit_rules_of(settings: Settings) -> tuple[InhibitRule, ...]:
    """The explicit inhibitions; those that follow from `depends_on` are in the services."""
    return tuple(InhibitRule(parse(each.source), parse(each.target), each.equal) for each in settings.inhibit)


def _policy(name: str, settings: PolicySettings, channel: str) -> Policy:
    tiers = channel_policy(channel).tiers
    if settings.tiers is not None:
        tiers = tuple(tuple(parse_target(target) for target in tier) for tier in settings.tiers)
    return Policy(name, tiers, _ladders(settings.ladders), _expiries(settings.ack_expires))


def _ladders(book: LadderBook) -> Mapping[Level, Ladder]:
    ladders: dict[Level, Ladder] = {}
    for level, default in DEFAULT_LADDERS.items():
        own: LadderSettings | None = getattr(book, level.word)
        ladders[level] = default if own is None else _ladder(own, default)
    return MappingProxyType(ladders)


def _ladder(own: LadderSettings, default: Ladder) -> Ladder:
    ladder = default
    if own.steps is not None:
        ladder = replace(ladder, rungs=tuple(Rung(step.after, step.tiers) for step in own.steps))
    if own.rounds is not None:
        ladder = replace(ladder, rounds=own.rounds)
    if own.pause is not None:
        ladder = replace(ladder, pause=own.pause)
    # Here null says something: no repeats.
    return replace(ladder, every=own.every) if "every" in own.model_fields_set else ladder


def _expiries(book: ExpiryBook) -> Mapping[Level, timedelta]:
    own: dict[Level, timedelta | None] = {level: getattr(book, level.word) for level in Level}
    given = {level: length for level, length in own.items() if length is not None}
    return MappingProxyType({**DEFAULT_ACK_EXPIRES, **given})


def _window(settings: WindowSettings, default_zone: ZoneInfo) -> Window:
    zone = default_zone if settings.timezone is None else ZoneInfo(settings.timezone)
    times: Once | Weekly
    if settings.hours is not None:
        days = ALL_DAYS if settings.days is None else frozenset(settings.days)
        times = Weekly(days, settings.hours, zone)
    else:
        times = Once(in_zone(settings.begins, zone), in_zone(settings.until, zone))
    return Window(settings.name, parse(settings.match), times, settings.reason)


def in_zone(moment: datetime | None, zone: ZoneInfo) -> datetime:
    """A moment of the configuration in UTC; one without an offset is that zone's local time."""
    if moment is None:
        raise ValueError("a window has both its moments, or hours")
    return moment.astimezone(UTC) if moment.tzinfo else moment_of(moment.date(), moment.time(), zone)
