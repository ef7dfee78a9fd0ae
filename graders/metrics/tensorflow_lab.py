"""The instruments of TensorFlow for trained models, in the confined child."""

from __future__ import annotations

import ctypes
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.eager import context

from graders.metrics import prepared, tensorflow_watch, weights_files
from graders.metrics.tensorflow_watch import Trained, Watch
from graders.probes import keras2, legacy
from graders.probes.keras_weights import called

_BATCH = 64  # inputs that a network gets at once
_SIDE = 32  # pixels of what a network of handout A sees
_watch = Watch()


@dataclass(frozen=True)
class Other:
    """A network with values for its weights that are not those that it has now."""

    model: Any
    values: tuple[NDArray[Any], ...] = ()


def begin(seed: int, share: float, threads: int, device: str) -> None:
    """Take a share of the GPU's memory or some threads, seed everything, and begin to note what is trained."""
    if device == "cuda":
        _take_share(share)
    else:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(seed % 2**32)
    legacy.restore()
    _restore_keras2()
    tensorflow_watch.listen(_watch)


def _restore_keras2() -> None:
    """Bring back what Keras 2 had: scripts may set the number of a data set's batches, which trainings read."""
    told = vars(keras.utils.PyDataset).get("num_batches")
    keras2.restore()
    if isinstance(told, property):
        keras.utils.PyDataset.num_batches = _apart(told, "_own_num_batches")


def _apart(told: property, name: str) -> property:
    """Return an attribute that Keras reads as it is told, and a script as it set it."""

    def read(thing: Any) -> Any:
        by_keras = sys._getframe(1).f_globals["__name__"].startswith("keras.")
        return vars(thing)[name] if name in vars(thing) and not by_keras else told.__get__(thing)

    return property(read, lambda thing, value: vars(thing).update({name: value}))


def _take_share(share: float) -> None:
    """Let TensorFlow have a share of the first GPU's memory: of its own accord it takes all that is free."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise RuntimeError("TensorFlow sees no GPU; its own libraries of CUDA may be missing: pip install graders[gpu]")
    limit = int(_gpu_bytes() * share) >> 20
    tf.config.set_logical_device_configuration(gpus[0], [tf.config.LogicalDeviceConfiguration(memory_limit=limit)])
    tf.config.set_visible_devices(gpus[:1], "GPU")


def _gpu_bytes() -> int:
    """Return the memory of the first GPU that this process may see, as its driver tells it."""
    driver, device, total = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(), ctypes.c_size_t()
    answers = (
        driver.cuInit(0),
        driver.cuDeviceGet(ctypes.byref(device), 0),
        driver.cuDeviceTotalMem_v2(ctypes.byref(total), device),
    )
    if any(answers):
        raise RuntimeError(f"the GPU's driver does not tell its memory: errors {answers}")
    return total.value


def after_steps(function: Callable[[], None] | None) -> None:
    """Have a function called after every step of an optimizer, None no longer; what it raises is let go."""
    _watch.after_step = function


# Finding networks -----------------------------------------------------------------------------------------------------


def found(namespace: Mapping[str, Any], target: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the networks of a target's class, or with layers of it, and their names, the likeliest first.

    Those that were trained, also in functions: the first of all and the first that a name leads to, since trials, other
    sizes and other losses may come after it; of a training by sampling the last ones, since such a training may fail.
    Where none was, those that weights were loaded into, or whose weights the script may have changed by gradients of
    its own, the last bound first; networks as they were built are nobody's result.
    """
    names = {id(value): name for name, value in list(namespace.items()) if isinstance(value, keras.Model)}
    how = str(target.get("training", ""))
    trained = [one for one in _watch.trained.values() if one.was_trained(how)]
    trained = [one for one in trained if _has(one.model, target["class"])] or trained
    if how == "sampling":
        trained.reverse()
    reachable = [one for one in trained if id(one.model) in names]
    chosen = {id(one): one for one in (*trained[:1], *reachable[:1])}
    if chosen:
        return [(names.get(id(one.model), "a network in a function"), _state(one, how)) for one in chosen.values()]
    models = [] if how else [(name, value) for name, value in namespace.items() if isinstance(value, keras.Model)]
    changed = [pair for pair in models if _watch.differentiated or id(pair[1]) in _watch.loaded]
    return [pair for pair in reversed(changed) if _has(pair[1], target["class"])]


def _state(one: Trained, how: str) -> Any:
    """Return a network as a training left it: one that was trained in another way afterwards is as it was before."""
    return Other(one.model, one.before) if how == "plain" and one.before else one.model


