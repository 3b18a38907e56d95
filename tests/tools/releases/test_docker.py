"""Releases as containers: whose they are, and what docker says."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.deploy.slots import Slot
from bot.tools.releases.contract import ReleaseFailed
from bot.tools.releases.docker import DockerDriver
from tests.tools.releases.kits import Kit, docker, docker_releases


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """Containers alone."""
    made = docker(tmp_path)
    yield made
    for slot in Slot:
        await made.driver.stop(slot)


def containers(kit: Kit) -> list[dict[str, object]]:
    return [json.loads(file.read_text()) for file in (kit.folder / "containers").glob("*.container")]


async def test_the_container_has_a_name_labels_and_its_secrets(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    assert containers(kit) == [
        {
            "name": "guardian-shop-production-a",
            "labels": {"guardian.revision": "v1", "guardian.marker": "run-1", "guardian.slot": "a"},
            "image": "shop:v1",
            "status": "created",
        }
    ]
    environment = (await kit.ask(Slot.A))["environment"]
    assert isinstance(environment, dict)
    assert environment["DB_PASSWORD"] == "hunter2"


async def test_a_port_that_a_stranger_has_is_told_and_nothing_is_left(kit: Kit) -> None:
    kit.put("v1")
    with socket.create_server(("127.0.0.1", kit.slots[Slot.A].port)):
        with pytest.raises(ReleaseFailed) as failed:
            await kit.driver.start(Slot.A, "v1", "run-1")
    assert failed.value.reason == "release_start"
    assert "port is already allocated" in failed.value.detail
    assert containers(kit) == []


async def test_a_container_of_that_name_that_is_not_ours_is_left_alone(kit: Kit) -> None:
    kit.put("v1")
    await kit.driver.start(Slot.A, "v1", "run-1")
    file = next((kit.folder / "containers").glob("*.container"))
    kept = file.read_text()
    file.write_text(json.dumps({**json.loads(kept), "labels": {}}))
    before = await kit.ask(Slot.A)
    found = await kit.driver.find(Slot.A)
    assert found is not None and (found.revision, found.marker) == ("", "")
    for doing in (kit.driver.stop(Slot.A), kit.driver.start(Slot.A, "v1", "run-2")):
        with pytest.raises(ReleaseFailed) as failed:
            await doing
        assert "not started by the Guardian" in failed.value.detail
    assert (await kit.ask(Slot.A))["pid"] == before["pid"]
    file.write_text(kept)


async def test_what_a_killed_guardian_created_or_stopped_makes_way(kit: Kit) -> None:
    """Killed between creating and starting it, or between stopping and removing it."""
    kit.put("v1")
    for status in ("created", "exited"):
        identity = "c" * 64
        remains = {
            "name": "guardian-shop-production-a",
            "labels": {"guardian.revision": "v1", "guardian.marker": "run-1", "guardian.slot": "a"},
            "image": "shop:v1",
            "status": status,
        }
        folder = kit.folder / "containers"
        folder.mkdir(exist_ok=True)
        (folder / f"{identity}.container").write_text(json.dumps(remains))
        assert await kit.driver.find(Slot.A) is None
        await kit.driver.start(Slot.A, "v1", "run-1")
        assert (await kit.ask(Slot.A))["revision"] == "v1"
        assert len(containers(kit)) == 1
        await kit.driver.stop(Slot.A)


@pytest.mark.parametrize("revision", ["feature/cart", "v1+2"])
async def test_a_revision_that_is_no_tag_is_unknown(kit: Kit, revision: str) -> None:
    kit.put(revision)
    assert await kit.driver.known(revision) is False


@pytest.mark.parametrize(
    ("answers", "detail"),
    [
        ({"ls": "c" * 64, "inspect": "[{"}, "Invalid JSON"),
        (
            {"ls": "c" * 64, "inspect": json.dumps([{"Id": "--rm", "Name": "/x"}])},
            "0.Id: String should match",
        ),
    ],
)
async def test_a_docker_that_talks_nonsense_is_the_tools_fault(
    kit: Kit, answers: dict[str, str], detail: str
) -> None:
    code = f"import sys; print({answers!r}[sys.argv[2]])"
    driver = DockerDriver(
        replace(docker_releases(kit.folder, kit.slots), docker=(sys.executable, "-c", code))
    )
    with pytest.raises(ReleaseFailed) as failed:
        await driver.find(Slot.A)
    assert failed.value.reason == "release_tool"
    assert detail in failed.value.detail


async def test_a_daemon_that_is_away_says_nothing_of_revisions(kit: Kit) -> None:
    kit.put("v1")
    (kit.folder / "down").touch()
    for doing in (kit.driver.known("v1"), kit.driver.start(Slot.A, "v1", "run-1"), kit.driver.find(Slot.A)):
        with pytest.raises(ReleaseFailed) as failed:
            await doing
        assert failed.value.reason == "release_tool"
        assert "Cannot connect to the Docker daemon" in failed.value.detail
    (kit.folder / "down").unlink()


def test_the_double_knows_no_prune(kit: Kit) -> None:
    command = docker_releases(kit.folder, kit.slots).docker
    for words in (["container", "prune", "--force"], ["system", "prune"], ["rm", "--force", "x"]):
        assert subprocess.run([*command, *words], capture_output=True, check=False).returncode == 125
