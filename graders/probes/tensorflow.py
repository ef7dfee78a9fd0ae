"""The instruments of the TensorFlow assignments: measuring Keras layers with canonical weights.

Imported in the zygote, the children and a student's own kernel; never in the trusted process. No operation runs at
import time: a fork after one would hang.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from graders.probes.canonical import counted, summed
from graders.probes.draw import Draw
from graders.probes.keras2 import adopt as adopt
from graders.probes.keras2 import restore as restore
from graders.probes.keras_blocks import at_slopes as at_slopes
from graders.probes.keras_blocks import is_layer as is_layer
from graders.probes.keras_blocks import regularised as regularised
from graders.probes.keras_blocks import sketched as sketched
from graders.probes.keras_blocks import sloped as sloped
from graders.probes.keras_weights import called, role, set_weights, tensor, tracked_shapes, variables_of
from graders.probes.stand_ins import LinearModel as LinearModel
from graders.probes.stand_ins import RecordingBuffer as RecordingBuffer
from graders.probes.stand_ins import RecordingOptimizer as RecordingOptimizer
from graders.probes.stand_ins import batches as batches
from graders.probes.stand_ins import constant as constant
from graders.probes.stand_ins import watched as watched

Array = NDArray[Any]


def function(name: str) -> Callable[[Any], Any]:
    """Return TensorFlow's function of that name, to be passed where a student's code takes a function."""
    return getattr(tf.nn, name, None) or getattr(tf, name)  # type: ignore[no-any-return]


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Run functions eagerly: a `tf.function` around a layer's call would keep the weights of its first trace.

    A GPU would round float32 to ten bits (TF32); two right solutions would differ by a thousandth.
    """
    before = tf.config.functions_run_eagerly()
    rounds = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.run_functions_eagerly(True)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)
        tf.config.experimental.enable_tensor_float_32_execution(rounds)


def is_sequence(thing: Any) -> bool:
    """Return whether `fit` takes a thing as a data set of Keras."""
    return isinstance(thing, keras.utils.PyDataset)


def count(layer: Any) -> dict[str, Any]:
    """Return the number and the shapes of a built layer's trainable weights."""
    return counted(tracked_shapes(layer))


def outputs(layer: Any, x: Array, seed: int) -> dict[str, Any]:
    """Call a layer on x, set its weights, call it again; return the second output."""
    inputs = tf.constant(x)
    layer(inputs)
    set_weights(layer, seed)
    return {"outputs": tensor(layer(inputs)).numpy()}


def measure(layer: Any, x: Array, draw: Draw) -> dict[str, Any]:
    """Return outputs, weight counts and the gradients of a random projection of the outputs.

    Gradients are those of the input and of the weights, the latter summed per key of `canonical`.
    """
    inputs = tf.constant(x)
    layer(inputs)
    set_weights(layer, draw.seed)
    variables = variables_of(layer)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = tensor(layer(inputs))
        projection = tf.reduce_sum(y * draw.normal("projection", *y.shape))
    weights = [variable.value if isinstance(variable, keras.Variable) else variable for variable in variables]
    gradients = tape.gradient(projection, [inputs, *weights])
    of_input = np.zeros_like(x) if gradients[0] is None else tf.convert_to_tensor(gradients[0]).numpy()
    unreached = sum(gradient is None for gradient in gradients[1:])
    of_weights = [None if one is None else tf.convert_to_tensor(one).numpy() for one in gradients[1:]]
    roles, shapes = map(role, variables), (variable.shape for variable in variables)
    training = {"outputs in training": called(layer, inputs, training=True)}
    return {
        "outputs": y.numpy(),
        **training,
        "gradient of the input": of_input,
        "unreached": unreached,
        **count(layer),
        **summed(zip(roles, shapes, of_weights, strict=True)),
    }


def support(layer: Any, shape: tuple[int, int, int], draw: Draw, draws: int = 2) -> dict[str, Any]:
    """Return which input pixels each output pixel depends on: (output height, width, input height, width) of 0 and 1.

    `by_gradient`: a random projection of the output pixel has a gradient there; `by_change`: the output pixel changes,
    bit by bit, when the input pixel does. Both are collected over `draws` inputs, since one may hide in a zero.
    """
    gradient: Array | None = None
    change: Array | None = None
    for number in range(draws):
        x = draw.normal(f"support {number}", *shape)
        layer(tf.constant(x[np.newaxis]))
        set_weights(layer, draw.seed + number)
        gradient = _either(gradient, _by_gradient(layer, x, draw, number))
        change = _either(change, _by_change(layer, x, draw, number))
    assert gradient is not None
    assert change is not None
    return {"by_gradient": gradient.astype(np.uint8), "by_change": change.astype(np.uint8)}


