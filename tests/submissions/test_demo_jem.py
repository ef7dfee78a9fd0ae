"""The demo class of handout B, most of it end to end: what each loses, and what a person is told of the rest."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from demo.jem import TIMES, submissions
from demo.make_class import make_class
from tests.submissions.conftest import Run, graders

CODE = tuple(f"C{number}" for number in range(1, 10))
# Right code whose like is graded elsewhere, or mistakes of the same kind as those of others.
LEFT_OUT = ("baker.ipynb", "fischer.ipynb", "haddad.ipynb", "novak.ipynb")
LOST = {
    "adams": {},
    "chan": {},
    "dimitrov": {},
    "evans": {"C1": {"downsampling"}},
    "garcia": {"C6": {"unconditional", "extremes", "gradients"}},
    "ito": {"C5": {"regularised"}, "C8": {"share"}},
    "quinn": {"C3": {"noise", "sigma"}, "C9": {"loss"}},
    "rossi": {},
    "silva": {"C2": {"values", "logits"}},
}
# What ends a child or does not parse costs the item whose code it is.
STOPPED = {"lopez": "C7", "mueller": "C8", "okafor": "C8"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("energies")
    for path in make_class(folder / "class", "jem"):
        if path.name in LEFT_OUT:
            path.unlink()
    times = folder / "times.csv"
    with times.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("student", "time"), *TIMES.items()])
    words = ("--tier", "behaviour,record", "--seed", 20261121, "--time-limit", 5, "--times", times)
    return Run(folder / "out", graders("grade", "jem", folder / "class", "-o", folder / "out", *words))


def note(run: Run, student: str, item: str) -> str:
    return str(run.items(student)[item]["note"]).removeprefix("a person must look: ")


def test_the_run_can_be_trusted_whatever_the_marks(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stderr
    assert f"{len(submissions()) - len(LEFT_OUT)} submissions" in run.process.stdout


def test_everybody_hands_in_something_else(tmp_path: Path) -> None:
    paths = make_class(tmp_path, "jem")
    texts = [path.read_bytes() if path.is_file() else next(path.iterdir()).read_bytes() for path in paths]
    assert len(set(texts)) == len(paths) >= 15


@pytest.mark.parametrize("student", LOST)
def test_each_loses_what_is_wrong_and_nothing_else(run: Run, student: str) -> None:
    assert run.lost(student) == LOST[student]


def test_steps_on_top_of_a_wrong_energy_get_the_marks_that_they_deserve(run: Run) -> None:
    items = run.items("garcia")
    assert [(items[item]["points"], items[item]["follow_through"]) for item in ("C7", "C9")] == [(8, True), (15, True)]
    assert run.items("evans")["C2"]["points"] == 7


@pytest.mark.parametrize(("student", "item"), STOPPED.items())
def test_what_hangs_exits_or_does_not_parse_costs_its_item_alone(run: Run, student: str, item: str) -> None:
    verdicts = run.verdicts(student)
    assert verdicts[item] in ("FAIL", "MISSING")
    assert {verdicts[other] for other in CODE if other != item} == {"PASS"}


@pytest.mark.parametrize("student", ["jensen", "kim"])
def test_nothing_handed_in_gets_nothing_and_crashes_nothing(run: Run, student: str) -> None:
    assert run.result(student)["score"] == 0
    assert {run.verdicts(student)[item] for item in CODE} == {"MISSING"}


def test_what_is_done_counts_where_the_rest_is_still_the_template(run: Run) -> None:
    verdicts = run.verdicts("patel")
    assert [item for item in CODE if verdicts[item] == "PASS"] == ["C1", "C3", "C4"]
    assert {verdicts[item] for item in CODE if item not in ("C1", "C3", "C4")} == {"MISSING"}


def test_lateness_costs_a_point_for_every_started_hour_and_48_at_most(run: Run) -> None:
    late = {student: run.result(student)["late"]["deduction"] for student in ("adams", "chan", "quinn", "evans")}
    assert late == {"adams": 0, "chan": 2, "quinn": 48, "evans": 0}
    assert run.result("quinn")["late"]["total"] == run.result("quinn")["score"] - 48


def test_the_number_of_parameters_counts_where_it_is_shown(run: Run) -> None:
    assert [run.verdicts(student).get("Q2") for student in ("adams", "silva", "chan")] == ["PASS", None, None]
    assert note(run, "silva", "Q2") == "the notebook shows 686,000 parameters"


def test_a_person_is_told_what_an_honest_notebook_shows(run: Run) -> None:
    assert "20 epochs logged, loss 2.2" in note(run, "adams", "Q4")
    assert "accuracy 0.7312; 1 picture with 8 small images" in note(run, "adams", "Q5")
    assert note(run, "adams", "B3").endswith("images from the buffer; 1 picture with 32 small images")
    ranked = note(run, "adams", "B4")
    assert "with 176 small images; 11 of 11 printed rankings run from the lowest energy up" in ranked
    assert ranked.endswith("; its code takes np.argsort(energies(model, images, label))[:k]")
    shown = "".join((run.out / "students" / "adams" / "report.html").read_text().split())
    assert shown.count("<figure><img") > 15
    assert "joint_energy_model.ipynb,cell67(B4)" in shown


def test_a_person_is_told_what_is_not_there(run: Run) -> None:
    assert "8 epochs of at least 20 logged" in note(run, "rossi", "Q4")
    assert "no accuracy" in note(run, "rossi", "Q5")
    assert "its result is not saved" in note(run, "rossi", "Q10")
    assert "1 picture with 16 small images of at least 32" in note(run, "rossi", "B3")
    assert "0 of 11 printed rankings" in note(run, "rossi", "B4")
    assert note(run, "evans", "B3").endswith("as it was handed out")
    assert note(run, "chan", "Q4") == "no notebook with results was handed in"


def test_no_point_depends_on_what_a_person_is_told(run: Run) -> None:
    # Two wait for the metric tier, and the accuracies that are claimed where none is printed.
    for student, number in {"adams": 16, "rossi": 17}.items():
        assert (run.result(student)["score"], run.result(student)["possible"]) == (65, 65)
        waiting = [name for name, item in run.items(student).items() if item["verdict"] == "MANUAL"]
        assert len(waiting) == number
        assert all(run.items(student)[name]["points"] == 0 for name in waiting)
