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

# Ranges of grey levels on both sides of the threshold, 0.33 * 255 = 84.15; a JPG may be off by one level.
_LEVELS = ((0, 0), (10, 75), (83, 83), (86, 86), (95, 245), (255, 255))
# Colours whose brightness lies clearly on one side of the threshold, however the channels are weighted, but of which
# single channels lie on the other: yellow, cyan, dark blue, dark red, dark green. The channels and the range of levels.
_COLOURS = (
    ((1, 1, 0), 190, 230),
    ((0, 1, 1), 190, 230),
    ((0, 0, 1), 120, 145),
    ((1, 0, 0), 120, 145),
    ((0, 1, 0), 100, 112),
)
# The share of pixels that may differ from the reference's bilinear scaling. On strokes nearest neighbour differs in up
# to 7.7 %, all smooth ways in up to 2.3 %; on stripes none does, but every crop, shift or detour in a quarter or more.
_DIFFERING = {"strokes": 0.09, "real": 0.09, "stripes": 0.04}
_BATCH = 4
_ROUND = (math.floor, math.ceil)
_SHARES = (1.0, 0.8, 0.2)  # the parts of a data set that splits its pictures by itself


class Lengths:
    """Counts the batches of a folder and keeps batch size and directory (Section 4.1)."""

    arguments = pictures.ARGUMENTS

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Build the data set on folders with several numbers of pictures and ask for its length."""
        picture = pictures.blocks(5)
        size, other = draw.choose("size", (4, 5, 6)), draw.choose("other size", (2, 3))
        times, single = draw.choose("times", (1, 2, 3)), draw.choose("single", (4, 5, 7, 8))
        few = draw.choose("few", (3, 4, 5, 6, 7))
        full = [[size * times, size], [size * (times + 1), size], [2 * other, other], [single, 1]]
        partial = [[size * times + rest, size] for rest in range(1, size)] + [[few, few + other]]
        # Nothing here can be told without looking: the numbers, a folder's name, an order are the seed's.
        many = [int(step * 12 + rest) for step, rest in enumerate(draw.integers("many", 4, 9, 4))]
        many = [many[place] for place in draw.order("many", 4)]
        name = f"attributes-{draw.integers('name', 10**6, 10**7)}"
        real = [sign > 0 for sign in draw.signs("real", 12)]

        def built(number: int, batch_size: int) -> Any:
            return pictures.dataset(student, "C1", pictures.folder("some", [picture] * number), batch_size)

        def lengths(cases: list[list[int]]) -> Any:
            found = [len(built(*case)) for case in cases]
            return {"cases": cases, "lengths": found, "splits": pictures.splits(student, "C1")}

        def attributes() -> Any:
            path = pictures.folder(name, [picture] * 9)
            made = pictures.dataset(student, "C1", path, size)
            kept = size if pictures.keeps(made, size) else 0
            return {"batch size": kept, "directory": path.name if pictures.keeps(made, path) else ""}

        def sequence() -> Any:
            made = built(4, 2)
            return {"are": [lab.is_sequence(made if one else object()) for one in real]}

        return {
            "full": lambda: lengths(full),
            "all": lambda: lengths(full + partial),
            "directory": lambda: {"images": many, "lengths": [len(built(number, 2)) for number in many]},
            "attributes": attributes,
            "sequence": sequence,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with what follows from the numbers of pictures."""
        yield _lengths("length", mine["full"], theirs["full"])
        yield _lengths("batches", mine["all"], theirs["all"])
        yield self._directory(mine["directory"], theirs["directory"])
        yield self._attributes(mine["attributes"], theirs["attributes"])
        yield self._sequence(mine["sequence"], theirs["sequence"])

    def _directory(self, mine: Experiment, theirs: Experiment) -> Outcome:
        expected = "more batches for a folder with more images"
        if failed := checks.absent("directory", mine, expected):
            return failed
        images, found = theirs.values["images"], mine.values["lengths"]
        ordered = [length for _, length in sorted(zip(images, found, strict=False))]
        passed = len(found) == len(images) and ordered[0] > 0 and sorted(set(ordered)) == ordered
        numbers = [", ".join(map(str, some)) for some in (found, images)]
        return checks.outcome("directory", passed, expected, f"{numbers[0]} batches for {numbers[1]} images")

    def _attributes(self, mine: Experiment, theirs: Experiment) -> Outcome:
        expected = "attributes that hold the batch size and the directory"
        if failed := checks.absent("attributes", mine, expected):
            return failed
        lost = [name for name in ("batch size", "directory") if mine.values[name] != theirs.values[name]]
        return checks.outcome("attributes", not lost, expected, f"no {' and no '.join(lost)}" if lost else "both")

    def _sequence(self, mine: Experiment, theirs: Experiment) -> Outcome:
        expected = "a tf.keras.utils.Sequence, which fit can take"
        if failed := checks.absent("sequence", mine, expected):
            return failed
        passed = mine.values["are"] == theirs.values["are"]
        return checks.outcome("sequence", passed, expected, "one" if passed else "a class of another kind")


