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

import pytest

from graders.data import cifar10
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


def test_a_kill_costs_nothing_that_was_measured_and_a_budget_cuts_short(data: Path, tmp_path: Path) -> None:
    """The first student's training ends, the second's never does; killed, the run goes on with the second alone."""
    hand_in(tmp_path / "class" / "adams", "vae")
    forever = ("for epoch in range(1, num_epochs + 1):", "while True:\n    epoch = 1")
    hand_in(tmp_path / "class" / "brown", "vae", [forever])
    out = tmp_path / "out"
    words = ["grade", "vae", tmp_path / "class", "-o", out, *WORDS, "--only", "vae_score", "--data", data, "-j", 1]
    command = [sys.executable, "-m", "graders.cli", *map(str, words), "--budget", "40s"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: kept(out) == 1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    first = graded(out)
    assert set(first) == {"adams"}
    run = Run(out, graders(*words, "--budget", "40s"))
    assert run.process.returncode == 0, run.process.stderr
    assert graded(out)["adams"] == first["adams"]  # with the seconds that it took
    item = run.items("brown")["vae_score"]
    assert item["verdict"] == "MANUAL"
    assert "the training did not end in its budget" in item["note"]
    assert "measured " in item["note"]
    assert run.result("brown")["trained"]["vae_score"]["ended"] == "budget"


def kept(out: Path) -> int:
    return len(graded(out))


def graded(out: Path) -> dict[str, str]:
    """Return the reports that a store holds."""
    path = out / "evidence.sqlite"
    if not path.exists():
        return {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        try:
            return dict(connection.execute("SELECT id, report FROM submission").fetchall())
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
    assert "denoising has no score of a trained model" in refusal("denoising", folder, *out, *WORDS, "--data", data)
    if not list(Path("/dev").glob("nvidia*")):
        assert "no GPU" in refusal("vae", folder, *out, *WORDS, "--data", data, "--device", "cuda")
