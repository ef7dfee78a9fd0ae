"""The record and execute tiers through the real command line: one small class, rehearsed once for all tests."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from demo.make_class import changed, colab, written
from graders.home import home, reference_path
from tests.submissions.conftest import Run, graders
from tests.unit.execute.notebooks import text_of
from tests.unit.record.build import TEN, bar3, figure, log, picture, stream

ITEMS = "C5,C8,C9,P9,C10,C11,P11"
POINTS = {"C5": 8, "C8": 2, "C9": 5, "C10": 3, "C11": 4, "P9": 4, "P11": 4}
DUE = "2026-04-03T23:59:00+08:00"
SECONDS = 80
TIMES = """student,time
ann,2026-04-03T23:59:00+08:00
ben,2026-04-04T00:00:34+08:00
cas,2026-04-04T09:00:00+08:00
"""
# Without the bonus, which takes as long as all the rest.
TEXT = reference_path("pixelcnn").read_text(encoding="utf-8").partition("# %% [markdown]\n# ## Bonus")[0]
FIT = "validation_data=validation_data, callbacks=[best])"
TROUBLES = (
    "%pip install tensorflow-addons\n!pip install -q einops\n!wget -q https://example.org/pa2.zip",
    "from google.colab import drive\ndrive.mount('/content/drive')",
    "x = {}\nx['missing']",
    "import time\nwhile True:\n    time.sleep(0.1)",
    "print('still here')",
    "raise SystemExit(3)",
    "print('and here')",
)


def with_outputs(evaluation: str) -> Any:
    """Return the notebook with results as a student's own run saves them."""
    outputs = {
        "# [C9]": [picture(figure(TEN))],
        "# [C10]": [stream(evaluation)],
        "# [C11]\n# BEGIN SOLUTION C11\nEPOCHS": [stream(log(bar=bar3) + "lowest validation loss 0.1958\n")],
    }
    document = colab(TEXT)
    for cell in document.cells:
        for mark, saved in outputs.items():
            if cell.cell_type == "code" and cell.source.startswith(mark):
                cell.outputs = [nbformat.from_dict(one) for one in saved]
    return document


def troubled() -> Any:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(TROUBLES)]
    return nbformat.v4.new_notebook(cells=cells)