def _has(model: Any, name: str) -> bool:
    return any(type(layer).__name__ == name for layer in model._flatten_layers(include_self=True, recursive=True))


# Weights --------------------------------------------------------------------------------------------------------------


def copied(model: Any) -> Other:
    """Return a network of the same make, for other weights: layers of a student's own cannot be copied."""
    return Other(model.model if isinstance(model, Other) else model)


def with_weights(model: Any, content: bytes, device: str) -> Any:
    """Return a network with the weights of a file, all of them; raises where they are those of another.

    A layer alone gets the convolution and the sigmoid that handout A puts behind it.
    """
    network = model.model if isinstance(model, Other) else model
    if isinstance(model, Other) and _watch.saved.get(weights_files.digest(content)) != id(network):
        raise TypeError("it was not saved by this network: it is another's, or was handed out")
    problem: Exception = TypeError(f"no network, but a {type(network).__name__}")
    for make in (_built, _headed):
        try:
            whole = make(network)
            return Other(whole, _loaded(whole, content))
        except Exception as error:
            problem = error if make is _built or not isinstance(network, keras.Model) else problem
    raise problem


def _built(network: Any) -> Any:
    """Return a network whose variables are there: those of a class of a student's own are made when it is called."""
    if not isinstance(network, keras.Model):
        raise TypeError(f"a {type(network).__name__}, no network")
    if not network.built or not network.weights:
        network(tf.zeros((1, _SIDE, _SIDE, 3)), training=False)
    return network


def _headed(network: Any) -> Any:
    """Return the network of handout A, Section 4.2.2, around what its steps 1 to 5 make."""
    inputs = keras.Input((_SIDE, _SIDE, 1))
    return keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(network(inputs)))


def _loaded(network: Any, content: bytes) -> tuple[NDArray[Any], ...]:
    """Return the values that a file has for a network's weights; the network keeps its own."""
    kind, content = weights_files.kind(content)
    weights_files.check(content, [tuple(weight.shape) for weight in network.weights if "float" in str(weight.dtype)])
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder, _kept(network):
        path = Path(folder, f"handed_in{kind}")
        path.write_bytes(content)
        network.load_weights(str(path))
        return _values(network)


def _values(network: Any) -> tuple[NDArray[Any], ...]:
    return tuple(np.array(weight) for weight in network.weights)


@contextmanager
def _kept(network: Any, values: tuple[NDArray[Any], ...] = ()) -> Iterator[None]:
    """Give a network other values for a while, none for its own; in the end it has its own."""
    own = _values(network)
    try:
        _assign(network, values)
        yield
    finally:
        _assign(network, own)


def _assign(network: Any, values: tuple[NDArray[Any], ...]) -> None:
    for weight, value in zip(network.weights, values, strict=False):  # no values leave all as it is
        weight.assign(value)


# Asking ---------------------------------------------------------------------------------------------------------------


def asked(
    score: str, model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, order: Mapping[str, Any]
) -> NDArray[Any]:
    """Return the raw outputs of a network outside of training for inputs (N, ...).

    No tape hears of it, and all noise stays as it would have been.
    """
    network, values = (model.model, model.values) if isinstance(model, Other) else (model, ())
    made = _PREPARED[score](inputs, data)
    with tf.init_scope(), _watch.deaf(), _undrawn(), _kept(network, values) if values else nullcontext():
        parts = [
            called(network, tf.constant(made[start : start + _BATCH]), training=False)
            for start in range(0, len(made), _BATCH)
        ]
    return np.ascontiguousarray(np.concatenate(parts))


@contextmanager
def _undrawn() -> Iterator[None]:
    """Put back in the end where the random numbers were."""
    own = context.context()._rng  # of operations without a seed of their own
    states = random.getstate(), np.random.get_state(), own.getstate()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        own.setstate(states[2])


def _pixels(inputs: NDArray[Any], data: Any) -> NDArray[Any]:
    """Return binarised images (N, 32, 32, 1) as Section 4.1 of handout A has them."""
    return inputs.astype(np.float32)


def _images(inputs: NDArray[Any], data: Any) -> NDArray[Any]:
    """Return images (N, 32, 32, 3) of 0 to 255 as the script prepares its own."""
    arrays = vars(sys.modules["__main__"]).values()
    return prepared.as_the_script_does(inputs, data.arrays, arrays, _watch.batch)


_PREPARED: Mapping[str, Callable[[NDArray[Any], Any], NDArray[Any]]] = {"pixels": _pixels, "accuracy": _images}
