"""`make run` on machines that lack something: one clear line, in both languages, and exit code 2."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with an empty lock, in which nothing needs to be downloaded."""
    shutil.copytree(ROOT / ".ci", tmp_path / "clone" / ".ci")
    (tmp_path / "clone" / "requirements.lock").touch()
    return tmp_path / "clone"


def environment(clone: Path, **pythons: str) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine that has just these: names with a dot written as `_`, and shell code."""
    programs = clone.parent / "programs"
    programs.mkdir()
    for tool in ("sh", "dirname", "rm", "tail"):
        found = shutil.which(tool)
        assert found is not None
        (programs / tool).symlink_to(found)
    for name, code in pythons.items():
        path = programs / name.replace("_", ".")
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)
    return subprocess.run(
        [str(clone / ".ci" / "environment"), "requirements.lock"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "code", [None, "exit 1", "exit 127"], ids=["none", "too old", "a name that starts nothing"]
)
def test_without_a_python_that_is_new_enough_it_says_which_is(clone: Path, code: str | None) -> None:
    done = environment(clone, **({} if code is None else {"python3": code, "python3_13": code}))
    assert done.returncode == 2
    assert done.stdout == ""
    korean, english = done.stderr.splitlines()
    assert "Python 3.11 이상" in korean
    assert "Python 3.11 or newer" in english


def test_without_the_venv_module_it_names_the_package(clone: Path) -> None:
    """As on Debian, where Python comes without it."""
    code = f"""case "$2" in
        *ensurepip*) exit 1 ;;
        *) exec {sys.executable} "$@" ;;
    esac"""
    done = environment(clone, python3=code)
    version = "{}.{}".format(*sys.version_info[:2])
    assert done.returncode == 2
    assert [f"apt-get install python{version}-venv" in line for line in done.stderr.splitlines()] == [
        True,
        True,
    ]


def packages(clone: Path, *names: str, **tools: str) -> subprocess.CompletedProcess[str]:
    """Run `.ci/packages` on a machine that has just these programs, each with its shell code."""
    programs = clone.parent / "programs"
    programs.mkdir()
    for tool in {"sh", "tr", "id", "grep", "mktemp", "tail", "rm", "env", "ln"} - tools.keys():
        found = shutil.which(tool)
        assert found is not None
        (programs / tool).symlink_to(found)
    for name, code in tools.items():
        path = programs / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)
    return subprocess.run(
        [str(clone / ".ci" / "packages"), *names],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_cannot_be_installed_is_named_and_stops_nothing(clone: Path) -> None:
    done = packages(clone, "restic")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "could not install: restic - what needs them will be left out" in done.stdout


def test_what_is_there_is_passed_over_in_silence(clone: Path) -> None:
    done = packages(clone, "restic", "openssl", restic="", openssl="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_names_all_packages_are_looked_for(clone: Path) -> None:
    done = packages(clone)
    assert done.returncode == 0
    assert "restic" in done.stdout
    assert "fonts-noto-cjk" in done.stdout


@pytest.mark.parametrize(("user", "by"), [(0, ""), (1000, "sudo ")], ids=["as root", "by sudo"])
def test_only_the_packages_that_are_named_are_installed(clone: Path, user: int, by: str) -> None:
    asked = clone.parent / "asked"
    asked.touch()
    apt_get = f"""echo "${{SUDO:+sudo }}$*" >>{asked}
        case "$*" in *install*) ln -s /bin/true {clone.parent}/programs/restic ;; esac"""
    sudo = 'shift; [ "$1" = true ] || SUDO=1 exec "$@"'
    done = packages(clone, "restic", "sh", id=f"echo {user}", apt_get=apt_get, sudo=sudo)
    assert done.returncode == 0
    assert "could not install" not in done.stdout
    options = "-q install -y --no-install-recommends"
    assert asked.read_text().splitlines() == [f"{by}-q update", f"{by}{options} restic"]


def test_an_installation_that_fails_shows_why_and_what_to_do(clone: Path) -> None:
    (clone / "requirements.lock").write_text("guardian-of-nothing==1 --hash=sha256:abc\n")
    done = environment(clone, python3=f'exec {sys.executable} "$@"')
    assert done.returncode == 2
    assert "guardian-of-nothing" in done.stderr or "hash" in done.stderr
    assert "install.log" in done.stderr.splitlines()[-1]