def hand_in(folder: Path) -> None:
    shown = bar3(0.1949, steps=329)
    documents = {
        "ann": colab(TEXT),
        "ben": with_outputs(shown + "binary cross-entropy on the test set 0.1949\n"),
        "cas": with_outputs(shown.replace("loss: 0.1949", "accuracy: 0.9712 - loss: 0.1949")),
        "eve": troubled(),
        "fay": colab(changed(TEXT, (FIT, FIT[:-1] + ", no_such_argument=1)"))),
    }
    folder.mkdir()
    for name, document in documents.items():
        (folder / f"{name}.ipynb").write_text(written(document), encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    top = tmp_path_factory.mktemp("tiers")
    for name in ("rubrics", "reference", "student_template"):
        shutil.copytree(home() / name, top / "home" / name)
    (top / "home" / "reference" / "pixelcnn" / "solution.py").write_text(TEXT, encoding="utf-8")
    (top / "times.csv").write_text(TIMES)
    hand_in(top / "class")
    words = ("--tier", "behaviour,record,execute", "--only", ITEMS, "--times", top / "times.csv", "--due", DUE)
    process = graders(
        "grade", "pixelcnn", top / "class", "-o", top / "out", *words, "--run-limit", SECONDS, "--jobs", 4,
        GRADERS_HOME=str(top / "home"),
    )  # fmt: skip
    assert process.returncode == 0, process.stdout + process.stderr
    return Run(top / "out", process)


@pytest.fixture(scope="module")
def page(run: Run) -> Callable[[str], str]:
    """Return a function that returns what a student's page says, in one line."""
    return lambda student: words(run.out / "students" / student / "report.html")


def words(path: Path) -> str:
    """Return what a page says, in one line."""
    return " ".join(
        html.unescape(re.sub(r"<[^>]*>", " ", path.read_text(encoding="utf-8").partition("<main")[2])).split()
    )


def executed(run: Run, student: str) -> Any:
    document = json.loads((run.out / "students" / student / "executed.ipynb").read_text(encoding="utf-8"))
    nbformat.validate(document)
    return document


def earned(run: Run, student: str) -> dict[str, float]:
    return {name: item["points"] for name, item in run.items(student).items() if item["verdict"] != "MANUAL"}


def test_right_code_gets_all_its_points_and_results_get_theirs(run: Run) -> None:
    assert run.lost("ben") == {}
    assert earned(run, "ben") == earned(run, "cas") == POINTS
    assert earned(run, "ann") == {**POINTS, "P9": 0, "P11": 0}  # handed in without results


def test_a_notebook_in_which_fit_raises_costs_its_own_training_alone(run: Run) -> None:
    assert {"C5", "C8", "C9"}.isdisjoint(run.lost("fay"))
    assert run.lost("fay").keys() >= {"C11"}
    ended = [cell for cell in run.result("fay")["run"]["cells"] if cell["status"] == "error"]
    assert "no_such_argument" in ended[0]["message"]
    assert run.result("fay")["run"]["cells"][-1]["status"] == "ok"  # what follows is run all the same


def test_equal_notebooks_are_run_once(run: Run) -> None:
    one, two = (executed(run, student) for student in ("ann", "ben"))
    assert one == two  # losses, times and pictures of one and the same run
    assert run.result("ann")["run"] == run.result("cas")["run"]


def test_the_executed_notebook_is_kept_with_its_results(run: Run) -> None:
    document = executed(run, "ann")
    assert document["metadata"]["graders"]["rehearsal"] is True
    training = next(cell for cell in document["cells"] if "EPOCHS = 10\n\n" in "".join(cell["source"]))
    assert "lowest validation loss" in text_of(training)
    assert any("image/png" in one.get("data", {}) for one in training["outputs"])


def test_errors_are_recorded_and_the_next_cells_run(run: Run) -> None:
    cells = {cell["cell"]: cell for cell in run.result("eve")["run"]["cells"]}
    assert [cells[number]["status"] for number in range(1, 8)] == [
        "ok", "ok", "error", "interrupted", "ok", "error", "ok"
    ]  # fmt: skip
    assert (cells[3]["kind"], cells[3]["where"]) == ("KeyError", "cell 3, line 2")
    printed = [text_of(cell) for cell in executed(run, "eve")["cells"]]
    assert (printed[4], printed[6]) == ("still here\n", "and here\n")


def test_an_endless_cell_is_stopped_at_half_of_the_notebook_s_time(run: Run) -> None:
    cell = run.result("eve")["run"]["cells"][3]
    assert cell["seconds"] >= SECONDS / 2
    assert cell["seconds"] < 2.5 * SECONDS / 2 + 10  # on a busy machine the run is made again, with more time
    assert cell["message"] == f"stopped after {cell['seconds']:g} seconds"


def test_installs_downloads_and_drives_are_not_run_and_it_is_said(run: Run, page: Callable[[str], str]) -> None:
    notes = run.result("eve")["run"]["notes"]
    for what in ("%pip install tensorflow-addons", "pip install -q einops", "wget -q https", "drive.mount("):
        assert any(note.startswith("not run here: ") and what in note for note in notes), (what, notes)
        assert f"not run here: {what}" in page("eve")
    assert "cell 3, line 2: KeyError: 'missing'" in page("eve")
    assert "cell 4: stopped after " in page("eve")


def test_the_points_are_those_of_the_handout_s_table(run: Run, page: Callable[[str], str]) -> None:
    whole = words(run.out / "report.html")
    assert "code of 70 written report of 22 prediction of 8 Late minutes Taken Total so far of 100" in whole
    assert "ann 22 / 22 waits 0 / 8 0 22" in whole
    assert "ben 22 / 22 waits 8 / 8 2 2 28" in whole
    table = "code 22 22 70 written report waits 0 22 prediction 8 8 8 late .2 total so far 28 30 100"
    assert re.search(table, page("ben"))


def test_each_started_minute_takes_a_point_and_no_total_is_below_zero(run: Run) -> None:
    with (run.out / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    late = {name: (row["score"], row["late_minutes"], row["deduction"], row["total"]) for name, row in rows.items()}
    assert late["ann"] == ("22", "0", "0", "22")
    assert late["ben"] == ("30", "2", "2", "28")
    assert late["cas"] == ("30", "541", "541", "0")
    assert late["eve"][1:3] == ("", "0")
    assert rows["ben"]["P11"] == "4"


def test_the_page_shows_curve_pictures_and_run(run: Run, page: Callable[[str], str]) -> None:
    source = (run.out / "students" / "ben" / "report.html").read_text(encoding="utf-8")
    assert source.count("<polyline") == 2  # loss and validation loss
    assert source.count('src="data:image/png') == 1
    assert 'href="executed.ipynb"' in source
    assert "What your notebook shows" in page("ben")
    assert "eve.ipynb: was saved without any results" in page("eve")
    assert "10 epochs; at last loss 0.1941, validation loss 0.1958" in page("ben")


def test_a_result_that_its_cell_cannot_have_given_is_a_hint_and_no_mark(run: Run, page: Callable[[str], str]) -> None:
    suspicions = json.loads((run.out / "class.json").read_text())["suspicions"]
    assert [line for line in suspicions["cas"] if "accuracy" in line] == [
        "cell 45 of cas.ipynb: shows an accuracy of 0.9712, and running the cell measured none"
    ]
    assert "ben" not in suspicions
    assert "accuracy of 0.9712" not in page("cas")


def test_to_grade_again_runs_nothing_and_to_regrade_changes_nothing(run: Run) -> None:
    before = {student: run.items(student) for student in ("ann", "ben", "cas", "eve", "fay")}
    again = graders("regrade", run.out, GRADERS_HOME=str(run.out.parent / "home"))
    assert again.returncode == 0, again.stderr
    assert {student: run.items(student) for student in before} == before
    assert (run.out / "students" / "eve" / "executed.ipynb").is_file()
