from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from graders.errors import UsageError
from graders.intake import find_submissions, folders, shelf
from tests.unit.intake.packing import NOTEBOOK, lay, names, one, pack


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = lay(tmp_path / "out", {"secret.py": "x = 1"})
    alice = lay(tmp_path / "alice", {"lab.ipynb": NOTEBOOK})
    (alice / "stolen.py").symlink_to(secret / "secret.py")
    (alice / "folder").symlink_to(secret)
    (alice / "loop").symlink_to("loop")
    (alice / "code").mkdir()
    (alice / "code" / "up").symlink_to("..")
    submission = one(alice)
    assert names(submission) == ["lab.ipynb"]
    assert [line.partition(":")[0] for line in submission.problems] == ["stolen.py", "folder", "loop", "code/up"]
    assert submission.problems[0] == "stolen.py: is a symbolic link and was not followed; hand in the file itself"


def test_links_in_a_class_pass_nobody_over(tmp_path: Path) -> None:
    lay(tmp_path / "out", {"a.py": ""})
    folder = lay(tmp_path / "class", {"alice": {"a.py": ""}, "bob.ipynb": NOTEBOOK})
    (folder / "carol").symlink_to(tmp_path / "out")
    (folder / "dave.ipynb").symlink_to("bob.ipynb")
    (folder / "loop").symlink_to("loop")
    submissions = find_submissions([folder])
    assert [each.id for each in submissions] == ["alice", "bob", "carol", "dave"]
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "link").symlink_to(lay(tmp_path / "y", {"A_1_assignsubmission_file": {"a.py": ""}}))
    assert one(tmp_path / "x").problems[0].startswith("link: is a symbolic link"), "nor is it a folder around a class"
    for linked in submissions[2:]:
        assert linked.files == ()
        assert re.match("(carol|dave.ipynb|loop): is a symbolic link", linked.problems[0])
        assert "no notebook and no script found" in linked.problems[1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_nothing_waits_for_a_fifo(tmp_path: Path) -> None:
    folder = lay(tmp_path / "class", {"bob": {}})
    os.mkfifo(folder / "alice.ipynb")
    os.mkfifo(folder / "alice.zip")
    os.mkfifo(folder / "bob" / "lab.py")
    told = [submission.problems[0] for submission in find_submissions([folder])]
    assert told == [f"{name}: is no ordinary file; leave it out" for name in ("alice.ipynb", "alice.zip", "lab.py")]
    assert one(folder / "alice.zip").files == ()
    os.mkfifo(folder / "bob" / "main.py")
    assert len(find_submissions([folder / "bob"])) == 2, "nobody looked into them for imports"
    with pytest.raises(OSError, match="no ordinary file"):
        folders.open_file(folder / "alice.ipynb")


def test_files_and_folders_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = lay(tmp_path / "alice", {"report.pdf": b"", "lab.ipynb": NOTEBOOK, "shut": {"a.py": ""}})
    real_open, real_scan = os.open, os.scandir

    def shut_open(path: Path, *rest: int) -> int:  # the tests may run as root, whom no permission stops
        if str(path).endswith("lab.ipynb"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *rest)

    def shut_scan(path: Path) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real_scan(path)

    monkeypatch.setattr(os, "open", shut_open)
    monkeypatch.setattr(os, "scandir", shut_scan)
    submission = one(alice)
    assert names(submission) == ["report.pdf"]
    assert submission.problems == (
        "shut/: cannot be listed (Permission denied); check its permissions",
        "lab.ipynb: cannot be opened (Permission denied); check its permissions",
        "no notebook and no script found in alice",
    )


def test_a_class_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shut(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", shut)
    with pytest.raises(UsageError, match="class: cannot be listed: Permission denied"):
        find_submissions([lay(tmp_path / "class", {})])
    with pytest.raises(UsageError, match=r"there is no such file or folder$"):
        find_submissions([tmp_path / "clas"])


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def read(self, size: int) -> bytes:
            raise OSError(5, "Input/output error")

    gathered = shelf.Shelf()
    assert gathered.take("a.py", Failing()) is None  # type: ignore[arg-type]
    assert gathered.problems == ["a.py: cannot be read (Input/output error); hand it in again"]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    alice = lay(tmp_path / "alice", {"report.pdf": b""})
    Path(os.fsdecode(os.fsencode(alice) + b"/\xff\n.py")).write_bytes(b"x = 1")
    submission = one(alice)
    assert names(submission) == ["report.pdf", "\ufffd\ufffd.py"]
    assert submission.files[1].text == "x = 1"


class TestLimits:
    def test_a_large_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shelf, "FILE_LIMIT", 2 * shelf.MIB)
        alice = lay(tmp_path / "alice", {"lab.ipynb": NOTEBOOK})
        with (alice / "weights.h5").open("wb") as file:
            file.truncate(2 * shelf.MIB + 1)
        submission = one(alice)
        assert names(submission) == ["lab.ipynb"]
        assert submission.problems == (
            "weights.h5: is larger than 2 MiB and was left out; hand in no data sets or weights",
        )

    def test_a_large_notebook(self, tmp_path: Path) -> None:
        folder = lay(tmp_path / "class", {})
        for name, size in {"alice": 60, "bob": shelf.NOTEBOOK_LIMIT // shelf.MIB + 1}.items():
            with (folder / f"{name}.ipynb").open("wb") as file:
                file.truncate(size * shelf.MIB)
        alice, bob = find_submissions([folder])
        assert alice.problems == ()
        assert bob.problems[0] == "bob.ipynb: is larger than 95 MiB and was left out; clear its longest outputs"

    def test_a_file_that_grows(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shelf, "FILE_LIMIT", 10)
        path = lay(tmp_path, {"a.py": b"x" * 11}) / "a.py"
        gathered = shelf.Shelf()
        with path.open("rb") as stream:
            assert gathered.take("a.py", stream) is None
        assert "is larger than" in gathered.problems[0]

    def test_the_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shelf, "TOTAL_LIMIT", 1000)
        content = {"a.csv": b"x" * 600, "b.csv": b"x" * 600, "c.csv": b"x", "lab.ipynb": NOTEBOOK}
        submission = one(lay(tmp_path / "alice", content))  # type: ignore[arg-type]
        assert names(submission) == ["a.csv", "lab.ipynb"], "the code comes first"
        assert submission.problems == ("b.csv: more than 0 MiB in all; this file and the rest was left out",)

    def test_the_number(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shelf, "ENTRY_LIMIT", 3)
        content = {"data": {f"{n}.jpg": b"" for n in range(9)}, "z": {"lab.py": "", "code.zip": pack({})}}
        submission = one(lay(tmp_path / "class" / "alice", content).parent)  # type: ignore[arg-type]
        assert names(submission) == ["data/0.jpg", "z/code.zip", "z/lab.py"]
        assert submission.problems == ("data/1.jpg: more than 3 files; this one and the rest was left out",)

    def test_the_listing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folders, "LISTING_LIMIT", 5)
        alice = lay(tmp_path / "alice", {"lab.py": "", "data": {f"{n}.jpg": b"" for n in range(9)}})
        assert "data/: more than 5 files; the rest was left out" in one(alice).problems

    def test_the_lines(self) -> None:
        gathered = shelf.Shelf()
        for n in range(100):
            gathered.complain(f"{n}.py", "is odd")
        submission = gathered.submission("alice", "alice", "alice.zip")
        assert len(submission.problems) == shelf.PROBLEM_LIMIT + 2
        assert submission.problems[-2] == "alice.zip: 60 more files could not be read"
