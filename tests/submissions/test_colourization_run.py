"""The trainings of handout C through the real command line, from saved results and from a run, with small networks."""

from __future__ import annotations

import shutil

import pytest

from demo.colourization import with_outputs
from demo.make_class import notebook, written
from graders.audit import apply_edit, load_edits
from graders.home import home, reference_path
from tests.submissions.conftest import Run, graders
from tests.unit.torch_rehearsal import small, training

TEXT = reference_path("colourization").read_text(encoding="utf-8")
TRAININGS = ("4.2", "5.2", "6.2")
# As the notebook of the course begins.
COLAB = """# %%
%mkdir -p /content/csc413/a2/
%cd /content/csc413/a2
!wget -q http://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz

"""


def edited(*names: str) -> str:
    text = TEXT
    for name in names:
        text = apply_edit(text, load_edits("colourization")[name])
    return small(text)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("rehearsed")
    for name in ("rubrics", "reference", "student_template"):
        shutil.copytree(home() / name, folder / name)
    (folder / "reference/colourization/solution.py").write_text(small(TEXT), encoding="utf-8")
    handed_in = {
        "colab/a2-code.ipynb": written(notebook(COLAB + edited("4.2-run-as-the-course"))),
        "script/a2.py": training(edited("5.2-run-ten-epochs"), "5.2"),
        "paper/a2-code.ipynb": with_outputs(training(edited("5.2-run-no-curve"), "5.2")).replace(
            "image/png", "image/x"
        ),
        "paper/a2-writeup.pdf": "%PDF-1.4",
    }
    for name, text in handed_in.items():
        (folder / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "class" / name).write_text(text, encoding="utf-8")
    words = ("--tier", "record,execute", "--seed", 20261121, "--only", ",".join(TRAININGS))
    out = folder / "out"
    command = ("grade", "colourization", folder / "class", "-o", out, *words)
    return Run(out, graders(*command, GRADERS_HOME=str(folder)))


def test_a_right_notebook_earns_all_by_its_run_alone(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stdout + run.process.stderr
    verdicts = run.verdicts("colab")
    assert {item: verdicts[item] for item in TRAININGS} == dict.fromkeys(TRAININGS, "PASS"), run.items("colab")


def test_a_run_settles_what_a_script_cannot_save(run: Run) -> None:
    assert run.lost("script")["5.2"] == {"epochs"}
    assert run.lost("script")["6.2"] == {"log", "falling", "epochs", "curve"}


def test_what_only_the_write_up_may_show_waits_whatever_the_run_did(run: Run) -> None:
    item = run.items("paper")["5.2"]
    assert (item["verdict"], item["points"]) == ("MANUAL", 0)
    assert "a2-writeup.pdf may show it" in item["note"]
    assert item["note"].endswith("seen elsewhere: log, falling, epochs")


def test_the_report_says_what_the_run_showed(run: Run) -> None:
    page = (run.out / "students" / "colab" / "report.html").read_text(encoding="utf-8")
    assert "How your notebook ran" in page
    assert "ConvTransposeNet: 50 steps, 25 epochs, loss " in page
    assert "wget" in page  # not run here
    assert (run.out / "students" / "colab" / "executed.ipynb").exists()


def test_the_same_run_again_runs_nothing(run: Run) -> None:
    again = graders("regrade", run.out, GRADERS_HOME=str(run.out.parent))
    assert again.returncode == 0, again.stderr
    assert run.verdicts("colab")["6.2"] == "PASS"
