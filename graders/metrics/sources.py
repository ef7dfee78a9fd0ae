"""Where an assignment's data come from: what its scripts get of them, and what their models are asked. NumPy only.

A source lays files as they lie around a script, below its working folder; what it does not lay is held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graders.data import cifar10
from graders.errors import UsageError
from graders.metrics import folders
from graders.metrics.scores import Asked

Which: TypeAlias = NDArray[np.intp]  # of the test set's images, by their numbers
PACKED = f"data/{cifar10.PACKED}"


@dataclass(frozen=True)
class Source:
    """The data of an assignment, read and checked.

    `labels` (N,) are those of its test set, by which it is split: all 0 where there are none. `ask(which)` returns what
    a model is asked about some of them, `lay(folder, which)` writes what scripts get: all that is trained on, and some
    of the test set. With `hinted` the answers go to the model, too. `control(inputs, random)` makes inputs that no
    right model does well on. `targets` map kinds of paths that scripts name (`graders.execute.paths`) to what is laid.
    `whole` says that the test set is all there is: a fifth of it is held out, and scripts get the rest to train on.
    """

    labels: NDArray[Any]
    ask: Callable[[Which], Asked]
    lay: Callable[[Path, Which], None]
    hinted: bool = False
    control: Callable[[NDArray[Any], np.random.Generator], NDArray[Any]] | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False


# CIFAR-10 -------------------------------------------------------------------------------------------------------------


def _images(data: Path) -> Source:
    """Ask for the images themselves; their classes are told, since a CVAE wants them."""
    train, test = cifar10.read(data)
    ask = lambda which: Asked(test.images[which], test.labels[which])  # noqa: E731 - one line of its own
    return Source(test.labels, ask, _packed(train, test), hinted=True, control=_scattered)


def _classes(data: Path) -> Source:
    """Ask for the classes of images."""
    train, test = cifar10.read(data)
    ask = lambda which: Asked(test.images[which], test.labels[which])  # noqa: E731 - one line of its own
    return Source(test.labels, ask, _packed(train, test))


def _characters(data: Path) -> Source:
    from graders.metrics.calligraphy import characters  # which builds on this module

    return characters(data)


def _colours(data: Path) -> Source:
    """Ask for the colours of grey horses: of each pixel that of 24 clusters of the training's pixels, as handed out."""
    train, test = cifar10.read(data)
    centres = clusters(_horses(train))

    def ask(which: Which) -> Asked:
        horses = _horses(cifar10.Images(test.images[which], test.labels[which]))
        return Asked(horses.mean(axis=1, keepdims=True), _nearest(horses, centres))

    return Source(test.labels, ask, _packed(train, test))


def _packed(train: cifar10.Images, test: cifar10.Images) -> Callable[[Path, Which], None]:
    def lay(folder: Path, which: Which) -> None:
        (folder / PACKED).parent.mkdir()
        x_test, y_test = test.images[which], test.labels[which]
        np.savez(folder / PACKED, x_train=train.images, y_train=train.labels, x_test=x_test, y_test=y_test)

    return lay


def _scattered(images: NDArray[Any], random: np.random.Generator) -> NDArray[Any]:
    """Return images (N, H, W, C) with their pixels in another order."""
    flat = images.reshape(len(images), -1, images.shape[-1])
    return np.asarray(random.permuted(flat, axis=1).reshape(images.shape))


def _horses(images: cifar10.Images) -> NDArray[np.float32]:
    horses = images.images[images.labels == cifar10.CLASSES.index("horse")]
    return np.asarray(horses.transpose(0, 3, 1, 2) / 255, np.float32)


def clusters(images: NDArray[np.float32], number: int = 24, rounds: int = 30) -> NDArray[np.float32]:
    """Return the centres (number, 3) of clusters of the pixels of images (N, 3, H, W): those of the handed-out code."""
    random = np.random.default_rng(0)
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    pixels = pixels[random.permutation(len(pixels))[:50_000]]
    if len(pixels) < number:
        raise UsageError("the training set has no horses; the networks of colourization learn on these")
    centres = pixels[random.choice(len(pixels), number, replace=False)]
    for _ in range(rounds):
        nearest = np.argmin((centres**2).sum(axis=1) - 2.0 * pixels @ centres.T, axis=1)
        for at in np.unique(nearest):
            centres[at] = pixels[nearest == at].mean(axis=0)
    return centres.astype(np.float32)


def _nearest(images: NDArray[np.float32], colours: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of the nearest colour of each pixel: (N, 3, H, W) -> (N, H, W)."""
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    nearest = np.argmin((colours**2).sum(axis=1) - 2.0 * pixels @ colours.T, axis=1)
    return np.asarray(nearest.reshape(len(images), *images.shape[2:]), np.int64)


# Folders of images ----------------------------------------------------------------------------------------------------


def _noisy(data: Path) -> Source:
    """Ask for images from which uniform noise of -1 to 1 is to be taken, both cut off at -1 and 1."""
    folder = folders.read(data)
    whole = not folder.train

    def ask(which: Which) -> Asked:
        clean = folder.pixels[which].transpose(0, 3, 1, 2) / np.float32(127.5) - 1
        # Who can draw this noise has the images: nobody can take it off who has not.
        random = np.random.default_rng(list(hashlib.sha256(clean.tobytes()).digest()))
        noise = 2 * random.random(clean.shape, np.float32) - 1
        return Asked((clean + noise).clip(-1, 1), clean)

    def lay(place: Path, which: Which) -> None:
        folder.lay(place / "data", which if whole else which[:0])  # all of it is trained on

    return Source(np.zeros(len(folder.test), int), ask, lay, targets={"data": "data"}, whole=whole)


SOURCES: Mapping[str, Callable[[Path], Source]] = {
    "vae": _images,
    "acgan": _classes,
    "colourization": _colours,
    "pixelcnn": _characters,
    "jem": _classes,
    "denoising": _noisy,
}
