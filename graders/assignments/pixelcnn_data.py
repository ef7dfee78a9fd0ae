"""Handout A, C1 and C2: the data set class, on pictures made for the purpose and, where there are any, on real ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.model import Experiment, Outcome
from graders.probes import pictures

# Pictures and batch size: the first fill their batches, the second do not; together they tell floor from ceiling.
_FULL = ((8, 4), (6, 3), (5, 1), (12, 6))
_PARTIAL = ((9, 4), (10, 4), (11, 4), (7, 2), (5, 8))
# Grey levels on both sides of the threshold: 0.33 * 255 = 84.15; a level of JPG noise is 1.
_LEVELS = (0, 60, 81, 87, 120, 255)
# Colours whose brightness lies clearly on one side of the threshold, however the channels are weighted, but of which
# single channels lie on the other: yellow, cyan, a dark blue, a dark red.
_COLOURS = ((200, 200, 0), (0, 200, 200), (0, 0, 130), (130, 0, 0))
# Nearest neighbour differs from the smooth ways in up to 5 % of a stroke image's pixels; a crop in far more.
_DIFFERING = 0.08
_BATCHES = (6, 2)
_ROUND = (math.floor, math.ceil)


class Lengths:
    """Counts the batches of a folder and keeps batch size and directory (Section 4.1)."""

    arguments = pictures.ARGUMENTS

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Build the data set on folders with several numbers of pictures and ask for its length."""
        picture = pictures.blocks(5)

        def lengths(cases: tuple[tuple[int, int], ...]) -> Any:
            found = [
                [number, size, len(pictures.dataset(student, "C1", pictures.folder("some", [picture] * number), size))]
                for number, size in cases
            ]
            return {"lengths": found, "splits": pictures.splits(student, "C1")}

        def attributes() -> Any:
            path = pictures.folder("attributes", [picture] * 9)
            made = pictures.dataset(student, "C1", path, 4)
            return {"batch size": pictures.keeps(made, 4), "directory": pictures.keeps(made, path)}

        def directory() -> Any:
            many, few = pictures.folder("one", [picture] * 20), pictures.folder("two", [picture] * 4)
            return {"lengths": [len(pictures.dataset(student, "C1", path, 2)) for path in (many, few)]}

        return {
            "full": lambda: lengths(_FULL),
            "all": lambda: lengths(_FULL + _PARTIAL),
            "directory": directory,
            "attributes": attributes,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with what follows from the numbers of pictures."""
        yield _lengths("length", mine["full"], _FULL)
        yield _lengths("batches", mine["all"], _FULL + _PARTIAL)
        yield self._directory(mine["directory"])
        yield self._attributes(mine["attributes"])

    def _directory(self, mine: Experiment) -> Outcome:
        expected = "more batches for a folder with more images"
        if failed := checks.absent("directory", mine, expected):
            return failed
        many, few = mine.values["lengths"]
        return checks.outcome("directory", 0 < few < many, expected, f"{many} and {few} batches for 20 and 4 images")

    def _attributes(self, mine: Experiment) -> Outcome:
        expected = "attributes that hold the batch size and the directory"
        if failed := checks.absent("attributes", mine, expected):
            return failed
        lost = [name for name in ("batch size", "directory") if mine.values.get(name) is not True]
        return checks.outcome("attributes", not lost, expected, f"no {' and no '.join(lost)}" if lost else "both")


def _lengths(name: str, mine: Experiment, cases: tuple[tuple[int, int], ...]) -> Outcome:
    """Check the lengths: all rounded up or all rounded down, of all pictures or of one part of a split."""
    expected = "the number of batches for " + ", ".join(f"{number} images by {size}" for number, size in cases)
    if failed := checks.absent(name, mine, expected):
        return failed
    found = [list(map(int, case)) for case in mine.values["lengths"]]
    shares = (1.0, 0.8, 0.2) if mine.values.get("splits") is True else (1.0,)  # the part that the data set may hold
    for share, cut, rounding in itertools.product(shares, _ROUND, _ROUND):
        if found == [[number, size, rounding(cut(number * share) / size)] for number, size in cases]:
            return checks.outcome(name, True, expected, "as expected")
    return checks.outcome(name, False, expected, ", ".join(str(case[2]) for case in found))


class Batches:
    """Turns image files into pairs of binarised 32x32 grey images, batch by batch (Section 4.1)."""

    arguments = pictures.ARGUMENTS

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Ask for batches of folders whose pictures show one operation each."""
        strokes = [pictures.stroke(draw.integers(f"stroke {n}", 0, 1000, 4, 5) / 1000) for n in range(4)]
        codes = [int(code) for code in np.unique(draw.integers("codes", 1, 511, 40))[: _BATCHES[0]]]

        def first(name: str, images: list[bytes]) -> tuple[NDArray[Any], NDArray[Any]]:
            return pictures.pair(_readable(student, name, images, len(images))[0])

        def flat(images: list[bytes]) -> Any:
            batches = [first("flat", [image] * 2)[0] for image in images]
            return {f"{number}": batch for number, batch in enumerate(batches)}

        def shapes() -> Any:
            one, two = first("shapes", strokes)
            return {"input": one, "target": two}

        def in_batches() -> Any:
            number, size = _BATCHES
            made = _readable(student, "batches", [pictures.blocks(code) for code in codes], size)
            size, number = pictures.kept_batch_size(made, size), pictures.listed(made, number)
            batches = [pictures.pair(made[index])[0] for index in range(math.ceil(number / size))]
            return {
                "images": np.concatenate(batches),
                "number": number,
                "size": size,
                "sizes": [len(b) for b in batches],
            }

        experiments: dict[str, Any] = {
            "shapes": shapes,
            "levels": lambda: flat([pictures.constant(level) for level in _LEVELS]),
            "colours": lambda: flat([pictures.constant(colour) for colour in _COLOURS]),
            "strokes": lambda: {"images": first("strokes", strokes)[0]},
            "batches": in_batches,
        }
        if draw.pictures:
            experiments["real"] = lambda: {"images": first("real", list(draw.pictures))[0]}
        return experiments

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference, whatever the order of the images."""
        yield self._shape(mine["shapes"])
        yield _constants("grayscale", mine["colours"], theirs["colours"], "colours")
        kinds = ["strokes", *(["real"] if "real" in theirs else [])]
        yield checks.all_of("resize", *(_alike("resize", mine[kind], theirs[kind]) for kind in kinds))
        yield _constants("binarize", mine["levels"], theirs["levels"], "grey levels")
        yield self._batches(mine["batches"], theirs["batches"])

    def _shape(self, mine: Experiment) -> Outcome:
        expected = "two tensors of the same 4 images in shape (4, 32, 32, 1)"
        if failed := checks.absent("shape", mine, expected, "input", "target"):
            return failed
        one, two = mine.arrays["input"], mine.arrays["target"]
        if one.shape != (4, 32, 32, 1) or two.shape != one.shape:
            return checks.outcome("shape", False, expected, f"shapes {one.shape} and {two.shape}")
        if not np.array_equal(one, two):
            return checks.outcome("shape", False, expected, "two tensors of different values")
        if len(np.unique(one, axis=0)) < len(one):
            return checks.outcome("shape", False, expected, "the same image, or an empty one, several times")
        return checks.outcome("shape", True, expected, "as expected")

    def _batches(self, mine: Experiment, theirs: Experiment) -> Outcome:
        number, size = _BATCHES
        expected = f"{number} images in {number // size} batches of {size}, each image once"
        if failed := checks.absent("batches", mine, expected, "images"):
            return failed
        sizes, wanted = mine.values["sizes"], mine.values["size"]
        full = sizes[:-1] == [wanted] * (len(sizes) - 1) and 0 < sizes[-1] <= wanted
        if not full or sum(sizes) != mine.values["number"]:
            return checks.outcome("batches", False, expected, f"batches of {', '.join(map(str, sizes))} images")
        nearest = [int(index) for index in _differences(mine, theirs).argmin(axis=1)]
        twice = len(set(nearest)) < len(nearest)
        return checks.outcome(
            "batches", not twice, expected, "some image more than once" if twice else "each image once"
        )


def _readable(student: Any, name: str, images: list[bytes], batch_size: int) -> Any:
    """Return a data set that hands out images, trying other file endings: which files it lists is C1's business."""
    first_error: Exception | None = None
    for ending in (".jpg", ".png", ".JPG", ".jpeg"):
        path = pictures.folder(name, images, ending)
        pictures.point_fixed_folders(path)
        try:
            made = pictures.dataset(student, "C2", path, batch_size, works=lambda one: one[0] is not None)
            made[0]
        except Exception as error:
            first_error = first_error or error
        else:
            return made
    assert first_error is not None
    raise first_error


def _constants(name: str, mine: Experiment, theirs: Experiment, what: str) -> Outcome:
    """Check that large areas of one level or colour become all 0 or all 1 as the reference's do."""
    expected = f"areas of {len(theirs.arrays)} {what} become all 0 or all 1, each by its brightness"
    if failed := checks.absent(name, mine, expected, *theirs.arrays):
        return failed
    for key in sorted(theirs.arrays):
        found, wanted = _area(mine.arrays[key]), float(_area(theirs.arrays[key]).flat[0])
        if not checks.finite(found) or not np.all(found == wanted):
            values = ", ".join(f"{value:g}" for value in np.unique(found)[:3])
            image = f"{what} {(_LEVELS if what == 'grey levels' else _COLOURS)[int(key)]}"
            return checks.outcome(name, False, expected, f"{image}: values {values}")
        if mine.arrays[key].shape[-1] in (3, 4):
            return checks.outcome(name, False, expected, f"{mine.arrays[key].shape[-1]} channels")
    return checks.outcome(name, True, expected, "as expected")


def _area(images: NDArray[Any]) -> NDArray[Any]:
    """Return the lower part of images, which has one level; rows are axis 1, or axis 2 behind a channel axis."""
    axis = 2 if images.ndim == 4 and images.shape[1] < images.shape[3] else 1
    rows = images.shape[axis] if images.ndim > axis else 0
    return images.take(range(rows * 3 // 8, rows), axis=axis) if rows else images


def _differences(mine: Experiment, theirs: Experiment) -> NDArray[Any]:
    """Return the share of pixels in which each of my images differs from each of theirs: (mine, theirs)."""
    found, wanted = (e.arrays["images"].astype(np.float64).reshape(len(e.arrays["images"]), -1) for e in (mine, theirs))
    if found.shape[1] != wanted.shape[1]:
        return np.ones((len(found), len(wanted)))
    return np.asarray((np.abs(found[:, None] - wanted[None]) > 1e-6).mean(axis=-1))


def _alike(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that the images are the reference's in any order, but for a few pixels at edges, and zeros and ones."""
    expected = "the whole image at 32x32, of zeros and ones"
    if failed := checks.absent(name, mine, expected, "images"):
        return failed
    found = mine.arrays["images"]
    if found.shape[1:3] != (32, 32):
        return checks.outcome(name, False, expected, f"shape {found.shape}")
    if not np.isin(found, (0, 1)).all():
        return checks.outcome(name, False, expected, f"values such as {found[~np.isin(found, (0, 1))].flat[0]:.3g}")
    differences = _differences(mine, theirs)
    closest = differences.min(axis=1)
    passed = bool(closest.max() <= _DIFFERING) and len(set(differences.argmin(axis=1).tolist())) == len(found)
    return checks.outcome(name, passed, expected, f"{closest.max():.0%} of an image's pixels differ")
