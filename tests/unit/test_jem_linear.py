"""The closed forms of the stand-in model, by numerical differentiation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from graders.assignments import jem_energy
from graders.assignments import jem_linear as linear
from graders.model import Experiment, Failure
from graders.probes.draw import Draw

DRAW = Draw(7, "C9")
WEIGHTS = linear.drawn(DRAW)
MODEL = linear.of(Experiment(arrays=WEIGHTS))
IMAGES = linear.two_tones(DRAW, "images", 3, 0.3, 0.7)
FEATURES = MODEL.features(IMAGES)
LABELS = np.array([4, 0, 9])

Losses = Callable[[np.ndarray], np.ndarray]
LOSSES: dict[str, tuple[Losses, Losses]] = {
    "energy": (linear.energies, linear.energy_gradients),
    "energy of labels": (lambda z: linear.energies(z, LABELS), lambda z: linear.energy_gradients(z, LABELS)),
    "cross-entropy": (
        lambda z: linear.cross_entropies(z, LABELS),
        lambda z: linear.softmax(z) - linear.one_hot(LABELS),
    ),
}


def slope(function: Callable[[np.ndarray], float], at: np.ndarray, place: tuple[int, ...]) -> float:
    step = np.zeros_like(at)
    step[place] = 1e-5
    return (function(at + step) - function(at - step)) / 2e-5


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_logits(name: str) -> None:
    losses, gradients = LOSSES[name]
    logits = MODEL.logits(FEATURES)
    for place in np.ndindex(*logits.shape):
        assert gradients(logits)[place] == pytest.approx(
            slope(lambda z: float(losses(z).sum()), logits, place), abs=1e-6
        )


@pytest.mark.parametrize("place", [(0, 0, 0, 0), (1, 7, 31, 2), (2, 31, 31, 1)])
def test_gradients_of_images(place: tuple[int, ...]) -> None:
    found = MODEL.of_images(linear.energy_gradients(MODEL.logits(FEATURES)))
    wanted = slope(lambda x: float(linear.energies(MODEL.logits(MODEL.features(x))).sum()), IMAGES.astype(float), place)
    assert found.shape == IMAGES.shape
    assert found[place] == pytest.approx(wanted, abs=1e-7)


def test_gradients_of_weights() -> None:
    found = MODEL.of_weights(FEATURES, linear.energy_gradients(MODEL.logits(FEATURES)))

    def total(weights: np.ndarray) -> float:
        changed = linear.Linear(MODEL.signs, weights[:-1], weights[-1], MODEL.frozen)
        return float(linear.energies(changed.logits(FEATURES)).sum())

    weights = np.vstack([MODEL.kernel, MODEL.bias])
    for place in np.ndindex(*weights.shape):
        assert found[place] == pytest.approx(slope(total, weights, place), abs=1e-6)


def test_the_features_of_an_images_gradient_are_those_of_the_kernel() -> None:
    """The closed form of what passes through the sampling steps rests on it."""
    columns = MODEL.features(MODEL.of_images(-linear.energy_gradients(np.zeros((3, 10)), LABELS)))
    np.testing.assert_allclose(columns, MODEL.kernel.T[LABELS], rtol=1e-5)


def test_energies_of_large_logits_are_finite() -> None:
    assert linear.energies(np.array([[1e4, -1e4, 0.0]])) == pytest.approx(-1e4)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"gradient of kernel": np.zeros((8, 10))},
        {"gradient of kernel": np.zeros((10, 8)), "gradient of bias": np.zeros(10)},
        {"gradient of kernel": np.full((8, 10), np.nan), "gradient of bias": np.zeros(10)},
    ],
)
def test_gradients_that_are_not_those_of_kernel_and_bias_are_none(arrays: dict[str, np.ndarray]) -> None:
    assert linear.weight_gradients(Experiment(arrays=arrays)) is None


def test_what_a_failed_experiment_sent_counts_for_nothing() -> None:
    arrays = {"features": np.zeros((5, 8)), "gradient of kernel": np.zeros((8, 10)), "gradient of bias": np.zeros(10)}
    failed = Experiment(arrays=arrays, failure=Failure("ValueError", "no"))
    assert len(linear.rows(Experiment(arrays=arrays))) == 5
    assert linear.weight_gradients(Experiment(arrays=arrays)) is not None
    assert len(linear.rows(failed)) == 0
    assert linear.weight_gradients(failed) is None


@pytest.mark.parametrize(
    ("result", "loss"),
    [({"loss": 1.5}, 1.5), ({"loss": np.float32(2)}, 2.0), ({"class_loss": 1}, None), (3.0, None), (None, None)],
)
def test_a_loss_is_reported_where_a_dictionary_holds_one(result: object, loss: float | None) -> None:
    assert linear.reported(result).get("loss") == loss


@pytest.mark.parametrize("seed", range(50))
def test_a_gradient_that_is_clipped_to_three_hundredths_is_another_one(seed: int) -> None:
    """Tutorials of the paper clip it so; C7 must see that whatever the seed."""
    draw = Draw(seed, "C7")
    steep = linear.of(Experiment(arrays=linear.drawn(draw, jem_energy._STEEP)))
    data = linear.two_tones(draw, "data", 3, 0.4, 0.6)
    slopes = steep.of_images(linear.energy_gradients(steep.logits(steep.features(data))))
    assert np.abs(slopes[:2]).max() > 0.04
