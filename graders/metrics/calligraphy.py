"""The images of handout A as its models are asked about them: folders of files, some of the test set held out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.errors import UsageError
from graders.metrics.scores import Asked
from graders.metrics.sources import Source, Which

FOLDER, WEIGHTS = "pa2", "pixel_cnn_e5.h5"
_PARTS = ("train", "test")
_ENDINGS = (".jpg", ".jpeg", ".png")
_SIDE, _WHITE = 32, 0.33  # Section 4.1
_MOST_PIXELS = 1 << 22  # of an image: a forged one fills the memory
_MOST = 256  # held-out images that a model is asked about: the handout's takes half a second of one core for each


def characters(data: Path) -> Source:
    """Ask for the probability that a pixel of a binarised image is white, given those before it."""
    train, test = (_files(data / part) for part in _PARTS)
    weights = data / WEIGHTS

    def ask(which: Which) -> Asked:
        images = np.array([binarised(test[at]) for at in which[:_MOST]], np.uint8).reshape(-1, _SIDE, _SIDE, 1)
        return Asked(images, np.zeros(len(images), np.uint8))  # the answer is in the images

    def lay(folder: Path, which: Which) -> None:
        _copy(train, folder / FOLDER / "train")
        _copy([test[at] for at in sorted(which)], folder / FOLDER / "test")
        if weights.is_file():
            shutil.copyfile(weights, folder / WEIGHTS)

    targets = {"train": f"{FOLDER}/train", "test": f"{FOLDER}/test", "validation": f"{FOLDER}/test", "data": FOLDER}
    targets |= {"weights": WEIGHTS} if weights.is_file() else {}
    return Source(np.zeros(len(test), np.uint8), ask, lay, control=coins, targets=targets)


def _files(folder: Path) -> list[Path]:
    """Return the images of a folder in the order of their names."""
    if not folder.is_dir():
        mend = "give a folder with the course's train/ and test/ in it, or one of `graders data draw pixelcnn`"
        raise UsageError(f"{folder}: not there; {mend}")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS and path.is_file())
    if not found:
        raise UsageError(f"{folder}: no images in it ({', '.join(_ENDINGS)})")
    return found


def _copy(files: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def binarised(file: Path) -> NDArray[np.uint8]:
    """Return an image (32, 32) as Section 4.1 transforms it: grey, small, in [0, 1], white at 0.33 or more."""
    try:
        from PIL import Image
    except ImportError:
        raise UsageError("to read images needs Pillow, which is not there; pip install pillow") from None
    try:
        with Image.open(file) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise UsageError(f"{file}: {image.width}x{image.height} pixels are too many; scale it down")
            small = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
            return np.asarray(np.asarray(small) / 255 >= _WHITE, np.uint8)
    except UsageError:
        raise
    except Exception as error:  # what a broken file can raise has no end
        raise UsageError(f"{file}: no image that can be read ({type(error).__name__}); replace or remove it") from None


def coins(images: NDArray[Any], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return as many images whose pixels are tossed: nobody predicts these from each other better than by log 2."""
    return random.integers(0, 2, images.shape, dtype=np.uint8)
