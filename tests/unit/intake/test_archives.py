from __future__ import annotations

import io
import os
import random
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graders.intake import archives, shelf
from graders.intake.archives import read_archive
from graders.intake.shelf import MIB, Shelf
from graders.model import Submission
from tests.unit.intake.packing import NOTEBOOK, names, pack, patched

LAB = {"lab.ipynb": NOTEBOOK}


def read(data: bytes) -> Submission:
    gathered = Shelf()
    read_archive(gathered, "alice.zip", io.BytesIO(data))
    return gathered.submission("alice", "alice", "alice.zip")


def with_mode(name: str, mode: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("lab.ipynb", NOTEBOOK)
    return out.getvalue()


def twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("lab.ipynb", b"old")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("lab.ipynb", NOTEBOOK)
    return out.getvalue()


def compressed(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.py", b"x" * 100, method)
        archive.writestr("lab.ipynb", NOTEBOOK)
    return out.getvalue()


def renamed(name: str, raw: bytes) -> bytes:
    """A zip with a name as old archivers write it: bytes in no said encoding."""
    assert len(name) == len(raw)
    return pack({name: b"x", **LAB}).replace(name.encode(), raw)


DAMAGED = "alice.zip/x.py: is damaged in the archive; pack it and hand it in again"
OUT = "has a name that leads out of the archive; pack it with plain names"
# What is wrong, and the line that tells of it; lab.ipynb is read all the same.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "crc": (lambda: patched(pack({"x.py": b"x = 1", **LAB}), "crc", 1), DAMAGED),
    "header": (lambda: patched(pack({"x.py": b"x = 1", **LAB}), "header", 2**31), DAMAGED),
    "another's header": (lambda: patched(pack({"x.py": b"x = 1", **LAB}), "header", 60), DAMAGED),
    "encrypted": (
        lambda: patched(pack({"x.py": b"x = 1", **LAB}), "flags", 1),
        "alice.zip/x.py: is encrypted; hand it in without a password",
    ),
    "method": (
        lambda: patched(pack({"x.py": b"x = 1", **LAB}), "method", 99),
        "alice.zip/x.py: is packed in a way that is not read here; hand in an ordinary .zip",
    ),
    "lzma": (
        lambda: compressed(zipfile.ZIP_LZMA),
        "alice.zip/x.py: is packed in a way that is not read here; hand in an ordinary .zip",
    ),
    "bzip2": (
        lambda: compressed(zipfile.ZIP_BZIP2),
        "alice.zip/x.py: is packed in a way that is not read here; hand in an ordinary .zip",
    ),
    "traversal": (lambda: pack({"../../x.py": b"", **LAB}), f"alice.zip/../../x.py: {OUT}"),
    "inner traversal": (lambda: pack({"a/../../x.py": b"", **LAB}), f"alice.zip/a/../../x.py: {OUT}"),
    "backslashes": (lambda: pack({"..\\x.py": b"", **LAB}), f"alice.zip/../x.py: {OUT}"),
    "absolute": (lambda: pack({"/etc/x.py": b"", **LAB}), f"alice.zip//etc/x.py: {OUT}"),
    "drive": (lambda: pack({"C:\\x.py": b"", **LAB}), f"alice.zip/C:/x.py: {OUT}"),
    "link": (
        lambda: with_mode("x.py", stat.S_IFLNK | 0o777),
        "alice.zip/x.py: is a symbolic link; hand in the file itself",
    ),
    "fifo": (lambda: with_mode("x.py", stat.S_IFIFO), "alice.zip/x.py: is no ordinary file; leave it out"),
    "no name": (lambda: pack({"x/. ": b"", **LAB}).replace(b"x/. ", b"/./."), f"alice.zip//./.: {OUT}"),
    "long name": (
        lambda: pack({"x" * 1001: b"", **LAB}),
        f"{'alice.zip/' + 'x' * 90}\u2026{'x' * 99}: has a name that no file can have; give it a short one",
    ),
    "twice": (twice, "alice.zip/lab.ipynb: stands more than once in the archive; the last one was read"),
    "declared size": (
        lambda: patched(pack({"x.py": b"x = 1", **LAB}), "size", 60 * MIB),
        "alice.zip/x.py: is larger than 50 MiB and was left out; hand in no data sets or weights",
    ),
    "ratio": (
        lambda: pack({"x.py": b"\0" * (2 * MIB), **LAB}),
        "alice.zip/x.py: unpacks to more than 200 times its size and was left out; hand in no such file",
    ),
    "a liar": (lambda: patched(pack({"x.py": os.urandom(200), **LAB}), "size", 100), DAMAGED),
    "encoding": (
        lambda: renamed("xyz.txt", b"\xb3\xb4z.txt"),
        "alice.zip/│┤z.txt: has a name that is not UTF-8; name it in plain letters",
    ),
    "broken inner zip": (
        lambda: pack({"code.zip": b"PK\x03\x04", **LAB}),
        "alice.zip/code.zip: is not a zip archive or is cut short; hand it in again",
    ),
    "rar": (
        lambda: pack({"code.rar": b"Rar!", **LAB}),
        "alice.zip/code.rar: is an archive of a kind that is not read here; hand in a .zip",
    ),
    "third zip": (
        lambda: pack({"b.zip": pack({"c.zip": pack({"d.py": b""})}), **LAB}),
        "alice.zip/b.zip/c.zip: is an archive too deep in other archives; pack the files once",
    ),
}


@pytest.mark.parametrize(("make", "told"), HOSTILE.values(), ids=HOSTILE)
def test_one_line_and_the_rest_goes_on(make: Callable[[], bytes], told: str) -> None:
    submission = read(make())
    assert submission.problems == (told,)
    (lab,) = (file for file in submission.files if file.name == "alice.zip/lab.ipynb")
    assert lab.text == NOTEBOOK.decode()


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", pack(LAB)[:-30], pack(LAB)[:-1]])
def test_no_archive(data: bytes) -> None:
    assert read(data).problems == (
        "alice.zip: is not a zip archive or is cut short; hand it in again",
        "no notebook and no script found in alice.zip",
    )


def test_a_name_said_to_be_utf_8() -> None:
    data = pack({"é.txt": b"", **LAB}).replace("é".encode(), b"\xff\xff")
    told = "alice.zip: holds names that are not UTF-8; name the files in plain letters and pack it again"
    assert read(data).problems[0] == told


def test_names_of_other_archivers() -> None:
    told = read(renamed("xyz.py", "é".encode() + b"z.py"))
    assert names(told) == ["alice.zip/lab.ipynb", "alice.zip/éz.py"], "macOS does not say that it writes UTF-8"
    told = read(pack({"a\\b.py": b"", "./c.py": b"", "d//e.py": b"", "f/": b"", "g/./h.py": b""}))
    assert names(told) == [f"alice.zip/{name}" for name in ("a/b.py", "c.py", "d/e.py", "g/h.py")]
    assert told.problems == ()


def test_names_that_look_the_same() -> None:
    submission = read(pack({"a\x01.py": b"old", "a\x02.py": b"new"}))
    assert [file.text for file in submission.files] == ["new"]
    assert submission.problems == ("alice.zip/a\ufffd.py: stands more than once; the last one was read",)


def test_a_notebook_that_packs_well_is_no_bomb() -> None:
    printed = NOTEBOOK[:-1] + b', "x": "' + b"loss: 0.1 " * 300_000 + b'"}'
    submission = read(pack({"lab.ipynb": printed}))
    assert submission.problems == ()
    assert submission.files[0].text == printed.decode()


def test_an_inner_archive_is_read() -> None:
    submission = read(pack({"x/code.ZIP": pack({"y/lab.ipynb": NOTEBOOK})}))
    assert names(submission) == ["alice.zip/x/code.ZIP", "alice.zip/x/code.ZIP/y/lab.ipynb"]
    assert submission.problems == ()


def test_a_huge_table_of_contents_is_not_read() -> None:
    data = bytearray(pack(LAB))
    struct.pack_into("<L", data, len(data) - 22 + 12, 2**31)
    assert "is not a zip archive" in read(bytes(data)).problems[0]


def test_the_guard_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "DIRECTORY_LIMIT", 50)
    assert "is not a zip archive" in read(pack({"x" * 100: b""})).problems[0]


