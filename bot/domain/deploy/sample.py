"""One look at a deployment, and the names of what can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from bot.domain.deploy.measures import Counted, Counters, Latencies, Usage


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured in one look. None is not known: a look that failed, or nobody measures it."""

    green: Counters | None = None
    """as the load balancer counts. Without these, nobody has seen Green in this look"""
    blue: Counters | None = None
    green_latencies: Latencies | None = None
    """counted up, as `Traffic.latencies` gives them"""
    blue_latencies: Latencies | None = None
    usage: Usage | None = None
    """of Green"""
    alive: bool | None = None
    """whether Green runs"""
    restarts: int | None = None
    """how often Green's supervisor has started it again"""
    healthy: bool | None = None
    """the answer of Green's health check, if it was asked since the last look"""
    probed: Counted = field(default_factory=Counted)
    """own requests since the last look, at Green's own address: the load balancer has not counted them"""
    probe_latencies: Latencies | None = None
    """of these"""


class Fault(StrEnum):
    """Why traffic goes back. The sentence is `judge.fault.NAME`."""

    NOT_ALIVE = "not_alive"
    RESTARTED = "restarted"
    """restarts: how often"""
    UNHEALTHY = "unhealthy"
    """failed: how many checks in a row"""
    ERROR_RATE = "error_rate"
    """rate, requests, errors, limit"""
    ERROR_RATE_BOTH = "error_rate_both"
    """the same, and blue_rate: Blue suffers as well"""
    ERRORS_AGAINST_BLUE = "errors_against_blue"
    """rate, requests, errors, blue_rate, blue_requests, blue_errors"""
    RESPONSE = "response"
    """slow (percent of requests), requests, limit, p95"""
    RESPONSE_BOTH = "response_both"
    """the same, and blue_slow"""
    RESPONSE_AGAINST_BLUE = "response_against_blue"
    """slow, requests, blue_slow, blue_requests, limit"""
    CPU = "cpu"
    """cpu, limit"""
    MEMORY = "memory"
    """memory, limit"""
    BLIND = "blind"
    """seconds: how long nothing was measured"""
    HARDLY_SEEN = "hardly_seen"
    """seconds: how long the stage has lasted; watched: how many of them were watched"""
    NOBODY_ANSWERED = "nobody_answered"
    """seconds: how long a person was asked"""


class Lack(StrEnum):
    """What is missing for a stage to pass. The sentence is `judge.lack.NAME`."""

    NO_DATA = "no_data"
    """seconds: how long nothing was measured"""
    REQUESTS = "requests"
    """needed: further requests without an error; requests, errors, limit"""
    RESPONSE = "response"
    """needed: further requests that are fast enough; slow, requests, limit"""
    RESPONSE_NO_DATA = "response_no_data"
    USAGE_NO_DATA = "usage_no_data"
    LIFE_UNKNOWN = "life_unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, with what the sentence has to say: rates in percent, times in milliseconds or seconds."""

    name: Fault | Lack
    values: Mapping[str, JsonValue] = field(default_factory=dict)
