"""The data of a metric: what the student's script gets, and what is held out, by a seed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.data import cifar10
from graders.errors import UsageError
from graders.metrics.scores import Asked

OWN_TESTS, OWN_SHARE = 2000, 5  # images of the test set, a fifth at most, that the script may test itself on
_CONTROLS = 64  # images of scattered pixels among those that a reconstruction is asked for


@dataclass(frozen=True)
class Held:
    """What models are scored on: `hints` (N,) go with the inputs to the model, the answers do not.

    `controls` (N,) says which inputs are images of scattered pixels. `sample` is of the script's own test set, and what
    a curve is made of. `folder` holds what the script gets; `digest` is a hash of all.
    """

    asked: Asked
    hints: NDArray[Any]
    controls: NDArray[np.bool_]
    sample: Asked
    folder: Path
    digest: str


@contextmanager
def held(slug: str, score: str, data: Path, seed: int, sample: int) -> Iterator[Held]:
    """Lay what scripts of an assignment get into a folder for the time of a run; yield it with what is held out.

    Raises UsageError in one line where the data are not there, or are too few.
    """
    if slug not in _TASKS:
        raise UsageError(f"the metric tier has no data for {slug} yet; leave metric out of --tier")
    train, test = cifar10.read(data)
    random = np.random.default_rng(seed)
    theirs, mine = _split(test.labels, random)
    ask = _TASKS[slug](train)
    asked, controls = _with_controls(ask(_some(test, mine)), random if score == "reconstruction" else None)
    own = _some(test, theirs)
    shown = ask(own).part(slice(sample))
    if not len(asked.inputs) or not len(shown.inputs):
        raise UsageError(f"{data}: {len(test.labels)} images in the test set are too few to hold some out")
    arrays = {"x_train": train.images, "y_train": train.labels, "x_test": own.images, "y_test": own.labels}
    hints = asked.answers if score == "reconstruction" else np.zeros(len(asked.inputs), np.uint8)
    few = {"inputs": shown.inputs, "hints": shown.answers if score == "reconstruction" else hints[: len(shown.inputs)]}
    parts = [*arrays.values(), asked.inputs, asked.answers]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in parts))
    with tempfile.TemporaryDirectory(prefix="graders-metric-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the child may be another user
        for file, content in (("cifar10.npz", arrays), ("sample.npz", few)):
            np.savez(folder / file, **content)
            (folder / file).chmod(0o644)
        yield Held(asked, hints, controls, shown, folder, digest.hexdigest())


def _split(labels: NDArray[Any], random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return which images of a test set the script may have, of each class alike, and which are held out."""
    order = random.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    own = by_class[:: max(OWN_SHARE, -(-len(order) // OWN_TESTS))]
    return random.permutation(own), random.permutation(np.setdiff1d(order, own))


def _some(images: cifar10.Images, where: NDArray[Any]) -> cifar10.Images:
    return cifar10.Images(images.images[where], images.labels[where])


def _with_controls(asked: Asked, random: np.random.Generator | None) -> tuple[Asked, NDArray[np.bool_]]:
    """Return what is asked with images among it whose pixels were scattered; without `random` there are none."""
    if random is None or not len(asked.inputs):
        return asked, np.zeros(len(asked.inputs), bool)
    images, labels = asked.inputs, asked.answers
    some = random.choice(len(images), min(_CONTROLS, len(images)), replace=False)
    flat = images[some].reshape(len(some), -1, images.shape[-1])
    scattered = random.permuted(flat, axis=1).reshape(images[some].shape)
    mixed = random.permutation(len(images) + len(some))
    whole = Asked(np.concatenate([images, scattered])[mixed], np.concatenate([labels, labels[some]])[mixed])
    return whole, (np.arange(len(images) + len(some)) >= len(images))[mixed]


# What is asked of each assignment -------------------------------------------------------------------------------------

Ask = Callable[[cifar10.Images], Asked]


def _labels(train: cifar10.Images) -> Ask:
    """Ask for the classes of images, or for the images themselves."""
    return lambda images: Asked(images.images, images.labels)


def _colours(train: cifar10.Images) -> Ask:
    """Ask for the colours of grey horses: of each pixel that of 24 clusters of the training's pixels, as handed out."""
    colours = clusters(_horses(train))

    def ask(images: cifar10.Images) -> Asked:
        horses = _horses(images)
        return Asked(horses.mean(axis=1, keepdims=True), _nearest(horses, colours))

    return ask


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


_TASKS: Mapping[str, Callable[[cifar10.Images], Ask]] = {
    "vae": _labels,
    "acgan": _labels,
    "colourization": _colours,
}
