"""CIFAR-10 as mosaics without loss, for a machine that can be sent 64 MiB at a time: 60,000 images come to 102 MB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graders.data import cifar10
from graders.errors import UsageError

_ROW = 100  # images in a row and rows in a mosaic; WebP ends at 16,383 pixels
_LABELS = "labels.npz"


def write(data: Path, folder: Path) -> list[Path]:
    """Write the images of a data set into folder/0.webp, 1.webp, ..., 10,000 in each, and the labels beside them."""
    from PIL import Image

    train, test = cifar10.read(data)
    images = np.concatenate([train.images, test.images])
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / _LABELS, y_train=train.labels, y_test=test.labels)
    written = [folder / _LABELS]
    for number, start in enumerate(range(0, len(images), _ROW * _ROW)):
        written.append(folder / f"{number}.webp")
        Image.fromarray(_mosaic(images[start : start + _ROW * _ROW])).save(written[-1], lossless=True, quality=100)
    return written


def read(folder: Path) -> tuple[cifar10.Images, cifar10.Images]:
    """Return the data set of a folder of mosaics; raises UsageError where one is missing."""
    with np.load(folder / _LABELS) as labels:
        train, test = labels["y_train"], labels["y_test"]
    count = len(train) + len(test)
    files = [folder / f"{number}.webp" for number in range(-(-count // (_ROW * _ROW)))]
    if missing := [file.name for file in files if not file.exists()]:
        raise UsageError(f"{folder}: {', '.join(missing)} not there yet; send them as well")
    images = np.concatenate([_images(file) for file in files])[:count]
    return cifar10.Images(images[: len(train)], train), cifar10.Images(images[len(train) :], test)


def is_mosaics(folder: Path) -> bool:
    """Return whether a folder is one that `write` wrote."""
    return (folder / _LABELS).is_file()


def _mosaic(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, 32, 32, 3) in rows of a hundred, the end of the last one black."""
    side = cifar10.SIDE
    grid = np.zeros((-(-len(images) // _ROW) * _ROW, *images.shape[1:]), np.uint8)
    grid[: len(images)] = images
    rows = grid.reshape(-1, _ROW, side, side, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows.reshape(-1, _ROW * side, 3))


def _images(file: Path) -> NDArray[np.uint8]:
    from PIL import Image

    side = cifar10.SIDE
    with Image.open(file) as mosaic:
        pixels = np.asarray(mosaic.convert("RGB"))
    return pixels.reshape(-1, side, _ROW, side, 3).transpose(0, 2, 1, 3, 4).reshape(-1, side, side, 3)