def _either(one: Array | None, other: Array) -> Array:
    return other if one is None else one | other


def _by_gradient(layer: Any, x: Array, draw: Draw, number: int) -> Array:
    """One copy of x per output pixel; each copy's loss looks at its own pixel, so one backward pass sees them all."""
    height, width = tensor(layer(tf.constant(x[np.newaxis]))).shape[1:3]
    pixels = height * width
    inputs = tf.constant(np.repeat(x[np.newaxis], pixels, axis=0))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = tensor(layer(inputs))  # (pixels, height, width, channels)
        own = tf.boolean_mask(tf.reshape(y, [pixels, pixels, -1]), np.eye(pixels, dtype=bool))  # (pixels, channels)
        projection = tf.reduce_sum(own * draw.signs(f"support signs {number}", *own.shape))
    gradient = tape.gradient(projection, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO).numpy()
    return np.asarray(np.any(gradient != 0, axis=-1)).reshape(height, width, *x.shape[:2])


def _by_change(layer: Any, x: Array, draw: Draw, number: int) -> Array:
    """One copy of x per input pixel with that pixel changed, against as many unchanged ones.

    A copy is compared with the unchanged one at its own place in the batch: the last bit may depend on that place.
    """
    height, width, channels = x.shape
    pixels = height * width
    same = np.repeat(x[np.newaxis], pixels, axis=0)
    changed = same.copy()
    step = draw.normal(f"support step {number}", pixels, channels)
    rows, columns = np.unravel_index(np.arange(pixels), (height, width))
    changed[np.arange(pixels), rows, columns] += step + 3 * np.sign(step)
    before, after = (tensor(layer(tf.constant(copies))).numpy() for copies in (same, changed))
    differs = np.any(before != after, axis=-1)  # (input pixels, output height, output width)
    return np.asarray(np.moveaxis(differs, 0, -1)).reshape(*before.shape[1:3], height, width)


def default_filter(layer: Any, x: Array) -> dict[str, Any]:
    """Return the size of a layer's filter (by the handout's attribute where it cannot run) and its output's height."""
    try:
        height = int(tensor(layer(tf.constant(x))).shape[1])
    except Exception:
        size = getattr(layer, "filter_size", None)
        if size is None:
            raise
        return {"size": [size, size] if isinstance(size, int) else [int(n) for n in size], "height": -1}
    kernels = [one for one in variables_of(layer) if role(one) == "kernel" and len(one.shape) == 4]
    return {"size": [int(n) for n in kernels[0].shape[:2]] if len(kernels) == 1 else [], "height": height}


def zeroed(layer: Any, x: Array, training: bool = False) -> dict[str, Any]:
    """Return the output of a layer whose weights are all zero, and the input that it was given."""
    inputs = tf.constant(x)
    layer(inputs)
    for variable in variables_of(layer):
        variable.assign(np.zeros(variable.shape, np.float32))
    y = called(layer, inputs, training) if training else tensor(layer(inputs)).numpy()
    return {"outputs": y, "inputs": x, **count(layer)}


def traced(layer: Any, x: Array, seed: int) -> dict[str, Any]:
    """Trace a layer with an unknown batch size, as `keras.Input` does; return outputs of two sizes, both ways."""
    layer(tf.constant(x))
    set_weights(layer, seed)
    spec = tf.TensorSpec([None, *x.shape[1:]], tf.float32)
    # Nothing is translated: AutoGraph would translate this line alone, and stop at Keras.
    function = tf.function(lambda inputs: tensor(layer(inputs)), input_signature=[spec], autograph=False)
    graph = function.get_concrete_function()
    sizes = {"whole batch": tf.constant(x), "one image": tf.constant(x[:1])}
    found = {name: graph(inputs).numpy() for name, inputs in sizes.items()}
    return found | {f"{name} untraced": tensor(layer(inputs)).numpy() for name, inputs in sizes.items()}


def initial_kernels(build: Callable[[], Any], shape: tuple[int, ...], draws: int = 2) -> dict[str, Any]:
    """Return the initial values of the kernels of `draws` fresh layers, one flat array a layer."""
    found: dict[str, Any] = {}
    for number in range(draws):
        layer = build()
        layer(tf.zeros(shape))
        kernels = [variable for variable in variables_of(layer) if role(variable) == "kernel"]
        values = [tf.convert_to_tensor(kernel).numpy().ravel() for kernel in kernels]
        found[f"kernels {number}"] = np.concatenate(values) if values else np.zeros(0, np.float32)
    return found
