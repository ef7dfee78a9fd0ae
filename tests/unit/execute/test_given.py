"""A large folder is let into the kernel's child where it lies: read there, never written, at every level."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.execute import MODULES, Executed, Stage, run, run_limits
from graders.sandbox.levels import try_level
from graders.sandbox.limits import given_at
from graders.sandbox.nursery import Nursery
from tests.unit.execute.notebooks import notebook, text_of

STAND_IN = "tests.unit.execute.stand_in"
SIZE = 120 << 20  # more than an order or the scratch could carry

READS = """
import os
print(sorted(os.listdir("pa2/train"))[:3], os.path.getsize("pa2/train/large.bin"))
print(open("/content/drive/MyDrive/pa2/train/0.jpg").read() if os.path.isdir("/content/drive") else "picture 0")
print(len(os.listdir("pa2/test")), open("pa2/own.h5").read())
open("pa2/notes.txt", "w").write("the folder around them is the notebook's")
import zipfile
print(len(zipfile.ZipFile("small.zip").namelist()))
"""

WRITES = """
import contextlib, os, shutil
train = os.path.realpath("pa2/train")
one, new, done = f"{train}/0.jpg", f"{train}/new.jpg", []
ways = {
    "open to write": lambda: open(one, "w"), "open to add": lambda: open(one, "a"), "change": lambda: open(one, "r+"),
    "truncate": lambda: os.truncate(one, 0), "cut": lambda: os.close(os.open(one, os.O_RDONLY | os.O_TRUNC)),
    "make": lambda: open(new, "w"), "node": lambda: os.mknod(new), "pipe": lambda: os.mkfifo(new),
    "folder": lambda: os.mkdir(f"{train}/below"), "link": lambda: os.symlink("/etc", new),
    "remove": lambda: os.remove(one), "rename": lambda: os.rename(one, new), "take": lambda: os.rename(one, "moved"),
    "rename all": lambda: os.rename(train, f"{train}2"), "write by link": lambda: (os.link(one, "l"), open("l", "a")),
}
for name, way in ways.items():
    with contextlib.suppress(OSError):
        way()
        done.append(name)
# At one level these are answered and not done: what the folder is like afterwards tells.
for way in (lambda: os.chmod(one, 0o777), lambda: os.utime(one, (0, 0)), lambda: os.chown(one, 1, 1)):
    with contextlib.suppress(OSError):
        way()
shutil.rmtree(train, ignore_errors=True)
print(done, os.path.exists(one))
"""

LOOKS = """
import os
seen = []
for path in (f"{given}/..", f"{given}/../secret", f"{given}/../secret/key.txt", f"{given}/../../beside", beside):
    try:
        seen += os.listdir(path) if os.path.isdir(path) else [open(path).read()] if os.path.exists(path) else []
    except OSError:
        pass
print(sorted(seen))
"""


@pytest.fixture(scope="module")
def course() -> Iterator[Path]:
    """Return a folder that any user can read, with images, a large file, and a secret beside them."""
    top = Path(tempfile.mkdtemp(prefix="graders-course-", dir="/tmp"))
    top.chmod(0o755)
    for name, number in (("train", 40), ("test", 7)):
        (top / "data" / name).mkdir(parents=True)
        for at in range(number):
            (top / "data" / name / f"{at}.jpg").write_text(f"picture {at}")
    with (top / "data" / "train" / "large.bin").open("wb") as large:
        large.truncate(SIZE)
    for folder in ("data/secret", "beside"):
        (top / folder).mkdir()
        (top / folder / "key.txt").write_text("secret")
        (top / folder).chmod(0o700)
    yield top
    shutil.rmtree(top)


def state(course: Path) -> list[tuple[str, int, int, int, int]]:
    found = [(path, path.lstat()) for path in sorted(course.rglob("*"))]
    return [(str(path), seen.st_mode, seen.st_uid, seen.st_size, seen.st_mtime_ns) for path, seen in found]


@pytest.fixture(scope="module", params=["full", "no-namespaces", "uid"])
def ran(request: pytest.FixtureRequest, course: Path) -> tuple[str, Executed, bool]:
    level = request.param
    if reason := try_level(level).reason:
        pytest.skip(f"this machine does not give the level {level}: {reason}")
    before = state(course)
    folders = {"pa2/train": str(course / "data" / "train"), "pa2/test": str(course / "data" / "test")}
    links = {"/content/drive/MyDrive/pa2": "pa2", "small.zip": "pa2/test"}
    looks = f"given, beside = {given_at(level, list(folders.values()))[0]!r}, {str(course / 'beside')!r}\n{LOOKS}"
    stage = Stage("pixelcnn", 7, {"pa2/own.h5": b"own"}, folders, links, None, 20.0, 40.0, STAND_IN)
    with Nursery(("graders.probes.wire", *MODULES, STAND_IN), level, run_limits(40)) as nursery:
        executed = run(nursery, notebook(READS, WRITES, looks), stage)
    return level, executed, state(course) == before


def printed(executed: Executed, cell: int) -> list[str]:
    return text_of(executed.notebook["cells"][cell - 1]).splitlines()


def test_the_folders_are_read_where_they_lie(ran: tuple[str, Executed, bool]) -> None:
    _, executed, _ = ran
    assert executed.evidence.fault == ""
    assert printed(executed, 2) == [f"['0.jpg', '1.jpg', '10.jpg'] {SIZE}", "picture 0", "7 own", "7"]


def test_nothing_in_them_can_be_changed(ran: tuple[str, Executed, bool]) -> None:
    level, executed, unchanged = ran
    assert unchanged
    assert printed(executed, 3) == ["[] True"], level


def test_nothing_beside_them_is_seen(ran: tuple[str, Executed, bool]) -> None:
    level, executed, _ = ran
    (seen,) = printed(executed, 4)
    assert "key.txt" not in seen
    if level != "uid":  # there a child reads whatever any user may
        assert seen == {"full": "['0', '1']", "no-namespaces": "[]"}[level]


def test_a_folder_that_cannot_be_read_is_our_fault(course: Path) -> None:
    if os.getuid() != 0 or try_level("full").reason:
        pytest.skip("only where children are users of their own a folder can be read by us and not by them")
    stage = Stage("pixelcnn", 7, given={"pa2/train": str(course / "beside")}, total_seconds=20.0, recorder=STAND_IN)
    with Nursery(("graders.probes.wire", *MODULES, STAND_IN), "full", run_limits(20)) as nursery:
        executed = run(nursery, notebook("print(1)"), stage)
    assert "Permission denied: '/given/0'" in executed.evidence.fault
