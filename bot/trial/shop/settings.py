"""What the trial's configuration says about the shop: the section `deploy`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bot.config.deploy import DeploySettings
from bot.domain.deploy.slots import Slot
from bot.trial.shop.places import PRODUCTION, SERVER, SERVICE, STAGING, Places, backend_of
from bot.trial.shop.releases import COMMAND

_OK = '"status": "ok"'
_LOOKED_AT = r"(\d+)[개번]"
_LEFT_OUT = {
    "ko": "스크립트 없는 HTML 한 장이라 브라우저마다 다를 것이 없습니다 (체험용 상점)",
    "en": "one page of HTML without scripts is the same in every browser (the trial's shop)",
}
_NO_DATA = {
    "ko": "연습하는 곳이라 잃을 데이터가 없습니다",
    "en": "it is a place to practise in, with no data to lose",
}


def deploy_settings(
    places: Places, data: Sequence[str], no_data: str, git: bool, language: str = "ko"
) -> DeploySettings:
    """The shop in production and in a staging of its own. `data` is what production must have a backup of;
    where it has none, `no_data` says why. `git`: there is a repository, and what is checked before anything
    acts is the release's commit in it; else its folder. `language`: of the reasons. Raises ValidationError
    where a path can't be written in a configuration."""
    release = f"{places.releases}/{{revision}}"
    source = "{directory}" if git else release
    python = [sys.executable, "-B", "-X", "utf8"]
    tests = [*python, "-S", f"{release}/checks.py"]

    def check(what: str) -> dict[str, object]:
        command = [*python, "-S", f"{source}/checks.py", what]
        return {"command": command, "evidence": _LOOKED_AT, "timeout": "1m"}

    preflight: dict[str, object] = {
        "code_quality": {
            "command": [*python, "-m", "unittest", "discover", "-s", f"{source}/shop", "-t", source],
            "evidence": r"Ran (\d+) tests",
            "timeout": "1m",
        },
        **{what: check(what) for what in ("security", "dependencies", "performance", "accessibility")},
        "compatibility": {"left_out": _LEFT_OUT[language]},
    }
    verification: dict[str, object] = {
        "smoke": {
            "requests": [
                {"path": "/", "contains": "<h1>체험 상점</h1>"},
                {"path": "/health", "contains": _OK},
                {"path": "/api/items", "contains": '"price"'},
            ]
        },
        "integration": {"command": [*tests, "integration", "{url}"], "evidence": _LOOKED_AT},
        "performance": {
            "requests": {"paths": ["/", "/api/items"], "count": 400, "per_second": 200, "p95_ms": 300}
        },
        "security": {"command": [*tests, "headers", "{url}"], "evidence": _LOOKED_AT},
    }
    service: dict[str, object] = {
        **({"repository": str(places.repository)} if git else {}),
        "preflight": preflight,
        "verification": verification,
        "environments": {
            PRODUCTION: _environment(places, PRODUCTION)
            | {"second_person": True}
            | ({"data": list(data)} if data else {"no_data": no_data}),
            STAGING: _environment(places, STAGING) | {"second_person": False, "no_data": _NO_DATA[language]},
        },
    }
    return DeploySettings.model_validate({"services": {SERVICE: service}})


def _environment(places: Places, name: str) -> dict[str, object]:
    ports = places.ports[name]
    return {
        "slots": {"a": f"127.0.0.1:{ports.a}", "b": f"127.0.0.1:{ports.b}"},
        "releases": {
            "driver": "process",
            "directory": f"{places.releases}/{{revision}}",
            "command": [sys.executable, *COMMAND],
            "stop_within": "3s",
        },
        "traffic": {
            "driver": "haproxy",
            "socket": str(places.socket),
            "map": str(places.map_file),
            "key": name,
            "backends": {slot.value: backend_of(name, slot) for slot in Slot},
            "server": SERVER,
            "log": str(places.log_socket(name)),
        },
        "health": {"path": "/health", "contains": _OK, "timeout": "2s", "within": "15s"},
        # Short enough to be watched. With so little traffic, it is requests of our own that certify, and
        # there must be 2,995 of them before the judge gives up and asks a person.
        "dwell": "8s",
        "warm": "20s",
        "probes": {"paths": ["/", "/api/items"], "per_second": 500},
        "ask_for": "5m",
        "lease": "10s",
        "lock_after_rollback": "1m",
    }
