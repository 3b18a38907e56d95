from __future__ import annotations

import resource

from probes.application.http import allow_open_files


def test_the_limit_of_open_files_only_rises() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert allow_open_files(1) == before[0]
        if before[1] == resource.RLIM_INFINITY or before[0] < before[1]:
            assert allow_open_files(before[0] + 1) == before[0] + 1
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[0] + 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
