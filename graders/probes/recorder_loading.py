"""Where the recorder sees weights loaded and saved; a file of Keras 2 is loaded as Keras 2 does, where it must be.

A file in the layout of Keras 2 tells whose its weights are by their order alone. Keras 3 orders a layer's weights by
the creation of the layers in it, Keras 2 by the attributes that hold them, a list item by item. Code that makes one
block after the other fits the file in Keras 2, which the handout is written for, and gets a ValueError in Keras 3.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import h5py
import keras

from graders.probes.recorder import Recorder
from graders.probes.recorder_records import bound_arguments

Original = Callable[..., Any]


def load_weights(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Record what loading made of a model; where it fails, the shapes tell why."""
    if recorder.inside:
        return original(model, *args, **kwargs)
    path = str(bound_arguments(original, model, args, kwargs).get("filepath", ""))
    with recorder.recording(model, "load_weights", path=path[-100:]) as record:
        with recorder.quietly():
            record.details["has"] = [list(weight.shape) for weight in model.weights]
            with contextlib.suppress(OSError, KeyError):  # loading itself will say what is wrong with the file
                record.details["wants"] = _shapes_in(path)
        return original(model, *args, **kwargs)


def save_weights(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Record that weights were saved."""
    if recorder.inside:
        return original(model, *args, **kwargs)
    path = str(bound_arguments(original, model, args, kwargs).get("filepath", ""))
    with recorder.recording(model, "save_weights", path=path[-100:]):
        return original(model, *args, **kwargs)


def _shapes_in(path: str) -> list[list[int]]:
    """Return the shapes of the variables in a weights file of Keras 2, in the order in which they were created."""
    with h5py.File(path, "r") as file:
        layers = [file[name] for name in file.attrs.get("layer_names", ())]
        return [list(layer[name].shape) for layer in layers for name in layer.attrs.get("weight_names", ())]


def assign(
    recorder: Recorder, original: Original, layer: Any, weights: Sequence[Any], values: Sequence[Any], **kwargs: Any
) -> Any:
    """Give a layer the values of a file of Keras 2: in the order of Keras 3, or of Keras 2 where only that one fits."""
    with recorder.quietly():
        if not _fit(weights, values) and _fit(ordered := keras2_order(layer), values):
            weights = ordered
            recorder.reordered += 1
    return original(layer, weights, values, **kwargs)


def _fit(weights: Sequence[Any], values: Sequence[Any]) -> bool:
    return [tuple(one.shape) for one in weights] == [tuple(one.shape) for one in values]


def keras2_order(layer: Any) -> list[Any]:
    """Return a layer's weights as Keras 2 orders them: the trainable ones first, by the attributes that hold them."""
    layers = list({id(one): one for one in _tracked(layer)}.values())
    trainable = [weight for one in layers for weight in one._trainable_variables]
    return trainable + [weight for one in layers for weight in one._non_trainable_variables]


def _tracked(value: Any) -> Iterator[Any]:
    """Yield the layers in an attribute's value, each before those in it."""
    if isinstance(value, keras.layers.Layer):
        yield value
        inner = value.layers if isinstance(value, keras.Model) else _attributes(value)
        for each in inner:
            yield from _tracked(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tracked(each)
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _tracked(value[key])


def _attributes(layer: Any) -> list[Any]:
    """Return what the class of a student holds in a layer, in the order in which it was first set.

    Keras 3 and TensorFlow keep lists of a layer's layers beside these, in orders of their own.
    """
    return [value for name, value in vars(layer).items() if name not in _keras_own() and not name.startswith("_self_")]


@functools.cache
def _keras_own() -> frozenset[str]:
    return frozenset(vars(keras.layers.Layer()))
