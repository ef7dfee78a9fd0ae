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
    if slug not in _READERS:
        raise UsageError(f"the metric tier has no data for {slug} yet; leave metric out of --tier")
    train, test = _READERS[slug](data)
    random = np.random.default_rng(seed)
    order = random.permutation(len(test.labels))
    own = min(OWN_TESTS, len(order) // OWN_SHARE)
    if own < 1:
        raise UsageError(f"{data}: {len(order)} images in the test set are too few to hold some out")
    mine, theirs = order[own:], order[:own]
    asked, controls = _asked(test.images[mine], test.labels[mine], score == "reconstruction", random)
    shown = theirs[:sample]
    arrays = {
        "x_train": train.images,
        "y_train": train.labels,
        "x_test": test.images[theirs],
        "y_test": test.labels[theirs],
    }
    with tempfile.TemporaryDirectory(prefix="graders-metric-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the child may be another user
        np.savez(folder / "cifar10.npz", **arrays)
        (folder / "cifar10.npz").chmod(0o644)
        hints = asked.answers if score == "reconstruction" else np.zeros_like(asked.answers)
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in arrays.values()))
        digest.update(np.ascontiguousarray(asked.inputs).tobytes() + asked.answers.tobytes())
        some = Asked(test.images[shown], test.labels[shown])
        yield Held(asked, hints, controls, some, folder, digest.hexdigest())


def _asked(
    images: NDArray[Any], labels: NDArray[Any], controls: bool, random: np.random.Generator
) -> tuple[Asked, NDArray[np.bool_]]:
    """Return images and labels, with images whose pixels were scattered among them where there are to be controls."""
    if not controls:
        return Asked(images, labels), np.zeros(len(images), bool)
    some = random.choice(len(images), min(_CONTROLS, len(images)), replace=False)
    flat = images[some].reshape(len(some), -1, images.shape[-1])
    scattered = random.permuted(flat, axis=1).reshape(images[some].shape)
    mixed = random.permutation(len(images) + len(some))
    whole = Asked(np.concatenate([images, scattered])[mixed], np.concatenate([labels, labels[some]])[mixed])
    return whole, (np.arange(len(images) + len(some)) >= len(images))[mixed]


def _cifar10(data: Path) -> tuple[cifar10.Images, cifar10.Images]:
    """Read CIFAR-10 in a format that it is published in, or as cifar10.npz, which the scripts of handout E read."""
    path = data / "cifar10.npz" if data.is_dir() else data
    if not path.is_file():
        return cifar10.read(data)
    try:
        with np.load(path, allow_pickle=False) as archive:
            parts = [cifar10.Images(archive[f"x_{part}"], archive[f"y_{part}"].ravel()) for part in ("train", "test")]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UsageError(f"{path}: no cifar10.npz ({type(error).__name__}: {error}); make it again") from None
    for part in parts:
        fits = part.images.dtype == np.uint8 and part.images.shape == (len(part.labels), 32, 32, 3)
        if not fits or part.labels.dtype.kind not in "iu" or not np.all((part.labels >= 0) & (part.labels < 10)):
            raise UsageError(f"{path}: wants images (N, 32, 32, 3) of uint8 and labels (N,) of 0 to 9")
    return parts[0], parts[1]


_READERS: Mapping[str, Callable[[Path], tuple[cifar10.Images, cifar10.Images]]] = {"vae": _cifar10, "acgan": _cifar10}
