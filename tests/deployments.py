"""A service that is deployed by commands which only say that all is well."""

from __future__ import annotations

import sys

from pydantic import JsonValue

from bot.domain.deploy.checks import Check, Trial

_SAYS = "import sys; sys.stdout.write(sys.argv[1])"
_COUNTED = '{"requests": 0, "errors": 0, "epoch": "1"}'


def says(text: str, *more: str) -> JsonValue:
    """A command that says that."""
    return [sys.executable, "-I", "-S", "-c", _SAYS, text, *more]


def shop_in(environments: JsonValue) -> dict[str, JsonValue]:
    """The section `deploy`: the service `shop` in those environments, of which nothing is checked."""
    left_out: JsonValue = {"left_out": "a test"}
    shop: JsonValue = {
        "preflight": {each.value: left_out for each in Check},
        "verification": {each.value: left_out for each in Trial},
        "environments": environments,
    }
    return {"services": {"shop": shop}}


def deployed_to(*environments: str) -> dict[str, JsonValue]:
    """The section `deploy`: the service `shop` in these environments, where slot a carries everything."""
    releases: JsonValue = {
        "driver": "command",
        "start": says("", "{revision}"),
        "stop": says("", "{slot}"),
        "status": says('{"revision": "v1", "marker": "before"}', "{slot}"),
        "usage_left_out": "a test",
    }
    traffic: JsonValue = {
        "driver": "command",
        "share": says('{"b": 0}'),
        "shift": says("", "{percent}"),
        "metrics": says(f'{{"a": {_COUNTED}, "b": {_COUNTED}}}'),
    }
    places: dict[str, JsonValue] = {
        name: {
            "slots": {"a": f"127.0.0.1:{2 * number + 1}", "b": f"127.0.0.1:{2 * number + 2}"},
            "releases": releases,
            "traffic": traffic,
            "health": {"within": "1s"},
            "no_data": "a test",
        }
        for number, name in enumerate(environments)
    }
    return shop_in(places)
