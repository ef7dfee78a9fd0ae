"""Packs folders of images into one file of NumPy, or into CIFAR-10's own format.

A folder holds train/, test/ or both; each of them holds images, or a folder of images for every class.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.data import cifar10
from graders.errors import UsageError

PARTS = ("train", "test")
_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_MOST_PIXELS = 1 << 22  # of an image: nobody trains on larger ones, and a forged one fills the memory


def pack(folder: Path, out: Path) -> str:
    """Write the images of a folder to `out` and return in a line what was packed.

    `out` ending in .npz becomes a file of x_train, x_test (N, height, width[, 3]) uint8 and, where there are classes,
    y_train, y_test (N,) uint8 and classes, their names; another name becomes a folder in the Python version of
    CIFAR-10, which wants its ten classes of 32x32 pixels. A folder in one of CIFAR-10's formats can be packed as well.
    Classes are numbered in alphabetical order, images taken class by class in the order of their names. Raises
    UsageError in one line that names the first file that is not as the others, and what is wrong.
    """
    if out.exists():
        raise UsageError(f"{out}: there is something already; remove it or give another name")
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give one with train/ and test/, or CIFAR-10, in it")
    with _one_line(folder):
        parts = [part for part in PARTS if (folder / part).is_dir()]
        arrays = _of_images({part: folder / part for part in parts}) if parts else _of_cifar10(folder)
    with _one_line(out):
        _write(out, arrays)
    counts = ", ".join(f"{len(arrays[f'x_{part}'])} for {part}" for part in PARTS if f"x_{part}" in arrays)
    return f"{out}: {counts}, {'x'.join(map(str, _shape(arrays)))}, {len(arrays.get('classes', ()))} classes"


@contextlib.contextmanager
def _one_line(place: Path) -> Iterator[None]:
    """Say in one line which file the system refused, or that it is below a place."""
    try:
        yield
    except OSError as error:
        where = error.filename if error.filename and ".packed-" not in str(error.filename) else place
        raise UsageError(f"{where}: {error.strerror or error}; mend it and run the same command again") from None


def _shape(arrays: Mapping[str, NDArray[Any]]) -> tuple[int, ...]:
    return next(arrays[f"x_{part}"].shape[1:] for part in PARTS if f"x_{part}" in arrays)


def _of_cifar10(folder: Path) -> dict[str, NDArray[Any]]:
    train, test = cifar10.read(folder)
    images = {"x_train": train.images, "y_train": train.labels, "x_test": test.images, "y_test": test.labels}
    return {**images, "classes": np.array(cifar10.CLASSES)}


# Reading --------------------------------------------------------------------------------------------------------------


def _of_images(folders: Mapping[str, Path]) -> dict[str, NDArray[Any]]:
    """Return the images of the parts by the names in the file; all have one size and the same classes."""
    arrays: dict[str, NDArray[Any]] = {}
    names = _classes(folders)
    shape: tuple[int, ...] | None = None
    for part, folder in folders.items():
        found = {place: _files(place) for place in ([folder / name for name in names] or [folder])}
        if empty := next((place for place, files in found.items() if not files), None):
            raise UsageError(f"{empty}: no images in it ({', '.join(_ENDINGS)})")
        files = [file for one in found.values() for file in one]
        shape = shape or _image(files[0]).shape
        arrays[f"x_{part}"] = _stacked(files, shape)
        if names:
            arrays[f"y_{part}"] = np.repeat(np.arange(len(names), dtype=np.uint8), [len(one) for one in found.values()])
    return arrays | ({"classes": np.array(names)} if names else {})


def _classes(folders: Mapping[str, Path]) -> list[str]:
    """Return the names of the classes, none where images lie side by side; every part must have the same."""
    found = {folder: _subfolders(folder) for folder in folders.values()}
    (first, names), *others = found.items()
    for folder, own in others:
        if missing := sorted(set(names) ^ set(own)):
            lacking, having = (folder, first) if missing[0] in names else (first, folder)
            raise UsageError(f"{lacking / missing[0]}: not there, but {having} has this class")
    if mixed := next((files[0] for folder in found if names and (files := _files(folder))), None):
        raise UsageError(f"{mixed}: an image beside folders of classes; put it into the folder of its class")
    if len(names) > np.iinfo(np.uint8).max:
        raise UsageError(f"{first}: {len(names)} classes; labels have room for 255")
    return names


def _subfolders(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    found = sorted(one for one in folder.iterdir() if one.suffix.lower() in _ENDINGS and not one.name.startswith("."))
    if lost := next((one for one in found if not one.is_file()), None):  # a link into nowhere, where a copy lost it
        raise UsageError(f"{lost}: named like an image, but no file is there; copy it again or remove it")
    return found


def _stacked(files: Sequence[Path], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return images (N, *shape); room is taken once, whatever their number."""
    images = np.empty((len(files), *shape), np.uint8)
    for number, file in enumerate(files):
        image = _image(file)
        if image.shape != shape:
            found, wanted = ("x".join(map(str, one)) for one in (image.shape, shape))
            raise UsageError(f"{file}: {found} where the first image has {wanted}; bring all to one size and kind")
        images[number] = image
    return images


def _image(file: Path) -> NDArray[np.uint8]:
    """Return an image (height, width) of grey or (height, width, 3) of colours."""
    try:
        from PIL import Image
    except ImportError:
        raise UsageError("to read images needs Pillow, which is not there; pip install pillow") from None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file) as image:  # Pillow's of size: ours follows
            if image.width * image.height > _MOST_PIXELS:
                raise UsageError(f"{file}: {image.width}x{image.height} pixels are too many; scale it down")
            if image.mode.startswith(("I", "F")):  # which Pillow cuts off at 255
                raise UsageError(f"{file}: more than 8 bits a channel ({image.mode}); convert it to 8")
            return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    except UsageError:
        raise
    except Exception as error:  # what a broken file can raise has no end
        raise UsageError(f"{file}: no image that can be read ({type(error).__name__}); replace or remove it") from None


# Writing: beside the place, and put there when it is whole ------------------------------------------------------------


def _write(out: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".packed-") as scratch:
        whole = Path(scratch) / out.name
        if out.suffix == ".npz":
            np.savez(whole, **dict(arrays))  # type: ignore[arg-type] # its stub takes them for its one flag
        else:
            cifar10.write(whole, *_as_cifar10(out, arrays))
        os.rename(whole, out)


def _as_cifar10(out: Path, arrays: Mapping[str, NDArray[Any]]) -> tuple[cifar10.Images, cifar10.Images]:
    mend = f"the format of CIFAR-10 wants it; give a name that ends in .npz instead of {out.name}"
    if lacking := [key for part in PARTS for key in (f"x_{part}", f"y_{part}") if key not in arrays]:
        raise UsageError(f"{out}: no {lacking[0]}, but {mend}")
    wanted = (cifar10.SIDE, cifar10.SIDE, cifar10.CHANNELS)
    if _shape(arrays) != wanted or tuple(arrays["classes"].tolist()) != cifar10.CLASSES:
        raise UsageError(f"{out}: not images of {'x'.join(map(str, wanted))} in CIFAR-10's ten classes, but {mend}")
    return tuple(cifar10.Images(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in PARTS)  # type: ignore[return-value]
