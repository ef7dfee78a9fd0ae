"""The instruments of TensorFlow for trained models, in the confined child."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def begin(seed: int, share: float, threads: int, device: str) -> None:
    """Seed everything, and take some threads; memory of a GPU is taken as it is needed, not all of it."""
    keras.utils.set_random_seed(seed)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU") if device == "cuda" else ():
        tf.config.experimental.set_memory_growth(gpu, True)


def after_steps(function: Callable[[], None] | None) -> None:
    """Do nothing: a step of a compiled graph calls nobody, so there is no curve."""


def is_model(value: Any) -> bool:
    """Return whether a thing is a network."""
    return isinstance(value, keras.Model)


def copied(model: Any) -> Any:
    """Refuse: a network of a class of one's own cannot be built again without knowing how."""
    raise TypeError(f"a {type(model).__name__} cannot be copied")


def with_weights(model: Any, content: bytes, device: str) -> Any:
    """Return a network with the weights of a file in the format of Keras; raises where they are those of another."""
    model(np.zeros((1, 32, 32, 3), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("w.weights.h5", "w.h5"):
            path = Path(folder, name)
            path.write_bytes(content)
            try:
                model.load_weights(path)
            except ValueError as error:
                problem = error
                continue
            return model
    raise problem


def asked(
    score: str, model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, order: Mapping[str, Any]
) -> NDArray[Any]:
    """Return the class scores of images (N, 32, 32, 3) of 0 to 255, prepared as handout B hands it out."""
    if score != "accuracy":
        raise NotImplementedError(f"no instruments for {score}")
    found = model(tf.constant(inputs.astype(np.float32) / 255), training=False)
    return np.ascontiguousarray(keras.ops.convert_to_numpy(found), np.float32)
