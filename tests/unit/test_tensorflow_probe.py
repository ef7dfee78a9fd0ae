from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from graders.probes import tensorflow as lab
from graders.probes.canonical import canonical
from graders.probes.draw import Draw

DRAW = Draw(7, "C3")
SEED = DRAW.seed
CAUSAL = {(down, right) for down in (-1, 0) for right in (-2, -1, 0)}


class Causal(keras.layers.Layer):
    """A convolution with a filter of 2 rows and 3 columns that sees nothing below and nothing to the right."""

    def __init__(self, filters: int = 4, **kwargs: Any) -> None:
        super().__init__()
        self.conv = keras.layers.Conv2D(filters, (2, 3), padding="valid", **kwargs)

    def call(self, x: Any) -> Any:
        return self.conv(tf.pad(x, [[0, 0], [1, 0], [2, 0], [0, 0]]))


def offsets(support: np.ndarray) -> set[tuple[int, int]]:
    rows, columns, in_rows, in_columns = np.nonzero(support)
    return {(int(down), int(right)) for down, right in zip(in_rows - rows, in_columns - columns, strict=True)}


def called(layer: Any, *shape: int) -> Any:
    layer(tf.zeros(shape))
    return layer


# Variables -----------------------------------------------------------------------------------------------------------


class Hidden:
    """A plain object, in which Keras looks for nothing."""

    def __init__(self) -> None:
        self.kernel = tf.Variable(tf.ones((3, 4)))


