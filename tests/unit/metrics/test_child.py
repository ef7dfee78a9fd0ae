"""The child's part in a process of its own, without confinement: what we wrote ourselves trains in it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from graders.data import cifar10
from graders.metrics.held import Held, held
from graders.model import Slice, Statement
from graders.notebook.cells import without_magics
from graders.probes import wire
from tests.unit.metrics.children import received_from

torch = pytest.importorskip("torch")

CLASS = """\
import torch
from torch import nn


class VAE(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.grey = nn.Parameter(torch.zeros(width))

    def forward(self, x, y):
        return torch.sigmoid(self.grey.mean()) * torch.ones_like(x), None, None, None
"""
SCRIPT = (
    CLASS
    + """
import sys
import numpy as np
from torchvision import datasets, transforms

width = 2
net = VAE(width)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
test_set = datasets.CIFAR10("./nowhere", train=False, download=True, transform=transforms.ToTensor())
x, y = next(iter(torch.utils.data.DataLoader(test_set, 4, num_workers=2)))
data = np.load("other/cifar10.npz")
assert len(sys.argv) == 1 and data["x_test"].shape == (4, 32, 32, 3), data["x_test"].shape
net(x, y)[0].mean().backward()
optimizer.step()
torch.save(net.state_dict(), "best.pt")
net.grey.data += 5
print("epoch 1 of 1")
"""
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder, 20, 20, seed=3)
    with held("vae", folder, 1, 4) as kept:
        yield kept


def part(name: str, source: str, call: str) -> dict[str, Any]:
    """Return what an order says of a class."""
    piece = Slice((Statement("A9_vae.py", 1, source),), found={"vae": name})
    order = wire.pack_order(wire.Order("vae", "vae", 0, piece))[0]
    return {"class": name, "calls": [call], "constants": {"width": 3}, "order": order}


def run(
    data: Held,
    work: Path,
    cells: list[list[str]],
    weights: Mapping[str, bytes] | None = None,
    files: Mapping[str, bytes] | None = None,
    **more: Any,
) -> list:
    """Return the frames of one order, run in `work`."""
    target = {"item": "vae_score", "score": "reconstruction", **part("VAE", CLASS, "VAE(width)")}
    weights = weights or {}
    files = {**(files or {}), **weights}
    order = {
        "serve": "graders.metrics.child", "lab": "graders.metrics.torch_lab", "device": "cpu", "seed": 1, "share": 1.0,
        "threads": 1, "files": {name: len(content) for name, content in files.items()}, "weights": list(weights),
        "data": str(data.folder), "links": {"other/cifar10.npz": "data/cifar10.npz"}, "cells": cells, "budget": 60.0,
        "every": 0.0, "targets": [target], "file": "A9_vae.py", "folders": [], **more,
    }  # fmt: skip
    work.mkdir(exist_ok=True)
    return received_from(order, b"".join(files.values()), data, work, 120)


def ending(received: list) -> dict[str, Any]:
    """Return how a training ended."""
    (ended,) = (header["trained"] for header, _ in received if "trained" in header)
    return dict(ended)


def of_kind(received: list, kind: str) -> list[tuple[dict[str, Any], Any]]:
    return [
        (header["values"], load(blob)["outputs"])
        for header, blob in received
        if header.get("experiment") == kind and not header["failure"]
    ]


def test_a_script_trains_and_is_asked_for_what_it_has_and_what_it_saved(data: Held, tmp_path: Path) -> None:
    received = run(data, tmp_path, [["A9_vae.py", SCRIPT]])
    ended = next(header["trained"] for header, _ in received if "trained" in header)
    assert ended["how"] == "finished", ended
    ((values, curve),) = of_kind(received, "curve")
    assert values["item"] == "vae_score"
    assert curve.shape == (4, 3, 32, 32)
    (_, last), (saved_values, saved) = of_kind(received, "outputs")
    assert last.shape == saved.shape == (32, 3, 32, 32)
    assert "best.pt" in saved_values["name"]
    assert last.mean() == pytest.approx(1 / (1 + np.exp(-5)), abs=0.01)
    assert saved.mean() == pytest.approx(0.5, abs=0.1)
    assert {"line": "epoch 1 of 1"} in [header for header, _ in received]


def test_a_loop_ends_with_the_budget_and_an_error_names_its_line(data: Held, tmp_path: Path) -> None:
    loop = CLASS + "net = VAE(2)\nwhile True:\n    try:\n        x = 1\n    except Exception:\n        pass\n"
    received = run(data, tmp_path, [["A9_vae.py", loop]], budget=1.5)
    assert [header["trained"]["how"] for header, _ in received if "trained" in header] == ["budget"]
    assert len(of_kind(received, "outputs")) == 1
    received = run(data, tmp_path / "two", [["cell 1", CLASS], ["cell 3", "\nnet = VAE()"]])
    (ended,) = (header["trained"] for header, _ in received if "trained" in header)
    assert (ended["how"], ended["failure"]["kind"], ended["failure"]["where"]) == (
        "failed",
        "TypeError",
        "cell 3, line 2",
    )
    assert not of_kind(received, "outputs")


def test_weights_are_loaded_into_what_the_script_would_build(data: Held, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"epoch": 3, "state_dict": {"module.grey": torch.full((3,), 5.0)}}, buffer)
    received = run(data, tmp_path, [], {"w/best.pt": buffer.getvalue(), "other.pt": b"no weights"})
    assert [header["trained"]["how"] for header, _ in received if "trained" in header] == ["loaded"]
    ((values, outputs),) = of_kind(received, "outputs")
    assert values["name"] == "w/best.pt"
    assert outputs.mean() == pytest.approx(1 / (1 + np.exp(-5)), abs=0.01)


def test_weights_of_something_else_are_told(data: Held, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"other": torch.zeros(3)}, buffer)
    received = run(data, tmp_path, [], {"best.pt": buffer.getvalue()})
    (ended,) = (header["trained"] for header, _ in received if "trained" in header)
    assert ended["how"] == "failed"
    assert ended["failure"]["message"].startswith("best.pt: RuntimeError: ")
    assert not of_kind(received, "outputs")  # nor what was built for them, which nobody has trained


# Scripts as students write them ---------------------------------------------------------------------------------------

INSIDE = """
import argparse
import matplotlib.pyplot as plt
from google.colab import drive
from torchvision import datasets, transforms
from tqdm.notebook import tqdm


def train(net, loader, optimizer):
    for x, y in tqdm(loader):
        net(x.cuda(), y.to("cuda"))[0].mean().backward()
        optimizer.step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=2)
    drive.mount("drive")  # on the machine itself it must leave nothing behind
    sanity = VAE(1)
    other = torch.compile(nn.DataParallel(VAE(parser.parse_args().width).cuda()))
    optimizer = torch.optim.Adam(other.parameters(), lr=0.5)
    test_set = datasets.CIFAR10(".", train=False, transform=transforms.ToTensor())
    loader = torch.utils.data.DataLoader(
        test_set, 2, num_workers=4, prefetch_factor=2, persistent_workers=True, timeout=60, pin_memory=True
    )
    train(other, loader, optimizer)
    plt.plot([1, 2])
    plt.show()
    display(sanity)


