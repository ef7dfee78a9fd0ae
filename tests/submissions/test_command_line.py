"""The command line's other ways: single files, chosen items, seeds, wrong calls, faults of our own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.make_class import code, notebook, written
from graders.home import home
from tests.submissions.conftest import ROOT, Run, graders

Grade = Callable[..., Run]
REAL_IMAGES = ROOT.parent / "shared" / "data" / "calligraphy" / "test"


def one_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def test_only_the_named_items_are_judged_and_count(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    script.write_text(code("C3-pads-bottom"))
    run = grade(script, "--only", "C3,C4")
    result = run.result("lee")
    assert run.process.returncode == 0
    assert set(run.verdicts("lee")) == {"C3", "C4"}
    assert result["possible"] == 20
    assert 8 < result["score"] < 20


def test_only_c7_is_followed_through_although_c3_is_not_asked_for(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    script.write_text(code("C3-pads-bottom"))
    item = grade(script, "--only", "C7").items("lee")["C7"]
    assert (item["verdict"], item["follow_through"]) == ("PASS", True)


def test_a_class_keeps_the_seed_that_was_drawn_for_it(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    script.write_text(code())
    seeds = {grade(script, "--only", "C5").result("lee")["provenance"]["seed"] for _ in range(2)}
    assert len(seeds) == 1


def test_grading_c3_runs_no_other_cell(tmp_path: Path, grade: Grade) -> None:
    """Every statement of the notebook that is no definition would fail the run, were it executed."""
    document = notebook(code())
    alarm = "raise SystemExit('this cell must not run')"
    for cell in document.cells:
        if cell.cell_type == "code" and "class " not in cell.source and "import tensorflow" not in cell.source:
            cell.source = f"{cell.source}\nhistory = (lambda: exec({alarm!r}))()\n{alarm}"
    path = tmp_path / "trap.ipynb"
    path.write_text(written(document))
    run = grade(path, "--only", "C3")
    assert run.result("trap")["score"] == 12


@pytest.mark.skipif(not REAL_IMAGES.is_dir(), reason=f"C2 was not tried on real images: {REAL_IMAGES} is not there")
def test_c2_on_real_images(tmp_path: Path, grade: Grade) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    for name, edits in {"right": ["C2-load-img"], "smooth": ["C2-tensorflow"], "crops": ["C2-crop"]}.items():
        (folder / f"{name}.py").write_text(code(*edits))
    run = grade(folder, "--only", "C2", "--data", REAL_IMAGES)
    assert run.result("right")["provenance"]["real_images"] == 8
    assert [run.result(name)["score"] for name in ("right", "smooth")] == [5, 5]
    assert "resize" in run.lost("crops")["C2"]


def test_lateness_is_taken_off_and_told(tmp_path: Path, grade: Grade) -> None:
    (tmp_path / "class").mkdir()
    for name in ("lee", "kim"):
        (tmp_path / "class" / f"{name}.py").write_text(code())
    (tmp_path / "times.csv").write_text("student,time\nlee,2026-04-04T00:00:34+08:00\n")
    words = ("--only", "C5", "--times", tmp_path / "times.csv", "--due", "2026-04-03T23:59:00+08:00")
    run = grade(tmp_path / "class", *words)
    assert run.result("lee")["late"] == {"minutes": 2, "deduction": 2, "total": 6}
    assert run.result("kim")["late"] == {"minutes": None, "deduction": 0, "total": 8}
    assert (run.result("lee")["score"], run.result("lee")["provenance"]["due"]) == (8, "2026-04-03T23:59:00+08:00")
    assert "2 started minutes late: 2 points are taken; 6 remain." in (run.out / "students/lee/report.html").read_text()
    assert graders("regrade", run.out).returncode == 0
    assert run.result("lee")["late"]["minutes"] == 2


def test_wrong_calls_end_in_one_line_and_status_2(tmp_path: Path) -> None:
    script = tmp_path / "lee.py"
    script.write_text(code())
    for words, expected in (
        (("grade", "pixelcn", script, "-o", tmp_path), "did you mean 'pixelcnn'?"),
        (("grade", "pixelcnn", tmp_path / "lees.py", "-o", tmp_path), "lee.py"),
        (("grade", "pixelcnn", tmp_path / "two\nlines.py", "-o", tmp_path), r"two\nlines.py"),
        (("grade", "pixelcnn", script, "-o", tmp_path, "--only", "C33"), "did you mean 'C3'?"),
        (("grade", "pixelcnn", script, "-o", tmp_path, "--isolation", "ful"), "did you mean 'full'?"),
        (("grade", "pixelcnn", script, "-o", tmp_path, "--data", tmp_path), ".jpg"),
        (("grade", "pixelcnn", script, "-o", tmp_path, "--device", "cudda"), "did you mean 'cuda'?"),
        (("grade", "pixelcnn", script, "-o", tmp_path, "--due", "soon"), "--due soon"),
        (("grade", "pixelcnn", script, "-o", tmp_path, "--times", tmp_path / "t.csv"), "t.csv"),
        (("show", tmp_path, "lee"), "students/"),
        (("audit", "pixelcnn", "--item", "C77"), "did you mean 'C7'?"),
    ):
        process = graders(*words)
        assert process.returncode == 2, process
        assert expected in one_line(process.stderr)


@pytest.fixture
def own_home(tmp_path: Path) -> Path:
    """Return a copy of the rubrics, the reference and the template that a test may spoil."""
    for name in ("rubrics", "reference", "student_template"):
        shutil.copytree(home() / name, tmp_path / "home" / name)
    return tmp_path / "home"


def test_a_typo_in_the_rubric_ends_in_one_line_with_file_key_and_word(tmp_path: Path, own_home: Path) -> None:
    rubric = own_home / "rubrics" / "pixelcnn.toml"
    rubric.write_text(rubric.read_text().replace('depends = ["C3"]', 'dependz = ["C3"]'))
    script = tmp_path / "lee.py"
    script.write_text(code())
    process = graders("grade", "pixelcnn", script, "-o", tmp_path / "out", GRADERS_HOME=str(own_home))
    assert process.returncode == 2
    line = one_line(process.stderr)
    assert all(word in line for word in ("pixelcnn.toml", "dependz", "depends", "C6"))


def test_a_reference_that_fails_is_our_fault_and_status_3(tmp_path: Path, own_home: Path) -> None:
    solution = own_home / "reference" / "pixelcnn" / "solution.py"
    solution.write_text(solution.read_text().replace("        return self.dense", "        return self.dens"))
    solution.write_text(solution.read_text().replace("tf.reshape(self.dense(pixels)", "tf.reshape(self.dens(pixels)"))
    script = tmp_path / "lee.py"
    script.write_text(code())
    process = graders("grade", "pixelcnn", script, "-o", tmp_path / "out", GRADERS_HOME=str(own_home))
    assert process.returncode == 3
    assert "reference solution of C5" in process.stderr


def test_a_module_that_colab_has_and_we_lack_is_our_fault(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    script.write_text(code().replace("from PIL import Image", "import tensorflow_addons as tfa\nfrom PIL import Image"))
    script.write_text(
        script.read_text().replace("        return inputs + features", "        tfa\n        return inputs + features")
    )
    run = grade(script, "--only", "C6")
    assert run.process.returncode == 3
    assert run.verdicts("lee") == {"C6": "FAULT"}
    assert run.result("lee")["possible"] == 0  # it neither counts for nor against the student


def test_the_doctor_names_frameworks_and_isolation() -> None:
    process = graders("doctor")
    assert process.returncode == 0, process.stdout
    assert "tensorflow" in process.stdout
    assert "Graded with isolation" in process.stdout


def test_isolation_none_must_be_asked_for_and_is_written_down(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    script.write_text(code())
    run = grade(script, "--only", "C5", "--isolation", "none")
    assert run.result("lee")["provenance"]["isolation"] == "none"
    assert json.loads((run.out / "class.json").read_text())["provenance"]["isolation"] == "none"
