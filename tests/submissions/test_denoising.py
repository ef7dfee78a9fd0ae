"""Handout D end to end: the audit, a class of 15 in scripts, a script that checks itself, a real training."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.denoising import scripts, whole
from demo.make_class import make_class
from graders.home import home
from tests.submissions.conftest import Run, graders

TEMPLATE = home() / "student_template" / "denoising"
POINTS = {"Q1a": 2.5, "Q1b": 2.5, "Q1c": 2.5, "Q1d": 2.5, "Q2a": 30, "Q2b": 30, "Q3a": 2, "Q3b": 8}
QUESTIONS = {"Q1a", "Q1b", "Q1c", "Q1d"}

# The audit -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("audit") / "audit.json"
    process = graders("audit", "denoising", "--json", path)
    document: dict[str, Any] = json.loads(path.read_text())
    return {**document, "status": process.returncode, "output": process.stdout}


def test_every_mutant_is_caught_and_no_variant_harmed(audit: dict[str, Any]) -> None:
    assert [mutant["name"] for mutant in audit["mutants"] if not mutant["caught"]] == []
    assert [(variant["name"], variant["reasons"]) for variant in audit["variants"] if not variant["kept"]] == []
    assert (audit["status"], audit["faults"]) == (0, 0), audit["output"]


def test_there_are_enough_of_both(audit: dict[str, Any]) -> None:
    assert len({mutant["name"] for mutant in audit["mutants"]}) >= 70
    assert len({variant["name"] for variant in audit["variants"]}) >= 35


# The class -----------------------------------------------------------------------------------------------------------

# Who loses which criteria, and what of it waits for a person besides the report; everybody else keeps everything.
LOST: dict[str, dict[str, set[str]]] = {
    "evans": {"Q2a": {"layers", "values", "training"}},
    "fischer": {"Q2b": {"shape", "transposed", "sizes"}},
    "garcia": {"Q2b": {"nonlinear"}, "Q3b": {"falling"}},
    "haddad": {"Q3b": {"log", "falling"}},
    "ito": {"Q3b": {"unchanged"}},
    "okafor": {"Q1c": {"answer"}, "Q1d": {"answer"}, "Q3a": {"tests"}, "Q3b": {"samples", "novel"}},
}
WAITS = {
    "chan": {"Q3a", "Q3b"},
    "dimitrov": QUESTIONS,
    "jensen": {*QUESTIONS, "Q3a", "Q3b"},
    "novak": {*QUESTIONS, "Q3a", "Q3b"},
}
RIGHT = ("adams", "baker", "chan", "dimitrov", "mueller", "novak")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("denoising")
    make_class(folder / "class", "denoising")
    words = ("--tier", "behaviour,record", "--seed", 20261121, "--time-limit", 8)
    return Run(folder / "out", graders("grade", "denoising", folder / "class", "-o", folder / "out", *words))


def test_all_fifteen_end_in_a_report(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stderr
    assert len(list((run.out / "students").iterdir())) == 15


@pytest.mark.parametrize("student", [*RIGHT, *LOST])
def test_wrong_code_loses_its_own_criteria_only(run: Run, student: str) -> None:
    assert run.lost(student) == LOST.get(student, {})


@pytest.mark.parametrize("student", [*RIGHT, *LOST, "jensen"])
def test_what_cannot_be_read_waits_and_counts_for_nothing(run: Run, student: str) -> None:
    judged = set(POINTS) - WAITS.get(student, set())
    assert set(run.verdicts(student)) == judged
    assert run.result(student)["possible"] == sum(POINTS[item] for item in judged)


def test_the_template_is_not_handed_in(run: Run) -> None:
    assert run.verdicts("jensen") == {"Q2a": "MISSING", "Q2b": "MISSING"}


def test_an_error_or_a_loop_in_one_class_costs_that_alone(run: Run) -> None:
    assert {item: verdict for item, verdict in run.verdicts("kim").items() if verdict != "PASS"} == {"Q2b": "MISSING"}
    assert "models.py, line 77: invalid syntax" in run.items("kim")["Q2b"]["note"]
    assert {item: verdict for item, verdict in run.verdicts("lopez").items() if verdict != "PASS"} == {"Q2b": "FAIL"}
    assert "it did not end" in run.items("lopez")["Q2b"]["criteria"][0]["actual"]


def test_who_shares_a_run_is_told_to_the_instructor_and_costs_nothing(run: Run) -> None:
    page = (run.out / "report.html").read_text(encoding="utf-8")
    shared = re.findall(r"saved log \w{8}", page)
    assert len(set(shared)) == 3
    assert run.result("mueller")["score"] == 80


@pytest.mark.parametrize(("name", "wanted"), [("Encoder", 1_589_760), ("Decoder", 1_167_043)])
def test_the_models_of_the_reference_have_the_parameters_of_the_handout(name: str, wanted: int) -> None:
    from torch import nn

    models: dict[str, Any] = {"__name__": "models"}
    exec(scripts()["models.py"], models)
    counted = models[name](128).modules()
    parts = [part for part in counted if name == "Encoder" or isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    assert sum(one.numel() for part in parts for one in part.parameters(recurse=False)) == wanted


# A script checks itself ----------------------------------------------------------------------------------------------


def checked(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graders", "check", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's folder with everything done right, and the kit; no reference is near."""
    for name, data in whole(1).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    shutil.copy(TEMPLATE / "denoising.kit", tmp_path)
    return tmp_path


