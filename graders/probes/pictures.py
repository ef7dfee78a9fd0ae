"""Pictures made for the purpose, folders of them, and a student's data set class on top. Pillow and NumPy only."""

from __future__ import annotations

import functools
import io
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.probes import binding
from graders.probes.student import Student

SIDE = 64  # the handout's images are 64x64

ARGUMENTS = ("image_dir", "batch_size")
# What a data set class may ask for besides the handout's two arguments: the values to try, and the words that tell.
_EXTRAS: tuple[tuple[tuple[Any, ...], tuple[str, ...]], ...] = (
    (("train",), ("split", "subset", "mode", "phase", "kind", "part")),
    ((32,), ("height", "width", "image_height", "image_width", "img_height", "img_width", "h", "w")),
    (((32, 32), 32), ("image_size", "target_size", "img_size", "size", "resize", "shape", "img_shape", "image_shape")),
    ((0.33,), ("threshold", "thresh", "binary_threshold")),
    ((1,), ("channels", "n_channels", "num_channels")),
    ((0,), ("seed", "random_seed", "random_state")),
)
_PATHS = (
    "image_paths paths files file_list filenames image_files file_names file_paths images image_list img_paths".split()
)
_SPLITS = frozenset(
    "split subset mode phase part train is_train training is_training val is_val validation validation_split val_split "
    "split_ratio train_split train_ratio val_ratio test_size".split()
)
# Folders that notebooks name outright; a class that takes no directory finds its pictures there.
_FIXED = (
    "pa2/train",
    "pa2/test",
    "pa2_data/train",
    "pa2_data/test",
    "data/train_half",
    "data/train",
    "data/test",
    "train",
)


def constant(level: int | Sequence[int]) -> bytes:
    """Return a JPG of one grey level or one colour, below a black and a white square.

    With the squares, to divide by 255 and to stretch from the least to the greatest intensity are the same.
    """
    shape = (SIDE, SIDE) if isinstance(level, int) else (SIDE, SIDE, 3)
    image = np.full(shape, np.array(level, np.uint8), np.uint8)
    image[:16, :16], image[:16, 48:] = 0, 255
    return jpeg(image)


def blocks(number: int) -> bytes:
    """Return a JPG of white blocks on black that encodes a number below 512 in a 3x3 grid; no two look alike."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    for bit in range(9):
        if (number >> bit) & 1:
            row, column = divmod(bit, 3)
            image[4 + 20 * row : 18 + 20 * row, 4 + 20 * column : 18 + 20 * column] = 255
    return jpeg(image)


def stroke(numbers: NDArray[Any]) -> bytes:
    """Return a JPG of soft brush strokes: `numbers` (n, 5) in [0, 1] are two ends and a width each."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    image = np.zeros((SIDE, SIDE))
    for r0, c0, r1, c1, width in numbers:
        along = ((rows - r0) * (r1 - r0) + (columns - c0) * (c1 - c0)) / ((r1 - r0) ** 2 + (c1 - c0) ** 2 + 1e-9)
        along = np.clip(along, 0, 1)
        distance = np.hypot(rows - r0 - along * (r1 - r0), columns - c0 - along * (c1 - c0))
        image = np.maximum(image, np.clip((0.03 + 0.04 * width - distance) * 40 + 0.5, 0, 1))
    return jpeg((image * 255).astype(np.uint8))


