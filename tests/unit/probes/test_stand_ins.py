from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from graders.assignments import jem_linear as linear
from graders.model import Experiment
from graders.probes import tensorflow as lab
from graders.probes.draw import Draw

DRAW = Draw(7, "C3")
WEIGHTS = linear.drawn(DRAW)
CLOSED = linear.of(Experiment(arrays=WEIGHTS))
IMAGES = linear.two_tones(DRAW, "images", 3, 0.3, 0.7)


@pytest.fixture
def model() -> Any:
    return lab.LinearModel(WEIGHTS, lambda images: images[:, :2, :2, :])


def test_the_model_is_the_one_of_the_closed_form(model: Any) -> None:
    np.testing.assert_allclose(model(IMAGES), CLOSED.logits(CLOSED.features(IMAGES)), rtol=1e-5, atol=1e-5)
    assert model.num_classes == 10
    assert [variable.shape for variable in model.trainable_variables] == [(8, 10), (10,)]


def test_its_gradients_are_those_of_the_closed_form(model: Any) -> None:
    with lab.watched(IMAGES) as (images, gradient):
        energies = -tf.reduce_logsumexp(model(images), axis=1)
    wanted = CLOSED.of_images(linear.energy_gradients(CLOSED.logits(CLOSED.features(IMAGES))))
    np.testing.assert_allclose(gradient(energies), wanted, atol=1e-6)
    assert not gradient(energies.numpy()).any()


def test_it_notes_every_call(model: Any) -> None:
    model(IMAGES, training=True)
    model(IMAGES[:1], training=False)
    model(IMAGES[1:2])
    seen = model.seen()
    np.testing.assert_allclose(seen["features"], CLOSED.features(IMAGES[[0, 1, 2, 0, 1]]), rtol=1e-5, atol=1e-5)
    assert seen["patches"].shape == (5, 12)
    assert seen["training"] == [1, 0, -1]


def test_a_model_that_was_never_called_has_seen_nothing(model: Any) -> None:
    seen = model.seen()
    assert (len(seen["features"]), len(seen["patches"]), seen["training"]) == (0, 0, [])


def test_in_a_graph_it_works_and_notes_nothing(model: Any) -> None:
    dataset = lab.batches(IMAGES, np.arange(3), 2).map(lambda images, label: model(images))
    assert [len(logits) for logits in dataset] == [2, 1]
    assert model.seen()["training"] == []


def updates(apply: Any) -> dict[str, Any]:
    """What the optimizer notes of an update of the bias by ones, and of the kernel by zeros."""
    model, optim = lab.LinearModel(WEIGHTS), lab.RecordingOptimizer()
    apply(optim, [tf.zeros((8, 10)), tf.ones(10)], model.trainable_variables)
    np.testing.assert_allclose(model.values()["bias"], WEIGHTS["bias"] - 0.125, rtol=1e-5)
    np.testing.assert_array_equal(model.values()["kernel"], WEIGHTS["kernel"])
    found: dict[str, Any] = optim.seen(model)
    return found


@pytest.mark.parametrize(
    "apply",
    [
        lambda optim, grads, variables: optim.apply_gradients(zip(grads, variables, strict=True)),
        lambda optim, grads, variables: optim.apply(grads, variables),
    ],
)
def test_the_optimizer_notes_and_applies(apply: Any) -> None:
    found = updates(apply)
    assert found["updates"] == [["kernel", "bias"]]
    assert found["gradient of bias"].tolist() == [1.0] * 10


def test_it_minimises_as_in_keras_2() -> None:
    model, optim = lab.LinearModel(WEIGHTS), lab.RecordingOptimizer()
    optim.minimize(lambda: tf.reduce_sum(model(IMAGES)), lambda: model.trainable_variables)
    assert optim.seen(model)["gradient of bias"].tolist() == [3.0] * 10


def test_a_variable_of_another_model_and_a_second_update_are_noted() -> None:
    model, optim = lab.LinearModel(WEIGHTS), lab.RecordingOptimizer()
    other = keras.Variable(np.zeros(2))
    optim.build([model.bias, other])
    optim.apply([tf.ones(10), tf.ones(2)], [model.bias, other])
    optim.apply([tf.ones(10)], [model.bias])
    assert optim.seen(model)["updates"] == [["bias", "other"], ["bias"]]


def test_an_optimizer_that_was_not_used_has_noted_nothing() -> None:
    assert lab.RecordingOptimizer().seen(lab.LinearModel(WEIGHTS)) == {"updates": []}


def test_the_buffer_hands_out_what_it_has_and_notes_what_it_gets() -> None:
    ids = np.array([5, 6, 7], np.int32)
    buffer = lab.RecordingBuffer(IMAGES, ids, 10)
    images, labels = buffer.sample_from_buffer(n_samples=4, p_new=0.5)
    np.testing.assert_array_equal(images, IMAGES[[0, 1, 2, 0]])
    assert labels.numpy().tolist() == [5, 6, 7, 5]
    buffer.add_to_buffer(images, ids=labels)
    buffer.add_to_buffer(images=images[1:3], labels=labels[1:3])
    seen = buffer.seen()
    assert (seen["asked"], seen["additions"], seen["added labels"].tolist()) == ([4], 2, [6, 7])
    np.testing.assert_array_equal(seen["added images"], IMAGES[1:3])


def test_a_buffer_that_was_not_used_has_noted_nothing() -> None:
    seen = lab.RecordingBuffer(IMAGES, np.arange(3), 10).seen()
    assert (seen["asked"], seen["additions"], seen["added images"].size) == ([], 0, 0)
