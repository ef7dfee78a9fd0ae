"""The metric tier end to end, on made-up images and with the references' trainings made tiny."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest

from graders.data import calligraphy, cifar10
from graders.home import reference_path
from graders.release import handed_out, scripts_of
from tests.submissions.conftest import ROOT, Run, graders

TINY = {
    "A9_vae.py": (("num_epochs = 60", "num_epochs = 2"), ("batch_size = 128", "batch_size = 16"),
                  ("#   VAE:\n", "#   VAE: 0.402\n"), ("#   CVAE:\n", "#   CVAE: 2.9\n")),
    "A9_acgan.py": (("epochs = 100", "epochs = 1"), ("batch_size = 256", "batch_size = 16"),
                    ("set:\n", "set: 99.1 %\n")),
}  # fmt: skip
THIN = {"A9_vae.py": (("256", "24"),), "A9_acgan.py": (("512", "24"), ("256", "16"))}  # channels, wherever they stand
NET = "net = (CVAE("
WORDS = ("--tier", "metric", "--seed", 7)


def hand_in(folder: Path, slug: str, edits: Sequence[tuple[str, str]] = ()) -> Path:
    """Write the reference of a part, tiny, as a student's folder."""
    folder.mkdir(parents=True)
    name = f"A9_{slug}.py"
    text = scripts_of(reference_path(slug).read_text(encoding="utf-8"))[name]
    for old, new in (*TINY[name], *edits):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    for old, new in THIN[name]:
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder, 32, 40, seed=3)
    return folder