if __name__ == "__main__":
    main()
"""


def test_what_is_trained_inside_a_function_is_found_and_what_asks_for_a_gpu_runs(data: Held, tmp_path: Path) -> None:
    cells = [["cell 1", CLASS], ["cell 2", INSIDE]]
    received = run(data, tmp_path, cells, file="A9_vae.ipynb")
    assert ending(received)["how"] == "finished", ending(received)
    ((values, outputs),) = of_kind(received, "outputs")
    assert values["name"] == "VAE, as it was at the end"
    assert outputs.mean() < 0.4  # it was trained: before, it returned 0.5


MANY = """
kept = VAE(2)
optimizer = torch.optim.SGD(kept.parameters(), lr=0.1)
held = {"best": VAE(3)}
shown = VAE(4)
shown = VAE(5)
kept(torch.zeros(1, 3, 32, 32), None)[0].mean().backward()
optimizer.step()
def train():
    net = VAE(6)
    torch.optim.SGD(net.parameters(), lr=0.1).step()
train()
"""


def test_of_many_networks_those_that_were_trained_are_asked_first(data: Held, tmp_path: Path) -> None:
    received = run(data, tmp_path, [["a.py", CLASS + MANY]])
    names = [values["name"] for values, _ in of_kind(received, "outputs")]
    assert names == [f"{name}, as it was at the end" for name in ("VAE", "kept", "shown")]


WATCHED = """
import random
import numpy as np