def test_a_right_script_ends_in_status_0(folder: Path) -> None:
    process = checked(folder, "models.py")
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.count("passed") == 2
    assert process.stderr == ""


def test_a_wrong_script_ends_in_status_1_and_a_hint(folder: Path) -> None:
    (folder / "models.py").write_text(scripts("Q2b-relu-output")["models.py"] + "\nraise SystemExit('trains')\n")
    process = checked(folder, "models.py", "--item", "Q2b")
    assert process.returncode == 1
    assert "no negative value is let through" in process.stdout
    assert "Q2a" not in process.stdout


def test_a_script_that_cannot_be_run_tells_the_line(folder: Path) -> None:
    (folder / "models.py").write_text("import missing_module\n\n\nclass Encoder(missing_module.Net):\n    pass\n")
    process = checked(folder, "models.py", "--item", "Q2a")
    assert process.returncode == 1
    assert "ModuleNotFoundError: No module named 'missing_module' (models.py, line 1)" in process.stdout


def test_the_template_is_not_right_yet(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATE, tmp_path / "a6")
    process = checked(tmp_path, "a6/models.py")
    assert process.returncode == 1
    assert process.stdout.count("still as it was handed out") >= 2


WRONG_CALLS = {
    ("models.py", "--item", "Q1d"): "Q1d cannot be checked here: its answer is yours to find",
    ("models.py", "--item", "Q3b"): "Q3b cannot be checked here",
    ("models.py", "--item", "Q2c"): "'Q2c' is no item of this assignment (did you mean 'Q",
    ("nothing.py",): "nothing.py: no script or notebook; give the file that holds your code",
    ("loss.txt",): "loss.txt: no script or notebook; give the file that holds your code",
}


@pytest.mark.parametrize("words", WRONG_CALLS)
def test_a_wrong_call_is_one_line_and_status_2(folder: Path, words: tuple[str, ...]) -> None:
    process = checked(folder, *words)
    assert process.returncode == 2
    assert process.stderr.startswith(f"graders: {WRONG_CALLS[words]}"), process.stderr
    assert process.stderr.count("\n") == 1


def test_the_kit_holds_no_answer(folder: Path) -> None:
    from graders.kit import read_kit

    assert set(read_kit(folder / "denoising.kit").evidence) == {"Q2a", "Q2b"}


# The scripts that are handed out -------------------------------------------------------------------------------------


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script; in one thread, since two on busy cores wait for each other."""
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=one, timeout=600, check=False)


def test_the_reference_passes_the_check_script_and_a_wrong_one_does_not(folder: Path) -> None:
    process = ran(folder, "check_models.py")
    assert process.returncode == 0, process.stderr
    assert re.search(r"Ran 4 tests in [\d.]+s\n\nOK", process.stderr)
    (folder / "models.py").write_text(scripts("Q2a-hidden-2z")["models.py"])
    assert "(32, 256) != (32, 128)" in ran(folder, "check_models.py").stderr


def test_the_reference_trains_and_leaves_what_is_graded(folder: Path, tmp_path: Path) -> None:
    for path in (folder / "samples").iterdir():
        path.unlink()
    (folder / "data").mkdir()
    for at in range(12):
        pixels = np.zeros((64, 64), np.uint8)
        pixels[at : at + 24, 20:44] = 255
        Image.fromarray(pixels).save(folder / "data" / f"{at}.png")
    process = ran(folder, "asgn6.py", "--epochs", "24", "--save-interval", "8")
    assert process.returncode == 0, process.stderr
    out = tmp_path / "graded"
    (folder / "data").rename(tmp_path.parent / f"{tmp_path.name}-data")
    run = Run(out, graders("grade", "denoising", folder, "-o", out, "--tier", "record", "--only", "Q3b"))
    assert run.verdicts(folder.name) == {"Q3b": "PASS"}, run.items(folder.name)["Q3b"]
    losses = np.loadtxt(folder / "loss.txt")
    assert len(losses) == 24
    assert losses[-3:].mean() < 0.6 * losses[:3].mean()
