"""Handout E end to end: a class for each part, handed in as one folder, scripts and notebooks that check themselves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graders.audit import apply_edit, load_edits
from graders.home import home, reference_path
from graders.release import handed_out, scripts_of
from tests.submissions.conftest import Run, graders

SCRIPTS = {"vae": "A9_vae.py", "acgan": "A9_acgan.py"}
HEADS = {
    "A9_vae.py": (("#   VAE:\n", "#   VAE: 0.702\n"), ("#   CVAE:\n", "#   CVAE: 0.728\n")),
    "A9_acgan.py": (("set:\n", "set: 70.1 %\n"),),
}
POINTS = {  # of the behaviour tier, and the claims
    "vae": {"vae": 0.8, "codes": 0.4, "cvae": 0.7, "losses": 0.7, "train_step": 0.6, "annealing": 0.2,
            "denormalize": 0.2, "generate": 0.2, "generate_class": 0.2, "claim": 0},
    "acgan": {"generator": 1, "discriminator": 0.9, "train_step": 1.3, "denormalize": 0.4, "samples": 0.2,
              "claim": 0.2},
}  # fmt: skip
MISSING = {
    "vae": {"vae", "codes", "cvae", "losses", "train_step", "denormalize", "generate", "generate_class"},
    "acgan": {"generator", "discriminator", "train_step", "denormalize"},
}
WRONG = {"vae": "train_step-no-zero-grad", "acgan": "train_step-no-classes"}
LOST = {"vae": {"train_step": {"gradients"}}, "acgan": {"train_step": {"classes"}}}
SCORES = {
    "vae": {"vae_score": "; claimed: vae 0.702, cvae 0.728", "cvae_score": "; claimed: vae 0.702, cvae 0.728"},
    "acgan": {"accuracy": "; claimed: accuracy 70.10%"},
}


def script(slug: str, *edits: str) -> str:
    """Return the script of a part that holds the reference, with figures in its head, and with edits."""
    text = reference_path(slug).read_text(encoding="utf-8")
    for name in edits:
        text = apply_edit(text, load_edits(slug)[name])
    text = scripts_of(text)[SCRIPTS[slug]]
    for old, new in HEADS[SCRIPTS[slug]]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def hand_in(folder: Path, *edits: str) -> None:
    """Write what a student hands in for both parts, with an edit of each."""
    folder.mkdir(parents=True)
    for slug, name in SCRIPTS.items():
        (folder / name).write_text(script(slug, *(edit for edit in edits if edit in load_edits(slug))))
    (folder / "ssim.py").write_text(handed_out("vae")["ssim.py"])


# A class -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handout_e")
    hand_in(folder / "class" / "adams")
    hand_in(folder / "class" / "evans", *WRONG.values())
    for slug in SCRIPTS:
        shutil.copytree(home() / "student_template" / slug, folder / "class" / "jensen", dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module", params=SCRIPTS)
def slug(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def run(handed_in: Path, slug: str) -> Run:
    out, words = handed_in / slug, ("--tier", "behaviour,record", "--seed", 20261121)
    return Run(out, graders("grade", slug, handed_in / "class", "-o", out, *words))


def test_the_reference_keeps_all_points_and_its_training_is_not_run(run: Run, slug: str) -> None:
    assert run.process.returncode == 0, run.process.stderr
    assert run.lost("adams") == {}
    assert set(run.verdicts("adams")) == set(POINTS[slug])
    assert run.result("adams")["score"] == pytest.approx(sum(POINTS[slug].values()))


def test_a_mistake_costs_its_own_criteria(run: Run, slug: str) -> None:
    assert run.lost("evans") == LOST[slug]


def test_scores_of_training_wait_and_show_what_is_claimed(run: Run, slug: str) -> None:
    for student in ("adams", "evans", "jensen"):
        items = run.items(student)
        assert {items[name]["verdict"] for name in SCORES[slug]} == {"MANUAL"}
    for name, claimed in SCORES[slug].items():
        assert "graded by the metric tier" in run.items("adams")[name]["note"]
        assert run.items("adams")[name]["note"].endswith(claimed)
        assert "claimed" not in run.items("jensen")[name]["note"]
        assert "; not right: " in run.items("jensen")[name]["note"]


def test_the_template_earns_nothing(run: Run, slug: str) -> None:
    assert run.result("jensen")["score"] == 0
    assert {name for name, verdict in run.verdicts("jensen").items() if verdict == "MISSING"} == MISSING[slug]


# A student's own check -----------------------------------------------------------------------------------------------


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600, check=False)


@pytest.fixture
def folder(tmp_path: Path, slug: str) -> Path:
    """The folder of a student who did everything, with the kit of a part."""
    hand_in(tmp_path / "a9")
    shutil.copy(home() / "student_template" / slug / f"{slug}.kit", tmp_path / "a9")
    return tmp_path / "a9"


def test_a_right_script_checks_itself_without_training(folder: Path, slug: str) -> None:
    process = ran(folder, "-m", "graders", "check", SCRIPTS[slug])
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.count("passed") == len(POINTS[slug]) - 1  # the claim is read off the file
    assert not (folder / "visualize").exists()


def test_a_wrong_script_and_the_template_end_in_status_1(folder: Path, slug: str) -> None:
    (folder / SCRIPTS[slug]).write_text(script(slug, WRONG[slug]))
    process = ran(folder, "-m", "graders", "check", SCRIPTS[slug], "--item", "train_step")
    assert process.returncode == 1
    assert all(name in process.stdout for name in LOST[slug]["train_step"])
    (folder / SCRIPTS[slug]).write_text(handed_out(slug)[SCRIPTS[slug]])
    process = ran(folder, "-m", "graders", "check", SCRIPTS[slug], "--item", "denormalize")
    assert process.returncode == 1
    assert "still as it was handed out" in process.stdout


def test_definitions_check_themselves_where_they_live(folder: Path, slug: str) -> None:
    """As in a notebook whose cells were run up to the training; there is no data set, and no torchvision."""
    definitions = script(slug).partition("os.makedirs(")[0]
    definitions = re.sub(r"^from torchvision.*\n|^# The images of CIFAR-10(.|\n)*?\n\n\n", "", definitions, flags=re.M)
    items = [name for name in POINTS[slug] if name != "claim"]
    checks = f"\nimport graders\nfor one in {json.dumps(items)}:\n    graders.check(one)\n"
    (folder / "cells.py").write_text(definitions + checks)
    process = ran(folder, "cells.py")
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("passed") == len(items), process.stdout
