"""What restic says, as types. The words are restic's own, of 0.14 and later."""

from __future__ import annotations

import pytest

from bot.tools.restic import arguments
from bot.tools.restic.answers import Progress, Summary, moment_of, progress_of
from bot.tools.restic.errors import (
    Damaged,
    DiskFull,
    Incomplete,
    NoRepository,
    NotPermitted,
    RepositoryLocked,
    ResticError,
    SnapshotGone,
    StorageUnavailable,
    WrongPassword,
    error_of,
)
from bot.tools.restic.running import Lines

LOCKED = """unable to create lock in backend: repository is already locked exclusively by PID 6889 on vm \
by root (UID 0, GID 0)
lock was created at 2026-11-29 13:20:54 (478.094854ms ago)
storage ID f7ebc20a"""


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (1, "Fatal: wrong password or no key found", WrongPassword),
        (12, "Fatal: anything", WrongPassword),
        (1, "Fatal: unable to open config file: stat x/config: no such file or directory", NoRepository),
        (10, "", NoRepository),
        (3, "error: open /x: permission denied", Incomplete),
        (1, "Fatal: unable to save snapshot: write x: no space left on device", DiskFull),
        (
            1,
            'Fatal: unable to open config file: Stat: Get "http://127.0.0.1:1/b": dial tcp 127.0.0.1:1: '
            "connect: connection refused\nIs there a repository at the following location?",
            StorageUnavailable,
        ),
        (1, "Fatal: unable to open config file: Stat: Please reduce your request rate.", StorageUnavailable),
        (1, "Pack ID does not match, want 6c, got a6\nFatal: repository contains errors", Damaged),
        (2, "cannot dump file: decrypting blob 89 failed: ciphertext verification failed", Damaged),
        (1, "error: load <snapshot/efe>: invalid data returned\nFatal: repository contains errors", Damaged),
        (1, "Fatal: unable to open repository at /x: ReadDir: open /x/keys: permission denied", NotPermitted),
        (1, 'invalid id "dead": no matching ID found for prefix "dead"', SnapshotGone),
        (7, "Fatal: something new", ResticError),
    ],
)
def test_each_has_its_type(status: int, said: str, kind: type[ResticError]) -> None:
    assert type(error_of(status, said.splitlines())) is kind


def test_a_lock_says_who_holds_it() -> None:
    error = error_of(1, LOCKED.splitlines())
    assert isinstance(error, RepositoryLocked)
    assert {name: error.values[name] for name in ("pid", "host", "user", "since")} == {
        "pid": 6889,
        "host": "vm",
        "user": "root",
        "since": "2026-11-29 13:20:54",
    }


def test_progress_is_read_from_json_and_from_counted_lines() -> None:
    assert progress_of('{"message_type":"status","total_bytes":30,"bytes_done":3}') == Progress(
        3, 30, "bytes"
    )
    assert progress_of("[0:00] 50.00%  1 / 2 packs copied") == Progress(1, 2, "packs")
    summary = (
        '{"message_type":"summary","total_files_processed":2,"total_bytes_processed":9,'
        '"data_added":4,"snapshot_id":"ab"}'
    )
    assert progress_of(summary) == Summary("ab", 2, 9, 4)
    for line in ("", "{", '{"message_type":"error"}', "[]", "check all packs"):
        assert progress_of(line) is None


def test_lines_end_at_either_kind_of_return_wherever_chunks_are_cut() -> None:
    told: list[str] = []
    lines = Lines(told.append)
    for chunk in (
        b"a\nb\rc",
        "\N{HANGUL SYLLABLE GA}".encode()[:1],
        "\N{HANGUL SYLLABLE GA}".encode()[1:],
        b"\nd",
    ):
        lines(chunk)
    lines.end()
    assert told == ["a", "b", "c가", "d"]


def test_nanoseconds_are_cut() -> None:
    assert moment_of("2026-11-29T13:20:06.420996907Z").microsecond == 420996
    assert moment_of("2026-11-29T13:20:06+09:00").isoformat() == "2026-11-29T13:20:06+09:00"


def test_a_path_is_no_option_and_no_pattern() -> None:
    words = arguments.backup("/repo", ["--password-file"], ["/a[1]*"], [])
    assert words[-2:] == ["--", "--password-file"]
    assert words[words.index("--exclude") + 1] == "/a\\[1]\\*"


def test_forget_without_names_would_be_a_rule_and_is_refused() -> None:
    with pytest.raises(ValueError, match="names"):
        arguments.forget("/repo", [])
