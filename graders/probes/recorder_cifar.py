"""What a rehearsal of handout B puts in place: CIFAR-10 as it lies in the working folder, and narrow convolutions."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from graders.data import cifar10

Replace = Callable[[Any, str, Any], None]
_LEAST = 16  # channels; fewer stay as they are


def attach(replace: Replace) -> list[int]:
    """Let Keras hand out the set in the working folder; return how many images it has for training and for the test.

    Where there is none, Keras is left alone, and [] returned.
    """
    if not Path(cifar10.PYTHON).is_dir():
        return []
    train, test = cifar10.read(Path())

    def load_data() -> Any:
        """Return the images (N, 32, 32, 3) of 0 to 255 and their labels (N, 1), for training and for the test."""
        return tuple((one.images.copy(), one.labels[:, None].copy()) for one in (train, test))

    for module in (keras.datasets.cifar10, tf.keras.datasets.cifar10):
        replace(module, "load_data", load_data)
    return [len(train.labels), len(test.labels)]


def narrow(replace: Replace, part: int) -> None:
    """Let each convolution have only an n-th of the channels that it is asked for.

    What is equal stays equal, so that blocks fit together as before. A layer that is made from the configuration of
    another has its channels already.
    """
    restoring = 0
    initialize, restore = keras.layers.Conv2D.__init__, keras.layers.Conv2D.from_config.__func__

    @functools.wraps(initialize)
    def initialize_narrow(layer: Any, filters: Any, *args: Any, **kwargs: Any) -> None:
        asked = int(filters) if isinstance(filters, Integral) else 0
        wide = asked >= _LEAST and asked % part == 0
        initialize(layer, asked // part if wide and not restoring else filters, *args, **kwargs)

    initialize_narrow.__signature__ = inspect.signature(initialize)  # type: ignore[attr-defined] # Keras reads it

    @functools.wraps(restore)
    def restore_as_it_was(cls: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal restoring
        restoring += 1
        try:
            return restore(cls, *args, **kwargs)
        finally:
            restoring -= 1

    replace(keras.layers.Conv2D, "__init__", initialize_narrow)
    replace(keras.layers.Conv2D, "from_config", classmethod(restore_as_it_was))
