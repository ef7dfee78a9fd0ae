"""What the notebooks of handout C look for, small: CIFAR-10 with few horses in it, and the 24 colours. NumPy only.

The handout's loader wants ten thousand images in every batch and keeps the horses. Here most of these are one image
many times: a batch says so instead of holding them, and takes no more room than the few that differ.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.data.cifar10 import CLASSES, PYTHON, picture

HORSE = CLASSES.index("horse")
TRAIN, TEST = 200, 100  # horses: two steps an epoch with the handout's batches, one batch for the validation
COLOURS = 24
_BATCHES, _BATCH = 5, 10_000  # batches for training, images in each
Pixels = NDArray[np.uint8]


def draw(folder: Path, seed: int) -> None:
    """Write the data below folder/data: CIFAR-10 as its archive unpacks, the archives, the colours; cifar10.npz.

    Each image is a function of the seed, its part and its number.
    """
    data = folder / "data"
    train, test = _horses(seed, 0, TRAIN), _horses(seed, 1, TEST)
    others = np.stack([picture(label, np.random.default_rng((seed, 2, label))) for label in _OTHERS])
    unpacked = data / PYTHON
    unpacked.mkdir(parents=True)
    for number, part in enumerate(np.array_split(train, _BATCHES), start=1):
        _write_batch(unpacked / f"data_batch_{number}", part, others)
    _write_batch(unpacked / "test_batch", test, others)
    (unpacked / "batches.meta").write_bytes(pickle.dumps({b"label_names": [name.encode() for name in CLASSES]}))
    (data / "colours").mkdir()
    np.save(data / "colours" / "colour_kmeans24_cat7.npy", colours_of(train)[None])
    for name in (PYTHON, "colours"):
        _pack(data / f"{name}.tar.gz", data / name)
    _write_arrays(data / "cifar10.npz", train, test, others)


_OTHERS = tuple(label for label in range(len(CLASSES)) if label != HORSE)


def _horses(seed: int, part: int, count: int) -> Pixels:
    """Return horses (count, 32, 32, 3)."""
    return np.stack([picture(HORSE, np.random.default_rng((seed, part, number))) for number in range(count)])


def colours_of(images: Pixels) -> NDArray[np.float64]:
    """Return colours (24, 3) between 0 and 1 that lie far from each other: each pixel is the farthest from the last."""
    pixels = images.reshape(-1, 3)[::7] / 255.0
    chosen = [pixels[0]]
    nearest = np.full(len(pixels), np.inf)
    while len(chosen) < COLOURS:
        nearest = np.minimum(nearest, ((pixels - chosen[-1]) ** 2).sum(axis=1))
        chosen.append(pixels[nearest.argmax()])
    return np.stack(chosen)


class _Repeated:
    """Rows that are pickled with how often each stands there: NumPy makes the array of it when it is loaded."""

    def __init__(self, rows: Pixels, times: NDArray[np.int64]) -> None:
        self.parts = rows, times, 0

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return np.repeat, self.parts


def _write_batch(path: Path, horses: Pixels, others: Pixels) -> None:
    """Write a batch of the size of a published one: the horses once, the others as often as it takes."""
    rest = _BATCH - len(horses)
    times = np.array([1] * len(horses) + [len(part) for part in np.array_split(np.arange(rest), len(others))])
    rows = np.concatenate([horses, others]).transpose(0, 3, 1, 2).reshape(len(times), -1)
    labels = np.repeat([HORSE] * len(horses) + list(_OTHERS), times)
    batch = {b"data": _Repeated(rows, times), b"labels": labels.tolist(), b"batch_label": path.name.encode()}
    path.write_bytes(pickle.dumps(batch, protocol=4))


def _pack(path: Path, folder: Path) -> None:
    """Write a folder into an archive, without times and owners: it is the same every time."""
    with gzip.GzipFile(path, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for file in sorted(folder.rglob("*")):
            content = file.read_bytes()
            entry = tarfile.TarInfo(f"{folder.name}/{file.name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _write_arrays(path: Path, train: Pixels, test: Pixels, others: Pixels) -> None:
    """Write the data as the template reads them: x_train, y_train, x_test, y_test."""
    arrays = {}
    for name, horses in (("train", train), ("test", test)):
        arrays[f"x_{name}"] = np.concatenate([horses, others])
        arrays[f"y_{name}"] = np.array([HORSE] * len(horses) + list(_OTHERS), np.uint8)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type] # its stub takes the arrays for allow_pickle
