"""What the instruments for conditional generators and two-headed discriminators tell of tiny networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from graders.probes import torch as lab
from graders.probes.draw import Draw

DRAW = Draw(5, "generator")


class Generator(nn.Module):
    """Takes vectors of 7 numbers, as pixels or not, and labels, one-hot or not."""

    def __init__(self, pixels: bool = False, hot: bool = False) -> None:
        super().__init__()
        self.pixels, self.hot = pixels, hot
        self.layer, self.norm, self.up = nn.Linear(17, 16), nn.BatchNorm1d(16), nn.Upsample(scale_factor=2)

    def forward(self, z: Any, y: Any) -> Any:
        assert z.dim() == (4 if self.pixels else 2)
        assert y.is_floating_point() is self.hot
        y = y if self.hot else nn.functional.one_hot(y, 10)
        return self.up(self.norm(self.layer(torch.cat([z.flatten(1), y], 1))).view(-1, 1, 4, 4)).tanh()


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize("hot", [False, True])
def test_every_form_of_a_generator_is_found(pixels: bool, hot: bool) -> None:
    found = lab.generated(Generator(pixels, hot), DRAW, (3, 7))
    assert found["latent"] == 7
    assert found["images"].shape == (6, 1, 8, 8)
    assert found["by label"].shape == found["by vector"].shape == (10, 1, 8, 8)
    assert np.abs(found["by label"] - found["by label"][0]).max(axis=(1, 2, 3))[1:].min() > 1e-3
    assert -1 <= found["low"] < -0.99
    assert 0.99 < found["high"] <= 1


def test_a_generator_that_takes_no_form_raises_its_first_error() -> None:
    with pytest.raises(RuntimeError, match=r"3x13"):
        lab.generated(Generator(), DRAW, (3,))


def test_weights_and_modes_are_left_as_they_were() -> None:
    layer = Generator().train()
    before = {name: value.detach().clone() for name, value in layer.named_parameters()}
    lab.generated(layer, DRAW, (7,))
    assert layer.training
    assert layer.norm.training
    assert all(torch.equal(value, before[name]) for name, value in layer.named_parameters())


def test_what_the_images_depend_on_is_counted() -> None:
    layer = Generator()
    layer.unused = nn.Linear(2, 2)
    found = lab.reached(layer, DRAW, (7,))
    assert (found["weights"], found["reached"]) == (6, 4)
    assert np.any(found["vectors"])


def test_the_maps_of_a_generator_are_told_and_no_others() -> None:
    class Idle(Generator):
        def forward(self, z: Any, y: Any) -> Any:
            image = super().forward(z, y)
            self.up(self.up(image))
            return image

    maps = lab.upsampled(Generator(), DRAW, (7,))["maps"]
    assert [one["height"] for one in maps] == [8, 8]  # enlarged, and its hyperbolic tangent
    assert not any(one["transposed"] for one in maps)
    assert lab.upsampled(Idle(), DRAW, (7,))["maps"] == maps


class Discriminator(nn.Module):
    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.cut, self.shared = cut, nn.Linear(3 * 32 * 32, 4)
        self.score, self.classes = nn.Linear(4, 1), nn.Linear(4, 10)

    def forward(self, x: Any) -> Any:
        h = self.shared(x.flatten(1))
        return self.score(h), self.classes(h.detach() if self.cut else h)


@pytest.mark.parametrize("cut", [False, True])
def test_what_both_heads_depend_on(cut: bool) -> None:
    found = lab.heads(Discriminator(cut), DRAW)
    assert (found["first"].shape, found["second"].shape) == ((6, 1), (6, 10))
    assert (found["shared"], found["weights"]) == (0 if cut else 2, 6)
    assert np.any(found["input of first"])
    assert np.any(found["input of second"]) is np.bool_(not cut)


def test_one_output_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match="returns Tensor, not a discrimination score"):
        lab.heads(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 1)), DRAW)
