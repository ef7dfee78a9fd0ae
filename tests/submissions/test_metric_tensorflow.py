"""The metric tier end to end for handouts A and B, on drawn images and with the references' trainings made tiny."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_output

from graders.data import calligraphy, cifar10
from graders.home import reference_path
from tests.submissions.conftest import Run, graders

pytest.importorskip("tensorflow")

Edits = Sequence[tuple[str, str]]
WORDS = ("--tier", "metric", "--seed", 7, "--budget", "300s")
LOAD = 'pixel_cnn.load_weights("pixel_cnn_e5.h5")'
MODEL = "pixel_cnn = keras.Model(inputs, outputs)"
CLASSIFIER = "classifier = WRN()"


def edited(text: str, edits: Edits) -> str:
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def calligraphic(edits: Edits = ()) -> str:
    """Return the reference of handout A, tiny, without the generation of images and the bonus."""
    text, evaluation = reference_path("pixelcnn").read_text(encoding="utf-8").split("# %% [markdown]\n# ## Evaluation")
    loss = evaluation[evaluation.index("# %%\n# [C10]") : evaluation.index("# %% [markdown]\n# ## Bonus")]
    tiny = [("AutoregressiveModel(6, 64, 6, 10)", "AutoregressiveModel(1, 4, 1, 3)"), ("EPOCHS = 10", "EPOCHS = 2"),
            ("learning_rate=0.0001", "learning_rate=0.02"), ("ema_momentum=0.9995", "ema_momentum=0.5")]  # fmt: skip
    return edited(text + loss, [*tiny, *edits])


def joint(edits: Edits = ()) -> str:
    """Return the reference of handout B, tiny, without the bonus."""
    text = reference_path("jem").read_text(encoding="utf-8").partition("# %% [markdown]\n# # Bonus")[0]
    text = re.sub(r"(ResBlock(?:RE)?)\((\d+), (\d+)", lambda m: f"{m[1]}({int(m[2]) // 16}, {int(m[3]) // 16}", text)
    text = text.replace("Conv2D(16, 3", "Conv2D(1, 3").replace("Adam(1e-4)", "Adam(0.01)")
    tiny = [("EPOCHS_1 = 20", "EPOCHS_1 = 1"), ("range(20)", "range(2)"), ("BATCH_SIZE = 64", "BATCH_SIZE = 10"),
            ("\nvisualize_energy(classifier)", "\n")]  # fmt: skip
    return edited(text, [*tiny, *edits])


def hand_in(folder: Path, text: str, printed: Mapping[str, str] | None = None) -> Path:
    """Write a script, or a notebook where something is `printed` below cells that begin with a mark."""
    folder.mkdir(parents=True)
    if printed is None:
        (folder / "code.py").write_text(text, encoding="utf-8")
        return folder
    notebook = jupytext.reads(text, fmt="py:percent")
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        mark = cell.source.partition("\n")[0].removeprefix("# ")
        cell["execution_count"], cell["outputs"] = count, []
        if mark in printed:
            cell["outputs"] = [new_output("stream", name="stdout", text=printed.pop(mark))]  # type: ignore[attr-defined]
    assert not printed
    nbformat.write(notebook, folder / "code.ipynb")
    return folder


def weights(text: str, end: str, path: Path) -> None:
    """Write the weights of a script's model as it is built, biases of its last layer set to 3."""
    begin = text.partition(end)[0].replace("import graders\n", "").replace("keras.datasets.cifar10.load_data()", "DATA")
    images = "import numpy; DATA = ((numpy.zeros((20, 32, 32, 3)), numpy.zeros((20, 1))),) * 2"
    shape = (2, 32, 32, 3 if "WRN" in end else 1)
    name = end.partition(" ")[0]
    built = f"{name}(tf.zeros({shape})); *others, bias = {name}.get_weights()"
    saved = f"{name}.set_weights([*others, 3 + bias]); {name}.save_weights({str(path)!r})"
    command = [sys.executable, "-W", "ignore", "-c", "\n".join([images, begin, end, built, saved])]
    subprocess.run(command, cwd=path.parents[2], check=True, timeout=300)  # not beside a script called code


