from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from graders.errors import UsageError
from graders.intake import classes, find_entries, find_submissions
from graders.notebook import read_program
from tests.unit.intake.packing import NOTEBOOK, Content, lay, names, one, pack


def found(path: Path) -> list[str]:
    return [submission.name for submission in find_submissions([path])]


def test_one_notebook_among_several_scripts_is_a_class_and_not_one_person_s_work(tmp_path: Path) -> None:
    folder = lay(tmp_path, {"a.ipynb": NOTEBOOK, "b.py": b"class B: pass", "c.py": b"class C: pass"})
    assert found(folder) == ["a", "b", "c"]


def test_a_notebook_with_its_own_export_is_one_person_s_work(tmp_path: Path) -> None:
    assert len(found(lay(tmp_path, {"a.ipynb": NOTEBOOK, "a.py": b"class B: pass"}))) == 1


class TestOneFile:
    def test_a_notebook(self, tmp_path: Path) -> None:
        path = lay(tmp_path, {"alice.ipynb": NOTEBOOK}) / "alice.ipynb"
        submission = one(path)
        assert (submission.id, submission.name, submission.problems) == ("alice", "alice", ())
        (file,) = submission.files
        assert file.name == "alice.ipynb"
        assert file.sha256 == hashlib.sha256(NOTEBOOK).hexdigest()
        assert (file.size, file.text) == (len(NOTEBOOK), NOTEBOOK.decode())

    def test_a_script_in_capitals(self, tmp_path: Path) -> None:
        assert one(lay(tmp_path, {"BOB.PY": "x = 1"}) / "BOB.PY").files[0].text == "x = 1"

    def test_a_zip(self, tmp_path: Path) -> None:
        data = pack({"lab/a.ipynb": NOTEBOOK, "lab/util.py": b"x = 1", "lab/im.jpg": b"\xff"})
        submission = one(lay(tmp_path, {"carol.zip": data}) / "carol.zip")
        assert names(submission) == [
            "carol.zip",
            "carol.zip/lab/a.ipynb",
            "carol.zip/lab/im.jpg",
            "carol.zip/lab/util.py",
        ]
        assert [file.text is None for file in submission.files] == [True, False, True, False]
        assert submission.files[0].sha256 == hashlib.sha256(data).hexdigest()
        assert submission.problems == ()

    def test_another_file(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"r\.pdf: is neither a folder nor a \.zip, \.ipynb or \.py$"):
            find_submissions([lay(tmp_path, {"r.pdf": b""}) / "r.pdf"])

    def test_a_link_that_the_instructor_gave(self, tmp_path: Path) -> None:
        lay(tmp_path, {"alice.ipynb": NOTEBOOK})
        (tmp_path / "latest.ipynb").symlink_to("alice.ipynb")
        assert one(tmp_path / "latest.ipynb").problems == ()


class TestText:
    @pytest.mark.parametrize(
        ("data", "text"),
        [(b"\xef\xbb\xbfx = 1", "x = 1"), ("x = 'é'".encode("utf-16"), "x = 'é'"), ("x = 'é'".encode(), "x = 'é'")],
    )
    def test_encodings(self, tmp_path: Path, data: bytes, text: str) -> None:
        submission = one(lay(tmp_path, {"a.py": data}) / "a.py")
        assert submission.files[0].text == text
        assert submission.problems == ()

    @pytest.mark.parametrize("data", [b"x = '\xe9'", b"\xff\xfex"])
    def test_latin_1_is_told(self, tmp_path: Path, data: bytes) -> None:
        submission = one(lay(tmp_path, {"a.py": data}) / "a.py")
        assert submission.files[0].text == data.decode("latin-1")
        assert submission.problems == ("a.py: is not UTF-8 and was read as Latin-1; save it as UTF-8",)

    def test_what_is_no_text_in_any_encoding_is_left_to_who_reads_it(self, tmp_path: Path) -> None:
        submission = one(lay(tmp_path, {"a.ipynb": pack({"é.py": b"\xff"})}) / "a.ipynb")
        assert submission.problems == ()
        (note,) = read_program(submission).notes
        assert note == "a.ipynb: is not a notebook (it is an archive): save it again as .ipynb"