def stripes(phase: int, upright: bool) -> bytes:
    """Return a JPG of lines two pixels wide, across in one half and upright in the other.

    Every usual way to halve it gives lines of one pixel; a crop, a shift or a detour over another size does not.
    """
    half = np.zeros((SIDE // 2, SIDE), np.uint8)
    half[(np.arange(SIDE // 2) // 2) % 2 == phase] = 255
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[: SIDE // 2] = half
    image[SIDE // 2 + 4 :, (np.arange(SIDE) // 2) % 2 == phase] = 255
    return jpeg(image.T if upright else image)


def speckled() -> bytes:
    """Return a JPG of grey 105 with one black pixel in four, at another place of its square in each quarter.

    Scaled down smoothly it is darker than the threshold; binarised before, every square is mostly white.
    """
    image = np.full((SIDE, SIDE), 105, np.uint8)
    half = SIDE // 2
    for quarter in range(4):
        row, column = divmod(quarter, 2)
        image[row * half + row : (row + 1) * half : 2, column * half + column : (column + 1) * half : 2] = 0
    image[:8, :8], image[:8, -8:] = 0, 255
    return jpeg(image)


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """Return an image (H, W) or (H, W, 3) as a JPG of the best quality."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


def in_colour(data: bytes) -> bytes:
    """Return the same picture as a JPG of three channels."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


def folder(name: str, pictures: Sequence[bytes], ending: str = ".jpg") -> Path:
    """Write pictures into a fresh folder below the current one and return its path.

    Beside it lies another folder of pictures, which is none of the data set's business.
    """
    path = Path("pictures") / name
    shutil.rmtree(path, ignore_errors=True)
    beside = path.parent / "others"
    beside.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        (beside / f"other{number}.jpg").write_bytes(pictures[0])
    path.mkdir(parents=True)
    for number, data in enumerate(pictures):
        (path / f"{number:05}{ending}").write_bytes(data)
    return path


def point_fixed_folders(path: Path) -> None:
    """Make the folders that notebooks name outright lead to `path`."""
    for name in _FIXED:
        link = Path(name)
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink():
            link.unlink()
        if not link.exists():
            link.symlink_to(os.path.relpath(path, link.parent))


def dataset(student: Student, item: str, path: Path, batch_size: int, works: Callable[[Any], object] = len) -> Any:
    """Return the student's data set on a folder: by its path, with a slash, in full, or as the last resort by position.

    The first way counts that finds a picture, which `works` tells by what it returns. When none does, the first way's
    data set is returned, or its error raised when it could not even be built.
    """
    directories = [str(path), f"{path}/", str(path.absolute())]
    ways: list[Callable[[], Any]] = [
        functools.partial(student.definition(item), **keywords)
        for directory in directories
        for keywords in _keywords(student, item, directory, batch_size)
    ]
    ways.append(functools.partial(student.definition(item), batch_size, str(path)))
    made: list[Any] = []
    errors: list[Exception] = []
    for way in ways:
        try:
            made.append(way())
            if works(made[-1]):
                return made[-1]
        except Exception as error:
            errors.append(error)
    if not made:
        raise errors[0]
    return made[0]


def _keywords(student: Student, item: str, directory: str, batch_size: int) -> Iterator[dict[str, Any]]:
    """Yield the ways to name the arguments: the handout's two, and values for whatever else has no default."""
    parameters = binding.parameters_of(student.definition(item))
    named = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    required = [p.name for p in parameters if p.default is p.empty and p.name in named]
    taken = binding.names_for([name for name in named if not _values(name, directory)], ARGUMENTS)
    fixed = {
        taken[name]: value for name, value in zip(ARGUMENTS, (directory, batch_size), strict=True) if name in taken
    }
    open_ = [name for name in required if name not in fixed]
    # An argument that nothing is known of is most likely a switch.
    for values in itertools.product(*(_values(name, directory) or (False,) for name in open_)):
        yield {**fixed, **dict(zip(open_, values, strict=True))}


def _values(parameter: str, directory: str) -> tuple[Any, ...]:
    """Return what to try for a parameter that is not one of the handout's, () when its name says nothing."""
    if _is(parameter, _PATHS):
        paths = sorted(Path(directory).iterdir())
        return [str(path) for path in paths], [path.name for path in paths]
    if _is(parameter, ("indices", "indexes", "idx", "ids")):
        return (list(range(len(list(Path(directory).iterdir())))),)
    return next((values for values, words in _EXTRAS if _is(parameter, words)), ())


def _is(parameter: str, words: Iterable[str]) -> bool:
    return binding.plain(parameter) in {binding.plain(word) for word in words}


def splits(student: Student, item: str) -> bool:
    """Return whether the student's class divides the pictures into training and validation by itself."""
    return any(_is(name, _SPLITS) for name in student.parameters(item))


def attributes(made: Any) -> Mapping[str, Any]:
    """Return an object's own attributes."""
    return dict(getattr(made, "__dict__", {}))


def keeps(made: Any, wanted: Any) -> bool:
    """Return whether some attribute, or a dict in one, holds a value: a number, or a path (or files below it)."""
    values = list(attributes(made).values())
    values += [inner for value in values if isinstance(value, dict) for inner in value.values()]
    for value in values:
        if isinstance(wanted, Path):
            texts = value if isinstance(value, (list, tuple, np.ndarray)) else [value]
            if any(_below(text, wanted) for text in list(texts)[:3]):
                return True
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool) and _plain(value) == wanted:
            return True
    return False


def _plain(value: Any) -> int:
    """Return a number as it is stored: a class of the student's own may say that it equals everything."""
    return int.__int__(value) if isinstance(value, int) else int(value)


def _below(text: Any, path: Path) -> bool:
    if not isinstance(text, (str, Path)):
        return False
    inside, outer = os.path.abspath(text), os.path.abspath(path)
    return inside == outer or inside.startswith(outer + os.sep)


def listed(made: Any) -> list[int]:
    """Return how many files the object has listed, by every attribute that is a list of paths."""
    return [
        len(value)
        for value in attributes(made).values()
        if isinstance(value, (list, tuple, np.ndarray)) and len(value) and isinstance(value[0], (str, Path))
    ]


def kept_batch_size(made: Any, default: int) -> int:
    """Return the batch size that the object really works with, by the name of the attribute."""
    for name, value in attributes(made).items():
        if binding.argument_of(name.strip("_"), ["batch_size"]) and isinstance(value, (int, np.integer)) and value > 0:
            return int(value)
    return default


def inputs_of(batch: Any) -> NDArray[Any]:
    """Return the first of a batch's two tensors as an array, the only one where there is one."""
    return np.asarray(batch[0] if isinstance(batch, (tuple, list)) else batch)


def pair(batch: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the two tensors of a batch as arrays; raises TypeError when it is not a pair."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError(f"__getitem__ returned {type(batch).__name__}, not two tensors")
    one, two = (np.asarray(part) for part in batch)
    return one, two
