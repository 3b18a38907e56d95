"""Rules about the tree itself."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "probes", "messages", "tests", "bench")
LOCKS = ("requirements.lock", "tests/requirements.lock")
TOP = {
    "CHANGELOG.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "bench",
    "bot",
    "docs",
    "messages",
    "probes",
    "pyproject.toml",
    "requirements.lock",
    "tests",
}
_SHORTCUT = re.compile(r"#\s*(type:\s*ignore\S*|noqa\S*(?:\s+[A-Z]+[0-9]+,?)*)(.*)")


def locked(lock: str) -> dict[str, list[str]]:
    """Each pinned package of a lock (`name==version`) and its hashes."""
    packages: dict[str, list[str]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        word = line.strip().rstrip("\\").strip()
        if word.startswith("--hash="):
            packages[list(packages)[-1]].append(word)
        elif word and not word.startswith("#"):
            packages[word.split(";")[0].strip()] = []
    return packages


def names(lock: str) -> set[str]:
    return {package.split("==")[0] for package in locked(lock)}


def wanted(*extras: str) -> set[str]:
    """The names of what pyproject.toml depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-") for line in lines}


def comments() -> Iterator[tuple[Path, int, str, str]]:
    """Every comment of the code, with its file, line number and the whole line."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            with tokenize.open(path) as file:
                for token in tokenize.generate_tokens(file.readline):
                    if token.type == tokenize.COMMENT:
                        yield path.relative_to(ROOT), token.start[0], token.string, token.line


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_with_hashes_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"(^|\s)-(i|f|-index-url|-extra-index-url|-find-links)\b", text)
    assert not re.search(r"(^|[\s'\"])/\w", text), "a path of somebody's machine"
    packages = locked(lock)
    assert all("==" in package for package in packages)
    assert not [package for package, hashes in packages.items() if not hashes]


@pytest.mark.parametrize("package", ["aiohttp", "greenlet", "psycopg-binary", "pydantic-core", "pyyaml"])
def test_a_lock_has_the_files_of_all_platforms(package: str) -> None:
    """A compiled package has a file for each Python, system and processor; one machine sees one of them."""
    hashes = next(found for name, found in locked(LOCKS[0]).items() if name.split("==")[0] == package)
    assert len(hashes) > 20


def test_the_locks_hold_what_the_project_needs() -> None:
    assert wanted() | wanted("build") <= names("requirements.lock")
    assert wanted("dev", "build") <= names("tests/requirements.lock")


def test_the_tests_run_with_the_versions_that_users_get() -> None:
    assert set(locked("requirements.lock")) <= set(locked("tests/requirements.lock"))


def test_the_tree_has_only_its_rooms() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        found = {path.name for path in ROOT.iterdir()}
    else:
        listed = subprocess.run(
            [git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        found = {line.split("/")[0] for line in listed.splitlines()}
    strangers = {name for name in found - TOP if not name.startswith(".")}
    assert not strangers


def test_every_shortcut_says_why() -> None:
    """`type: ignore` and `noqa` name their rule and are followed by a reason."""
    silent = []
    for path, number, comment, _ in comments():
        match = _SHORTCUT.match(comment)
        if match and (not re.search(r"[\[:]", match[1].removeprefix("type:")) or len(match[2].split()) < 2):
            silent.append(f"{path}:{number}: {comment}")
    assert not silent


def test_every_catch_all_says_why() -> None:
    """`except Exception` has its reason beside it, unless it only tidies up and raises again."""
    said = {(path, number) for path, number, _, _ in comments()}
    silent = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT)
            for handler in ast.walk(ast.parse(path.read_bytes())):
                if not isinstance(handler, ast.ExceptHandler) or not _catches_all(handler):
                    continue
                last = handler.body[-1]
                raises = isinstance(last, ast.Raise) and last.exc is None
                near = {(name, number) for number in range(handler.lineno - 1, handler.body[0].lineno + 1)}
                if not raises and not near & said:
                    silent.append(f"{name}:{handler.lineno}")
    assert not silent


def _catches_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))
        for kind in kinds
    )


def test_shell_scripts_start_with_what_they_are() -> None:
    for path in (ROOT / ".ci").iterdir():
        assert path.read_text().startswith("#!/bin/sh\n# ")
        assert path.stat().st_mode & 0o111, f"{path.name} is not executable"
