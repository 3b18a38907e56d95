"""Into quarantine: only what was approved, only if it is still that, and never over something else."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from bot.domain.cleanup.reasons import Left
from bot.domain.cleanup.rules import AgeBy, Root
from bot.tools.cleanup.checks import unused
from bot.tools.cleanup.in_use import InUse, look
from bot.tools.cleanup.lists import below
from bot.tools.cleanup.places import Places
from bot.tools.cleanup.quarantine import check, put
from bot.tools.cleanup.tally import QuarantineUnusable
from tests.components import missing
from tests.tools.cleanup.boxes import boxed
from tests.tools.cleanup.trees import NEW, Site, changed_after, contents, put_file, slots, snapshot


def test_what_is_listed_goes_and_the_rest_stays(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    (site.top / "a").mkdir()
    put_file(site.top / "a" / "old", b"1")
    put_file(site.top / "new", b"2", NEW)
    listing = site.scan()
    put_file(site.top / "later", b"3")
    tally = site.put(listing)
    assert (tally.done, tally.bytes, dict(tally.left)) == (1, 1, {})
    assert sorted(path.name for path in site.top.iterdir()) == [".guardian-quarantine", "a", "later", "new"]
    assert [os.stat(path).st_size for path in slots(site.top)] == [1]


def test_the_quarantine_is_for_nobody_else(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a", mode=0o666)
    site.put(site.scan())
    assert (site.top / ".guardian-quarantine").stat().st_mode & 0o777 == 0o700


def _rewrite(path: Path) -> None:
    put_file(path, b"other")


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _touch(path: Path) -> None:
    os.utime(path, ns=(NEW, NEW))


def _replace(path: Path) -> None:
    put_file(path.with_name("new"))
    path.with_name("new").rename(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_rewrite, Left.CHANGED),
        (_append, Left.CHANGED),
        (_touch, Left.CHANGED),
        (_replace, Left.CHANGED),
        (_link, Left.CHANGED),
        (_directory, Left.CHANGED),
        (Path.unlink, Left.GONE),
    ],
)
def test_what_changed_since_it_was_listed_is_left(
    tmp_path: Path, change: Callable[[Path], None], reason: Left
) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    listing = site.scan()
    change(site.top / "a")
    before = snapshot(site.top)
    path = Path(listing.path)
    dry = check(
        site.root, below(site.root, path), site.move(listing), InUse(), lambda count: None, lambda: False
    )
    tally = site.put(listing)
    assert dict(tally.left) == dict(dry.left) == {reason: 1}
    assert tally.done == dry.done == 0
    assert snapshot(site.top) == before


def test_what_changed_after_the_backup_is_left_though_it_looks_the_same(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    site.saved = os.stat(site.top / "a").st_ctime_ns
    listing = site.scan()
    changed_after(site.top / "a", site.saved)
    put_file(site.top / "a", b"new")  # of the same size, and with its time put back
    path = Path(listing.path)
    dry = check(
        site.root, below(site.root, path), site.move(listing), InUse(), lambda count: None, lambda: False
    )
    assert dict(site.put(listing).left) == dict(dry.left) == {Left.AFTER_BACKUP: 1}
    assert (site.top / "a").read_bytes() == b"new"


def test_a_directory_that_became_a_link_leads_nowhere(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    outside = tmp_path / "outside"
    for directory in (site.top / "d", outside):
        directory.mkdir()
        put_file(directory / "a")
    listing = site.scan()
    (site.top / "d").rename(site.top / "moved")
    (site.top / "d").symlink_to(outside)
    tally = site.put(listing)
    assert dict(tally.left) == {Left.PLACE_CHANGED: 1}
    assert (outside / "a").exists()
    assert (site.top / "moved" / "a").exists()


def test_a_directory_that_is_swapped_while_it_runs_leads_nowhere_either(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    outside = tmp_path / "outside"
    for directory in (site.top / "d", outside):
        directory.mkdir()
        for number in range(4):
            put_file(directory / str(number))
    listing = site.scan()
    looks = 0

    def swap() -> InUse:
        nonlocal looks
        looks += 1
        if looks == 3:
            (site.top / "d").rename(tmp_path / "carried off")
            (site.top / "d").symlink_to(outside)
        return InUse()

    entries = below(site.root, Path(listing.path))
    tally = put(site.root, entries, site.move(listing), swap, lambda count: None, lambda: False, at_once=1)
    assert len(list(outside.iterdir())) == 4
    # What was approved is those very files, wherever their directory has been carried meanwhile.
    assert tally.done == 4
    assert len(slots(site.top)) == 4


@pytest.mark.parametrize("how", ["read", "write", "mapped", "program", "other process"])
def test_a_file_that_is_open_or_mapped_stays_though_nobody_saw_it_before(tmp_path: Path, how: str) -> None:
    """`InUse()` knows nothing: it is the kernel that says so at the very moment."""
    site = Site.at(tmp_path)
    put_file(site.top / "a", Path(sys.executable).read_bytes() if how == "program" else b"old", mode=0o700)
    listing = site.scan()
    with ExitStack() as stack:
        if how in ("read", "write", "mapped"):
            file = stack.enter_context((site.top / "a").open("r+b" if how == "write" else "rb"))
            if how == "mapped":
                stack.enter_context(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
                file.close()
        else:
            wait = "import sys; print(); sys.stdin.read()"
            program = str(site.top / "a") if how == "program" else sys.executable
            home = {"PYTHONHOME": sys.base_prefix} if how == "program" else {}
            opened = os.open(site.top / "a", os.O_RDONLY) if how == "other process" else None
            child = subprocess.Popen(
                [program, "-S", "-c", wait],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=() if opened is None else (opened,),
                env={**os.environ, **home},
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            if opened is not None:
                os.close(opened)
            assert child.stdout is not None
            assert child.stdout.readline() == b"\n"
        assert dict(site.put(listing).left) == {Left.IN_USE: 1}
        assert (site.top / "a").exists()
    assert site.put(listing).done == 1


def test_what_was_seen_to_be_held_is_not_even_opened(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for name in ("held", "theirs"):
        put_file(site.top / name)
    listing = site.scan()
    held, theirs = (os.stat(site.top / name) for name in ("held", "theirs"))
    site.use = InUse(
        frozenset({(held.st_dev, held.st_ino), (theirs.st_dev, theirs.st_ino)}),
        frozenset({(theirs.st_dev, theirs.st_ino)}),
    )
    assert dict(site.put(listing).left) == {Left.IN_USE: 1, Left.PROTECTED: 1}


def test_files_that_are_in_use_go_where_the_rules_say_so_but_never_protected_ones(tmp_path: Path) -> None:
    site = Site.at(tmp_path, respected=False)
    for name in ("held", "theirs"):
        put_file(site.top / name)
    listing = site.scan()
    with (site.top / "held").open(), (site.top / "theirs").open():
        theirs = os.stat(site.top / "theirs")
        site.use = InUse(protected=frozenset({(theirs.st_dev, theirs.st_ino)}))
        tally = site.put(listing)
    assert (tally.done, dict(tally.left)) == (1, {Left.PROTECTED: 1})


def test_a_file_that_became_young_by_its_change_alone_is_left(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    listing = site.scan()
    move = site.move(listing)
    by_change = type(move)(move.header, move.list_sha256, move.newest, AgeBy.CHANGED)
    entries = below(site.root, Path(listing.path))
    tally = put(site.root, entries, by_change, InUse, lambda count: None, lambda: False)
    assert dict(tally.left) == {Left.CHANGED: 1}


def test_a_hard_link_takes_its_one_name_only(tmp_path: Path) -> None:
    site = Site.at(tmp_path, patterns=("*.log",))
    put_file(site.top / "a.log", b"shared")
    os.link(site.top / "a.log", tmp_path / "elsewhere")
    assert site.put(site.scan()).done == 1
    assert not (site.top / "a.log").exists()
    assert (tmp_path / "elsewhere").read_bytes() == b"shared"


def test_a_configured_quarantine_on_the_same_file_system(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    site.root = Root(site.root.path, os.fsencode(tmp_path / "kept"))
    put_file(site.top / "a")
    before = snapshot(site.top)
    assert site.put(site.scan()).done == 1
    assert not (site.top / ".guardian-quarantine").exists()
    assert len(contents(tmp_path / "kept")) == 1
    assert site.restore().done == 1
    assert snapshot(site.top) == before


def test_a_quarantine_on_another_file_system_is_refused(tmp_path: Path) -> None:
    other = Path("/dev/shm")  # noqa: S108 - looked at, and left as it is
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        missing("a second file system", "mount a tmpfs at /dev/shm")
    site = Site.at(tmp_path)
    place = other / f"guardian-test-{os.getpid()}"
    site.root = Root(site.root.path, os.fsencode(place))
    put_file(site.top / "a")
    try:
        with pytest.raises(QuarantineUnusable) as unusable:
            site.put(site.scan())
    finally:
        place.rmdir()
    assert unusable.value.reason == "quarantine_elsewhere"
    assert (site.top / "a").exists()


@pytest.mark.parametrize("what", ["link", "file", "open to others", "somebody else's"])
def test_a_quarantine_that_somebody_else_made_first_is_refused(tmp_path: Path, what: str) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    listing = site.scan()
    place, trap = site.top / ".guardian-quarantine", tmp_path / "trap"
    trap.mkdir()
    if what == "link":
        place.symlink_to(trap)
    elif what == "file":
        place.touch()
    else:
        place.mkdir(mode=0o700)
        if what == "open to others":
            place.chmod(0o777)
        elif os.geteuid() == 0:
            os.chown(place, 12345, 12345)
        else:
            missing("the right to give a directory away", "root")
    with pytest.raises(QuarantineUnusable) as unusable:
        site.put(listing)
    assert unusable.value.reason == "quarantine_not_ours"
    assert (site.top / "a").exists()
    assert list(trap.iterdir()) == []


def test_nothing_in_a_slot_is_ever_written_over(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    put_file(site.top / "a", b"first")
    listing = site.scan()
    site.put(listing)
    (slot,) = slots(site.top)
    os.rename(slot, site.top / "a")
    put_file(slot, b"foreign")
    tally = site.put(listing)
    assert dict(tally.left) == {Left.ODD: 1}
    assert (site.top / "a").read_bytes() == b"first"
    assert Path(os.fsdecode(slot)).read_bytes() == b"foreign"


def test_a_run_that_is_done_again_counts_what_it_did_and_does_the_rest(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for number in range(20):
        put_file(site.top / str(number))
    before = snapshot(site.top)
    listing = site.scan()
    entries = list(below(site.root, Path(listing.path)))
    first = put(site.root, entries[:8], site.move(listing), InUse, lambda count: None, lambda: False)
    assert first.done == 8
    again = site.put(listing)
    assert (again.done, dict(again.left)) == (20, {})
    assert len(slots(site.top)) == 20
    assert site.restore().done == 20
    assert snapshot(site.top) == before


def test_it_stops_between_two_batches(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    for number in range(20):
        put_file(site.top / str(number))
    listing = site.scan()
    seen: list[int] = []
    tally = put(
        site.root, below(site.root, Path(listing.path)), site.move(listing), InUse, seen.append,
        lambda: len(seen) == 2, at_once=3,
    )  # fmt: skip
    assert tally.stopped
    assert tally.done == 6
    assert len(slots(site.top)) == 6


_WITHOUT_LEASES = """
import sys
from pathlib import Path
from bot.tools.cleanup.checks import unused
from bot.tools.cleanup.in_use import InUse
from tests.components import missing
from tests.tools.cleanup.boxes import boxed
from tests.tools.cleanup.trees import Site
site = Site.at(Path(sys.argv[1]))
site.use = InUse(unseen=int(sys.argv[2]))
tally = site.put(site.scan())
print(tally.done, *tally.left)
"""


@pytest.mark.parametrize(("unseen", "said"), [(1, "0 use_unknown"), (0, "1")])
def test_where_the_kernel_gives_no_lease_all_processes_must_have_been_seen(
    tmp_path: Path, unseen: int, said: str
) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None or os.geteuid() != 0:
        missing("a process with fewer rights", "root, apt-get install util-linux")
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    os.chown(site.top / "a", 1234, 1234)
    python = [sys.executable, "-c", _WITHOUT_LEASES, str(tmp_path), str(unseen)]
    done = subprocess.run(
        [setpriv, "--bounding-set=-lease", *python],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == said, done.stderr


def test_who_opens_the_file_at_that_moment_waits_and_we_live_on(tmp_path: Path) -> None:
    """The kernel signals whoever holds a lease that somebody waits for; its usual signal would end us."""
    site = Site.at(tmp_path)
    put_file(site.top / "a")
    listing = site.scan()
    ((_, file),) = below(site.root, Path(listing.path))
    code = "import sys; print('now', flush=True); open(sys.argv[1], 'r+'); print('opened', flush=True)"
    with Places(site.root.path) as places:
        with unused(places.root, b"a", file, InUse(), respected=True):
            child = subprocess.Popen(
                [sys.executable, "-c", code, str(site.top / "a")], stdout=subprocess.PIPE
            )
            assert child.stdout is not None
            assert child.stdout.readline() == b"now\n"
            while psutil.Process(child.pid).status() == psutil.STATUS_RUNNING:
                pass  # on its way into `open`
            assert child.poll() is None
        with child:
            assert child.stdout.readline() == b"opened\n"
    assert site.put(listing).done == 1


def test_a_look_sees_what_processes_hold(tmp_path: Path) -> None:
    for name in ("open", "mapped", "free", "work/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        put_file(tmp_path / name)
    with (tmp_path / "mapped").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    with mapped, (tmp_path / "open").open("rb"):
        child = subprocess.Popen(
            [sys.executable, "-c", "print(flush=True); input()"],
            cwd=tmp_path / "work",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with child:
            assert child.stdout is not None
            child.stdout.readline()
            use = look({child.pid})
            child.kill()
    where = {name: os.stat(tmp_path / name) for name in ("open", "mapped", "free", "work")}
    files = {name: (status.st_dev, status.st_ino) for name, status in where.items()}
    assert {name for name, file in files.items() if file in use.held} == {"open", "mapped", "work"}
    assert files["work"] in use.working
    assert files["work"] in use.protected
    assert files["open"] not in use.protected


def test_a_container_knows_that_it_does_not_see_everybody() -> None:
    box = boxed("--pid", "--fork", "--mount", "--mount-proc")
    code = "from bot.tools.cleanup.in_use import look; print(look().unseen)"
    done = subprocess.run(
        [*box, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout == "1\n", done.stderr
