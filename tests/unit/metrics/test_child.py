"""The child's part in a process of its own, without confinement: what we wrote ourselves trains in it."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from graders.data import cifar10
from graders.metrics.held import Held, held
from graders.model import Slice, Statement
from graders.probes import wire
from graders.sandbox import frames

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


def run(data: Held, work: Path, cells: list[list[str]], files: Mapping[str, bytes] | None = None, **more: Any) -> list:
    """Return the frames of one order, run in `work`."""
    piece = Slice((Statement("A9_vae.py", 1, CLASS),), found={"vae": "VAE"})
    target = {
        "item": "vae_score", "class": "VAE", "score": "reconstruction", "calls": ["VAE(width)"],
        "constants": {"width": 3}, "order": wire.pack_order(wire.Order("vae", "vae", 0, piece))[0],
    }  # fmt: skip
    files = files or {}
    order = {
        "serve": "graders.metrics.child", "lab": "graders.metrics.torch_lab", "device": "cpu", "seed": 1, "share": 1.0,
        "threads": 1, "files": {name: len(content) for name, content in files.items()}, "weights": list(files),
        "data": str(data.folder), "links": {"other/cifar10.npz": "data/cifar10.npz"}, "cells": cells, "budget": 60.0,
        "every": 0.0, "targets": [target], "file": "A9_vae.py", **more,
    }  # fmt: skip
    ours, theirs = socket.socketpair()
    inputs, end = socket.socketpair()
    code = f"import socket; from graders.sandbox import child; child.main(socket.socket(fileno={theirs.fileno()}))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=work, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.settimeout(120)
    frames.send(ours, json.loads(json.dumps(order)), b"".join(files.values()))
    socket.send_fds(ours, [b"+"], [end.fileno()])
    received: list[Any] = []
    while (frame := frames.receive(ours, 1 << 28)) is not None and not frame[0].get("done"):
        received.append(frame)
        if "trained" in frame[0]:
            frames.send(inputs, {}, save({"inputs": data.asked.inputs, "hints": data.hints}))
    process.wait(60)
    for one in (ours, inputs, end):
        one.close()
    return received


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
    (tmp_path / "two").mkdir()
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
