"""Small exports of learning management systems, as folders and as the archives that they come in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graders.intake import find_submissions, places, shelf
from graders.model import Submission
from tests.unit.intake.packing import NOTEBOOK, Content, lay, names, pack, pack_tree

CODE = pack({"lab/lab.ipynb": NOTEBOOK})
PDF = b"%PDF"
SHAPES = ["folder", "wrapped folder", "zip", "wrapped zip"]


def export(path: Path, content: dict[str, Content], shape: str) -> dict[str, Submission]:
    """Return the submissions of an export by id; `shape` is how the instructor has it."""
    path.mkdir(exist_ok=True)
    path /= "submissions"
    if shape.endswith("zip"):
        path = path.with_suffix(".zip")
        path.write_bytes(pack_tree(content, "class/" * shape.startswith("wrapped")))
    else:
        lay(path, {"class": content} if shape.startswith("wrapped") else content)
    found = find_submissions([path])
    assert len({each.id for each in found}) == len(found)
    return {each.id: each for each in found}


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestCanvas:
    def test_the_files_of_one_user_are_one_submission(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "doejane_12345_678_code.zip": CODE,
            "doejane_12345_679_report.pdf": PDF,
            "doejane_12345_680_extra.ipynb": NOTEBOOK,
            "roerick_LATE_222_700_Code.ZIP": CODE,
            "rn\u0303e\u0301大_333_701_lab.ipynb": NOTEBOOK,
        }
        found = export(tmp_path, content, shape)
        jane, third, rick = found.values()
        assert [jane.id, rick.id] == ["doejane_12345", "roerick_222"]
        assert third.id.endswith("_333")
        assert third.name == "rn\u0303e\u0301大", "as macOS writes it"
        assert names(jane) == ["code.zip", "code.zip/lab/lab.ipynb", "extra.ipynb", "report.pdf"]
        assert names(rick) == ["Code.ZIP", "Code.ZIP/lab/lab.ipynb"]
        assert [each.late for each in (jane, rick, third)] == [False, True, False]
        assert [each.problems for each in (jane, rick, third)] == [()] * 3
        assert {each.submitted for each in found.values()} == {""}

    @pytest.mark.parametrize(
        ("files", "kept", "left_out"),
        [
            (["1_code.zip", "2_code-1.zip", "3_code-2.zip"], ["code-2.zip"], "code.zip, code-1.zip"),
            (["9_code.zip", "2_code-1.zip"], ["code-1.zip"], "code.zip"),
            (["1_code-9.zip", "2_code-10.zip"], ["code-10.zip"], "code-9.zip"),
            (["1_Code.ZIP", "2_Code-1.ZIP"], ["Code-1.ZIP"], "Code.ZIP"),
            (["1_lab.ipynb", "2_lab-1.ipynb"], ["lab-1.ipynb"], "lab.ipynb"),
            (
                ["1_code-7.zip", "2_code-0f8fad5b-d9cb-469f-a165-70867728950e.zip"],
                ["code-0f8fad5b-d9cb-469f-a165-70867728950e.zip"],
                "code-7.zip",
            ),
            (
                ["1_code.zip", "2_report.pdf", "3_code-1.zip", "4_report-1.pdf"],
                ["code-1.zip", "report-1.pdf"],
                "code.zip, report.pdf",
            ),
            (["1_part-1.ipynb", "2_part-2.ipynb"], ["part-1.ipynb", "part-2.ipynb"], ""),
            (["1_assignment-2.ipynb"], ["assignment-2.ipynb"], ""),
        ],
    )
    def test_the_latest_version_counts(
        self, tmp_path: Path, shape: str, files: list[str], kept: list[str], left_out: str
    ) -> None:
        content: dict[str, Content] = {f"doejane_12345_{file}": CODE for file in files}
        found = export(tmp_path, {**content, "roerick_222_77_code.zip": CODE}, shape)
        assert list(found) == ["doejane_12345", "roerick_222"]
        jane = found["doejane_12345"]
        assert [name for name in names(jane) if "/" not in name] == sorted(kept)
        told = f"{left_out}: handed in again later; only the latest version counts"
        assert [line for line in jane.problems if "latest" in line] == ([told] if left_out else [])

    def test_of_the_same_name_the_later_attachment_counts(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {"jane_1_9_a.py": "old", "jane_1_10_a.py": "new", "roe_2_3_a.py": "x"}
        jane = export(tmp_path, content, shape)["jane_1"]
        assert [file.text for file in jane.files] == ["new"]
        assert jane.problems == ("a.py: handed in again later; only the latest version counts",)

    def test_what_a_limit_cuts_off_is_not_the_code(
        self, tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shelf, "ENTRY_LIMIT", 2)
        content: dict[str, Content] = {f"jane_1_{n}_{n}.jpg": b"" for n in range(5)}
        jane = export(tmp_path, {**content, "jane_1_9_a.py": "", "roe_2_8_b.py": ""}, shape)["jane_1"]
        assert names(jane) == ["0.jpg", "a.py"]
        assert jane.problems == ("1.jpg: more than 2 files; this one and the rest was left out",)

    def test_late_is_what_the_latest_version_is(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "doejane_12345_1_code.zip": CODE,
            "doejane_LATE_12345_2_code-1.zip": CODE,
            "roerick_LATE_222_3_code.zip": CODE,
            "roerick_222_4_code-1.zip": CODE,
        }
        found = export(tmp_path, content, shape)
        assert {id_: each.late for id_, each in found.items()} == {"doejane_12345": True, "roerick_222": False}

    def test_without_names(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "anon_x1Y2z_5_code.zip": CODE,
            "anon_x1Y2z_6_lab.ipynb": NOTEBOOK,
            "LATE_anon_Ab3de_7_code.zip": CODE,
        }
        found = export(tmp_path, content, shape)
        assert {id_: each.late for id_, each in found.items()} == {"anon_Ab3de": True, "anon_x1Y2z": False}
        assert len(found["anon_x1Y2z"].files) == 3

    def test_who_handed_in_a_text_is_not_passed_over(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "doejane_1_text.html": b"",
            "roe_LATE_2_link.html": b"",
            "poe_3_4_a.ipynb": NOTEBOOK,
        }
        found = export(tmp_path, content, shape)
        assert list(found) == ["doejane_1", "poe_3", "roe_2"]
        assert found["doejane_1"].problems == ("no notebook and no script found in doejane_1_text.html",)

    def test_who_stands_beside_the_export_is_not_passed_over(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "doejane_12345_1_code.zip": CODE,
            "doejane_12345_2_unpacked": {"lab.py": "x = 1"},
            "roe_222_3_code.zip": CODE,
            "by mail.ipynb": NOTEBOOK,
            "Rick": {"a.py": ""},
            "marks.csv": b"",
        }
        found = export(tmp_path, content, shape)
        assert list(found) == ["by-mail", "doejane_12345", "Rick", "roe_222"]
        assert "unpacked/lab.py" in names(found["doejane_12345"])

    def test_one_student_goes_by_the_name_of_the_folder(self, tmp_path: Path) -> None:
        content: dict[str, Content] = {"hw_2_1_main.ipynb": b'["import util"]', "util.py": ""}
        assert list(export(tmp_path, content, "folder")) == ["submissions"], "hw_2 is nobody"

    @pytest.mark.parametrize(
        "files",
        [
            ["hw_1_23_jane.py", "hw_1_24_rick.py"],
            ["jane_1_2_lab.py", "rick_1_2_lab.py"],
            ["jane_1_2_lab.py", "rick_2_2_lab.py"],
            ["hw_1_23_jane.py", "hw_1_24_rick.py", "hw_2_25_joe.py"],
        ],
    )
    def test_names_that_only_look_like_it_make_nobody_s_work_another_s(self, tmp_path: Path, files: list[str]) -> None:
        found = export(tmp_path, dict.fromkeys(files, "x = 1"), "folder")
        assert [names(each) for each in found.values()] == [[file] for file in files]

    def test_a_long_name_leaves_the_user_s_id_whole(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {f"{'a' * n}_{n}_{n}_a.ipynb": NOTEBOOK for n in (100, 101)}
        assert list(export(tmp_path, content, shape)) == [f"{'a' * 76}_100", f"{'a' * 76}_101"]


class TestMoodle:
    @pytest.mark.parametrize("end", ["", "_"])
    def test_folders(self, tmp_path: Path, shape: str, end: str) -> None:
        content: dict[str, Content] = {
            f"Jane Doe_123_assignsubmission_file{end}": {"code.zip": CODE, "src": {"a.py": ""}},
            f"Jane Doe_123_assignsubmission_onlinetext{end}": {"onlinetext.html": b"<p>"},
            f"Rick O'Roe-Poe_124_assignsubmission_file{end}": {"lab.ipynb": NOTEBOOK},
            f"Zoe_125_assignsubmission_onlinetext{end}": {"onlinetext.html": b"<p>"},
        }
        found = export(tmp_path, content, shape)
        assert list(found) == ["Jane-Doe_123", "Rick-O-Roe-Poe_124", "Zoe_125"]
        jane, rick, zoe = found.values()
        assert names(jane) == ["code.zip", "code.zip/lab/lab.ipynb", "onlinetext/onlinetext.html", "src/a.py"]
        assert (jane.name, rick.name) == ("Jane Doe", "Rick O'Roe-Poe")
        assert (jane.problems, rick.problems) == ((), ())
        assert len(zoe.problems) == 1

    def test_files(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "Jane Doe_123_assignsubmission_file_code.zip": CODE,
            "Jane Doe_123_assignsubmission_file_report.pdf": PDF,
            "Jane Doe_123_assignsubmission_onlinetext_onlinetext.html": b"",
            "Jane Doe_124_assignsubmission_file_code.zip": CODE,
        }
        found = export(tmp_path, content, shape)
        assert list(found) == ["Jane-Doe_123", "Jane-Doe_124"], "two of the same name are two"
        assert names(found["Jane-Doe_123"]) == ["code.zip", "code.zip/lab/lab.ipynb", "onlinetext.html", "report.pdf"]

    def test_one_student_and_a_team_without_a_number(self, tmp_path: Path, shape: str) -> None:
        lab: Content = {"lab.ipynb": NOTEBOOK}
        assert list(export(tmp_path, {"Jane Doe_1_assignsubmission_file": lab}, shape)) == ["Jane-Doe_1"]
        team = export(tmp_path / "x", {"Default group_assignsubmission_file_": lab}, "folder")
        assert list(team) == ["Default-group"]


class TestMarkUs:
    def test_a_folder_for_each_group(self, tmp_path: Path, shape: str) -> None:
        content: dict[str, Content] = {
            "group_0001": {"lab.ipynb": NOTEBOOK, "report.pdf": PDF},
            "c5doejan": {"A2": {"lab.ipynb": NOTEBOOK, "helpers.py": ""}},
            "c6roe": {"code.zip": CODE},
        }
        found = export(tmp_path, content, shape)
        assert list(found) == ["c5doejan", "c6roe", "group_0001"]
        assert names(found["c5doejan"]) == ["A2/helpers.py", "A2/lab.ipynb"]


def test_folders_around_an_export_are_looked_through_to_some_depth(
    tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content: dict[str, Content] = {"a": {"b": {"Jane_1_assignsubmission_file": {"a.py": ""}}}}
    assert list(export(tmp_path / "1", content, shape)) == ["Jane_1"]
    monkeypatch.setattr(places, "MOST_LEVELS", 2)
    assert "Jane_1" not in export(tmp_path / "2", content, shape)


def test_what_is_wrong_in_the_archive_of_a_class_is_told_in_the_student_s_words(tmp_path: Path) -> None:
    members = {
        "c/jane/../x.py": b"",
        "c/jane/lab.ipynb": NOTEBOOK,
        "c/rick.zip": CODE,
        "c/rick.zip/lab.ipynb": NOTEBOOK,
    }
    path = tmp_path / "class.zip"
    path.write_bytes(pack(members))
    jane, rick = find_submissions([path])
    assert jane.problems == ("../x.py: has a name that leads out of the archive; pack it with plain names",)
    assert names(rick) == ["lab.ipynb", "rick.zip", "rick.zip/lab/lab.ipynb"]


NASTY = ["=cmd|x", "\x1b[31mred", "<b>bold", "a\nb", "\u202eabc", "-rf", "%2e%2e"]


def test_ids_are_plain_whatever_the_names_are(tmp_path: Path, shape: str) -> None:
    content: dict[str, Content] = {f"{n}_{i}_assignsubmission_file": {"a.py": ""} for i, n in enumerate(NASTY)}
    found = export(tmp_path, content, shape)
    assert len(found) == len(NASTY)
    for each in found.values():
        assert each.id.replace("-", "").replace("_", "").isalnum(), each.id
        assert each.id[0].isalnum()
        assert "\x1b" not in each.name
        assert "\n" not in each.name


class Turned:
    """What os.scandir returns, on a disk that lists its files in another order."""

    def __init__(self, path: Path, scan: Callable[[Path], Any] = os.scandir) -> None:
        with scan(path) as found:
            self.found = sorted(found, key=lambda entry: str(entry.name), reverse=True)

    def __enter__(self) -> list[Any]:
        return self.found

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    "tree",
    [
        {"e.py": "", "E": {"x.py": ""}, "é.py": "", "e.ipynb": NOTEBOOK},
        dict.fromkeys(["é_1_2_a.py", "e_7_3_a.py", "E_2_4_a.py", "jane_5_6_a.zip", "jane_5_7_b.py"], b""),
    ],
)
def test_ids_do_not_depend_on_the_order_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: dict[str, Content]
) -> None:
    folder = lay(tmp_path / "class", tree)
    first = find_submissions([folder])
    monkeypatch.setattr(os, "scandir", Turned)
    assert find_submissions([folder]) == first
    assert len(first) == 4
