"""Whole submissions of handout C through the real command line: two networks right, one wrong; answers and outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from demo.colourization import code, with_outputs
from graders.audit import load_edits
from graders.home import reference_path
from graders.model import Mutant
from graders.release import template
from tests.submissions.conftest import Run, graders

TEXT = reference_path("colourization").read_text(encoding="utf-8")
TRAININGS = ("4.2", "5.2", "6.2")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("colourization")
    handed_in = {
        "right/a2-code.ipynb": with_outputs(TEXT),
        "right/a2-writeup.pdf": "%PDF-1.4",
        "script/a2.py": code("5.1-padding-1", "6.1-padding-1"),
        "wrong/a2-code.py": code("4.1-norm-relu-pool", "5.1-fixed-kernel", "4.3-biases"),
        "on-wrong/a2-code.py": code("5.1-relu-norm", "6.1-derived"),
        "in-words/a2-code.py": re.sub(r"def (?:conv_net_sizes|pool_upsample_sizes|paddings_for_kernel)", "def f", TEXT),
        "template/a2-code.ipynb": nbformat.writes(template(TEXT)),
        "hostile/a2-code.py": TEXT.replace("super().__init__()", "super().__init__()\n        1 / 0"),
    }
    for name, text in handed_in.items():
        (folder / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "class" / name).write_text(text, encoding="utf-8")
    words = ("--tier", "behaviour,record", "--seed", 20261121)
    return Run(folder / "out", graders("grade", "colourization", folder / "class", "-o", folder / "out", *words))


def points(run: Run, student: str) -> dict[str, float]:
    return {name: item["points"] for name, item in run.items(student).items() if item["verdict"] != "MANUAL"}


def test_the_reference_run_by_a_student_gets_all_that_is_judged(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stdout + run.process.stderr
    assert set(run.verdicts("right").values()) == {"PASS"}
    assert sum(points(run, "right").values()) == pytest.approx(0.8 + 1 + 0.5 + 3 * 0.5 + 0.25 + 2 * 0.5)


def test_a_script_is_a_submission_too(run: Run) -> None:
    verdicts = run.verdicts("script")
    assert {verdicts[item] for item in ("4.1", "5.1", "6.1", "3.2", "4.3", "5.4")} == {"PASS"}
    assert not verdicts.keys() & set(TRAININGS)  # a script keeps no outputs
    assert {run.items("script")[item]["verdict"] for item in TRAININGS} == {"MANUAL"}
    assert "a2.py is a script" in run.items("script")["5.2"]["note"]


def test_wrong_ones_lose_what_they_are_wrong_in(run: Run) -> None:
    lost = {item: criteria for item, criteria in run.lost("wrong").items() if item not in (*TRAININGS, "traces")}
    assert lost == {
        "4.1": {"values", "training", "gradients"},
        "5.1": {"kernel"},
        "4.3": {"weights", "weights_doubled"},
    }


def test_a_network_that_builds_on_a_wrong_one_is_judged_on_a_right_one(run: Run) -> None:
    unet = run.items("on-wrong")["6.1"]
    assert run.verdicts("on-wrong")["5.1"] == "PARTIAL"
    assert (unet["verdict"], unet["follow_through"], unet["points"]) == ("PASS", True, 0.5)


def test_answers_in_words_wait_for_a_person_and_cost_nothing(run: Run) -> None:
    items = run.items("in-words")
    for item in ("3.2", "4.3", "5.4"):
        assert items[item]["verdict"] == "MANUAL"
        assert "write-up" in items[item]["note"]
    assert items["4.1"]["verdict"] == "PASS"


def test_the_template_as_it_was_handed_out_earns_nothing(run: Run) -> None:
    verdicts = run.verdicts("template")
    assert {verdicts[item] for item in ("4.1", "5.1", "6.1")} == {"MISSING"}
    assert sum(points(run, "template").values()) == 0
    assert run.items("template")["4.3"]["verdict"] == "MANUAL"


def test_code_that_raises_costs_its_criteria_and_nothing_else(run: Run) -> None:
    items = run.items("hostile")
    assert {items[item]["verdict"] for item in ("4.1", "5.1", "6.1")} == {"FAIL"}
    assert "ZeroDivisionError" in json.dumps(items["4.1"])
    assert items["4.3"]["verdict"] == "PASS"


# The reference -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    import runpy

    training = runpy.run_path(str(reference_path("colourization").with_name("training.py")))
    found: dict[str, Any] = training["definitions"]()
    return found


@pytest.mark.parametrize(
    ("network", "parameters"), [("PoolUpsampleNet", 49_728), ("ConvTransposeNet", 49_728), ("UNet", 56_856)]
)
def test_the_networks_have_the_parameters_of_the_figure(names: dict[str, Any], network: str, parameters: int) -> None:
    assert sum(one.numel() for one in names[network](3, 32, 24, 1).parameters()) == parameters


def test_the_given_training_learns_colours_that_follow_from_the_brightness(
    names: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three colours of three brightnesses can be told apart: the loss must fall far."""
    chance = np.random.default_rng(0)
    colours = np.array([[200, 40, 30], [20, 60, 30], [230, 250, 240]], np.uint8)
    blocks = chance.integers(0, 3, (40, 4, 4)).repeat(8, axis=1).repeat(8, axis=2)
    data = {"x_train": colours[blocks[:30]], "x_test": colours[blocks[30:]]}
    labels = {"y_train": np.full(30, 7), "y_test": np.full(10, 7)}
    np.savez(tmp_path / "data.npz", **data, **labels)
    names["plt"].switch_backend("agg")
    from types import SimpleNamespace

    cnn = names["train"](
        SimpleNamespace(
            data=tmp_path / "data.npz", seed=0, model="UNet", kernel=3, num_filters=4, num_colours=3, learn_rate=0.02,
            batch_size=10, epochs=12, plot=True, experiment_name=str(tmp_path / "out"),
        )
    )  # fmt: skip
    printed = re.findall(r"Val Loss: ([\d.]+), Val Acc: ([\d.]+)%", capsys.readouterr().out)
    assert len(printed) == 12
    assert float(printed[-1][0]) < 0.5 * float(printed[0][0])
    assert float(printed[-1][1]) > 90
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"curves.png", "images.png"}
    assert type(cnn).__name__ == "UNet"


def test_clusters_are_the_colours_of_the_images(names: dict[str, Any]) -> None:
    colours = np.array([[0.1, 0.2, 0.9], [0.8, 0.1, 0.1], [0.2, 0.9, 0.3]], np.float32)
    images = colours[np.random.default_rng(1).integers(0, 3, (5, 8, 8))].transpose(0, 3, 1, 2)
    found = names["cluster_colours"](images, 3, rounds=10, seed=3)
    assert {tuple(one) for one in found.round(3).tolist()} <= {tuple(one) for one in colours.round(3).tolist()}
    categories = names["get_rgb_cat"](images, colours)
    assert categories.shape == (5, 1, 8, 8)
    np.testing.assert_allclose(names["get_cat_rgb"](categories, colours), images)


def test_every_mutant_says_what_it_is_wrong_in() -> None:
    edits = load_edits("colourization").values()
    mutants = [edit for edit in edits if isinstance(edit, Mutant)]
    assert len(mutants) >= 45
    assert all(mutant.mistake and mutant.loses for mutant in mutants)
