"""CIFAR-10 in the two formats that it is published in, or packed; artificial images in the same format. NumPy only.

The real data set is not ours to ship: handout B downloads it. What is drawn here has its size, its format and ten
classes that a small network can tell apart, no meaning.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.errors import UsageError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE, CHANNELS = 32, 3
PYTHON, BINARY = "cifar-10-batches-py", "cifar-10-batches-bin"  # the folders that the archives unpack to
PACKED = "cifar10.npz"  # x_train, y_train, x_test, y_test
_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST = "test_batch"
_PIXELS = SIDE * SIDE * CHANNELS
_MOST_BYTES = 64 << 20  # of one file: twice the size of a published one, whatever a forged one asks for


@dataclass(frozen=True)
class Images:
    """Images (N, 32, 32, 3) of 0 to 255 and their labels (N,) of 0 to 9, both uint8."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def read(folder: Path) -> tuple[Images, Images]:
    """Return the images for training and for the test of a folder that holds the data set in one of its formats.

    The folder is the one that an archive unpacks to, or the one above it; a file that `graders data pack` wrote will do
    as well, or a folder with such a cifar10.npz in it. Raises UsageError in one line that names the file and what is
    wrong with it. A batch of the Python format is a pickle: nothing is called that is in one.
    """
    for packed in (folder, folder / PACKED):
        if packed.suffix == ".npz" and packed.is_file():
            return _packed(packed)
    for name, ending, parse in ((PYTHON, "", _python), (BINARY, ".bin", _binary)):
        for place in (folder, folder / name):
            if (place / f"{_TEST}{ending}").is_file():
                files = [place / f"{batch}{ending}" for batch in _TRAIN]
                train = [parse(file) for file in files if file.is_file()]
                if not train:
                    raise UsageError(f"{files[0]}: not there; unpack the whole archive of CIFAR-10")
                return _joined(train), parse(place / f"{_TEST}{ending}")
    mend = "`graders data fetch cifar10 -o FOLDER` gets it"
    raise UsageError(f"{folder}: no CIFAR-10 in it: neither {PYTHON}/{_TEST} nor {BINARY}/{_TEST}.bin; {mend}")


def _packed(path: Path) -> tuple[Images, Images]:
    """Return the images of a file of NumPy: x_train, y_train, x_test and y_test."""
    parts = []
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = [(file[f"x_{part}"], file[f"y_{part}"].reshape(-1)) for part in ("train", "test")]
    except Exception as error:  # what a broken file can raise has no end
        raise UsageError(f"{path}: no packed CIFAR-10 ({type(error).__name__}: {error}); pack it again") from None
    for images, labels in parts:
        if (
            images.dtype != np.uint8
            or images.shape != (len(labels), SIDE, SIDE, CHANNELS)
            or labels.dtype.kind not in "iu"
        ):
            raise UsageError(f"{path}: not CIFAR-10: images of {images.shape[1:]} and {images.dtype}; pack it again")
        if np.any((labels < 0) | (labels >= len(CLASSES))):
            raise UsageError(f"{path}: a label that is not between 0 and {len(CLASSES) - 1}")
    train, test = (Images(images, labels.astype(np.uint8)) for images, labels in parts)
    return train, test


def _joined(parts: list[Images]) -> Images:
    return Images(np.concatenate([one.images for one in parts]), np.concatenate([one.labels for one in parts]))


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise UsageError(f"{path}: larger than any batch of CIFAR-10; unpack the archive again")
    return path.read_bytes()


# The binary version: a byte of the label, then the planes of red, green and blue --------------------------------------


def _binary(path: Path) -> Images:
    data = np.frombuffer(_bytes(path), np.uint8)
    if not data.size or data.size % (1 + _PIXELS):
        raise UsageError(f"{path}: {data.size} bytes are no whole number of records of {1 + _PIXELS} bytes")
    records = data.reshape(-1, 1 + _PIXELS)
    return _checked(path, records[:, 1:], records[:, 0])


def _checked(path: Path, planes: NDArray[np.uint8], labels: NDArray[Any]) -> Images:
    """Return planes (N, 3072) as images (N, 32, 32, 3) with their labels."""
    if np.any((labels < 0) | (labels >= len(CLASSES))):
        raise UsageError(f"{path}: a label that is not between 0 and {len(CLASSES) - 1}")
    images = planes.reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return Images(np.ascontiguousarray(images), labels.astype(np.uint8))


