"""Variables and layers of a Keras object, wherever it keeps them, and calls in training and outside of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from graders.probes.canonical import attributes, canonical, core_shapes, role_of, walk

Array = NDArray[Any]
_VARIABLES = (keras.Variable, tf.Variable)


def tensor(value: Any) -> Any:
    """Return a float32 tensor of what a student's code returned."""
    return tf.cast(tf.convert_to_tensor(value), tf.float32)


def variables_of(layer: Any) -> list[Any]:
    """Return every float variable of an object once, also those that Keras does not track (in plain objects)."""
    found: dict[int, Any] = {}
    for variable in _walk(layer, _VARIABLES, plain=True):
        if "float" in str(variable.dtype):
            found.setdefault(id(variable), variable)
    return list(found.values())


def inner(layer: Any, kind: type) -> list[Any]:
    """Return the layers of a kind that an object holds, each once, the nearest first and else in their order."""
    return list(_walk(layer, (kind,), plain=False))


def _walk(root: Any, kinds: tuple[type, ...], plain: bool) -> Iterator[Any]:
    """Yield what is of these kinds in layers and what they hold; `plain`: in objects Keras does not track, too."""

    def parts(thing: Any) -> list[Any]:
        if isinstance(thing, (keras.layers.Layer, tf.Module)):
            return [*thing.variables, *attributes(thing)]
        return attributes(thing) if plain else []

    return walk(root, lambda thing: isinstance(thing, kinds), parts)


def tracked_shapes(layer: Any) -> list[list[int]]:
    """Return the shapes of the trainable weights that training would reach, without axes of length one, sorted.

    Keras 2, which the handouts used, also tracks layers in nested lists and dicts, and plain variables.
    """
    variables = {id(one): one for one in _walk(layer, _VARIABLES, plain=False) if one.trainable}
    return core_shapes(one for one in variables.values() if "float" in str(one.dtype))


def set_weights(layer: Any, seed: int) -> None:
    """Overwrite every variable of a layer, which has been called once, by its canonical value."""
    for variable in variables_of(layer):
        variable.assign(canonical(role(variable), variable.shape, seed))


def role(variable: Any) -> str:
    """Return what a variable is for; see `canonical.role_of`."""
    return role_of(getattr(variable, "path", variable.name), variable.shape)


def called(layer: Any, inputs: Any, training: bool) -> Array:
    """Return the output as during training, where noise or dropout shows, or as outside of it.

    Keras hands the flag on to inner layers, even by a `call` without such an argument; a `__call__` of the student's
    own takes it only if it says so.
    """
    own = type(layer).__call__ is not keras.layers.Layer.__call__
    takes = not own or "training" in inspect.signature(type(layer).__call__).parameters
    return np.asarray(tensor(layer(inputs, training=training) if takes else layer(inputs)).numpy())
