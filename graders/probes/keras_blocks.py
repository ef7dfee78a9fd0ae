"""Instruments for blocks and networks: their slopes, their regularisation, gradients of many weights in few numbers."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from graders.probes.canonical import canonical
from graders.probes.keras_weights import Array, called, inner, role, set_weights, tensor, variables_of

_GRADIENT = "gradient of "
_MANY, _SKETCH = 4096, 4  # weights of a key beyond which their gradient is sent as so many projections


def is_layer(thing: Any) -> bool:
    """Return whether a thing is a layer or a model already, where a class was expected."""
    return isinstance(thing, keras.layers.Layer)


@contextlib.contextmanager
def sloped(layer: Any, slopes: Sequence[float]) -> Iterator[None]:
    """Give the LeakyReLU layers that an object holds these slopes; an activation that is no layer stays as it is.

    The slopes are handed out one by one, the nearest layer first (`inner`), and from the start again where there are
    more layers than slopes.
    """
    leaky = inner(layer, keras.layers.LeakyReLU)
    before = [one.negative_slope for one in leaky]
    for at, one in enumerate(leaky):
        one.negative_slope = slopes[at % len(slopes)]
    try:
        yield
    finally:
        for one, slope in zip(leaky, before, strict=True):
            one.negative_slope = slope


def at_slopes(
    layer: Any, x: Array, seed: int, slopes: Mapping[str, Sequence[float]], neutral: bool = False
) -> dict[str, Array]:
    """Return the outputs as they are (`outputs`) and at several choices of slopes (`sloped`), by the same names.

    With `neutral` weights batch normalisation does nothing, nearly: kernels are canonical, gammas and variances one,
    all else zero. Whether a block normalises, and where, does not show then.
    """
    inputs = tf.constant(x)
    layer(inputs)
    (_set_neutral if neutral else set_weights)(layer, seed)
    found = {"outputs": tensor(layer(inputs)).numpy()}
    for name, values in slopes.items():
        with sloped(layer, values):
            found[name] = tensor(layer(inputs)).numpy()
    return found


def _set_neutral(layer: Any, seed: int) -> None:
    for variable in variables_of(layer):
        what, shape = role(variable), variable.shape
        one = np.ones if what in ("gamma", "variance") else np.zeros
        variable.assign(canonical(what, shape, seed) if what == "kernel" else one(shape, np.float32))


def regularised(layer: Any, x: Array, seed: int) -> dict[str, Any]:
    """Return the outputs of a layer outside of training and in it, of a batch and of its first image alone.

    The batch twice: what is random differs. `losses` are the sums of the losses that the layer adds by itself, with
    canonical weights and with all of them zero.
    """
    inputs, one = tf.constant(x), tf.constant(x[:1])
    layer(inputs)
    set_weights(layer, seed)
    calls = {
        "evaluated": (inputs, False),
        "evaluated again": (inputs, False),
        "evaluated alone": (one, False),
        "trained": (inputs, True),
        "trained again": (inputs, True),
        "trained alone": (one, True),
    }
    found: dict[str, Any] = {name: called(layer, *call) for name, call in calls.items()}
    losses = [_loss(layer)]
    for variable in variables_of(layer):
        variable.assign(np.zeros(variable.shape, np.float32))
    return found | {"losses": [*losses, _loss(layer)]}


def _loss(layer: Any) -> float:
    return float(sum(float(loss) for loss in getattr(layer, "losses", ())))


def sketched(measured: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return what `measure` did with the gradients of many weights as a few random projections each."""
    return {
        name: _projections(name, value, seed) if name.startswith(_GRADIENT) and value.size > _MANY else value
        for name, value in measured.items()
    }


def _projections(name: str, value: Array, seed: int) -> Array:
    """Return random projections (_SKETCH,) of an array, whose directions are a function of its name and the seed."""
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return np.stack([value.ravel() @ generator.standard_normal(value.size, np.float32) for _ in range(_SKETCH)])
