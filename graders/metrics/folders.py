"""Reads a folder of images, of any names and in any folders below it, as the course's asgn6.py reads them. NumPy only.

Where it has folders train/ and test/ these are the split; else it is in one piece.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graders.errors import UsageError

SIDE = 64  # pixels: the handout's images
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp")
_LEAST = 10  # images, of which some train and some are held out
_MOST_TESTS = 2500  # images that are scored or shown to the script: more take long and tell no more


@dataclass(frozen=True)
class Folder:
    """The images of a folder: those that are trained on, none where it is in one piece, and those of the test set.

    `pixels` (N, SIDE, SIDE, 3) are those of the test set, uint8; what is transparent is white.
    """

    top: Path
    train: Sequence[Path]
    test: Sequence[Path]
    pixels: NDArray[np.uint8]

    def lay(self, place: Path, which: NDArray[np.intp]) -> None:
        """Write the images for training and some of the test set below a place, each where it lies in the folder."""
        for path in (*self.train, *(self.test[int(at)] for at in which)):
            target = place / path.relative_to(self.top)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def read(top: Path) -> Folder:
    """Return the images of a folder; raises UsageError in one line that names a file that is no image.

    An image of the test set that is among those for training, or is there twice, is left out.
    """
    if not top.is_dir():
        raise UsageError(f"--data {top}: no such folder; it wants one with images in it")
    train, test = _images(top / "train"), _images(top / "test")
    if not train or not test:
        train, test = [], _images(top)
    if len(train) + len(test) < _LEAST:
        raise UsageError(f"--data {top}: {len(train) + len(test)} images in it; to train and to score wants {_LEAST}")
    known = {read_image(path).tobytes() for path in train}
    found: dict[bytes, tuple[Path, NDArray[np.uint8]]] = {}
    for path in test:
        pixels = read_image(path)
        if (key := pixels.tobytes()) not in known:
            found.setdefault(key, (path, pixels))
    if not found:
        raise UsageError(f"--data {top}: every image of its test/ is among those of train/")
    kept = list(found.values())[:_MOST_TESTS] if train else list(found.values())
    return Folder(top, train, [path for path, _ in kept], np.stack([pixels for _, pixels in kept]))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return one image as (SIDE, SIDE, 3) of 0 to 255; raises UsageError in one line where it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a size that no image of a data set has
            with Image.open(path) as image:
                seen = image.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except Exception as error:  # what a broken file can raise has no end
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{path}: no image that can be read ({type(error).__name__}: {reason}); remove it") from None
    flat = Image.new("RGB", seen.size, "white")
    flat.paste(seen, mask=seen.getchannel("A"))
    return np.asarray(flat)