class VAE(VAE):
    def __init__(self, width):
        super().__init__(width)
        self.drop, self.bn = nn.Dropout(0.5), nn.BatchNorm2d(3)

    def forward(self, x, y):
        random.random(), np.random.rand()
        return torch.sigmoid(self.grey.mean() * self.drop(self.bn(x))), None, None, None


net = VAE(2)
net.bn.eval()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    (net(torch.rand(4, 3, 32, 32), None)[0] * (random.random() + np.random.rand())).mean().backward()
    optimizer.step()
"""


def test_to_be_watched_changes_no_number(data: Held, tmp_path: Path) -> None:
    def last(every: float) -> tuple[int, Any]:
        received = run(data, tmp_path / str(every), [["a.py", CLASS + WATCHED]], every=every)
        ((_, outputs),) = of_kind(received, "outputs")
        return len(of_kind(received, "curve")), outputs

    (watched, with_curve), (once, without) = last(0.0), last(1000.0)
    assert (watched, once) == (5, 1)
    np.testing.assert_array_equal(with_curve, without)


def test_weights_are_found_wherever_a_script_puts_them_and_however_it_names_them(data: Held, tmp_path: Path) -> None:
    place = tmp_path / "drive"
    saving = f"""
import os
net = VAE(2)
net.kept = net.grey * 2  # such a network cannot be copied
os.makedirs("runs/1")
os.makedirs({str(place)!r})
for value, path in ((1.0, "runs/1/a.pth"), (2.0, {str(place / "b.pkl")!r})):
    net.grey.data[:] = value
    torch.save({{"epoch": 3, "best": {{"net": torch.nn.DataParallel(net).state_dict()}}, "optim": {{}}}}, path)
    os.utime(path, (value, value))
net.grey.data[:] = 3.0
os.chdir("/")
"""
    received = run(data, tmp_path, [["a.py", CLASS + saving]], folders=[str(place)])
    found = {values["name"]: round(float(np.log(outputs.mean() / (1 - outputs.mean())))) for values, outputs
             in of_kind(received, "outputs")}  # fmt: skip
    assert found == {
        "net, as it was at the end": 3,
        "the weights that it saved in b.pkl": 2,
        "the weights that it saved in a.pth": 1,
    }


def test_a_class_that_only_says_that_it_is_another_is_not_asked(data: Held, tmp_path: Path) -> None:
    forged = """
class Better(nn.Module):
    def __init__(self):
        super().__init__()
        self.grey = nn.Parameter(torch.zeros(2))

    def forward(self, x, y):
        return x


Better.__name__ = Better.__qualname__ = "VAE"
net = Better()
torch.optim.SGD(net.parameters(), lr=0.1).step()
"""
    received = run(data, tmp_path, [["a.py", CLASS + forged]])
    assert ending(received)["how"] == "finished"
    assert not of_kind(received, "outputs")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("torch.cuda.synchronize()", "missing"),
        ("torch.save(VAE(2).state_dict(), '/nowhere/best.pt')", "missing"),
        ("open('/nowhere/log.txt', 'w')", "FileNotFoundError"),
        ("raise KeyError('x')", "KeyError"),
    ],
)
def test_what_this_machine_lacks_is_told_apart_from_an_error(
    data: Held, tmp_path: Path, source: str, kind: str
) -> None:
    received = run(data, tmp_path, [["a.py", f"{CLASS}\n{source}\n"]])
    assert ending(received)["failure"]["kind"] == kind


def test_a_process_that_leaves_on_its_own_has_not_ended_its_training(data: Held, tmp_path: Path) -> None:
    received = run(data, tmp_path, [["a.py", f"{CLASS}\nnet = VAE(2)\nimport os\nos._exit(0)\n"]])
    assert [header for header, _ in received] == [{"begun": True}]


def test_a_notebook_writes_its_modules_and_runs_them(data: Held, tmp_path: Path) -> None:
    written = without_magics(f"%%writefile nets.py\n{CLASS}")
    lines = "%run nets.py", "%pip install torch", "x = !ls", "import nets", "net = nets.VAE(2)", "!python nets.py"
    running = without_magics("\n".join(lines))
    received = run(data, tmp_path, [["cell 1", written], ["cell 2", running]], file="a.ipynb")
    assert ending(received)["how"] == "finished", ending(received)
    ((values, _),) = of_kind(received, "outputs")
    assert values["name"] == "net, as it was at the end"


# An encoder and a decoder ---------------------------------------------------------------------------------------------

PAIR = """
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.shift = nn.Parameter(torch.full((size,), 0.25))

    def forward(self, images):
        return images.mean(dim=(1, 2, 3), keepdim=False)[:, None] + self.shift  # (N, size)


class Decoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))

    def forward(self, codes):
        assert codes.shape[2:] == (1, 1)
        return (codes + self.weight.view(1, -1, 1, 1)).mean(dim=1, keepdim=True).expand(-1, 3, 64, 64)
"""
TRAINING = """
import models
from pathlib import Path


def train():
    assert len(list(Path("./data").rglob("*.png"))) == 120
    encoder, decoder = models.Encoder(5), models.Decoder(5)
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.1) for one in (encoder, decoder)]
    for optimizer in optimizers:
        optimizer.step()
    decoder.weight.data[:] = 0.5


if __name__ == "__main__":
    import torch
    train()
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("images")
    (folder / "all").mkdir()
    random = np.random.default_rng(3)
    for number in range(150):
        Image.fromarray(random.integers(0, 256, (20, 20, 3), np.uint8)).save(folder / "all" / f"{number}.png")
    with held("denoising", folder, 1, 4) as kept:
        yield kept


def pair() -> list[dict[str, Any]]:
    encoder, decoder = (part(name, PAIR, f"{name}(width)") for name in ("Encoder", "Decoder"))
    return [{"item": "score", "score": "denoised", "before": [encoder], **decoder}]


def test_an_encoder_and_a_decoder_of_a_function_are_asked_together(images: Held, tmp_path: Path) -> None:
    files = {"models.py": PAIR.encode(), "data/all/read.py": b""}  # the data come into a folder that was handed in
    received = run(images, tmp_path, [["asgn6.py", TRAINING]], files=files, targets=pair(), file="asgn6.py")
    assert ending(received)["how"] == "finished", ending(received)
    ((values, outputs),) = of_kind(received, "outputs")
    assert values["name"] == "Encoder and Decoder, as it was at the end"
    expected = images.asked.inputs.mean(axis=(1, 2, 3)) + 0.75
    np.testing.assert_allclose(outputs[:, 0, 0, 0], expected, rtol=1e-5)
    assert of_kind(received, "curve")


def test_weights_of_both_may_lie_in_two_files_or_in_one(images: Held, tmp_path: Path) -> None:
    def file(content: Any) -> bytes:
        buffer = io.BytesIO()
        torch.save(content, buffer)
        return buffer.getvalue()

    namespace: dict[str, Any] = {}
    exec(PAIR, namespace)
    encoder, decoder = (namespace[name](3).state_dict() for name in ("Encoder", "Decoder"))
    decoder["weight"] += 1
    both = {f"encoder.{name}": value for name, value in encoder.items()}
    both |= {f"decoder.{name}": value for name, value in decoder.items()}
    for number, weights in enumerate([
        {"enc.pth": file(encoder), "dec.pth": file(decoder)},
        {"both.pth": file({"encoder": encoder, "decoder": decoder, "epoch": 3})},
        {"whole.pth": file(both)},
    ]):  # fmt: skip
        received = run(images, tmp_path / str(number), [], weights, targets=pair())
        assert ending(received)["how"] == "loaded", ending(received)
        ((values, outputs),) = of_kind(received, "outputs")
        assert set(values["name"].split(" and ")) == set(weights)
        expected = images.asked.inputs.mean(axis=(1, 2, 3)) + 1.25
        np.testing.assert_allclose(outputs[:, 0, 0, 0], expected, rtol=1e-5)
