"""The recorder of PyTorch, on small notebooks in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.model import Evidence
from graders.probes.wire import pack, unpack
from tests.unit.torch_rehearsal import rehearse

START = """# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

torch.manual_seed(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6))
        self.last = nn.Conv2d(6, 3, 1)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


x, y = torch.rand(7, 1, 32, 32), torch.randint(0, 3, (7, 32, 32))
criterion = nn.CrossEntropyLoss()
cnn = Net()


def step(optimizer, part, of=criterion):
    optimizer.zero_grad()
    loss = of(cnn(x[part]), y[part])
    loss.backward()
    optimizer.step()
    return loss.item()


# %%
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()  # no data are drawn
    return tmp_path


def calls(evidence: Evidence, method: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    cells = evidence.experiments["cells"].values["cells"]
    assert {cell["status"] for cell in cells} == {"ok"}, [cell["message"] for cell in cells]
    found = [one for _, one in sorted(evidence.experiments.items()) if one.values.get("method") == method]
    return [(json.loads(one.values["details"]), dict(one.arrays)) for one in found]


def end(evidence: Evidence) -> dict[str, Any]:
    ((details, _),) = calls(evidence, "end")
    return details


def test_a_training_is_one_record_of_one_form(folder: Path) -> None:
    run = rehearse(
        START + "adam = torch.optim.Adam(cnn.parameters(), lr=0.01)\ncnn.train()\n"
        "losses = [step(adam, slice(0, 4)), step(adam, slice(4, 6)), step(adam, slice(0, 4))]\n"
        "cnn.eval()\nwith torch.no_grad():\n    shown = cnn(x[5:])\n"
        "print(repr(losses))",
        folder,
    )
    ((details, arrays),) = calls(run, "training")
    assert (details["class"], details["rate"], details["steps"]) == ("Adam", 0.01, 3)
    model = {"class": "Net", "given": 6, "parameters": 6, "changed": 6, "kernels": ["1x1", "3x3"]}
    assert [{key: one[key] for key in model} for one in details["models"]] == [model]
    assert arrays["sizes"].tolist() == [4, 2, 4]
    assert arrays["modes"].tolist() == [1, 1, 1]
    assert arrays["trained"].tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert arrays["tested"].tolist() == [5, 6]
    assert arrays["watched"].tolist() == []
    assert len(set(arrays["losses"].tolist())) == 3
    assert 0 < arrays["losses"].min() < arrays["losses"].max() < 2
    assert end(run) == {"method": "end", "faults": [], "dropped": 0, "unfollowed": 0}
    for name, experiment in run.experiments.items():
        if name != "cells":
            header, blob = pack(name, experiment)
            assert unpack(json.loads(json.dumps(header)), blob)[1].failure is None
            assert set(experiment.values) == {"cell", "method", "details"}


def test_modes_and_what_an_optimizer_has_are_told(folder: Path) -> None:
    run = rehearse(
        START + "sgd = torch.optim.SGD(cnn.last.parameters(), lr=0.5)\ncnn.eval()\nstep(sgd, slice(0, 3))\n"
        "cnn.train()\ncnn(x[3:])",
        folder,
    )
    ((details, arrays),) = calls(run, "training")
    named = {one["class"]: (one["given"], one["parameters"], one["changed"]) for one in details["models"]}
    assert named == {"Net": (2, 6, 2)}
    assert arrays["modes"].tolist() == [0]
    assert arrays["watched"].tolist() == [3, 4, 5, 6]


def test_two_optimizers_are_two_trainings_of_one_model_and_cells_are_kept_apart(folder: Path) -> None:
    run = rehearse(
        START + "one, two = (torch.optim.Adam(cnn.parameters()) for _ in range(2))\nstep(one, slice(0, 2))\n\n"
        "# %%\nstep(one, slice(2, 4))\nstep(two, slice(0, 2))",
        folder,
    )
    found = [(one["optimizer"], one["steps"], one["models"][0]["model"]) for one, _ in calls(run, "training")]
    assert found == [(0, 1, 0), (0, 1, 0), (1, 1, 0)]


CLOSURE = """def closure():
    optimizer.zero_grad()
    loss = criterion(cnn.forward(x), y)
    torch.autograd.backward([loss])
    return loss


optimizer = torch.optim.LBFGS(cnn.parameters(), max_iter=2)
optimizer.step(closure)"""
SUMMED = """optimizer = torch.optim.SGD(cnn.parameters(), lr=0.1)
for part in (x[:3], x[3:]):
    (cnn(part).square().mean() / 2).backward()
optimizer.step()"""
WRAPPED = """whole = nn.Sequential(cnn, nn.Identity())
optimizer = torch.optim.SGD(whole.parameters(), lr=0.1)
whole(x).square().mean().backward()
optimizer.step()"""


@pytest.mark.parametrize(("cell", "trained"), [(CLOSURE, 7), (SUMMED, 7), (WRAPPED, 7)])
def test_other_ways_to_train_are_seen_too(folder: Path, cell: str, trained: int) -> None:
    ((details, arrays),) = calls(rehearse(START + cell, folder), "training")
    assert "Net" in [one["class"] for one in details["models"]]
    assert set(arrays["trained"].tolist()) == set(range(trained))
    assert np.isfinite(arrays["losses"]).all()
    assert details["steps"] == 1


def test_a_step_by_hand_is_not_followed_and_a_step_with_an_optimizer_is(folder: Path) -> None:
    by_hand = (
        "cnn(x).mean().backward()\nwith torch.no_grad():\n    for one in cnn.parameters():\n        one -= one.grad"
    )
    run = rehearse(START + by_hand, folder)
    assert end(run)["unfollowed"] == 1
    assert calls(run, "training") == []
    run = rehearse(START + "cnn(x)\nstep(torch.optim.Adam(cnn.parameters()), slice(0, 7))", folder)
    assert end(run)["unfollowed"] == 0


def test_curves_and_pictures_are_counted_and_what_shows_nothing_is_not(folder: Path) -> None:
    run = rehearse(
        START + "plt.plot([3.0, 2.0])\nplt.semilogy([2.0, 1.0])\nplt.plot([1.0])\nplt.plot([np.nan, np.nan])\n"
        "plt.figure()\nplt.imshow(np.arange(12).reshape(3, 4))\nplt.imshow(np.zeros((3, 4)))\n\n# %%\ny = 1",
        folder,
    )
    ((details, _),) = calls(run, "plots")
    assert details["drawn"] == {"plot": 2, "imshow": 1}


def test_code_that_raises_is_not_kept_from_it_and_leaves_the_recorder_whole(folder: Path) -> None:
    run = rehearse(
        START + "try:\n    cnn(torch.rand(2, 5, 32, 32))\nexcept RuntimeError as error:\n    raised = str(error)\n"
        "assert 'channels' in raised\nstep(torch.optim.Adam(cnn.parameters()), slice(0, 2))",
        folder,
    )
    ((details, _),) = calls(run, "training")
    assert details["steps"] == 1
    assert end(run)["faults"] == []


def test_the_hooks_are_gone_when_it_is_uninstalled(folder: Path) -> None:
    import torch
    from matplotlib.axes import Axes
    from torch.nn.modules import module
    from torch.optim import optimizer

    before = torch.autograd.backward, Axes.plot, Axes.imshow, torch.set_num_threads
    rehearse(START + "step(torch.optim.Adam(cnn.parameters()), slice(0, 2))", folder)
    assert (torch.autograd.backward, Axes.plot, Axes.imshow, torch.set_num_threads) == before
    assert not module._global_forward_hooks
    assert not module._global_forward_pre_hooks
    assert not module._global_module_registration_hooks
    assert not optimizer._global_optimizer_pre_hooks
    assert not optimizer._global_optimizer_post_hooks
