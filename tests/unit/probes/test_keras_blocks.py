from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from graders.probes import tensorflow as lab
from graders.probes.draw import Draw
from graders.probes.keras_weights import inner

DRAW = Draw(7, "C1")
X = DRAW.normal("x", 2, 5, 6, 3)
SLOPES = {"alike": (0.3, 0.3), "other": (0.1, 0.5)}


class Block(keras.Model):
    """Two activations around a dense layer, then whatever else is given."""

    def __init__(self, *more: Any) -> None:
        super().__init__()
        self.first = keras.layers.LeakyReLU()
        self.stack = keras.Sequential([keras.layers.Dense(4), keras.layers.LeakyReLU(), *more])

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.stack(self.first(x), training=training)


def test_slopes_are_handed_out_nearest_first_and_given_back() -> None:
    block = Block()
    block(X)
    leaky = inner(block, keras.layers.LeakyReLU)
    assert leaky == [block.first, block.stack.layers[1]]
    with lab.sloped(block, (0.1, 0.5)):
        assert [one.negative_slope for one in leaky] == [0.1, 0.5]
    assert [one.negative_slope for one in leaky] == [0.3, 0.3]
    with pytest.raises(ValueError, match="out of"), lab.sloped(block, (0.7,)):
        raise ValueError("out of the way")
    assert [one.negative_slope for one in leaky] == [0.3, 0.3]


def test_outputs_at_slopes_are_those_of_a_block_that_has_them() -> None:
    found = lab.at_slopes(Block(), X, 1, SLOPES)
    assert np.array_equal(found["outputs"], found["alike"])
    other = Block()
    other.first.negative_slope, other.stack.layers[1].negative_slope = 0.1, 0.5
    assert np.array_equal(lab.outputs(other, X, 1)["outputs"], found["other"])
    assert not np.allclose(found["alike"], found["other"])


def test_with_neutral_weights_normalisation_does_nearly_nothing() -> None:
    plain = lab.at_slopes(Block(), X, 1, SLOPES, neutral=True)
    normal = lab.at_slopes(Block(keras.layers.BatchNormalization()), X, 1, SLOPES, neutral=True)
    for name in plain:
        assert 0 < np.abs(plain[name] - normal[name]).max() < 0.002 * np.abs(plain[name]).max()
    assert not np.allclose(plain["outputs"], lab.outputs(Block(), X, 1)["outputs"])


@pytest.mark.parametrize(
    ("layer", "random", "batch", "loss"),
    [
        (None, False, False, False),
        (keras.layers.Dropout(0.5), True, False, False),
        (keras.layers.BatchNormalization(), False, True, False),
        (keras.layers.Dense(4, kernel_regularizer="l2"), False, False, True),
    ],
)
def test_what_a_regularisation_does_in_training(layer: Any, random: bool, batch: bool, loss: bool) -> None:
    found = lab.regularised(Block(*[layer] if layer else []), X, 1)
    assert np.array_equal(found["evaluated"], found["evaluated again"])
    np.testing.assert_allclose(found["evaluated"][:1], found["evaluated alone"], rtol=1e-5, atol=1e-6)
    assert random is not np.array_equal(found["trained"], found["trained again"])
    if not random:
        assert batch is not np.allclose(found["trained"][:1], found["trained alone"], rtol=1e-5, atol=1e-5)
    assert loss is (found["losses"][0] > found["losses"][1])


def test_zeroed_in_training() -> None:
    noisy = lab.zeroed(Block(keras.layers.GaussianNoise(1.0)), X, training=True)["outputs"]
    assert np.std(noisy) > 0.5
    assert not lab.zeroed(Block(keras.layers.GaussianNoise(1.0)), X)["outputs"].any()


def test_a_sketch_is_linear_and_leaves_what_is_small() -> None:
    large, small = np.random.default_rng(0).standard_normal((70, 70)), np.ones(3)
    measured = {"gradient of kernel": large, "gradient of bias": small, "outputs": large}
    one = lab.sketched(measured, 3)
    two = lab.sketched({**measured, "gradient of kernel": 2 * large}, 3)
    assert one["gradient of kernel"].shape == (4,)
    np.testing.assert_allclose(two["gradient of kernel"], 2 * one["gradient of kernel"])
    assert one["gradient of bias"] is small
    assert one["outputs"] is large
    assert not np.allclose(lab.sketched(measured, 4)["gradient of kernel"], one["gradient of kernel"])


def test_what_is_a_layer() -> None:
    assert lab.is_layer(Block())
    assert not lab.is_layer(Block)
