"""Handout B rehearsed through the real command line: right code, a part 2 that fails, one that reuses part 1."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import nbformat
import pytest

from demo.make_class import changed, notebook, written
from graders.home import reference_path
from tests.submissions.conftest import Run, graders
from tests.unit.execute.notebooks import text_of

REFERENCE = reference_path("jem").read_text(encoding="utf-8").partition("# %% [markdown]\n# # Bonus")[0]
SHORT = re.sub(r"# %%\n# \[Q6\].*?(?=\n# %% \[markdown\]\n# # Part 2)", "", REFERENCE, flags=re.DOTALL)
SHORT = changed(SHORT, ("EPOCHS_1 = 20", "EPOCHS_1 = 2"), ("EPOCHS_2 = 2", "EPOCHS_2 = 1"))
TEXTS = {
    "ann": REFERENCE,
    "ben": changed(SHORT, ("sb.add_to_buffer(sampled, ids)", "sb.add_to_buffer(samples, ids)")),
    "cas": changed(SHORT, ("jem = WRN()", "jem = classifier")),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    top = tmp_path_factory.mktemp("jem")
    (top / "class").mkdir()
    for name, text in TEXTS.items():
        (top / "class" / f"{name}.ipynb").write_text(written(notebook(text)), encoding="utf-8")
    words = ("--tier", "behaviour,record,execute", "--seed", 20261121, "--jobs", 2)
    process = graders("grade", "jem", top / "class", "-o", top / "out", *words)
    assert process.returncode == 0, process.stdout + process.stderr
    return Run(top / "out", process)


def ran(run: Run, student: str) -> Any:
    return run.result(student)["run"]


def page(run: Run, student: str) -> str:
    """Return what a student's page says, in one line."""
    source = (run.out / "students" / student / "report.html").read_text(encoding="utf-8").partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", source)).split())


def executed(run: Run, student: str, mark: str) -> Any:
    """Return the cell of the executed notebook that begins with a mark."""
    document = json.loads((run.out / "students" / student / "executed.ipynb").read_text(encoding="utf-8"))
    nbformat.validate(document)
    return next(cell for cell in document["cells"] if "".join(cell["source"]).startswith(mark))


def suspicions(run: Run) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((run.out / "class.json").read_text())["suspicions"]
    return found


def test_right_code_runs_through_and_keeps_its_points(run: Run) -> None:
    assert {cell["status"] for cell in ran(run, "ann")["cells"]} == {"ok"}
    assert ran(run, "ann")["wrong"] == []
    assert "ann" not in suspicions(run)
    items = run.items("ann")
    assert {items[f"C{number}"]["verdict"] for number in range(1, 10)} == {"PASS"}
    assert {items[item]["verdict"] for item in ("Q4", "Q5", "Q8", "Q9", "Q10")} == {"MANUAL"}


def test_both_training_loops_are_told_of(run: Run) -> None:
    first, second, joint = (line for line in ran(run, "ann")["seen"] if " trained " in line)
    part_1 = r"cell \d+ trained `(\w+)`: 40 steps of Adam \(learning rate 0.0001\), 40 batches of train_dataset"
    ends = r"; loss ([\d.]+) in the first steps, ([\d.]+) in the last; 31 of 31 variables changed"
    for line, name in ((first, "classifier"), (second, "regularised")):
        match = re.match(part_1, line)
        assert match is not None, line
        assert match[1] == name
        before, after = map(float, re.search(ends, line).groups())  # type: ignore[union-attr] # else it fails
        assert after < before
    assert "trained `jem`: 4 steps of Adam (learning rate 0.0001), 4 batches of train_dataset" in joint
    assert "20 gradients by images before a step; 31 of 31 variables changed" in joint
    assert joint in page(run, "ann")


def test_accuracies_and_the_buffer_are_told_of(run: Run) -> None:
    seen = "\n".join(ran(run, "ann")["seen"])
    assert re.search(r"^cell \d+: accuracy of classifier on test_dataset: 0\.\d+$", seen, re.MULTILINE)
    assert re.search(r"^cell \d+: accuracy of jem on test_dataset: 0\.\d+$", seen, re.MULTILINE)
    assert re.search(r"^cell \d+: 256 images went into a buffer, 256 came out$", seen, re.MULTILINE)
    assert seen.startswith(
        "there were 128 drawn images for training and 100 for the test; each convolution had one 8th"
    )


def test_the_executed_notebook_shows_what_was_drawn(run: Run) -> None:
    for mark in ("# [Q7]", "# [Q8]"):
        assert any("image/png" in one.get("data", {}) for one in executed(run, "ann", mark)["outputs"])
    assert "Epoch 20: loss" in text_of(executed(run, "ann", "# [Q4]"))
    checked = executed(run, "ann", "graders.check")
    assert text_of(checked) == "not run here: graders.check('C1'); the report says what is right\n"


def test_a_training_that_fails_is_named_where_a_person_looks(run: Run) -> None:
    (line,) = ran(run, "ben")["wrong"]
    began = r"in a rehearsal, a training of part 2 did not run: cell \d+, line \d+: "
    assert re.fullmatch(began + "NameError: name 'samples' is not defined", line)
    assert line in suspicions(run)["ben"]
    assert line in page(run, "ben")
    assert {item for item, criteria in run.lost("ben").items() if criteria and item != "Q2"} == {"C9"}
    assert any("trained `classifier`: 4 steps" in line for line in ran(run, "ben")["seen"])


def test_a_model_that_is_trained_on_in_part_2_is_named(run: Run) -> None:
    (line,) = ran(run, "cas")["wrong"]
    assert re.fullmatch(
        r"in a rehearsal, cell \d+: the training of `classifier` went on from part 1, cell \d+; "
        r"Section 6\.3\.2 wants a model of its own",
        line,
    )
    assert run.lost("cas") == {}


def test_to_regrade_keeps_what_the_run_showed(run: Run) -> None:
    before, told = suspicions(run), ran(run, "ben")
    again = graders("regrade", run.out)
    assert again.returncode == 0, again.stderr
    assert suspicions(run) == before
    assert ran(run, "ben") == told
