"""A line of the list is a line, whatever a file is called, and says the very bytes of the name."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.cleanup.candidate import Candidate, candidate_of, escape, shown, unescape

NUMBERS = st.integers(min_value=-(2**62), max_value=2**62)


@given(st.binary())
@example(b"\\x0a")
@example(b"\n\t\\")
@example("\u2028\u202e\u0085".encode())
@example(b"\xed\xa0\x80")
def test_a_name_stands_on_one_line_and_comes_back(name: bytes) -> None:
    line = escape(name)
    assert unescape(line) == name
    assert line.decode().isprintable()


@given(st.binary(), NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_line_is_read_back(path: bytes, size: int, mtime: int, device: int, inode: int) -> None:
    file = Candidate(path, size, mtime, device, inode)
    assert file.line.count(b"\n") == 1
    assert candidate_of(file.line) == file


@given(st.binary(), st.binary())
def test_two_names_never_look_the_same(one: bytes, other: bytes) -> None:
    assert (escape(one) == escape(other)) == (one == other)


def test_people_read_names_as_they_are() -> None:
    assert shown("/var/log/주문 기록.log".encode()) == "/var/log/주문 기록.log"
    assert shown(b"/srv/\xff\nrm -rf") == "/srv/\\xff\\x0arm -rf"
    assert shown("거꾸로\u202etxt".encode()) == "거꾸로\\xe2\\x80\\xaetxt"


@pytest.mark.parametrize("line", [b"", b"/a\t1\t2\t3\n", b"/a\t1\t2\t3\tx\n", b"/a\t1\t2\t3\t4\t5\n"])
def test_anything_else_is_no_line(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        candidate_of(line)