@pytest.fixture(scope="module")
def vae(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A class of four: one is right, one crashes, one copies its input, one hands in weights that are none."""
    folder = tmp_path_factory.mktemp("metric")
    hand_in(folder / "class" / "adams", "vae")
    (folder / "class" / "adams" / "ssim.py").write_text(handed_out("vae")["ssim.py"])
    hand_in(folder / "class" / "brown", "vae", [(NET, f"1 / 0\n{NET}")])
    skip = "return self.decode(z), mu, log_var, z"
    hand_in(folder / "class" / "clark", "vae", [(skip, "return 0.99 * x + 0.01 * self.decode(z), mu, log_var, z")])
    hand_in(folder / "class" / "davis", "vae")
    (folder / "class" / "davis" / "best.pt").write_bytes(b"no weights")
    words = ("--only", "vae_score,cvae_score", "--data", data, "--budget", "120s")
    return Run(folder / "out", graders("grade", "vae", folder / "class", "-o", folder / "out", *WORDS, *words))


def test_a_training_is_scored_on_what_was_held_out(vae: Run) -> None:
    assert vae.process.returncode == 0, vae.process.stderr
    items = vae.items("adams")
    for name in ("vae_score", "cvae_score"):
        assert items[name]["verdict"] == "FAIL"  # two epochs on 32 images
        assert "on 32 held-out images" in items[name]["note"]
        trained = vae.result("adams")["trained"][name]
        assert trained["ended"] == "finished"
        assert {one["images"] for one in trained["candidates"]} == {32}
        assert len(trained["candidates"]) == 2  # the object itself, and what the script saved
        best = min(one["score"] for one in trained["candidates"])
        assert 0.8 < best < 3
        assert f"measured {best:.4f}" in items[name]["note"]
    assert "claimed 0.4020" in items["vae_score"]["note"]
    assert "claimed 2.9000" in items["cvae_score"]["note"]


def test_the_page_shows_what_came_back_and_the_curve(vae: Run) -> None:
    page = (vae.out / "students" / "adams" / "report.html").read_text(encoding="utf-8")
    assert "Your trained models" in page
    assert page.count("data:image/png") == 2
    assert "epoch 2: train " in page  # what the script printed
    assert vae.result("adams")["trained"]["vae_score"]["curve"]["score"]


def test_who_claims_more_than_was_measured_is_told_to_the_instructor(vae: Run) -> None:
    suspicions = json.loads((vae.out / "class.json").read_text())["suspicions"]
    assert [line for line in suspicions["adams"] if "claims" in line] == [
        line for line in suspicions["adams"] if line.startswith("vae_score: claims 0.4020, measured is ")
    ]
    assert len([line for line in suspicions["adams"] if "claims" in line]) == 1


def test_a_script_that_crashes_is_told_in_a_line(vae: Run) -> None:
    item = vae.items("brown")["vae_score"]
    assert item["verdict"] == "FAIL"
    assert "ZeroDivisionError: division by zero (A9_vae.py, line " in item["note"]
    assert vae.result("brown")["trained"]["vae_score"]["candidates"] == []


def test_a_network_that_passes_its_input_on_is_disqualified_and_not_trained(vae: Run) -> None:
    item = vae.items("clark")["vae_score"]
    assert (item["verdict"], item["points"]) == ("FAIL", 0)
    assert "vae.skips is not met" in item["note"]
    assert "vae_score" not in vae.result("clark").get("trained", {})


def test_weights_that_are_none_are_told_and_the_script_trains(vae: Run) -> None:
    assert vae.items("davis")["vae_score"]["note"].startswith("measured ")
    assert any("no weights that were handed in could be used" in note for note in vae.result("davis")["notes"])


def test_marks_are_made_anew_without_a_training(vae: Run) -> None:
    before = vae.items("adams")
    started = time.monotonic()
    process = graders("regrade", vae.out)
    assert process.returncode == 0, process.stderr
    assert vae.items("adams") == before
    assert time.monotonic() - started < 60


# AC-GAN, weights, interruptions -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def acgan(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("acgan")
    hand_in(folder / "adams", "acgan")
    words = ("--only", "accuracy", "--data", data, "--budget", "120s")
    return Run(folder / "out", graders("grade", "acgan", folder / "adams", "-o", folder / "out", *WORDS, *words))


def test_an_auxiliary_accuracy_is_measured_without_the_labels(acgan: Run) -> None:
    assert acgan.process.returncode == 0, acgan.process.stderr
    item = acgan.items("adams")["accuracy"]
    assert "on 32 held-out images" in item["note"]
    assert "claimed 99.10%" in item["note"]
    scores = [one["score"] for one in acgan.result("adams")["trained"]["accuracy"]["candidates"]]
    assert scores
    assert all(0 <= score < 0.9 for score in scores)


def test_weights_that_were_handed_in_are_scored_without_a_training(data: Path, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "class" / "adams", "vae", [(NET, f"raise SystemExit('trained')\n{NET}")])
    code = "import sys; sys.argv = ['']; import torch; exec(open('A9_vae.py').read().partition('net = (')[0])"
    code = code.replace(".partition('net", ".replace(\"raise SystemExit('trained')\", '').partition('net")
    save = "; import os; os.makedirs('w'); torch.save({'state_dict': VAE().state_dict()}, 'w/vae_best.pt')"
    (folder / "ssim.py").write_text(handed_out("vae")["ssim.py"])
    subprocess.run([sys.executable, "-W", "ignore", "-c", code + save], cwd=folder, check=True, timeout=300)
    words = ("--only", "vae_score", "--data", data, "--budget", "120s")
    run = Run(tmp_path / "out", graders("grade", "vae", folder, "-o", tmp_path / "out", *WORDS, *words))
    assert run.process.returncode == 0, run.process.stderr
    (student,) = (path.name for path in (run.out / "students").iterdir())
    trained = run.result(student)["trained"]["vae_score"]
    assert (trained["ended"], trained["failure"]) == ("loaded", "")
    assert [one["name"] for one in trained["candidates"]] == ["w/vae_best.pt"]
    assert run.items(student)["vae_score"]["note"].startswith("measured ")


HALF = (  # the VAE is trained, the CVAE without an end
    "for epoch in range(1, num_epochs + 1):",
    "epoch = 0\nwhile conditional or epoch < num_epochs:\n    epoch = min(epoch + 1, num_epochs)",
)


def test_a_kill_costs_nothing_that_was_measured_and_a_budget_cuts_short(data: Path, tmp_path: Path) -> None:
    """Two at a time. One is done, two are half done when the run is killed: it goes on with the other half alone."""
    for name, edits in {
        "adams": (),
        "brown": (HALF,),
        "clark": (HALF, ("lr=learning_rate", "lr=0.9 * learning_rate")),
    }.items():
        hand_in(tmp_path / "class" / name, "vae", edits)
    out = tmp_path / "out"
    words = [
        "grade",
        "vae",
        tmp_path / "class",
        "-o",
        out,
        *WORDS,
        "--only",
        "vae_score,cvae_score",
        "--data",
        data,
        "-j",
        2,
    ]
    command = [sys.executable, "-m", "graders.cli", *map(str, words), "--budget", "40s"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: set(graded(out)) == {"adams"} and len(measured(out, "vae_score")) == 3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    first, trainings = graded(out), {**measured(out, "vae_score"), **measured(out, "cvae_score")}
    run = Run(out, graders(*words, "--budget", "40s"))
    assert run.process.returncode == 0, run.process.stderr
    assert graded(out)["adams"] == first["adams"]  # with the seconds that it took
    after = {**measured(out, "vae_score"), **measured(out, "cvae_score")}
    assert after.items() >= trainings.items()
    assert len(measured(out, "vae_score")) == 3  # none was made once more
    for name in ("brown", "clark"):
        done, cut = (run.items(name)[item] for item in ("vae_score", "cvae_score"))
        assert done["verdict"] == "FAIL"
        assert (cut["verdict"], run.result(name)["trained"]["cvae_score"]["ended"]) == ("MANUAL", "budget")
        assert "measured " in cut["note"]
        assert "the training did not end in its budget" in cut["note"]


def measured(out: Path, item: str) -> dict[str, str]:
    """Return what a store holds of the trainings of an item."""
    return query(out, f"SELECT key, document FROM evidence WHERE document LIKE '%scores {item} 0%'")


def graded(out: Path) -> dict[str, str]:
    """Return the reports that a store holds."""
    return query(out, "SELECT id, report FROM submission")


def query(out: Path, question: str) -> dict[str, str]:
    path = out / "evidence.sqlite"
    if not path.exists():
        return {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        try:
            return dict(connection.execute(question).fetchall())
        except sqlite3.OperationalError:  # it is being made
            return {}


def until(done: object, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_notebook_for_another_measure(data: Path, tmp_path: Path) -> None:
    """Three networks of colourization, each measured by its own item, from one run of the notebook."""
    text = reference_path("colourization").read_text(encoding="utf-8")
    for old, new in (
        ('"epochs": 25', '"epochs": 1'),
        ('"plot": True', '"plot": False'),
        ('"num_filters": 32', '"num_filters": 4'),
    ):
        text = text.replace(old, new)
    (tmp_path / "adams.py").write_text(text, encoding="utf-8")
    scores = ("4.2-score", "5.2-score", "6.2-score")
    words = ("--only", ",".join(scores), "--data", data, "--budget", "120s")
    run = Run(
        tmp_path / "out",
        graders("grade", "colourization", tmp_path / "adams.py", "-o", tmp_path / "out", *WORDS, *words),
    )
    assert run.process.returncode == 0, run.process.stderr
    items = run.items("adams")
    for name in scores:
        assert items[name]["verdict"] == "PASS", items[name]
        (candidate, *_) = run.result("adams")["trained"][name]["candidates"]
        assert 1.0 < candidate["score"] < 6.0


# Hostile ones ---------------------------------------------------------------------------------------------------------

SPEAKS = """
import os, socket
import numpy as np
from safetensors.numpy import load
from graders.model import Experiment
from graders.probes import wire
from graders.sandbox import frames

def open_ones():
    for number in range(3, 64):
        try:
            yield socket.socket(fileno=os.dup(number))
        except OSError:
            pass

ends = list(open_ones())
for end in ends:
    try:
        frames.send(end, {"trained": {"how": "finished", "seconds": 10**400}})
    except OSError:
        pass
for end in ends:
    end.settimeout(5)
    try:
        found = load(frames.receive(end, 1 << 29)[1])["inputs"]
        break
    except Exception:
        pass
for end in ends:
    for start in range(0, len(found), 256):
        values = {"item": "vae_score", "candidate": 0, "name": "net", "start": start}
        copied = np.ascontiguousarray(found[start : start + 256].transpose(0, 3, 1, 2) / np.float32(255))
        try:
            frames.send(end, *wire.pack("outputs", Experiment(values, {"outputs": copied})))
        except OSError:
            pass
for end in ends:
    try:
        frames.send(end, {"done": True})
    except OSError:
        pass
while True:
    pass
"""
PEEPS = """
import os, sys
from pathlib import Path
seen = []
for top in ("/given", "/proc/1", "/proc/self/fd", "/proc/self/environ", "/tmp", "/scratch"):
    for path in Path(top).rglob("*") if os.path.isdir(top) else ():
        try:
            if path.suffix in (".npz", ".npy", ".sqlite") and "site-packages" not in path.parts:
                seen += [(str(path), {name: part.shape for name, part in np.load(path).items()})]
        except Exception:
            pass
raise ValueError(str(sorted({str(shapes) for _, shapes in seen})))
"""


@pytest.fixture(scope="module")
def hostile(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("hostile")
    parts = {"leaves": "import os\nos._exit(0)", "speaks": SPEAKS, "peeps": PEEPS}
    for name, code in parts.items():
        hand_in(folder / "class" / name, "vae")
        script = folder / "class" / name / "A9_vae.py"
        text = script.read_text()
        script.write_text(text.replace("os.makedirs(folder, exist_ok=True)\n", f"if True:\n    pass\n{code}\n", 1))
    words = ("--only", "vae_score", "--data", data, "--budget", "60s")
    return Run(folder / "out", graders("grade", "vae", folder / "class", "-o", folder / "out", *WORDS, *words))


def test_who_leaves_or_copies_its_inputs_to_the_channel_earns_nothing(hostile: Run) -> None:
    assert hostile.process.returncode == 0, hostile.process.stderr
    assert "Traceback" not in hostile.process.stderr
    leaves, speaks = (hostile.items(name)["vae_score"] for name in ("leaves", "speaks"))
    assert (leaves["verdict"], leaves["points"]) == ("MANUAL", 0)
    assert "left with status 0" in leaves["note"]
    assert (speaks["verdict"], speaks["points"]) == ("MANUAL", 0)
    assert "it even reconstructs scattered pixels" in speaks["note"]


def test_nothing_of_what_is_held_out_lies_around_a_script(hostile: Run) -> None:
    note = hostile.items("peeps")["vae_score"]["note"]
    assert "(8, 32, 32, 3)" in note, note  # its own test set, and the sample of it
    assert "(32, 32, 32, 3)" in note  # what it trains on
    assert "(40, " not in note  # the whole test set
    assert "(64, " not in note  # what is asked, with controls


# Denoising ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def denoising(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A student with a short training of their own, one with a notebook of classes, one whose decoder is not right."""
    folder = tmp_path_factory.mktemp("denoising")
    calligraphy.draw(folder / "data", 40, 20, seed=3)
    models = scripts_of(reference_path("denoising").read_text(encoding="utf-8"))["models.py"]
    short = handed_out("denoising")["asgn6.py"].replace("default=500", "default=3").replace('"./data"', '"./images"')
    cells = [nbformat.v4.new_code_cell(text, id=str(at)) for at, text in enumerate([models, "%run asgn6.py"])]
    notebook = str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    shape = models.replace("nn.Conv2d(32, 3, kernel_size=1", "nn.Conv2d(32, 3, kernel_size=3")
    for name, files in {
        "adams": {"models.py": models, "asgn6.py": short},
        "brown": {"a6.ipynb": notebook},
        "clark": {"models.py": shape, "asgn6.py": short},
    }.items():
        (folder / "class" / name).mkdir(parents=True)
        for file, text in files.items():
            (folder / "class" / name / file).write_text(text)
    words = ("--only", "score", "--data", folder / "data", "--budget", "20s", "-j", 1)
    return Run(folder / "out", graders("grade", "denoising", folder / "class", "-o", folder / "out", *WORDS, *words))


def test_denoised_images_are_measured_against_clean_ones(denoising: Run) -> None:
    assert denoising.process.returncode == 0, denoising.process.stderr
    item, trained = denoising.items("adams")["score"], denoising.result("adams")["trained"]["score"]
    assert (item["verdict"], item["points"], trained["ended"]) == ("PASS", 0, "finished")
    (candidate,) = trained["candidates"]
    assert candidate["name"] == "Encoder and Decoder, as it was at the end"
    assert candidate["images"] == 16
    assert 0.2 < candidate["score"] < 1.5
    page = (denoising.out / "students" / "adams" / "report.html").read_text(encoding="utf-8")
    assert "epoch 3 of 3" in page
    assert "held-out images, with noise, and below what came back" in page


def test_a_budget_that_is_over_tells_what_was_reached(denoising: Run) -> None:
    item, trained = denoising.items("brown")["score"], denoising.result("brown")["trained"]["score"]
    assert trained["ended"] == "budget"
    assert item["verdict"] == "PASS"
    assert "measured " in item["note"]
    assert "the training did not end in its budget" in item["note"]
    assert len(trained["curve"]["score"]) > 5


def test_models_that_do_not_train_are_told_with_the_line(denoising: Run) -> None:
    item = denoising.items("clark")["score"]
    assert item["verdict"] == "FAIL"
    assert "the script ended in " in item["note"]
    assert "asgn6.py, line " in item["note"]


# Wrong calls ----------------------------------------------------------------------------------------------------------


def refusal(*words: object) -> str:
    process = graders("grade", *words)
    assert process.returncode == 2
    line = process.stderr.splitlines()[-1]  # above it stands the bar
    assert line.startswith("graders: ")
    assert "Traceback" not in process.stderr
    return line


def test_wrong_calls_are_one_line(data: Path, tmp_path: Path) -> None:
    folder, out = hand_in(tmp_path / "adams", "vae"), ("-o", tmp_path / "out")
    assert "--tier metric needs --data FOLDER" in refusal("vae", folder, *out, *WORDS)
    assert "no CIFAR-10 in it" in refusal("vae", folder, *out, *WORDS, "--data", tmp_path)
    assert "--budget soon: no time" in refusal("vae", folder, *out, *WORDS, "--data", data, "--budget", "soon")
    assert "0 images in it; to train and to score wants 10" in refusal(
        "denoising", folder, *out, *WORDS, "--data", data
    )
    calligraphy.draw(tmp_path / "broken", 10, 10, seed=3)
    (tmp_path / "broken" / "train" / "x.png").write_bytes(b"no image")
    words = ("denoising", folder, *out, *WORDS, "--data", tmp_path / "broken")
    assert "broken/train/x.png: no image that can be read" in refusal(*words)
    if not list(Path("/dev").glob("nvidia*")):
        assert "no GPU" in refusal("vae", folder, *out, *WORDS, "--data", data, "--device", "cuda")
