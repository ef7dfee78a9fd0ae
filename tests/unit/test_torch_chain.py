from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from graders.checks.chains import pointwise, rectified
from graders.probes import torch as lab
from graders.probes.draw import Draw

DRAW = Draw(7, "Q2b")
X = DRAW.normal("x", 1, 3, 6, 8)


class Two(nn.Module):
    """Two convolutions with something between them."""

    def __init__(self, between: Any, pad: int = 1) -> None:
        super().__init__()
        self.first, self.between, self.second = nn.Conv2d(3, 4, 3), between, nn.ConvTranspose2d(4, 5, 3, padding=pad)

    def forward(self, x: Any) -> Any:
        return torch.tanh(self.second(self.between(self.first(x))))


def test_the_ends_of_a_link_are_the_output_and_the_next_input() -> None:
    module = Two(nn.ReLU(inplace=True))
    found = lab.chain(module, X, DRAW)
    with torch.no_grad():
        first = module.first(torch.from_numpy(X))[0].reshape(4, -1).numpy()
    assert found["before 0"].shape == found["after 0"].shape == (4, 24)
    assert sorted(found["before 0"].ravel()) == pytest.approx(sorted(first.ravel()), abs=1e-6)
    np.testing.assert_array_equal(found["after 0"], np.maximum(0, found["before 0"]))
    assert (found["convolutions"], found["parameters"], found["unreached"], found["broken"]) == (2, 4, 0, [])


def test_the_last_link_ends_in_the_output_and_covers_a_wide_range() -> None:
    found = lab.chain(Two(nn.Identity()), X, DRAW)
    np.testing.assert_allclose(found["after last"], np.tanh(found["before last"]), atol=1e-6)
    assert np.abs(found["before last"]).max() > 2


def test_what_follows_the_last_convolution_shows_whatever_sign_its_outputs_have() -> None:
    """A ReLU behind outputs that are all positive, as weights may have it, is a ReLU all the same."""
    last = nn.Conv2d(3, 2, 3)
    nn.init.constant_(last.bias, 1000.0)
    found = lab.chain(nn.Sequential(nn.Conv2d(3, 3, 1), last, nn.ReLU()), X, DRAW)
    before, after = (found[f"{end} last"].astype(float) for end in ("before", "after"))
    assert before.min() < -100 < 100 < before.max()
    assert (pointwise(before, after), rectified(before, after)) == (True, True)


def test_padding_all_around_is_looked_through() -> None:
    found = lab.chain(Two(nn.ZeroPad2d(2), pad=3), X, DRAW)
    np.testing.assert_array_equal(found["after 0"], found["before 0"])


@pytest.mark.parametrize("between", [nn.ZeroPad2d((0, 2, 0, 0)), nn.MaxPool2d(2), nn.ZeroPad2d((1, 0, 1, 0))])
def test_ends_of_other_sizes_are_broken(between: nn.Module) -> None:
    found = lab.chain(Two(between), X, DRAW)
    assert found["broken"] == [0]
    assert "before 0" not in found


def test_parameters_without_a_gradient_are_counted() -> None:
    module = Two(nn.ReLU())
    module.unused = nn.Linear(2, 2)
    module.first.requires_grad_(False)
    assert lab.chain(module, X, DRAW)["unreached"] == 4
    assert lab.chain(module.requires_grad_(False), X, DRAW)["unreached"] == 6


def test_modes_and_gradients_are_left_as_they_were() -> None:
    module = Two(nn.BatchNorm2d(4))
    module.second.eval()
    before = module.between.running_mean.clone()
    lab.chain(module, X, DRAW)
    assert (module.training, module.between.training, module.second.training) == (True, True, False)
    assert torch.equal(module.between.running_mean, before)
    assert all(one.grad is None for one in module.parameters())


def test_a_module_without_convolutions_has_no_links() -> None:
    found = lab.chain(nn.ReLU(), X, DRAW)
    assert found == {"broken": [], "convolutions": 0, "parameters": 0, "unreached": 0}
