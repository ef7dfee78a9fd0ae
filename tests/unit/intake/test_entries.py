"""Submissions are found by their names and read one by one, whatever became of them in between."""

from __future__ import annotations

import shutil
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders.intake import find_entries, find_submissions
from graders.intake.shelf import Shelf
from tests.unit.intake.packing import NOTEBOOK, Content, lay, names, pack, pack_tree

CODE = pack({"lab.ipynb": NOTEBOOK})
CLASSES: dict[str, dict[str, Content]] = {
    "plain": {"alice": {"lab.ipynb": NOTEBOOK}, "bob": {"lab.ipynb": NOTEBOOK}, "carol.zip": CODE, "dave.zip": CODE},
    "Canvas": {f"{name}_{n}_{n}_{file}": CODE for n, name in enumerate("abcd") for file in ("code.zip", "x.pdf")},
    "Moodle": {f"{name}_{n}_assignsubmission_file": {"code.zip": CODE} for n, name in enumerate("abcd")},
}
SHAPES = [(name, packed) for name in CLASSES for packed in (False, True)]


@pytest.fixture(params=SHAPES, ids=[f"{name} {'zip' if packed else 'folder'}" for name, packed in SHAPES])
def a_class(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name, packed = request.param
    if packed:
        (tmp_path / "class.zip").write_bytes(pack_tree(CLASSES[name]))
        return tmp_path / "class.zip"
    return lay(tmp_path / "class", CLASSES[name])


def test_nothing_but_names_is_read_before_it_is_asked_for(a_class: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "take", lambda *_: pytest.fail("a file was read"))
        patch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("an archive was unpacked"))
        entries = find_entries([a_class])
    assert len(entries) == 4
    assert [entry.read() for entry in entries] == find_submissions([a_class])
    for entry in entries:
        first = entry.read()
        assert (first.id, first.name) == (entry.id, entry.name)
        assert entry.read() == first, "it may be read again"
        assert first.problems == ()


def test_what_is_gone_when_it_is_read_is_a_line(a_class: Path) -> None:
    entries = find_entries([a_class])
    if a_class.is_dir():
        shutil.rmtree(a_class)
    else:
        a_class.unlink()
    for entry in entries:
        read = entry.read()
        assert read.files == ()
        *gone, last = read.problems
        assert gone
        assert all("(No such file or directory); look for it and grade again" in line for line in gone)
        assert last == f"no notebook and no script found in {entry.source}"


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", pack({}), pack({"x/lab.ipynb": NOTEBOOK, "y/lab.ipynb": NOTEBOOK}), pack_tree(CLASSES["plain"])[:-9]],
)
def test_an_archive_that_became_another_is_a_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(pack_tree(CLASSES["plain"]))
    entries = find_entries([path])
    path.write_bytes(data)
    for entry in entries:
        read = entry.read()
        assert not any(file.text for file in read.files)
        assert read.problems
        assert all(len(line.splitlines()) == 1 for line in read.problems)


def test_of_a_large_class_only_the_one_that_is_read_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = pack({"lab.ipynb": b" " * 2**20 + NOTEBOOK})
    path = tmp_path / "class.zip"
    path.write_bytes(pack({f"student{n:03}.zip": inner for n in range(500)}))
    opened: list[str] = []
    real = zipfile.ZipFile.open

    def counted(self: zipfile.ZipFile, member: zipfile.ZipInfo) -> object:
        opened.append(member.filename)
        return real(self, member)

    monkeypatch.setattr(zipfile.ZipFile, "open", counted)
    entries = find_entries([path])
    assert len(entries) == 500
    tracemalloc.start()
    for entry in entries[100:120]:
        assert len(entry.read().files) == 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert opened == [name for n in range(100, 120) for name in (f"student{n:03}.zip", "lab.ipynb")]
    assert peak < 10 * 2**20


FILES = st.sampled_from(
    "code.zip Code.ZIP code-1.zip lab.ipynb LAB.IPYNB main.py report.pdf x.rar __MACOSX ._a.py é.py b_v2.zip".split()
)
DATA = st.sampled_from([CODE, pack({"a.py": b"x"}), NOTEBOOK, b"", pack({"b.zip": CODE})]).flatmap(
    lambda data: (
        st.just(data)
        | st.binary(max_size=40)
        | st.tuples(st.integers(0, len(data)), st.binary(max_size=9)).map(lambda cut: data[: cut[0]] + cut[1])
    )
)
FORMS = st.sampled_from(
    ["doejane_11_{n}_{file}", "Jane Doe_11_assignsubmission_file_{file}", "submission_{n}/{file}", "{file}"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(FORMS, FILES), max_size=6, unique=True), st.data(), st.booleans())
def test_every_file_is_read_or_told_of_in_one_line(
    chosen: list[tuple[str, str]], data: st.DataObject, packed: bool
) -> None:
    content = {form.format(n=n, file=file): data.draw(DATA) for n, (form, file) in enumerate(chosen)}
    content |= {"submission_metadata.yml": data.draw(st.binary(max_size=9)), "other_7_7_a.py": b"x = 1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "class.zip")
        path.write_bytes(pack(content))
        if not packed:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(path := Path(folder, "class"))
        submissions = find_submissions([path])
    told = [line for each in submissions for line in each.problems]
    assert all(len(line.splitlines()) == 1 for line in told)
    seen = {name for each in submissions for name in names(each)}
    for name in content:
        short = next((file for form, file in chosen if name.endswith(file)), "a.py")
        ours = short.startswith(("__MACOSX", ".")) or ("/" not in name and short == "report.pdf")
        assert ours or name.endswith(".yml") or any(short in line for line in (*seen, *told)), name