ONE: dict[str, dict[str, Content]] = {
    "code.zip": {"CODE.ZIP": pack({"a.ipynb": NOTEBOOK}), "part": {"b.ipynb": NOTEBOOK}, "c.ipynb": NOTEBOOK},
    "report": {"Report.pdf": b"%PDF", "src": {"a.ipynb": NOTEBOOK}},
    "notebook and helpers": {
        "lab.ipynb": b'["import helpers"]',
        "helpers.py": "x = 1",
        "more.py": "",
        "data": {"a.jpg": b""},
    },
    "notebook and its package": {"lab.ipynb": b'["from util import x"]', "util": {"x.py": ""}},
    "notebook and checkpoints": {"lab.ipynb": NOTEBOOK, ".ipynb_checkpoints": {"lab-checkpoint.ipynb": NOTEBOOK}},
    "script and what it imports": {"main.py": "import model\nimport net.a", "model.py": "", "net": {"a.py": ""}},
    "one script": {"main.py": ""},
    "zip and pdf": {"lab.zip": pack({"a.ipynb": NOTEBOOK}), "essay.pdf": b"%PDF"},
}
CLASS: dict[str, tuple[dict[str, Content], list[str]]] = {
    "loose notebooks": (
        {"bob.ipynb": NOTEBOOK, "Alice.ipynb": NOTEBOOK, "marks.csv": b"", "x.pdf": b""},
        ["Alice", "bob"],
    ),
    "loose scripts": ({"alice.py": "import numpy", "bob.py": "x = 1"}, ["alice", "bob"]),
    "zips": ({"a.zip": pack({}), "b.zip": b"broken", "r.rar": b"", "s.tar.gz": b""}, ["a", "b", "r", "s.tar"]),
    "one of each": (
        {"A. B. Smith": {"x.txt": b""}, "c.ipynb": NOTEBOOK, "d.py": "", "e.zip": b"", "__MACOSX": {"x.py": ""}},
        ["A. B. Smith", "c", "d", "e"],
    ),
    "a notebook and another's folder": ({"alice.ipynb": NOTEBOOK, "bob": {"lab.py": ""}}, ["alice", "bob"]),
    "folders": ({"bob": {}, "alice": {"deep": {"a.ipynb": NOTEBOOK}}, ".git": {"a.py": ""}}, ["alice", "bob"]),
    "scripts and a folder": ({"alice.py": "", "bob": {"lab.py": ""}}, ["alice", "bob"]),
    "one zip": ({"alice.zip": pack({"a.ipynb": NOTEBOOK})}, ["alice"]),
}


