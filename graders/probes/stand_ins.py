"""Stand-ins that a training step is handed in place of model, optimizer and buffer; they note how they are used.

The model is linear in its input, so that a judge can compute losses and gradients from the notes in closed form. It
has no product of matrices, whose precision a graphics card may lower. No expected value is in here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Array = NDArray[Any]


def constant(array: Array) -> Any:
    """Return an array as a tensor of its type, as a data set hands out its batches."""
    return tf.constant(array)


def _array(value: Any) -> Array:
    """Return what a student's code made, a tensor, a variable or an array, as an array of its own."""
    return np.array(tf.convert_to_tensor(value).numpy())


def batches(images: Array, labels: Array, size: int) -> Any:
    """Return a data set of batches of images and labels; the last one may be smaller."""
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(size)


@contextlib.contextmanager
def watched(array: Array) -> Iterator[tuple[Any, Callable[[Any], Array]]]:
    """Yield an array as a tensor, and a function for after the block.

    It returns the gradient of the sum of what it is given with respect to the array, zero where there is none.
    """
    tensor = tf.constant(array)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(tensor)

        def gradient(values: Any) -> Array:
            if not tf.is_tensor(values):
                return np.zeros_like(array)
            found = tape.gradient(values, tensor)
            return np.zeros_like(array) if found is None else _array(found)

        yield tensor, gradient


class _Notes:
    """What a stand-in saw; a plain object, in which Keras looks for nothing."""

    def __init__(self) -> None:
        self.features: list[Array] = []
        self.patches: list[Array] = []
        self.training: list[int] = []  # 1 or 0 as it was told, -1 where it was not


def _whole(images: Any) -> Any:
    return images


class LinearModel(keras.Model):  # type: ignore[misc] # Keras has no types
    """Logits (B, classes) of images (B, H, W, C): features @ kernel + bias + frozen, features as in `features`.

    `weights` are arrays: signs (H * W * C), kernel (features, classes), bias and frozen (classes); the last one is not
    trainable. `patch` cuts from an image what is kept of it.
    """

    def __init__(self, weights: Mapping[str, Array], patch: Callable[[Any], Any] = _whole) -> None:
        super().__init__()
        self.num_classes = len(weights["bias"])
        self.notes, self.patch = _Notes(), patch
        self.signs = tf.constant(weights["signs"], tf.float32)
        self.kernel = self._weight("kernel", weights["kernel"])
        self.bias = self._weight("bias", weights["bias"])
        self.frozen = self._weight("frozen", weights["frozen"], trainable=False)
        self.built = True

    def _weight(self, name: str, value: Array, trainable: bool = True) -> Any:
        start = keras.initializers.Constant(value)
        return self.add_weight(shape=value.shape, initializer=start, trainable=trainable, name=name)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the logits; where operations run at once, note the input and whether it is told to train."""
        inputs = tf.cast(inputs, tf.float32)
        number = self.kernel.shape[0]
        rows = tf.reshape(inputs, [-1, self.signs.shape[0]]) * self.signs
        features = tf.reduce_sum(tf.reshape(rows, [-1, self.signs.shape[0] // number, number]), axis=1)
        if tf.executing_eagerly():
            self.notes.features.append(features.numpy())
            self.notes.patches.append(_array(self.patch(inputs)))
            self.notes.training.append(-1 if training is None else int(bool(training)))
        logits = tf.reduce_sum(features[:, :, tf.newaxis] * tf.convert_to_tensor(self.kernel)[tf.newaxis], axis=1)
        return logits + tf.convert_to_tensor(self.bias) + tf.convert_to_tensor(self.frozen)

    def seen(self) -> dict[str, Any]:
        """Return the rows of all calls in order, features and patches, and the training flag of each call."""
        calls = self.notes
        return {
            "features": np.concatenate([*calls.features, np.zeros((0, self.kernel.shape[0]), np.float32)]),
            "patches": _rows(calls.patches),
            "training": calls.training,
        }

    def values(self) -> dict[str, Array]:
        """Return the weights as they are now."""
        return {name: _array(getattr(self, name)) for name in ("kernel", "bias", "frozen")}


def _rows(patches: Sequence[Array]) -> Array:
    """Return all patches as rows (images, values); a call with another number of pixels is left out."""
    flat = [patch.reshape(len(patch), -1) for patch in patches]
    sizes = [rows.shape[1] for rows in flat]
    same = [rows for rows in flat if rows.shape[1] == max(sizes)]
    return np.concatenate(same) if same else np.zeros((0, 0), np.float32)


class RecordingOptimizer(keras.optimizers.SGD):  # type: ignore[misc] # as above
    """Plain gradient descent that notes every gradient that it is to apply, and to which variable."""

    def __init__(self) -> None:
        super().__init__(learning_rate=0.125)
        self.applied: list[list[tuple[Any, Any]]] = []

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Note the gradients, then apply them; all other ways to apply lead here."""
        grads = list(grads)
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        self.applied.append(list(zip(variables, grads, strict=False)))
        return super().apply(grads, trainable_variables)

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> Any:
        """Do what the optimizers of Keras 2 did."""
        variables = list(var_list() if callable(var_list) else var_list)
        if callable(loss):
            with tf.GradientTape() as tape:
                loss = loss()
        return self.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def seen(self, model: LinearModel) -> dict[str, Any]:
        """Return the gradients of the first update by the model's names, and which variables each update was for."""
        names = {id(getattr(model, name)): name for name in ("kernel", "bias", "frozen")}
        updates = [[names.get(id(variable), "other") for variable, _ in update] for update in self.applied]
        first = zip(updates[0], self.applied[0], strict=True) if updates else ()
        found = {f"gradient of {name}": _array(g) for name, (_, g) in first if g is not None}
        return {"updates": updates, **found}


class RecordingBuffer:
    """A sample buffer that hands out the samples it was made with, in order, and notes what is asked of it.

    Its methods take their arguments by any name.
    """

    def __init__(self, samples: Array, ids: Array, n_class: int) -> None:
        self.samples, self.ids = samples, ids
        self.sample_shape, self.n_class, self.dtype = samples.shape[1:], n_class, samples.dtype
        self.max_samples = 10000
        self.buffer = list(zip(samples, ids, strict=True))
        self.asked: list[int] = []
        self.added: list[tuple[Array, Array]] = []

    def sample_from_buffer(self, *args: Any, **kwargs: Any) -> Any:
        """Return as many images and labels as asked for."""
        number = int([*args, *kwargs.values()][0])
        self.asked.append(number)
        places = np.arange(number) % len(self.samples)
        return tf.constant(self.samples[places]), tf.constant(self.ids[places])

    def add_to_buffer(self, *args: Any, **kwargs: Any) -> None:
        """Note what is added."""
        images, ids = [*args, *kwargs.values()][:2]
        self.added.append((_array(images), _array(ids)))

    def __len__(self) -> int:
        return len(self.buffer)

    def seen(self) -> dict[str, Any]:
        """Return how many samples were asked for in each call, how often some were added, and the last of these."""
        images, ids = self.added[-1] if self.added else (np.zeros(0), np.zeros(0))
        return {"asked": self.asked, "additions": len(self.added), "added images": images, "added labels": ids}
