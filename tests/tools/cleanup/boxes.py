"""Namespaces of their own for tests that mount things, as root or as anybody where the kernel lets them."""

from __future__ import annotations

import shutil
import subprocess

from tests.components import missing


def boxed(*flags: str) -> list[str]:
    """The words before a command that give it namespaces of its own (`unshare`). Ends the test where that
    cannot be had."""
    unshare = shutil.which("unshare")
    if unshare is not None:
        for more in ((), ("--user", "--map-root-user")):
            words = [unshare, *more, *flags]
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
    missing("namespaces", "apt-get install util-linux, and root or a kernel with user namespaces")
