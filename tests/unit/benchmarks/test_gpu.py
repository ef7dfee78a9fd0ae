"""The script for a GPU, tried on the processor with made-up images: what cannot be measured here can still be run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import mosaics
from benchmarks.gpu import AGAIN, DONE, ROOT, WRONG_CALL, _full_points
from benchmarks.references import TRAININGS, Batches
from benchmarks.resumable import parts, train
from graders.data import cifar10
from graders.errors import UsageError
from graders.home import reference_path

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
    return train(TEXT, {"size": 8, "epochs": 5}, folder / "checkpoint.pt", seconds, tell)


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


# The script -----------------------------------------------------------------------------------------------------------


def script(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.gpu", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_stage_in_two_calls(data: Path, tmp_path: Path) -> None:
    words = ("vae", "--data", data, "--out", tmp_path / "out", "--work", tmp_path / "work", "--cpu", "--epochs", 2)
    first = script(*words, "--seconds", 0)
    assert first.returncode == AGAIN, first.stderr
    second = script(*words, "--seconds", 500)
    assert second.returncode == DONE, second.stderr
    assert [line[:8] for line in (first.stdout + second.stdout).splitlines()][:2] == ["epoch 1:", "epoch 2:"]
    figures = json.loads((tmp_path / "out" / "vae.json").read_text())
    assert (figures["epochs"], figures["of"], figures["finished"]) == (2, 2, True)
    assert [len(curve) for curve in figures["curves"].values()] == [2] * 5
    assert figures["score"] == pytest.approx(min(figures["curves"]["test"]))
    assert figures["points"] == 0.0, "two epochs earn nothing"
    assert figures["machine"]["gpu"] is None
    assert (tmp_path / "out" / "vae-generated.png").stat().st_size > 1000
    assert "| vae | score | " in (tmp_path / "out" / "summary.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("vae", "--cpu"), "--cpu: give another --out"),
        (("vae", "--cpu", "--out", "out"), "--data is needed"),
        (("vae", "--cpu", "--out", "out", "--data", "none"), "none: no CIFAR-10 in it"),
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


def items(folder: Path, *verdicts: str) -> Path:
    found = [{"id": f"M{at}", "verdict": verdict, "points": 2.0} for at, verdict in enumerate(verdicts)]
    (folder / "result.json").write_text(json.dumps({"items": found}))
    return folder / "result.json"


def test_the_reference_must_have_all_points_of_the_metric_tier(tmp_path: Path) -> None:
    assert _full_points("vae", items(tmp_path, "PASS", "MANUAL")) == {"M0": 2.0}
    for verdict in ("PARTIAL", "FAIL", "FAULT", "BLOCKED", "MISSING"):
        with pytest.raises(RuntimeError, match=f"not full points: M1: {verdict}"):
            _full_points("vae", items(tmp_path, "PASS", verdict))
    with pytest.raises(RuntimeError, match="nothing was judged"):
        _full_points("vae", items(tmp_path, "MANUAL"))