class TestFolders:
    @pytest.mark.parametrize("content", ONE.values(), ids=ONE)
    def test_the_work_of_one(self, tmp_path: Path, content: dict[str, Content]) -> None:
        submission = one(lay(tmp_path / "dave.s", content))
        assert (submission.id, submission.name, submission.problems) == ("dave.s", "dave.s", ())

    @pytest.mark.parametrize(("content", "expected"), CLASS.values(), ids=CLASS)
    def test_a_class(self, tmp_path: Path, content: dict[str, Content], expected: list[str]) -> None:
        assert found(lay(tmp_path / "class", content)) == expected

    def test_inside_a_class_a_folder_is_one_whatever_it_holds(self, tmp_path: Path) -> None:
        inner: Content = {"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK, "sub": {"c.ipynb": NOTEBOOK}}
        alice, bob = find_submissions([lay(tmp_path / "class", {"alice": inner, "bob": {"r.txt": b""}})])
        assert names(alice) == ["a.ipynb", "b.ipynb", "sub/c.ipynb"]
        assert names(bob) == ["r.txt"]
        assert bob.problems == ("no notebook and no script found in bob",)

    def test_a_code_zip_in_a_folder(self, tmp_path: Path) -> None:
        data = pack({"lab/a.ipynb": NOTEBOOK, "__MACOSX/lab/._a.ipynb": b"", "lab/.ipynb_checkpoints/a.ipynb": b""})
        submission = one(lay(tmp_path / "eve", {"code.zip": data, "report.pdf": b"%PDF"}))
        assert names(submission) == ["code.zip", "code.zip/lab/a.ipynb", "report.pdf"]

    def test_other_names_may_be_asked_for(self, tmp_path: Path) -> None:
        folder = lay(tmp_path / "class", {"a2.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK})
        assert len(find_submissions([folder])) == 2
        assert len(find_submissions([folder], ["A2.ipynb"])) == 1

    def test_an_archive_of_another_kind_is_told(self, tmp_path: Path) -> None:
        *_, rar = find_submissions([lay(tmp_path / "class", {"a.ipynb": b"", "b.ipynb": b"", "r.rar": b"Rar!"})])
        assert rar.problems[0] == "r.rar: is an archive of a kind that is not read here; hand in a .zip"

    def test_a_class_in_a_folder_of_its_own(self, tmp_path: Path) -> None:
        class_: Content = {"bob": {"lab.ipynb": NOTEBOOK}, "alice": {"x": {"Code.ZIP": b""}}, "eve": {"a.txt": b""}}
        assert found(lay(tmp_path / "class", {"a2": {"hand-ins": class_}, ".DS_Store": b""})) == ["alice", "bob", "eve"]
        assert found(lay(tmp_path / "one", {"bob": {"src": {"lab.ipynb": NOTEBOOK}, "data": {"a.csv": b""}}})) == [
            "bob"
        ]

    def test_a_hundred_loose_scripts_are_each_read_once_for_their_imports(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = lay(tmp_path, {f"s{n}.py": "import s0, numpy" for n in range(100)})
        opened: list[Path] = []
        real = classes.open_file
        monkeypatch.setattr(classes, "open_file", lambda path: opened.append(path) or real(path))
        assert len(find_entries([folder])) == 100
        assert len(opened) == 100


class TestZips:
    @pytest.mark.parametrize("wrapper", ["", "class/", "./", "a/b/"])
    def test_a_class(self, tmp_path: Path, wrapper: str) -> None:
        inner = {
            "alice/lab.ipynb": NOTEBOOK,
            "bob.zip": pack({"code.zip": pack({"lab.ipynb": NOTEBOOK})}),
            "carol/report.txt": b"",
            "marks.csv": b"",
            "eve.zip": pack({"src/lab.ipynb": NOTEBOOK}),
            "__MACOSX/x.ipynb": NOTEBOOK,
        }
        path = tmp_path / "class.zip"
        path.write_bytes(pack({wrapper + name: data for name, data in inner.items()}))
        alice, bob, carol, eve = find_submissions([path])
        assert [each.id for each in (alice, bob, carol, eve)] == ["alice", "bob", "carol", "eve"]
        assert names(alice) == ["lab.ipynb"]
        assert names(bob) == ["bob.zip", "bob.zip/code.zip", "bob.zip/code.zip/lab.ipynb"]
        assert names(eve) == ["eve.zip", "eve.zip/src/lab.ipynb"]
        assert carol.problems == ("no notebook and no script found in carol",)

    @pytest.mark.parametrize(
        "content",
        [
            {"lab.ipynb": NOTEBOOK, "a/b.ipynb": NOTEBOOK, "c/d.ipynb": NOTEBOOK},
            {"report.pdf": b"", "a/b.ipynb": NOTEBOOK, "c/d.ipynb": NOTEBOOK},
            {"src/a.py": b"", "tests/b.py": b""},
            {"a/b.ipynb": NOTEBOOK, "data/x.csv": b""},
            {"x/a.zip": b"broken", "x/.c/d.ipynb": NOTEBOOK},
            {"src/lab.ipynb": NOTEBOOK, "data.zip": pack({}), "data/more.zip": b""},
            {"src/lab.ipynb": NOTEBOOK, "data/__MACOSX/lab.ipynb": NOTEBOOK},
        ],
    )
    def test_the_work_of_one(self, tmp_path: Path, content: dict[str, bytes]) -> None:
        (tmp_path / "alice.zip").write_bytes(pack(content))
        assert found(tmp_path / "alice.zip") == ["alice"]

    def test_in_a_class_folder_a_zip_is_one(self, tmp_path: Path) -> None:
        data = pack({"a/b.ipynb": NOTEBOOK, "c/d.ipynb": NOTEBOOK})
        assert found(lay(tmp_path / "class", {"alice.zip": data, "bob.zip": data})) == ["alice", "bob"]


class TestCalls:
    def test_several_paths(self, tmp_path: Path) -> None:
        lay(tmp_path, {"x": {"alice": {}, "bob": {}}, "y": {"Alice": {}, "carol.py": "", "eve": {"a.py": ""}}})
        submissions = find_submissions([tmp_path / "x", tmp_path / "y", tmp_path / "x" / ".." / "x"])
        assert [each.id for each in submissions] == ["alice", "bob", "Alice-2", "carol", "eve"]

    def test_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(lay(tmp_path / "frank", {"a.ipynb": NOTEBOOK}))
        assert one(Path()).name == "frank"

    @pytest.mark.parametrize(
        ("path", "mend"),
        [
            ("clas", r" \(did you mean 'class'\?\)"),
            ("class/alcie", r" \(did you mean 'alice'\?\)"),
            ("clss/alice/lab.ipynb", r" \(did you mean 'class'\?\)"),
            ("zzz", r" \(known: class, empty\)"),
            ("empty/x", ""),
        ],
    )
    def test_a_path_that_does_not_exist(self, tmp_path: Path, path: str, mend: str) -> None:
        lay(tmp_path, {"class": {"alice": {}, "bob": {}}, "empty": {}})
        with pytest.raises(UsageError, match=f"^{re.escape(str(tmp_path / path))}: there is no such .*folder{mend}$"):
            find_submissions([tmp_path / path])

    def test_of_many_names_none_is_listed(self, tmp_path: Path) -> None:
        lay(tmp_path, {f"student{n}": {} for n in range(20)})
        with pytest.raises(UsageError, match=r"there is no such file or folder$"):
            find_submissions([tmp_path / "zzz"])

    def test_nothing_found(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="class: no submission found; there is no folder"):
            find_submissions([lay(tmp_path / "class", {"marks.csv": b"", ".git": {"a.py": ""}})])
        with pytest.raises(UsageError, match="no submission was named"):
            find_submissions([])
