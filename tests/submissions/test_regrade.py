"""Work is done once: what has not changed is neither run nor judged nor written again."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.make_class import changed, code
from graders.home import home
from tests.submissions.conftest import ROOT, Run, graders

Grade = Callable[..., Run]
EDITS = {"ann": (), "ben": ("C3-pads-bottom",), "cem": ("C6-no-residual",), "dora": ()}
ITEMS = "C3,C4,C5,C6"

# The command line of a machine on which no child can be had.
BARREN = """
import sys
from graders.sandbox import nursery
def barren(*_): raise SystemExit("a zygote was started")
nursery.Zygote = barren
from graders.cli import main
main()
"""


def without_children(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BARREN, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, check=False
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("regrade")
    (folder / "class").mkdir()
    for name, edits in EDITS.items():
        (folder / "class" / f"{name}.py").write_text(code(*edits))
    out = folder / "out"
    process = graders("grade", "pixelcnn", folder / "class", "-o", out, "--only", ITEMS, "--seed", 3)
    assert process.returncode == 0, process.stderr
    return Run(out, process)


@pytest.fixture
def again(graded: Run, tmp_path: Path) -> Path:
    """Return a copy of the class and of its results."""
    shutil.copytree(graded.out.parent, tmp_path / "copy")
    return tmp_path / "copy"


def grade_words(folder: Path) -> tuple[object, ...]:
    return ("grade", "pixelcnn", folder / "class", "-o", folder / "out", "--only", ITEMS, "--seed", 3)


def stamps(out: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix in (".json", ".html", ".csv")}


def kept(out: Path) -> int:
    with sqlite3.connect(out / "evidence.sqlite") as connection:
        (number,) = connection.execute("SELECT count(*) FROM evidence").fetchone()
    connection.close()
    return int(number)


def test_an_unchanged_class_is_not_run_again_and_its_files_stay(again: Path) -> None:
    before = stamps(again / "out")
    process = without_children(*grade_words(again))
    assert process.returncode == 0, process.stderr
    assert "ann" in process.stdout
    assert stamps(again / "out") == before


def test_a_file_that_was_lost_is_written_again(again: Path) -> None:
    lost = [again / "out" / "students" / "ann" / "result.json", again / "out" / "marks.csv"]
    texts = [path.read_text() for path in lost]
    for path in lost:
        path.unlink()
    assert without_children(*grade_words(again)).returncode == 0
    assert [path.read_text() for path in lost] == texts


def test_after_one_students_change_only_the_changed_items_run(again: Path) -> None:
    before = kept(again / "out")
    ben = again / "class" / "ben.py"
    ben.write_text(
        changed(
            ben.read_text(), ("_, height, width, channels = inputs.shape", "height, width, channels = inputs.shape[1:]")
        )
    )
    stamped = stamps(again / "out")
    assert graders(*grade_words(again)).returncode == 0
    moved = {Path(path).parent.name for path, stamp in stamps(again / "out").items() if stamped[path] != stamp}
    assert kept(again / "out") == before + 1
    assert moved == {"ben", "out"}


@pytest.fixture
def own_rubric(tmp_path: Path) -> Path:
    for name in ("rubrics", "reference", "student_template"):
        shutil.copytree(home() / name, tmp_path / "home" / name)
    return tmp_path / "home" / "rubrics" / "pixelcnn.toml"


def points(out: Path, who: str) -> dict[str, tuple[float, float]]:
    document: dict[str, Any] = json.loads((out / "students" / who / "result.json").read_text())
    return {item["id"]: (item["points"], item["possible"]) for item in document["items"] if item["id"] in ITEMS}


@pytest.mark.parametrize("how", ["grade", "regrade"])
def test_after_a_change_of_the_rubric_nothing_runs_and_the_marks_follow(
    again: Path, own_rubric: Path, how: str
) -> None:
    """Ben keeps the shape and loses the values of C3: a point that moves from one to the other is a point for him."""
    text = own_rubric.read_text()
    before, start, after = text.partition('id = "C3"')
    shape, values = criterion(after, "shape"), criterion(after, "values")
    after = after.replace(*raised(shape, +1), 1).replace(*raised(values, -1), 1)
    own_rubric.write_text(before + start + after)
    words = grade_words(again) if how == "grade" else ("regrade", again / "out")
    old = {who: points(again / "out", who) for who in EDITS}
    process = without_children(*words, GRADERS_HOME=str(own_rubric.parents[1]))
    assert process.returncode == 0, process.stderr
    new = {who: points(again / "out", who) for who in EDITS}
    assert new["ben"].pop("C3")[0] == old["ben"].pop("C3")[0] + 1
    assert new == old


def criterion(text: str, name: str) -> str:
    found = re.search(rf'name = "{name}", points = [\d.]+', text)
    assert found
    return found[0]


def raised(criterion: str, by: float) -> tuple[str, str]:
    head, _, number = criterion.rpartition(" ")
    return criterion, f"{head} {float(number) + by:g}"


def test_regrading_gives_what_grading_gave(again: Path, graded: Run) -> None:
    assert without_children("regrade", again / "out").returncode == 0
    for who in EDITS:
        old, new = (
            json.loads((out / "students" / who / "result.json").read_text()) for out in (graded.out, again / "out")
        )
        assert new == old
    assert (again / "out" / "marks.csv").read_text() == (graded.out / "marks.csv").read_text()


def test_equal_code_is_listed_for_the_instructor(graded: Run) -> None:
    groups = json.loads((graded.out / "class.json").read_text())["equal_code"]
    assert groups == [
        {"items": ["C4", "C5"], "submissions": ["ann", "ben", "cem", "dora"]},
        {"items": ["C6"], "submissions": ["ann", "dora"]},
        {"items": ["C3"], "submissions": ["ann", "cem", "dora"]},
    ]
    assert "Equal code" in (graded.out / "report.html").read_text()
    assert "Equal code" not in (graded.out / "students" / "ann" / "report.html").read_text()


def test_regrade_says_what_it_wants(tmp_path: Path, again: Path) -> None:
    empty = graders("regrade", tmp_path)
    assert (empty.returncode, "no evidence.sqlite in it" in empty.stderr) == (2, True)
    with sqlite3.connect(again / "out" / "evidence.sqlite") as connection:
        connection.execute("DELETE FROM submission WHERE id = 'ben'")
    connection.close()
    cut = graders("regrade", again / "out")
    assert cut.returncode == 2
    assert "the run did not end, 3 of 4 submissions are graded" in cut.stderr
