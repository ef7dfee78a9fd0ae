"""The script for a GPU, tried on the processor with made-up images: what cannot be measured here can still be run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import mosaics
from benchmarks.gpu_call import AGAIN, DONE, FAILED, GRADING, ROOT, WRONG_CALL, Call, need
from benchmarks.gpu_metric import chosen_of, figures_of, full, handed_in_of
from benchmarks.references import SCORED, TRAININGS, Batches, Scored
from benchmarks.resumable import Checkpoint, parts, train
from graders.data import cifar10
from graders.errors import UsageError
from graders.home import reference_path
from graders.model import Tier
from graders.rubric import load_rubric

# As the references train: at the level of the module, in a loop over `epoch`.
TEXT = """
import torch
size = 1000
net = torch.nn.Linear(3, 1)
optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
drawn = torch.randn(4)
curves, best = {"loss": []}, float("inf")
for epoch in range(1, epochs + 1):
    loss = (net(torch.randn(size, 3)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    curves["loss"].append(loss.item())
    best = min(best, loss.item())
    print(f"epoch {epoch}")
print("the end")
"""


def trained(folder: Path, seconds: float, said: list[str] | None = None) -> Any:
    torch.manual_seed(4)
    tell = (said if said is not None else []).append
    return train(TEXT, {"size": 8, "epochs": 5}, Checkpoint(folder / "checkpoint.pt"), seconds, tell)


def test_what_is_stopped_after_each_epoch_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", 100)
    assert (whole.epochs, whole.of, whole.finished) == (5, 5, True)
    said: list[str] = []
    calls = [trained(tmp_path / "parts", 0, said) for _ in range(5)]
    assert [one.epochs for one in calls] == [1, 2, 3, 4, 5]
    assert [one.finished for one in calls] == [False] * 4 + [True]
    assert said == [*(f"epoch {number}" for number in range(1, 6)), "the end"]
    for name in ("curves", "best"):
        assert calls[-1].names[name] == whole.names[name]
    assert torch.equal(calls[-1].names["net"].weight, whole.names["net"].weight)
    assert torch.equal(calls[-1].names["drawn"], whole.names["drawn"])
    assert calls[-1].seconds > calls[0].seconds


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    trained(tmp_path, 100)
    said: list[str] = []
    assert trained(tmp_path, 100, said).finished
    assert said == ["the end"]


@pytest.mark.parametrize(
    ("text", "epochs", "data"), [(TEXT + "pass\n", 5, ""), (TEXT, 6, ""), (TEXT, 5, "other images")]
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, text: str, epochs: int, data: str) -> None:
    trained(tmp_path, 0)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(UsageError, match=r"checkpoint\.pt: of another training .*; remove it to begin anew"):
        train(text, {"size": 8, "epochs": epochs}, Checkpoint(tmp_path / "checkpoint.pt", data), 0, print)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_text_without_a_loop_over_epochs_is_refused() -> None:
    with pytest.raises(ValueError, match="0 loops over `epoch`"):
        parts("for step in range(3):\n    pass\n", {})


@pytest.mark.parametrize("stage", TRAININGS)
def test_what_the_references_lack_is_what_is_given(stage: str) -> None:
    """Every name that is given has an assignment in the reference; its score is a name too."""
    one = TRAININGS[stage]
    text = reference_path(one.slug).read_text(encoding="utf-8")
    for name in (one.folder, one.epochs, one.score, *one.settings, "train_loader", "test_loader"):
        assert f"\n{name} = " in text or f"\n{name}, " in text, name
    assert len(parts(text, {})[0]) > len(parts(text, {"train_loader": 0, "test_loader": 0})[0]) > 0


# Data -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    cifar10.draw(folder, 130, 20, seed=1)
    return folder


def test_batches_hold_every_image_once(data: Path) -> None:
    train_part, _ = cifar10.read(data)
    batches = Batches(train_part, 50, "cpu", shuffled=True)
    assert (len(batches), len(batches.dataset)) == (3, 130)
    images, labels = (torch.cat(one) for one in zip(*batches, strict=True))
    assert images.shape == (130, 3, 32, 32)
    assert float(images.max()) <= 1.0
    found = (images.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
    order = np.lexsort(found.reshape(130, -1).T)
    wanted = np.lexsort(train_part.images.reshape(130, -1).T)
    assert np.array_equal(found[order], train_part.images[wanted])
    assert np.array_equal(labels.numpy()[order], train_part.labels[wanted])
    assert not np.array_equal(labels.numpy(), train_part.labels), "shuffled"


def test_some_images_are_flipped_and_no_others_changed(data: Path) -> None:
    train_part, _ = cifar10.read(data)
    plain, flipped = (torch.cat([x for x, _ in Batches(train_part, 50, "cpu", flipped=one)]) for one in (False, True))
    turned = (flipped == plain.flip(-1)).flatten(1).all(1)
    assert torch.equal(turned, (flipped != plain).flatten(1).any(1))
    assert 30 < int(turned.sum()) < 100


def test_mosaics_lose_nothing(data: Path, tmp_path: Path) -> None:
    written = mosaics.write(data, tmp_path)
    assert [path.name for path in written] == ["labels.npz", "0.webp"]
    for one, other in zip(mosaics.read(tmp_path), cifar10.read(data), strict=True):
        assert np.array_equal(one.images, other.images)
        assert np.array_equal(one.labels, other.labels)
    written[1].unlink()
    with pytest.raises(UsageError, match=r"0\.webp not there yet; send them as well"):
        mosaics.read(tmp_path)


# What a machine holds -------------------------------------------------------------------------------------------------

BARE = """
from importlib.machinery import PathFinder
lacking = {"IPython", "jupytext", "keras", "nbformat", "pydantic", "pyseccomp", "pytest", "rich", "safetensors",
    "tensorflow", "torchvision", "typer", "yaml"}
whole = PathFinder.find_spec
def find_spec(cls, name, *more):
    return None if name.partition(".")[0] in lacking else whole(name, *more)
PathFinder.find_spec = classmethod(find_spec)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine that holds PyTorch and Matplotlib with what they need, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(BARE)
    return {"PYTHONPATH": str(folder)}


def test_grading_needs_what_the_package_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[<>=; ]", line)[0] for line in project["dependencies"]}
    assert set(GRADING.values()) == named | {"graders"}


def test_what_is_lacking_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_by_path.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    need("vae", {"torch": "torch", "only_by_path": "wheel"})
    need("metric", GRADING)
    with pytest.raises(UsageError, match=r"^vae: \S+ lacks nothing-such; make gpu installs them; where") as caught:
        need("vae", {"torch": "torch", "nothing_such": "nothing-such"})
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"^metric: \S+ lacks wheel; "):
        need("metric", {**GRADING, "only_by_path": "wheel"})  # children know no PYTHONPATH


def test_a_machine_without_the_packages_says_so(bare: dict[str, str], data: Path, tmp_path: Path) -> None:
    words = ("--data", data, "--cpu", "--out", tmp_path / "out", "--work", tmp_path / "work")
    run = script("tests", *words, **bare)
    assert run.returncode == WRONG_CALL
    assert re.search(r"tests: \S+ lacks .*ipython jupytext .* typer pytest; ", run.stderr), run.stderr
    assert run.stderr.count("\n") == 1


# The script -----------------------------------------------------------------------------------------------------------


def script(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.gpu", *map(str, words)]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stages below leave to each other: out/ and work/."""
    return tmp_path_factory.mktemp("gpu")


def where(place: Path, data: Path) -> tuple[object, ...]:
    return ("--data", data, "--out", place / "out", "--work", place / "work", "--cpu")


@pytest.fixture(scope="module")
def vae(place: Path, data: Path, bare: dict[str, str]) -> list[subprocess.CompletedProcess[str]]:
    """The stage `vae` with two epochs, in two calls, with little more than PyTorch."""
    words = ("vae", *where(place, data), "--epochs", 2)
    return [script(*words, "--seconds", 0, **bare), script(*words, "--seconds", 500, **bare)]


def test_a_stage_in_two_calls(vae: list[subprocess.CompletedProcess[str]], place: Path) -> None:
    first, second = vae
    assert first.returncode == AGAIN, first.stderr
    assert second.returncode == DONE, second.stderr
    assert [line[:8] for line in (first.stdout + second.stdout).splitlines()][:2] == ["epoch 1:", "epoch 2:"]
    figures = json.loads((place / "out" / "vae.json").read_text())
    assert (figures["epochs"], figures["of"], figures["finished"]) == (2, 2, True)
    assert [len(curve) for curve in figures["curves"].values()] == [2] * 5
    assert figures["score"] == pytest.approx(min(figures["curves"]["test"]))
    assert figures["points"] == 0.0, "two epochs earn nothing"
    assert figures["machine"]["gpu"] is None
    assert (place / "out" / "vae-generated.png").stat().st_size > 1000
    assert (place / "out" / "vae-log.txt").read_text().startswith("epoch 1:")
    assert "| vae | score | " in (place / "out" / "summary.md").read_text()


def test_the_networks_of_colourization(place: Path, data: Path, bare: dict[str, str]) -> None:
    run = script("colourization", *where(place, data), "--epochs", 1, **bare)
    assert run.returncode == DONE, run.stderr
    figures = json.loads((place / "out" / "colourization.json").read_text())
    for network in ("PoolUpsampleNet", "ConvTransposeNet", "UNet"):
        assert figures[network]["epochs"] == 1
        assert 2.5 < figures[network]["validation loss"] < 4.5, "about the logarithm of 24 colours"
    assert list((place / "out").glob("colourization-*.png"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("vae", "--cpu"), "--cpu, --epochs: give another --out"),
        (("vae", "--cpu", "--out", "out"), "--data is needed"),
        (("vae", "--cpu", "--out", "out", "--data", "none"), "none: no CIFAR-10 in it"),
        (("mosaics",), "--data is needed"),
        (("metric", "tests", "--cpu", "--out", "out"), "metric: ask for it in a call of its own"),
        (("metric", "--cpu", "--out", "out", "--seconds", "30"), "--seconds 30: no time for a training; give 95"),
        (("metric", "--cpu", "--out", "out", "--only", "vae_scor"), "(did you mean 'vae_score'?)"),
    ],
)
def test_a_wrong_call_is_one_line(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    run = script(*words, "--work", tmp_path)
    assert run.returncode == WRONG_CALL
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    run = script("tests", "--out", tmp_path / "out", "--work", tmp_path)
    assert run.returncode == WRONG_CALL
    assert "PyTorch sees no GPU here" in run.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("required", "message"),
    [("torch", "a GPU is required: PyTorch "), ("torch,pytorch", "GRADERS_REQUIRE_GPU: no framework 'pytorch'")],
)
def test_where_a_gpu_is_required_no_test_passes_without_it(required: str, message: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/gpu", "-k", "leak"]
    env = {**os.environ, "GRADERS_REQUIRE_GPU": required}
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert run.returncode == 1
    assert message in run.stderr
    assert "passed" not in run.stdout


# The metric tier of the references ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("vae")
def test_weights_that_a_stage_trained_are_scored_without_a_training(place: Path, data: Path) -> None:
    """Two epochs earn nothing: the script says so, with what was measured."""
    words = ("metric", *where(place, data), "--weights", "--only")
    run = script(*words, "vae_score")
    assert run.returncode == FAILED
    lost = "metric: not full points: vae vae_score: FAIL, training loaded, measured "
    assert lost in run.stderr
    file = place / "out" / "metric-vae-weights-vae_score.json"
    figures = json.loads(file.read_text())["vae_score"]
    assert (figures["verdict"], figures["points"], figures["training"]) == ("FAIL", 0.0, "loaded")
    assert len(figures["scores"]) == 1
    file.unlink()
    again = script(*words, "vae_score")
    assert (again.returncode, again.stdout) == (FAILED, "")
    assert lost in again.stderr
    assert json.loads(file.read_text())["vae_score"] == figures
    lacking = script(*words, "cvae_score")
    assert lacking.returncode == WRONG_CALL
    assert "run the stage cvae to its end first" in lacking.stderr


def test_a_reference_is_trained_and_scored_an_item_a_call(place: Path, data: Path) -> None:
    """The first of two items ends its call, since the second would not have its whole budget; none earns points."""
    words = ("metric", *where(place, data), "--epochs", 1, "--only", "colourization,acgan", "--seconds", 200)
    first = script(*words)
    assert first.returncode == AGAIN, first.stderr
    assert first.stdout.startswith("acgan accuracy: FAIL, training finished, measured ")
    second = script(*words)
    assert second.returncode == FAILED, second.stderr
    assert [line.partition(", measured")[0] for line in second.stdout.splitlines()] == [
        f"colourization {part}-score: PASS, training finished" for part in ("4.2", "5.2", "6.2")
    ]
    assert "not full points: acgan accuracy: FAIL" in second.stderr
    assert "colourization" not in second.stderr
    assert (place / "out" / "metric-colourization-1-epochs-4.2-score-5.2-score-6.2-score.json").exists()


@pytest.mark.parametrize("one", SCORED, ids=lambda one: one.items[0])
def test_what_is_scored_is_an_item_of_the_metric_tier(one: Scored, tmp_path: Path) -> None:
    for item in one.items:
        assert load_rubric(one.slug).item(item).tier is Tier.METRIC
    call = Call(None, tmp_path, tmp_path, 540, 0, epochs=3)
    handed_in = b"".join(handed_in_of(call, one).values()).decode()
    assert f"{one.epochs}3" in handed_in
    assert one.weights[0] in ("", *TRAININGS)


def test_where_nothing_is_named_handout_e_is_scored() -> None:
    assert [item for one in chosen_of(()) for item in one.items] == ["vae_score", "cvae_score", "accuracy"]
    assert [one.items for one in chosen_of(("cvae_score",))] == [("cvae_score",)]


def report(verdict: str, **trained: object) -> dict[str, Any]:
    item = {"id": "M", "verdict": verdict, "points": 0.5, "possible": 0.5, "note": "measured"}
    return {"items": [item], **({"trained": {"M": trained}} if trained else {})}


def test_full_points_are_those_of_a_whole_training_that_was_scored() -> None:
    right = {"ended": "finished", "seconds": 1.0, "candidates": [{"score": 0.6}], "curve": {"score": [0.7]}}
    assert full(figures_of(report("PASS", **right), "M"), loaded=False)
    for verdict in ("PARTIAL", "FAIL", "FAULT", "BLOCKED", "MISSING", "MANUAL"):
        assert not full(figures_of(report(verdict, **right), "M"), loaded=False)
    for other in ({"ended": "budget"}, {"candidates": []}, {"candidates": [{"failure": "x"}]}):
        assert not full(figures_of(report("PASS", **right | other), "M"), loaded=False)
    assert not full(figures_of(report("PASS"), "M"), loaded=False)
    assert not full(figures_of(report("PASS", **right), "M"), loaded=True), "weights that were not taken"
    assert full(figures_of(report("PASS", **right | {"ended": "loaded"}), "M"), loaded=True)
