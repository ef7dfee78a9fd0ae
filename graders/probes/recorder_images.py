"""What the recorder keeps of data and weights: numbered images, digests, per-image losses. NumPy and Pillow only."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.data import calligraphy

Array = NDArray[Any]
SIDE = 32
_THRESHOLD = 0.33  # where a grey image becomes the binary one of the same file (Section 4.1 of handout A)
_MOST = 60_000
_LEAST_PROBABILITY = 1e-7  # as Keras clips
_UNSEEN, _PART = 16, 2  # images that the notebook never saw, and their part; 0 and 1 are training and test images


class Images:
    """All different images that were seen, numbered from 0; a grey image has the number of its binary one."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._fresh: list[bytes] = []

    def note(self, x: Any) -> NDArray[np.int32]:
        """Return the numbers of a batch of images (n, 32, 32) or (n, 32, 32, 1); -1 each where it is not that."""
        pixels = frames_of(x)
        if pixels is None:
            return np.full(len(x) if getattr(x, "ndim", 0) else 0, -1, np.int32)
        packed = np.packbits(pixels >= _THRESHOLD, axis=1)  # (n, 128)
        return np.array([self._number(row.tobytes()) for row in packed], np.int32)

    def _number(self, packed: bytes) -> int:
        if packed not in self._numbers and len(self._numbers) < _MOST:
            self._numbers[packed] = len(self._numbers)
            self._fresh.append(packed)
        return self._numbers.get(packed, -1)

    def take(self) -> NDArray[np.uint8]:
        """Return the images that were numbered since the last time, bits packed (k, 128)."""
        fresh, self._fresh = self._fresh, []
        return np.frombuffer(b"".join(fresh), np.uint8).reshape(-1, SIDE * SIDE // 8)


def frames_of(x: Any) -> Array | None:
    """Return a batch of images as (n, 1024), None when it is none of that size."""
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) not in (3, 4) or shape[1:3] != (SIDE, SIDE) or shape[3:] not in ((), (1,)):
        return None
    return np.asarray(x).reshape(-1, SIDE * SIDE)


def unseen_images(seed: int) -> NDArray[np.float32]:
    """Return binary images (n, 32, 32, 1) of the kind of the data, none of which is in it."""
    from PIL import Image

    images = []
    for number in range(_UNSEEN):
        drawn = calligraphy.character(np.random.default_rng((seed, _PART, number)))
        small = Image.open(io.BytesIO(drawn)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        images.append(np.asarray(small) / 255 >= _THRESHOLD)
    return np.stack(images)[..., np.newaxis].astype(np.float32)


def padded(x: Any) -> Array | None:
    """Return a batch of images as (n, 1024), rows below that are not there yet being zeros; None when it is none."""
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) not in (3, 4) or not 0 < shape[1] <= SIDE or shape[2] != SIDE or shape[3:] not in ((), (1,)):
        return None
    given = np.asarray(x).reshape(len(x), -1)
    return np.pad(given, ((0, 0), (0, SIDE * SIDE - given.shape[1])))


def digest(variables: Iterable[Any]) -> list[str]:
    """Return one short hash a variable, of its values and its shape without axes of length one."""
    return [_hash(np.asarray(variable)) for variable in variables]


def _hash(values: Array) -> str:
    shape = [size for size in values.shape if size != 1]
    return hashlib.sha256(repr(shape).encode() + np.ascontiguousarray(values).tobytes()).hexdigest()[:12]


def losses_of(outputs: Any, targets: Any) -> tuple[NDArray[np.float32], bool]:
    """Return the binary cross-entropy of each image (n,) and whether the outputs had to be read as logits.

    Outputs that leave [0, 1] are logits: this is how a sigmoid that is missing or applied twice shows.
    """
    y, z = frames_of(targets), frames_of(outputs)
    if y is None or z is None or y.shape != z.shape:
        return np.full(len(targets), np.nan, np.float32), False
    y, z = y.astype(np.float64), z.astype(np.float64)
    if logits := bool(z.min(initial=0.0) < -1e-6 or z.max(initial=0.0) > 1 + 1e-6):
        each = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    else:
        p = z.clip(_LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        each = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return each.mean(axis=1).astype(np.float32), logits