# Handout A ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pixelcnn(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A class of five.

    One is right and claims too much, one passes its input on, one loads weights that are not here, one hands in
    weights, and one tells what it was given.
    """
    folder = tmp_path_factory.mktemp("calligraphy")
    calligraphy.draw(folder / "pa2", 40, 60, seed=3)
    trains, class_ = [(LOAD, "pass")], folder / "class"
    claim = {"[C11]": "Epoch 1/2\n2/2 - 1s - loss: 0.5\n", "[C10]": "binary cross-entropy on the test set 0.1936\n"}
    hand_in(class_ / "adams", calligraphic(trains), claim)
    hand_in(class_ / "brown", calligraphic([*trains, (MODEL, f"outputs = 0.9 * inputs + 0.05 * outputs\n{MODEL}")]))
    hand_in(class_ / "clark", calligraphic())
    text = calligraphic([(MODEL, f"{MODEL}\nassert False, 'trained'")])
    weights(calligraphic(), MODEL, hand_in(class_ / "davis", text) / "best.weights.h5")
    (class_ / "davis" / "pixel_cnn_e5.h5").write_bytes(b"the course's")
    count = "raise ValueError([(place, len(names)) for place, _, names in sorted(os.walk('.', followlinks=True))])"
    hand_in(class_ / "evans", calligraphic([("train_data = Calli", f"{count}\ntrain_data = Calli")]))
    words = ("--only", "C10-score", "--data", folder / "pa2")
    return Run(folder / "out", graders("grade", "pixelcnn", class_, "-o", folder / "out", *WORDS, *words))


def test_a_training_is_scored_on_what_was_held_out_and_its_claim_held_against_it(pixelcnn: Run) -> None:
    assert pixelcnn.process.returncode == 0, pixelcnn.process.stderr
    item = pixelcnn.items("adams")["C10-score"]
    assert (item["verdict"], item["points"]) == ("PASS", 0), item
    trained = pixelcnn.result("adams")["trained"]["C10-score"]
    assert (trained["ended"], trained["failure"]) == ("finished", "")
    scores = {one["name"]: one["score"] for one in trained["candidates"]}
    assert {one["images"] for one in trained["candidates"]} == {48}
    assert next(iter(scores)) == "pixel_cnn, as it was at the end"
    assert len(scores) == 3  # it saved its best weights, and its last ones
    assert 0.1 < min(scores.values()) < 0.69
    assert f"measured {min(scores.values()):.4f} on 48 held-out images" in item["note"]
    assert "claimed 0.1936" in item["note"]
    suspicions = json.loads((pixelcnn.out / "class.json").read_text())["suspicions"]
    assert [line for line in suspicions["adams"] if "claims" in line] == [
        f"C10-score: claims 0.1936, measured is {min(scores.values()):.4f}"
    ]


def test_a_model_that_sees_the_pixel_that_it_predicts_is_left_to_a_person(pixelcnn: Run) -> None:
    item = pixelcnn.items("brown")["C10-score"]
    assert item["verdict"] == "MANUAL"
    assert "it even predicts tossed pixels" in item["note"]


def test_weights_of_the_course_that_are_not_here_are_not_the_students_fault(pixelcnn: Run) -> None:
    item = pixelcnn.items("clark")["C10-score"]
    assert item["verdict"] == "MANUAL"
    assert "pixel_cnn_e5.h5: not there; weights that the course handed out go into the folder" in item["note"]


def test_weights_that_were_handed_in_are_scored_without_a_training(pixelcnn: Run) -> None:
    trained = pixelcnn.result("davis")["trained"]["C10-score"]
    assert (trained["ended"], trained["failure"]) == ("loaded", "")
    (candidate,) = trained["candidates"]  # the course's own is none
    assert candidate["name"] == "best.weights.h5"
    assert 2 < candidate["score"] < 3.1  # nearly all pixels are said to be white, by 3 on the scale of logits


def test_a_script_gets_a_fifth_of_the_test_set_and_nothing_that_is_held_out(pixelcnn: Run) -> None:
    item = pixelcnn.items("evans")["C10-score"]
    assert item["verdict"] == "FAIL"
    assert "('./pa2', 0), ('./pa2/test', 12), ('./pa2/train', 40)" in item["note"]


# Handout B ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jem(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A class of two: one trains both parts and claims too much for the first, one hands in weights of the second."""
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder / "data", 40, 60, seed=3)
    claims = {"[Q5]": "test accuracy 0.9900\n", "[Q10]": "test accuracy of the joint model 0.0100\n"}
    hand_in(folder / "class" / "adams", joint(), claims)
    stop = (CLASSIFIER, f"{CLASSIFIER}\nassert False, 'trained'")
    brown = hand_in(folder / "class" / "brown", joint([stop]))
    weights(joint(), CLASSIFIER, brown / "part2_epoch2.weights.h5")
    (brown / "final.weights.h5").write_bytes((brown / "part2_epoch2.weights.h5").read_bytes())
    words = ("--only", "Q5-score,Q10-score", "--data", folder / "data")
    return Run(folder / "out", graders("grade", "jem", folder / "class", "-o", folder / "out", *WORDS, *words))


def test_the_models_of_both_parts_are_scored_and_their_claims_held_against_them(jem: Run) -> None:
    assert jem.process.returncode == 0, jem.process.stderr
    items, trained = jem.items("adams"), jem.result("adams")["trained"]
    for name, model, claim in (("Q5-score", "classifier", "99.00%"), ("Q10-score", "jem", "1.00%")):
        assert (items[name]["verdict"], items[name]["points"]) == ("PASS", 0), items[name]
        assert re.search(rf"measured .* on 48 held-out images .*, claimed {claim}", items[name]["note"])
        assert trained[name]["ended"] == "finished"
        assert trained[name]["candidates"][0]["name"] == f"{model}, as it was at the end"
    # One epoch each: what part 2 saved is not taken for part 1, nor what the regularised network saved for either.
    assert len(trained["Q5-score"]["candidates"]) == 1
    assert [one["name"] for one in trained["Q10-score"]["candidates"][1:]] == [
        "the weights that it saved in part2_epoch2.weights.h5",
        "the weights that it saved in part2_epoch1.weights.h5",
    ]
    lines = json.loads((jem.out / "class.json").read_text())["suspicions"]["adams"]
    assert [line.partition(",")[0] for line in lines if "claims" in line] == ["Q5-score: claims 99.00%"]


def test_weights_belong_to_the_part_that_their_name_tells(jem: Run) -> None:
    trained = jem.result("brown")["trained"]
    assert trained["Q10-score"]["ended"] == "loaded"
    assert [one["name"] for one in trained["Q10-score"]["candidates"]] == ["part2_epoch2.weights.h5"]
    assert trained["Q5-score"]["ended"] == "failed"
    assert "AssertionError: trained" in trained["Q5-score"]["failure"]
