"""Pictures made for the purpose, folders of them, and a student's data set class on top. Pillow and NumPy only."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.probes import binding
from graders.probes.student import Student

SIDE = 64  # the handout's images are 64x64

# What a data set class may ask for besides the handout's two arguments, and what it gets.
ARGUMENTS = ("image_dir", "batch_size")
_EXTRAS: dict[str, tuple[str, ...]] = {
    "image_paths": ("paths", "files", "file_list", "filenames", "image_files", "file_names", "file_paths", "images"),
    "split": ("subset", "mode", "phase", "kind", "part"),
    "image_size": ("target_size", "img_size", "size", "resize", "shape", "img_shape", "image_shape"),
    "shuffle": (),
    "indices": ("idx", "index", "ids"),
}
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


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """Return an image (H, W) or (H, W, 3) as a JPG of the best quality."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=100, subsampling=0)
    return buffer.getvalue()


def folder(name: str, pictures: Sequence[bytes], ending: str = ".jpg") -> Path:
    """Write pictures into a fresh folder below the current one and return its path."""
    path = Path("pictures") / name
    shutil.rmtree(path, ignore_errors=True)
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
    """Return the student's data set on a folder: its path as text, with a slash, or as the last resort by position.

    The first way counts that finds a picture, which `works` tells by what it returns. When none does, the first way's
    data set is returned, or its error raised when it could not even be built.
    """
    ways: list[Callable[[], Any]] = [
        lambda: _construct(student, item, str(path), batch_size),
        lambda: _construct(student, item, f"{path}/", batch_size),
        lambda: student.definition(item)(batch_size, str(path)),
    ]
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


def _construct(student: Student, item: str, directory: str, batch_size: int) -> Any:
    definition = student.definition(item)
    parameters = binding.parameters_of(definition)
    named = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    values: dict[str, Any] = {"image_dir": directory, "batch_size": batch_size, **_extras(directory)}
    taken = binding.names_for(named, ARGUMENTS)
    required = {p.name for p in parameters if p.default is p.empty and p.name in named}
    keywords = {parameter: values[argument] for argument, parameter in taken.items()}
    for name in required - set(keywords):
        keywords[name] = values[_extra(name)]
    if "image_dir" in taken and _extra(taken["image_dir"]) == "image_paths":
        keywords[taken["image_dir"]] = values["image_paths"]
    return definition(**keywords)


def _extras(directory: str) -> dict[str, Any]:
    paths = sorted(str(path) for path in Path(directory).iterdir())
    return {
        "image_paths": paths,
        "split": "train",
        "image_size": (32, 32),
        "shuffle": False,
        "indices": list(range(len(paths))),
    }


def _extra(parameter: str) -> str:
    for name, aliases in _EXTRAS.items():
        if binding.plain(parameter) in {binding.plain(word) for word in (name, *aliases)}:
            return name
    return "shuffle"  # an argument that nothing is known of is most likely a switch


def splits(student: Student, item: str) -> bool:
    """Return whether the student's class divides the pictures into training and validation by itself."""
    words = ("split", "subset", "mode", "phase", "val", "train")
    return any(word in name.lower() for name in student.parameters(item) for word in words)


def attributes(made: Any) -> Mapping[str, Any]:
    """Return an object's own attributes."""
    return dict(getattr(made, "__dict__", {}))


def keeps(made: Any, wanted: Any) -> bool:
    """Return whether some attribute holds a value: a number, or a path (or paths of files below it)."""
    for value in attributes(made).values():
        if isinstance(wanted, Path):
            texts = value if isinstance(value, (list, tuple, np.ndarray)) else [value]
            if any(_below(text, wanted) for text in list(texts)[:3]):
                return True
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value == wanted:
            return True
    return False


def _below(text: Any, path: Path) -> bool:
    if not isinstance(text, (str, Path)):
        return False
    inside, outer = os.path.abspath(text), os.path.abspath(path)
    return inside == outer or inside.startswith(outer + os.sep)


def listed(made: Any, default: int) -> int:
    """Return how many files the object has listed, `default` when no attribute tells."""
    sizes = [
        len(value)
        for value in attributes(made).values()
        if isinstance(value, (list, tuple, np.ndarray)) and len(value) and isinstance(value[0], (str, Path))
    ]
    return max(sizes, default=default)


def kept_batch_size(made: Any, default: int) -> int:
    """Return the batch size that the object really works with, by the name of the attribute."""
    for name, value in attributes(made).items():
        if binding.argument_of(name.strip("_"), ["batch_size"]) and isinstance(value, (int, np.integer)) and value > 0:
            return int(value)
    return default


def pair(batch: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the two tensors of a batch as arrays; raises TypeError when it is not a pair."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError(f"__getitem__ returned {type(batch).__name__}, not two tensors")
    one, two = (np.asarray(part) for part in batch)
    return one, two