def _lengths(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check the lengths: all rounded up or all rounded down, of all pictures or of one part of a split."""
    cases: list[tuple[int, int]] = theirs.values["cases"]
    expected = "the number of batches for " + ", ".join(f"{number} images by {size}" for number, size in cases)
    if failed := checks.absent(name, mine, expected):
        return failed
    found = mine.values["lengths"]
    shares = _SHARES if mine.values["splits"] is True else _SHARES[:1]
    for share, cut, rounding in itertools.product(shares, _ROUND, _ROUND):
        if found == [rounding(cut(number * share) / size) for number, size in cases]:
            return checks.outcome(name, True, expected, "as expected")
    return checks.outcome(name, False, expected, ", ".join(str(length) for length in found))


class Batches:
    """Turns image files into pairs of binarised 32x32 grey images, batch by batch (Section 4.1)."""

    arguments = pictures.ARGUMENTS

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Ask for batches of folders whose pictures show one operation each."""
        strokes = [pictures.stroke(draw.integers(f"stroke {n}", 0, 1000, 4, 5) / 1000) for n in range(8)]
        stripes = [pictures.stripes(phase, upright) for phase in (0, 1) for upright in (False, True)]
        levels, colours = _levels(draw), _colours(draw)
        codes = [int(code) for code in np.unique(draw.integers("codes", 1, 511, 60))[:7]]

        def first(name: str, images: list[bytes]) -> NDArray[Any]:
            return pictures.inputs_of(_readable(student, name, images, len(images))[0])

        def flat(shown: list[Any]) -> Any:
            images = {f"{n}": first("flat", [pictures.constant(one)] * 2) for n, one in enumerate(shown)}
            return {"shown": shown, **images}

        def shapes() -> Any:
            made = _readable(student, "shapes", strokes, _BATCH)
            one, two = pictures.pair(made[0])
            size = min([pictures.kept_batch_size(made, _BATCH), *(pictures.listed(made) or [len(strokes)])])
            return {"input": one, "target": two, "size": size}

        def batches(number: int, size: int) -> Any:
            made = _readable(student, "batches", [pictures.blocks(code) for code in codes[:number]], size)
            return _all_batches(made, number, size, pictures.splits(student, "C2"))

        experiments: dict[str, Any] = {
            "shapes": shapes,
            "levels": lambda: flat(levels),
            "colours": lambda: flat(colours),
            "strokes": lambda: {"images": first("strokes", strokes)},
            "speckled": lambda: {"images": first("speckled", [pictures.speckled()] * 2)},
            "stripes": lambda: {"images": first("stripes", stripes)},
            "full batches": lambda: batches(6, 2),
            "partial batch": lambda: batches(7, 3),
        }
        if draw.pictures:
            experiments["real"] = lambda: {"images": first("real", list(draw.pictures))}
        return experiments

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the reference, whatever the order of the images."""
        yield self._shape(mine["shapes"])
        yield _constants("grayscale", mine["colours"], theirs["colours"], "colours")
        kinds = [kind for kind in _DIFFERING if kind in theirs]  # real images are there when the instructor gives some
        alike = [_alike(mine[kind], theirs[kind], _DIFFERING[kind]) for kind in kinds]
        yield checks.all_of("resize", *alike, _grey_until_scaled(mine["speckled"]))
        yield _constants("binarize", mine["levels"], theirs["levels"], "grey levels")
        yield checks.all_of(
            "batches", *(_once("batches", mine[name], theirs[name]) for name in ("full batches", "partial batch"))
        )

    def _shape(self, mine: Experiment) -> Outcome:
        expected = f"two tensors of the same {_BATCH} images in shape {(_BATCH, 32, 32, 1)}"
        if failed := checks.absent("shape", mine, expected, "input", "target"):
            return failed
        shape = (mine.values["size"], 32, 32, 1)  # the batch size that the constructor kept: C1's business
        one, two = mine.arrays["input"], mine.arrays["target"]
        if one.shape != shape or two.shape != shape:
            return checks.outcome("shape", False, expected, f"shapes {one.shape} and {two.shape}")
        if not np.array_equal(one, two):
            return checks.outcome("shape", False, expected, "two tensors of different values")
        if len(np.unique(one, axis=0)) < len(one):
            return checks.outcome("shape", False, expected, "the same image, or an empty one, several times")
        return checks.outcome("shape", True, expected, "as expected")


def _levels(draw: Any) -> list[int]:
    """Return a grey level of each range, in an order of the seed's."""
    levels = [int(draw.integers(f"level {n}", low, high + 1)) for n, (low, high) in enumerate(_LEVELS)]
    return [levels[place] for place in draw.order("levels", len(levels))]


def _colours(draw: Any) -> list[list[int]]:
    """Return a colour of each kind, in an order of the seed's."""
    levels = [int(draw.integers(f"colour {n}", low, high)) for n, (_, low, high) in enumerate(_COLOURS)]
    colours = [[level * one for one in channels] for level, (channels, _, _) in zip(levels, _COLOURS, strict=True)]
    return [colours[place] for place in draw.order("colours", len(colours))]


def _all_batches(made: Any, number: int, size: int, splits: bool) -> Any:
    """Return the images of all batches, the first one twice, and how many images there may be in all.

    How many batches there are and which files were listed is C1's business: both are taken as the object has them.
    """
    claimed = _claimed(made)  # asked first: it may change what the object keeps
    kept = pictures.kept_batch_size(made, size)
    whole = [*pictures.listed(made), number]
    whole += [cut(number * share) for share in _SHARES for cut in _ROUND] if splits else []
    allowed = sorted({*whole, *(count - count % kept for count in whole)})
    possible = {cut(total / kept) for total in whole for cut in _ROUND}
    count = claimed if claimed in possible - {0} else max(1, min(possible))
    order = [*range(1, count), 0]  # not in the order of the files: a counter of its own would show
    batches = {index: pictures.inputs_of(made[index]) for index in order}
    again = pictures.inputs_of(made[0])
    return {
        "images": np.concatenate([batches[index] for index in range(count)]),
        "sizes": [len(batches[index]) for index in range(count)],
        "size": kept,
        "allowed": allowed,
        "same again": bool(np.array_equal(batches[0], again)),
    }


def _claimed(made: Any) -> int:
    """Return the number of batches that the object claims, 0 when it cannot tell."""
    try:
        return len(made)
    except Exception:
        return 0


def _once(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that all batches but the last are full and that each image comes once."""
    expected = f"{sum(theirs.values['sizes'])} images in batches of {theirs.values['size']}, each image once"
    if failed := checks.absent(name, mine, expected, "images"):
        return failed
    sizes, size = mine.values["sizes"], mine.values["size"]
    full = bool(sizes) and sizes[:-1] == [size] * (len(sizes) - 1) and 0 < sizes[-1] <= size
    if not full or sum(sizes) not in mine.values["allowed"]:
        return checks.outcome(name, False, expected, f"batches of {', '.join(map(str, sizes))} images")
    if mine.values["same again"] is not True:
        return checks.outcome(name, False, expected, "another batch when the same index is asked for again")
    if not _as_many(mine, theirs):
        return checks.outcome(name, False, expected, f"images of shape {mine.arrays['images'].shape}")
    nearest = _differences(mine, theirs).argmin(axis=1).tolist()
    twice = len(set(nearest)) < len(nearest)
    return checks.outcome(name, not twice, expected, "images that cannot be told apart" if twice else "each image once")


def _readable(student: Any, name: str, images: list[bytes], batch_size: int) -> Any:
    """Return a data set that hands out images, trying three channels and other endings than the handout's JPG files.

    Which files it lists is C1's business; the first way's error is the one that is told.
    """
    first_error: Exception | None = None
    for ending, colour in ((".jpg", False), (".jpg", True), (".png", False), (".JPG", False), (".jpeg", False)):
        path = pictures.folder(name, [pictures.in_colour(image) for image in images] if colour else images, ending)
        pictures.point_fixed_folders(path)
        try:
            made = pictures.dataset(student, "C2", path, batch_size, works=lambda one: len(pictures.inputs_of(one[0])))
            if len(pictures.inputs_of(made[0])):
                return made
        except Exception as error:
            first_error = first_error or error
    raise first_error or ValueError("the first batch holds no image")


def _constants(name: str, mine: Experiment, theirs: Experiment, what: str) -> Outcome:
    """Check that large areas of one level or colour become all 0 or all 1 as the reference's do."""
    expected = f"areas of {len(theirs.arrays)} {what} become all 0 or all 1, each by its brightness"
    if failed := checks.absent(name, mine, expected, *theirs.arrays):
        return failed
    for key in sorted(theirs.arrays, key=lambda key: theirs.values["shown"][int(key)]):
        found, wanted = _area(mine.arrays[key]), float(_area(theirs.arrays[key]).flat[0])
        if not checks.finite(found) or not np.all(found == wanted):
            values = ", ".join(f"{value:g}" for value in np.unique(found)[:3])
            image = f"{what} {theirs.values['shown'][int(key)]}"
            return checks.outcome(name, False, expected, f"{image}: values {values}")
        if mine.arrays[key].shape[-1:] in ((3,), (4,)):
            return checks.outcome(name, False, expected, f"{mine.arrays[key].shape[-1]} channels")
    return checks.outcome(name, True, expected, "as expected")


def _area(images: NDArray[Any]) -> NDArray[Any]:
    """Return the lower part of images, which has one level; rows are axis 1, or axis 2 behind a channel axis."""
    axis = 2 if images.ndim == 4 and images.shape[1] < images.shape[3] else 1
    rows = images.shape[axis] if images.ndim > axis else 0
    return images.take(range(rows * 3 // 8, rows), axis=axis) if rows else images


def _as_many(mine: Experiment, theirs: Experiment) -> bool:
    """Return whether my images have as many pixels as theirs and are no more of them: to compare more has no end."""
    found, wanted = mine.arrays["images"], theirs.arrays["images"]
    return found.ndim > 1 and len(found) <= len(wanted) and found[0].size == wanted[0].size


def _differences(mine: Experiment, theirs: Experiment) -> NDArray[Any]:
    """Return the share of pixels in which each of my images differs from each of theirs: (mine, theirs)."""
    found, wanted = (e.arrays["images"].astype(np.float64).reshape(len(e.arrays["images"]), -1) for e in (mine, theirs))
    return np.asarray((np.abs(found[:, None] - wanted[None]) > 1e-6).mean(axis=-1))


def _grey_until_scaled(mine: Experiment) -> Outcome:
    """Check that grey values are averaged before they are binarised: one quarter of the speckles must become black.

    Smooth scaling makes all four quarters black, nearest neighbour one of them; binarised first, none is.
    """
    expected = "grey values that are scaled before they are binarised"
    if failed := checks.absent("resize", mine, expected, "images"):
        return failed
    images = mine.arrays["images"]
    if images.shape[1:3] != (32, 32):
        return checks.outcome("resize", False, expected, f"shape {images.shape}")
    quarters = [images[:, r : r + 12, c : c + 14] for r in (4, 18) for c in (1, 17)]
    white = all(float(np.mean(quarter != 0)) > 0.9 for quarter in quarters)
    return checks.outcome(
        "resize", not white, expected, "values that were binarised before" if white else "as expected"
    )


def _alike(mine: Experiment, theirs: Experiment, differing: float) -> Outcome:
    """Check that the images are the reference's in any order, but for a few pixels at edges, and zeros and ones."""
    name, expected = "resize", "the whole image at 32x32, of zeros and ones"
    if failed := checks.absent(name, mine, expected, "images"):
        return failed
    found = mine.arrays["images"]
    if found.shape[1:3] != (32, 32):
        return checks.outcome(name, False, expected, f"shape {found.shape}")
    if not np.isin(found, (0, 1)).all():
        return checks.outcome(name, False, expected, f"values such as {found[~np.isin(found, (0, 1))].flat[0]:.3g}")
    if not _as_many(mine, theirs):
        return checks.outcome(name, False, expected, f"shape {found.shape}: more than one channel, or too many images")
    differences = _differences(mine, theirs)
    closest = differences.min(axis=1)
    if closest.max() > differing:
        return checks.outcome(name, False, expected, f"{closest.max():.0%} of an image's pixels differ")
    each_once = len(set(differences.argmin(axis=1).tolist())) == len(found)
    return checks.outcome(name, each_once, expected, "as expected" if each_once else "the same image several times")