# The Python version: a pickled dictionary of planes and labels --------------------------------------------------------

# An array's pickle names these, in the words of the NumPy that wrote it, and nothing else.
_RECONSTRUCT = np.zeros(0).__reduce__()[0]
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _Arrays(pickle.Unpickler):
    """Reads pickles of plain data and arrays; a pickle that names anything else is refused before it is called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _ALLOWED[module, name]


def _python(path: Path) -> Images:
    try:
        batch = _Arrays(io.BytesIO(_bytes(path)), encoding="bytes").load()
        planes, labels = batch[b"data"], np.asarray(batch[b"labels"])
    except UsageError:
        raise
    except Exception as error:  # what a forged file can raise has no end
        raise UsageError(f"{path}: no batch of CIFAR-10 ({type(error).__name__}: {error})") from None
    fits = isinstance(planes, np.ndarray) and planes.dtype == np.uint8 and planes.shape == (len(planes), _PIXELS)
    if not fits or labels.dtype.kind not in "iu" or labels.shape != (len(planes),) or not len(planes):
        raise UsageError(f"{path}: no batch of CIFAR-10: it wants data of N x {_PIXELS} bytes and N labels")
    return _checked(path, planes, labels)


def write(folder: Path, train: Images, test: Images) -> None:
    """Write a data set in the Python version of the format into folder/cifar-10-batches-py.

    The images for training are cut into five batches. Raises UsageError where something is already.
    """
    place = folder / PYTHON
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place}: there is something already; remove it or give another folder")
    place.mkdir(parents=True, exist_ok=True)
    cuts = np.array_split(np.arange(len(train.labels)), len(_TRAIN))
    for name, cut in zip(_TRAIN, cuts, strict=True):
        _write_batch(place / name, Images(train.images[cut], train.labels[cut]))
    _write_batch(place / _TEST, test)
    meta = {b"label_names": [name.encode() for name in CLASSES], b"num_vis": _PIXELS}
    (place / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))


def _write_batch(path: Path, part: Images) -> None:
    planes = np.ascontiguousarray(part.images.transpose(0, 3, 1, 2)).reshape(-1, _PIXELS)
    batch = {b"data": planes, b"labels": [int(label) for label in part.labels], b"batch_label": path.name.encode()}
    path.write_bytes(pickle.dumps(batch, protocol=4))


# Artificial images ----------------------------------------------------------------------------------------------------


def draw(folder: Path, train: int, test: int, seed: int) -> None:
    """Write an artificial data set of so many images, ten classes in turn, in the Python version of the format.

    Each image is a function of the seed, its part and its number. Raises UsageError where something is already.
    """
    parts = []
    for part, count in enumerate((train, test)):
        labels = (np.arange(count) % len(CLASSES)).astype(np.uint8)
        generators = [np.random.default_rng((seed, part, number)) for number in range(count)]
        images = np.stack([picture(int(label), one) for label, one in zip(labels, generators, strict=True)])
        parts.append(Images(images, labels))
    write(folder, *parts)


def picture(label: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return an image (32, 32, 3) of a class: stripes of its direction and its colour, with a bright spot."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    angle = np.pi * label / len(CLASSES) + random.normal(0.0, 0.06)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    stripes = 0.5 + 0.5 * np.sin(2 * np.pi * (random.uniform(2.5, 3.5) * along + random.random()))
    turn = 2 * np.pi * (label / len(CLASSES) + np.array([0.0, 1 / 3, 2 / 3]))
    colour = 0.5 + 0.3 * np.cos(turn) + random.normal(0.0, 0.06, CHANNELS)
    spot = np.exp(-((rows - random.random()) ** 2 + (columns - random.random()) ** 2) / random.uniform(0.005, 0.03))
    image = colour * (0.5 + 0.5 * stripes[..., None]) + random.uniform(0.1, 0.4) * spot[..., None]
    noisy = image + random.normal(0.0, 0.05, image.shape)
    return np.asarray((noisy * 255).clip(0, 255), np.uint8)