def test_the_limits_hold_over_all_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "TOTAL_LIMIT", 5000)
    noise = random.Random(0).randbytes(2000)
    submission = read(pack({"code.zip": pack({"lab.ipynb": NOTEBOOK, "a": noise, "b": noise}), "c": noise}))
    assert "alice.zip/code.zip/lab.ipynb" in names(submission)
    (told,) = submission.problems
    assert told == "alice.zip/code.zip/a: more than 0 MiB in all; this file and the rest was left out"


def test_damaged_files_count_against_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else thousands of them, each a little broken, could keep us busy for an hour."""
    monkeypatch.setattr(shelf, "TOTAL_LIMIT", 3 * MIB)
    data = pack({f"{n}.bin": random.Random(n).randbytes(MIB + 1) for n in range(5)})
    for n in range(5):
        data = patched(data, "crc", 1, at=n)
    problems = read(data).problems
    assert sum("is damaged" in line for line in problems) < 4
    assert sum("in all" in line for line in problems) == 1


def test_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "ENTRY_LIMIT", 10)
    submission = read(pack({**{f"a{n:02}.jpg": b"" for n in range(30)}, "deep/er/lab.ipynb": NOTEBOOK}))
    assert len(submission.files) == 10
    assert "alice.zip/deep/er/lab.ipynb" in names(submission)
    assert len(submission.problems) == 1


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read(pack({"../x.py": b"", "a/b.py": b"", "code.zip": pack(LAB)}))
    assert list(tmp_path.iterdir()) == []


GOOD = pack({"a/lab.ipynb": NOTEBOOK, "é.py": b"x = 1" * 50, "code.zip": pack({"b.py": b"import a"})})
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def sound(submission: Submission) -> None:
    for line in (*submission.problems, *names(submission)):
        assert len(line.splitlines()) == 1
        line.encode("utf-8")
    for name in names(submission):
        assert name.startswith("alice.zip/")
        assert not {"..", ".", ""} & set(name.split("/"))


@SLOW
@given(st.binary(max_size=300))
@example(b"PK\x05\x06" + b"\0" * 18)
def test_random_bytes(data: bytes) -> None:
    sound(read(data))


@SLOW
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_an_archive_with_some_bytes_changed(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    sound(read(bytes(data)))


@SLOW
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12)
        | st.text(alphabet="./\\:Cab\n", min_size=1, max_size=8).map(lambda name: f"{name}.py"),
        st.binary(max_size=20),
        max_size=5,
    )
)
def test_random_names(content: dict[str, bytes]) -> None:
    try:
        data = pack(content)
    except (ValueError, IndexError):  # zipfile cannot write lone surrogates and NUL at the start
        return
    sound(read(data))


def test_an_empty_name() -> None:
    data = pack({"x": b"", **LAB})
    at = data.index(b"PK\x01\x02")
    cut = bytearray(data[: at + 46] + data[at + 47 :])  # one byte of the name less in the table of contents
    struct.pack_into("<H", cut, at + 28, 0)
    end = cut.rindex(b"PK\x05\x06")
    struct.pack_into("<L", cut, end + 12, struct.unpack_from("<L", cut, end + 12)[0] - 1)
    assert re.match("alice.zip/: has a name that no file can have", read(bytes(cut)).problems[0])
