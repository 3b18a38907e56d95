"""From settings to sites: what a release is given."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from bot.config.deploy import DeploySettings, services_of
from bot.deploy_sites import site_of
from bot.domain.deploy.slots import Slot
from tests.stage import free_port
from tests.waiting import eventually

_PROGRAM = """
import os, pathlib, time
pathlib.Path("given.part").write_text(os.environ["DB_PASSWORD"])
pathlib.Path("given.part").rename("given")
time.sleep(3600)
"""


async def test_a_release_gets_the_secrets_that_were_read_for_it(tmp_path: Path) -> None:
    left_out = {"left_out": "a test"}
    settings = DeploySettings.model_validate(
        {
            "services": {
                "shop": {
                    "preflight": dict.fromkeys(
                        (
                            "code_quality",
                            "security",
                            "dependencies",
                            "performance",
                            "compatibility",
                            "accessibility",
                        ),
                        left_out,
                    ),
                    "verification": dict.fromkeys(
                        ("smoke", "integration", "performance", "security"), left_out
                    ),
                    "environments": {
                        "production": {
                            "slots": {"a": f"127.0.0.1:{free_port()}", "b": f"127.0.0.1:{free_port()}"},
                            "releases": {
                                "driver": "process",
                                "directory": f"{tmp_path}/{{revision}}",
                                "command": [sys.executable, "-c", _PROGRAM],
                                "secrets": {"DB_PASSWORD": "SHOP_DB_PASSWORD"},
                            },
                            "traffic": {
                                "driver": "haproxy",
                                "socket": "/run/haproxy.sock",
                                "map": "/etc/haproxy/shop.map",
                                "key": "shop",
                                "backends": {"a": "shop_a", "b": "shop_b"},
                            },
                            "no_data": "a test",
                        }
                    },
                }
            }
        }
    )
    (service,) = services_of(settings)
    (tmp_path / "v1").mkdir()
    found = {("shop", "production"): {"DB_PASSWORD": SecretStr("hunter2")}}
    site = site_of(settings, tmp_path / "state", found, service, service.environments["production"])
    try:
        await site.releases.start(Slot.A, "v1", "run-1")
        await eventually((tmp_path / "v1" / "given").exists)
        assert (tmp_path / "v1" / "given").read_text() == "hunter2"
        kept = [file.read_text() for file in (tmp_path / "state").rglob("*") if file.is_file()]
        assert kept and not any("hunter2" in text for text in kept)
    finally:
        await site.releases.stop(Slot.A)