class Keeps(keras.layers.Layer):
    """Keeps layers in every way that Keras tracks and in some that it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.blocks = [keras.layers.Dense(3), [keras.layers.Dense(4)]]
        self.named = {"one": keras.layers.Dense(5)}
        self.again = self.dense

    def call(self, x: Any) -> Any:
        for layer in (self.dense, self.blocks[0], self.blocks[1][0], self.named["one"], self.again):
            layer(x)
        return x


class KeepsHidden(Keeps):
    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "plain", Hidden())


def shapes(found: list[Any]) -> list[tuple[int, ...]]:
    return sorted(tuple(variable.shape) for variable in found)


def test_every_variable_is_found_once_wherever_it_is_kept() -> None:
    expected = sorted([(6, n) for n in (2, 3, 4, 5)] + [(n,) for n in (2, 3, 4, 5)])
    assert shapes(lab.variables_of(called(Keeps(), 1, 6))) == expected


def test_a_variable_that_keras_does_not_track_is_found_and_not_counted_as_trainable() -> None:
    layer = called(KeepsHidden(), 1, 6)
    assert (3, 4) in shapes(lab.variables_of(layer))
    assert [3, 4] not in lab.tracked_shapes(layer)


def test_variables_of_plain_objects_lists_and_dictionaries_are_found() -> None:
    holder = Hidden()
    assert shapes(lab.variables_of(holder)) == [(3, 4)]
    assert shapes(lab.variables_of([holder, {"again": holder}, Hidden()])) == [(3, 4), (3, 4)]


def test_an_object_that_holds_itself_does_not_hang() -> None:
    holder: Any = Hidden()
    holder.me = [holder]
    assert len(lab.variables_of(holder)) == 1


def test_integers_are_no_weights() -> None:
    assert lab.variables_of([tf.Variable([1, 2]), tf.Variable([1.0])])[0].dtype == tf.float32
    assert lab.variables_of(tf.Variable([1, 2])) == []


@pytest.mark.parametrize("kept", [keras.layers.Dense, keras], ids=["a class", "a module"])
def test_classes_and_modules_that_a_layer_keeps_do_no_harm(kept: Any) -> None:
    layer = Causal()
    layer.kept = kept
    assert shapes(lab.variables_of(called(layer, 1, 4, 4, 2))) == [(2, 3, 2, 4), (4,)]


def test_a_layer_that_draws_at_random_has_no_weights_by_that() -> None:
    assert lab.variables_of(called(keras.layers.Dropout(0.5), 1, 3)) == []


def test_the_count_is_of_trainable_weights_without_axes_of_length_one() -> None:
    found = lab.count(called(keras.layers.Conv2D(5, (1, 3)), 1, 4, 4, 2))
    assert found == {"shapes": [[3, 2, 5], [5]], "count": 35}


def test_a_weight_that_was_frozen_does_not_count() -> None:
    layer = called(keras.layers.Dense(3), 1, 2)
    layer.trainable = False
    assert lab.count(layer) == {"shapes": [], "count": 0}


# Canonical weights ---------------------------------------------------------------------------------------------------


def test_weights_are_set_by_role_and_shape() -> None:
    layer = called(keras.layers.Conv2D(5, (2, 3)), 1, 4, 4, 2)
    lab.set_weights(layer, SEED)
    assert np.array_equal(layer.kernel.numpy(), canonical("kernel", (2, 3, 2, 5), SEED))
    assert np.array_equal(layer.bias.numpy(), canonical("bias", (5,), SEED))


def test_normalisation_gets_variances_that_are_positive_and_gammas_of_both_signs() -> None:
    layer = called(keras.layers.BatchNormalization(), 1, 32)
    lab.set_weights(layer, SEED)
    assert (layer.moving_variance.numpy() > 0).all()
    assert (layer.gamma.numpy() > 0).any()
    assert (layer.gamma.numpy() < 0).any()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return DRAW.normal("x", 2, 5, 6, 3)


def test_a_dense_layer_equals_a_1x1_convolution(image: np.ndarray) -> None:
    dense, conv = (lab.measure(layer, image, DRAW) for layer in (keras.layers.Dense(4), keras.layers.Conv2D(4, 1)))
    assert set(dense) == set(conv)
    assert (dense.pop("shapes"), dense.pop("count")) == (conv.pop("shapes"), conv.pop("count")) == ([[3, 4], [4]], 16)
    for key, array in dense.items():
        np.testing.assert_allclose(array, conv[key], atol=1e-4, err_msg=key)


class Two(keras.layers.Layer):
    """Two layers of one shape, made in one order or the other, which must not matter."""

    def __init__(self, backwards: bool) -> None:
        super().__init__()
        for name in ("b", "a") if backwards else ("a", "b"):
            setattr(self, name, keras.layers.Dense(3))

    def call(self, x: Any) -> Any:
        return self.b(keras.activations.tanh(self.a(x)))


def test_the_order_in_which_layers_are_made_does_not_matter(image: np.ndarray) -> None:
    one, other = (lab.measure(Two(backwards), image, DRAW) for backwards in (False, True))
    for key in ("outputs", "gradient of the input", "gradient of kernel 3x3", "gradient of bias 3"):
        np.testing.assert_allclose(one[key], other[key], atol=1e-5, err_msg=key)


def test_the_initial_weights_do_not_matter_to_what_is_measured(image: np.ndarray) -> None:
    one, other = (lab.outputs(Causal(kernel_initializer=how), image, SEED) for how in ("zeros", "ones"))
    assert np.array_equal(one["outputs"], other["outputs"])
    assert one["outputs"].shape == (2, 5, 6, 4)


# Gradients -----------------------------------------------------------------------------------------------------------


def test_gradients_of_a_linear_layer_are_those_of_the_formula(image: np.ndarray) -> None:
    found = lab.measure(keras.layers.Dense(4), image, DRAW)
    projection = DRAW.normal("projection", 2, 5, 6, 4)
    kernel = canonical("kernel", (3, 4), SEED)
    np.testing.assert_allclose(found["outputs"], image @ kernel + canonical("bias", (4,), SEED), atol=1e-5)
    np.testing.assert_allclose(found["gradient of the input"], projection @ kernel.T, atol=1e-4)
    np.testing.assert_allclose(
        found["gradient of kernel 3x4"], np.einsum("bhwi,bhwo->io", image, projection), atol=1e-3
    )
    np.testing.assert_allclose(found["gradient of bias 4"], projection.sum(axis=(0, 1, 2)), atol=1e-3)


def test_a_gradient_that_does_not_flow_is_zero_and_not_absent(image: np.ndarray) -> None:
    class Stopped(Causal):
        def call(self, x: Any) -> Any:
            return tf.stop_gradient(super().call(x))

    found = lab.measure(Stopped(), image, DRAW)
    gradients = {key: array for key, array in found.items() if key.startswith("gradient")}
    assert set(gradients) == {"gradient of the input", "gradient of kernel 2x3x3x4", "gradient of bias 4"}
    assert not any(array.any() for array in gradients.values())


def test_noise_that_is_there_in_training_only_is_seen(image: np.ndarray) -> None:
    class Noisy(Causal):
        def call(self, x: Any, training: bool = False) -> Any:
            y = super().call(x)
            return 2 * y if training else y

    found = lab.measure(Noisy(), image, DRAW)
    np.testing.assert_allclose(found["outputs in training"], 2 * found["outputs"], rtol=1e-5)


def test_a_layer_that_knows_of_no_training_is_the_same_in_it(image: np.ndarray) -> None:
    found = lab.measure(Causal(), image, DRAW)
    assert np.array_equal(found["outputs in training"], found["outputs"])


def test_a_function_that_was_traced_before_the_weights_were_set_does_not_keep_the_old_ones(image: np.ndarray) -> None:
    class Compiled(Causal):
        def call(self, x: Any) -> Any:
            self.traced = getattr(self, "traced", None) or tf.function(self.scaled)
            return self.traced(super().call(x))

        def scaled(self, y: Any) -> Any:
            return y * float(tf.reduce_sum(self.conv.bias)) if tf.executing_eagerly() else y

    with lab.prepared():
        found = lab.outputs(Compiled(), image, SEED)
    plain = lab.outputs(Causal(), image, SEED)
    bias = canonical("bias", (4,), SEED)
    np.testing.assert_allclose(found["outputs"], plain["outputs"] * bias.sum(), rtol=1e-4)
    assert not tf.config.functions_run_eagerly()


# Support -------------------------------------------------------------------------------------------------------------


def test_the_support_of_a_causal_convolution_is_its_window() -> None:
    found = lab.support(Causal(), (5, 6, 3), DRAW)
    assert found["by_gradient"].shape == (5, 6, 5, 6)
    assert offsets(found["by_gradient"]) == offsets(found["by_change"]) == CAUSAL
    assert np.array_equal(found["by_gradient"], found["by_change"])
    assert found["by_gradient"][4, 5].sum() == 6
    assert found["by_gradient"][0, 0].sum() == 1


@pytest.mark.parametrize(
    "layer", [lambda: keras.layers.Dense(3), lambda: keras.layers.Conv2D(2, 3, padding="same")], ids=["dense", "conv"]
)
def test_the_two_instruments_agree_on_a_linear_layer(layer: Callable[[], Any]) -> None:
    found = lab.support(layer(), (4, 5, 2), DRAW)
    assert found["by_gradient"].any()
    assert np.array_equal(found["by_gradient"], found["by_change"])


def test_a_smaller_output_has_its_own_height_and_width() -> None:
    found = lab.support(keras.layers.Conv2D(2, 2, strides=2, padding="valid"), (4, 6, 2), DRAW)
    assert found["by_change"].shape == (2, 3, 4, 6)
    assert offsets(found["by_change"][:1, :1]) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_leak_that_hides_from_gradients_shows_by_change_only() -> None:
    class Leaks(Causal):
        def call(self, x: Any) -> Any:
            return super().call(x) + tf.stop_gradient(tf.reduce_mean(tf.roll(x, -1, axis=1), axis=-1, keepdims=True))

    found = lab.support(Leaks(), (5, 6, 3), DRAW)
    assert offsets(found["by_gradient"]) == CAUSAL
    assert (1, 0) in offsets(found["by_change"])


def test_a_zero_of_one_input_does_not_hide_a_pixel() -> None:
    relu = lab.support(Causal(1, activation="relu"), (5, 6, 3), DRAW)
    one = lab.support(Causal(1, activation="relu"), (5, 6, 3), DRAW, draws=1)
    assert relu["by_gradient"].sum() > one["by_gradient"].sum()


# The other instruments -----------------------------------------------------------------------------------------------


def test_a_layer_can_be_traced_with_an_unknown_batch_size(image: np.ndarray) -> None:
    found = lab.traced(Causal(), image, SEED)
    assert found["whole batch"].shape == (2, 5, 6, 4)
    np.testing.assert_allclose(found["one image"], found["whole batch"][:1], atol=1e-5)


def test_a_batch_size_that_was_kept_shows_when_another_one_comes(image: np.ndarray) -> None:
    class Fixed(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(4)

        def call(self, x: Any) -> Any:
            self.batch = getattr(self, "batch", None) or x.shape[0]
            return tf.reshape(self.dense(tf.reshape(x, (-1, 3))), (self.batch, 5, 6, 4))

    with pytest.raises(tf.errors.InvalidArgumentError):
        lab.traced(Fixed(), image, SEED)


def test_initial_kernels_are_those_of_fresh_layers_without_biases() -> None:
    found = lab.initial_kernels(lambda: Causal(8, bias_initializer="ones"), (1, 4, 4, 5))
    assert {name: array.shape for name, array in found.items()} == {"kernels 0": (240,), "kernels 1": (240,)}
    assert not np.array_equal(found["kernels 0"], found["kernels 1"])
    assert not (found["kernels 0"] == 1).any()


def test_a_layer_without_kernels_has_none() -> None:
    found = lab.initial_kernels(lambda: keras.layers.ReLU(), (1, 2))
    assert [array.size for array in found.values()] == [0, 0]


def test_a_layer_of_zeros_gives_its_bias_alone(image: np.ndarray) -> None:
    found = lab.zeroed(keras.layers.Dense(4, bias_initializer="ones"), image)
    assert not found["outputs"].any()
    assert np.array_equal(found["inputs"], image)
    assert found["count"] == 16


def test_the_default_filter_is_read_from_the_weights_where_the_layer_runs(image: np.ndarray) -> None:
    assert lab.default_filter(Causal(), image) == {"size": [2, 3], "height": 5}


@pytest.mark.parametrize(("size", "expected"), [(2, [2, 2]), ((2, 3), [2, 3])])
def test_the_default_filter_is_read_from_the_attribute_where_the_layer_does_not_run(size: Any, expected: list) -> None:
    class Broken(keras.layers.Layer):
        filter_size = size

        def call(self, x: Any) -> Any:
            raise ValueError("an even width")

    assert lab.default_filter(Broken(), np.zeros((1, 4, 4, 2), np.float32)) == {"size": expected, "height": -1}


def test_a_data_set_of_keras_is_known() -> None:
    class Data(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 1

    assert lab.is_sequence(Data())
    assert not lab.is_sequence([1])


@pytest.mark.parametrize("name", ["tanh", "relu", "elu", "sigmoid"])
def test_functions_go_by_their_names(name: str) -> None:
    x = np.array([-1.0, 2.0], np.float32)
    np.testing.assert_allclose(lab.function(name)(x), getattr(keras.activations, name)(tf.constant(x)), atol=1e-6)


@pytest.mark.parametrize("value", [[1, 2], np.array([1.0, 2.0]), (np.float64(1), 2)])
def test_whatever_holds_numbers_becomes_a_float_tensor(value: Any) -> None:
    assert lab.tensor(value).dtype == tf.float32
    assert lab.tensor(value).numpy().tolist() == [1, 2]
