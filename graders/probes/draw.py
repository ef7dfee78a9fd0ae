"""Inputs and sizes drawn from a seed: each is a pure function of (seed, item, name), whatever was drawn before it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Draw:
    """The inputs of one item's probe. The same seed gives the student's code and the reference the same inputs."""

    def __init__(self, seed: int, item: str, pictures: Sequence[bytes] = ()) -> None:
        self.seed, self.item, self.pictures = seed, item, tuple(pictures)

    def _generator(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.item}/{name}".encode())])

    def normal(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return standard normal numbers of that shape."""
        return self._generator(name).standard_normal(shape).astype(np.float32)

    def signs(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return -1 or 1, each as likely, in an array of that shape."""
        return np.where(self._generator(name).random(shape) < 0.5, -1, 1).astype(np.float32)

    def choose(self, name: str, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self._generator(name).integers(len(options)))]

    def integers(self, name: str, low: int, high: int, *shape: int) -> NDArray[Any]:
        """Return integers from low to high, high not included."""
        return np.asarray(self._generator(name).integers(low, high, shape))

    def order(self, name: str, number: int) -> list[int]:
        """Return the numbers from 0 to `number`, not included, in some order."""
        return [int(place) for place in self._generator(f"order of {name}").permutation(number)]
