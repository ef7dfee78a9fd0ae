"""What a training left behind is kept with its contents: logs as text, pictures in base64, within limits."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from graders.intake import find_submissions, shelf
from graders.model import SourceFile
from tests.unit.intake.packing import lay, one, pack

PICTURE = b"\x89PNG\r\n\x1a\nnot a real one"
RUN = {"models.py": b"x = 1", "loss.txt": b"0.5\n", "samples": {"sample-0.png": PICTURE, "novel-0.PNG": PICTURE}}


def texts(folder: Path) -> dict[str, str | None]:
    return {file.name: file.text for file in one(folder).files}


def test_logs_and_pictures_of_a_training_are_kept(tmp_path: Path) -> None:
    found = texts(lay(tmp_path / "lee", RUN))
    assert found["loss.txt"] == "0.5\n"
    assert base64.b64decode(found["samples/sample-0.png"] or "") == PICTURE
    assert found["samples/novel-0.PNG"] == found["samples/sample-0.png"]


def test_the_same_from_an_archive(tmp_path: Path) -> None:
    (tmp_path / "lee.zip").write_bytes(pack({"a6/models.py": b"x = 1", "a6/samples/novel-1.png": PICTURE}))
    assert texts(tmp_path / "lee.zip")["lee.zip/a6/samples/novel-1.png"] == base64.b64encode(PICTURE).decode()


def test_other_pictures_are_hashed_and_no_more(tmp_path: Path) -> None:
    found = texts(
        lay(tmp_path / "lee", {"models.py": "x = 1", "data": {"pikachu.png": PICTURE, "sample.gif": PICTURE}})
    )
    assert found["data/pikachu.png"] is None
    assert found["data/sample.gif"] is None


def test_a_log_that_powershell_redirected_is_read(tmp_path: Path) -> None:
    lay(tmp_path / "lee", {"models.py": "x = 1", "out.txt": "Ran 4 tests".encode("utf-16")})
    assert texts(tmp_path / "lee")["out.txt"] == "Ran 4 tests"


@pytest.mark.parametrize("limit", ["RESULT_LIMIT", "RESULTS_LIMIT"])
def test_what_is_too_large_is_named_without_its_contents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(shelf, limit, 6)
    files = {"models.py": "x = 1", "a.txt": "12345", "b.txt": "1234567"}
    found = one(lay(tmp_path / "lee", files))
    assert {file.name: (file.text, file.size) for file in found.files if file.name != "models.py"} == {
        "a.txt": ("12345", 5),
        "b.txt": (None, 7),
    }
    assert found.problems == ()


def test_results_alone_are_no_code(tmp_path: Path) -> None:
    (submission,) = find_submissions([lay(tmp_path / "class", {"lee": {"loss.txt": "0.5"}, "kim": {"a.py": ""}})])[1:]
    assert submission.problems == ("no notebook and no script found in lee",)


def test_a_folder_with_the_file_that_the_handout_names_is_one_student(tmp_path: Path) -> None:
    files = {"asgn6.py": "import models", "check_models.py": "import models", "models.py": "x = 1"}
    folder = lay(tmp_path / "lee", {**files})
    assert len(find_submissions([folder])) == 3
    assert len(find_submissions([folder], ("models.py",))) == 1


def test_a_picture_is_no_code_file_of_the_program() -> None:
    from graders.notebook.program import code_files

    assert code_files([SourceFile("sample-0.png", "", 3, "abcd")]) == ([], [])
