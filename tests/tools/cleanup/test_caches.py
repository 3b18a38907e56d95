"""The caches: npm and pip for real, Docker by what its command line answers."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.domain.cleanup.caches import CacheEntry, CacheKind
from bot.domain.cleanup.rules import CacheRules
from bot.tools.cleanup.caches import find, remove
from bot.tools.cleanup.commands import CommandFailed, Ran, runner
from tests.components import missing

NOTHING = CacheRules(npm=None, pip=None, docker=None)
IMAGES = ["sha256:" + letter * 64 for letter in "ab"]


class Docker:
    """A `docker` that keeps book of what it is asked. It knows the commands of Guardian and no others."""

    def __init__(self) -> None:
        self.images = dict.fromkeys(IMAGES, "12.5MB")
        self.records = {"abcdefghij0": "1kB", "abcdefghij1": "2GB", "busybusybusy": "1B"}
        self.busy = {"busybusybusy"}
        self.stubborn: set[str] = set()
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, command: Sequence[str]) -> Ran:
        self.asked.append(tuple(command))
        match list(command):
            case [
                "docker",
                "image",
                "ls",
                "--filter",
                "dangling=true",
                "--no-trunc",
                "--format",
                "{{json .}}",
            ]:
                lines = (json.dumps({"ID": image, "Size": size}) for image, size in self.images.items())
                return Ran("\n".join(lines))
            case ["docker", "system", "df", "--verbose", "--format", "{{json .BuildCache}}"]:
                records = [
                    {"ID": name, "Size": size, "InUse": str(name in self.busy).lower()}
                    for name, size in self.records.items()
                ]
                return Ran(json.dumps(records))
            case ["docker", "image", "rm", "--no-prune", image]:
                if image in self.stubborn:
                    raise CommandFailed(command, "image is being used by a container")
                del self.images[image]
                return Ran("")
            case ["docker", "builder", "prune", "--force", "--filter", filter_] if filter_.startswith("id="):
                del self.records[filter_.removeprefix("id=")]
                return Ran("")
        raise AssertionError(command)


RULES = CacheRules(npm=None, pip=None, docker=("docker",))


def test_docker_shows_untagged_images_and_idle_records_with_their_sizes() -> None:
    found = find(RULES, Docker())
    assert found.entries == (
        CacheEntry(CacheKind.DOCKER_BUILD, "abcdefghij0", 1000),
        CacheEntry(CacheKind.DOCKER_BUILD, "abcdefghij1", 2 * 10**9),
        CacheEntry(CacheKind.DOCKER_IMAGE, IMAGES[0], 12_500_000),
        CacheEntry(CacheKind.DOCKER_IMAGE, IMAGES[1], 12_500_000),
    )
    assert found.absent == ()


def test_exactly_what_was_shown_goes_and_what_came_since_stays() -> None:
    docker = Docker()
    approved = find(RULES, docker).entries
    later = "sha256:" + "c" * 64
    docker.images[later] = "1B"
    docker.records["laterlater"] = "1B"
    del docker.images[IMAGES[0]]
    told: list[int] = []
    removed = remove(RULES, approved, docker, told.append, lambda: False)
    assert (removed.done, removed.gone, removed.failed) == (3, 1, [])
    assert (set(docker.images), set(docker.records)) == ({later}, {"laterlater", "busybusybusy"})
    assert sum(told) == 3


def test_what_docker_refuses_keeps_no_other_from_going() -> None:
    docker = Docker()
    docker.stubborn.add(IMAGES[0])
    removed = remove(RULES, find(RULES, docker).entries, docker, lambda count: None, lambda: False)
    assert removed.done == 3
    assert removed.failed == [f"docker_image {IMAGES[0]}: image is being used by a container"]


def test_it_stops_between_two() -> None:
    docker = Docker()
    approved = find(RULES, docker).entries
    told: list[int] = []
    removed = remove(RULES, approved, docker, told.append, lambda: len(told) == 1)
    assert (removed.done, removed.stopped) == (1, True)


def test_a_tool_that_is_not_there_or_talks_nonsense_is_named() -> None:
    rules = CacheRules(npm=("no-such-npm",), pip=None, docker=(sys.executable, "-c", "print('{')"))
    found = find(rules, runner(60))
    assert (found.entries, found.absent) == ((), ("npm", "docker"))


def test_pip_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    rules = CacheRules(npm=None, pip=(sys.executable, "-m", "pip"), docker=None)
    pages, other = tmp_path / "pip" / "http" / "a", tmp_path / "pip" / "selfcheck"
    for folder in (pages, other):
        folder.mkdir(parents=True)
    (pages / "page").write_bytes(b"x" * 100)
    (other / "state").write_bytes(b"not purged, not counted")
    (entry,) = find(rules, runner(120)).entries
    assert (entry.kind, entry.size) == (CacheKind.PIP, 100)

    (pages / "more").write_bytes(b"x")
    grown = remove(rules, [entry], runner(120), lambda count: None, lambda: False)
    assert (grown.done, grown.gone) == (0, 1)
    (pages / "more").unlink()
    removed = remove(rules, [entry], runner(120), lambda count: None, lambda: False)
    assert (removed.done, removed.failed) == (1, [])
    assert [path.name for path in (tmp_path / "pip").rglob("*") if path.is_file()] == ["state"]


def test_npm_for_real(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm", "apt-get install npm")
    tool = (npm, "--cache", str(tmp_path / "cache"), "--offline")
    names = ("one", "other")
    for name in names:
        content = json.dumps({"name": name, "version": "1.0.0"}).encode()
        with tarfile.open(tmp_path / f"{name}.tgz", "w:gz") as archive:
            member = tarfile.TarInfo("package/package.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    subprocess.run(
        [*tool, "cache", "add", *(f"./{name}.tgz" for name in names)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NPM_CONFIG_UPDATE_NOTIFIER": "false"},
    )
    rules = CacheRules(npm=tool, pip=None, docker=None)
    found = find(rules, runner(120))
    assert len(found.entries) >= len(names), found
    removed = remove(rules, found.entries[:1], runner(120), lambda count: None, lambda: False)
    assert (removed.done, removed.failed) == (1, [])
    assert find(rules, runner(120)).entries == found.entries[1:]


def test_nothing_is_configured_and_nothing_is_asked() -> None:
    docker = Docker()
    assert find(NOTHING, docker).entries == ()
    assert docker.asked == []
