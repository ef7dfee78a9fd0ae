"""A class as Canvas hands it out, through the real command line: what is broken costs a line, and the class goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo.make_class import TEMPLATE, code, notebook, written, zipped
from tests.submissions.conftest import Run, graders

RIGHT = {"autoregressive_model.ipynb": written(notebook(code()))}
WRONG = {"autoregressive_model.ipynb": written(notebook(code("C5-no-activation")))}
BROKEN = {
    "cut_303": "code.zip: is not a zip archive or is cut short; hand it in again",
    "page_404": "hw.ipynb: is not a notebook (it is a web page): save it again as .ipynb",
    "out_505": "code.zip/../../evil.py: has a name that leads out of the archive; pack it with plain names",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("canvas")
    members: dict[str, Any] = {
        # A wrong version, then the right one; the file that was handed out lies beside it.
        "doejane_101_1_code.zip": zipped(WRONG),
        "doejane_101_2_report.pdf": "%PDF-1.4",
        "doejane_101_3_code-1.zip": zipped({**RIGHT, "pa2 (1).ipynb": TEMPLATE.read_text()}),
        "roerick_LATE_202_4_code.zip": zipped(WRONG),
        "cut_303_5_code.zip": zipped(RIGHT)[:-40],
        "page_404_6_hw.ipynb": "<!DOCTYPE html><html>Sign in</html>",
        "out_LATE_505_7_code.zip": zipped({"../../evil.py": code()}),
    }
    (folder / "submissions.zip").write_bytes(zipped(members))
    process = graders("grade", "pixelcnn", folder / "submissions.zip", "-o", folder / "out", "--only", "C5")
    return Run(folder / "out", process)


def test_the_run_can_be_trusted(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stderr
    assert "5 submissions" in run.process.stdout
    lines = json.loads((run.out / "class.json").read_text())["submissions"]
    assert sorted(line["id"] for line in lines) == sorted(["doejane_101", "roerick_202", *BROKEN])


def test_the_latest_version_is_graded_and_a_line_tells(run: Run) -> None:
    result = run.result("doejane_101")
    assert result["score"] == result["possible"] == 8
    assert result["submission"]["problems"] == [
        "code.zip: handed in again later; only the latest version counts",
        "code-1.zip/pa2 (1).ipynb: is a second notebook; code-1.zip/autoregressive_model.ipynb is graded",
    ]
    report = (run.out / "students" / "doejane_101" / "report.html").read_text()
    assert "only the latest version counts" in report


def test_wrong_code_loses_what_is_wrong(run: Run) -> None:
    assert set(run.lost("roerick_202")) == {"C5"}
    assert 0 < run.result("roerick_202")["score"] < 8
    assert run.result("roerick_202")["submission"]["problems"] == []


@pytest.mark.parametrize(("student", "problem"), BROKEN.items())
def test_what_is_broken_is_a_line_for_the_instructor_and_one_for_the_student(
    run: Run, student: str, problem: str
) -> None:
    assert run.result(student)["score"] == 0
    assert run.result(student)["submission"]["problems"].count(problem) == 1
    lines = json.loads((run.out / "class.json").read_text())["submissions"]
    (line,) = (line for line in lines if line["id"] == student)
    assert line["problems"].count(problem) == 1
    for page in ("report.html", f"students/{student}/report.html"):
        assert problem in (run.out / page).read_text(), page
