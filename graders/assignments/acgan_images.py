"""Handout E, Part 2: images back to bytes, the twenty latent vectors, and the figure that stands in the file's head."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.model import Experiment, Outcome

_LEVELS = 256
_SAMPLES = 20
_SIGMAS = 4.9  # a false alarm in a million
_RANGES = ((0.0, 1.0), (-1.0, 1.0))


class Denormalize:
    """Images in [0, 1] become numpy.uint8 of 0 to 255, each grey level that which it was; the input stays as it is."""

    arguments = ("x",)

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Turn images of all levels back, and others without the lowest and the highest, of each range."""
        levels = np.stack([draw.order(f"levels {at}", _LEVELS) for at in range(6)])  # (6, 256)
        every = levels.reshape(2, 3, 8, 32)
        some = every % 128 + 64

        def turned(grey: Any, low: float, high: float) -> Any:
            x = lab.image_tensor((low + (high - low) * grey / (_LEVELS - 1)).astype(np.float32))
            before = lab.tensor(x).clone()
            result = student.call("denormalize", x=x)
            found = {"numpy": isinstance(result, np.ndarray), "dtype": str(getattr(result, "dtype", type(result)))}
            moved = float((lab.tensor(x) - before).abs().max())
            return {**found, "levels": grey, "images": _as_array(result), "moved": moved}

        return {
            f"{name} {low:g}": functools.partial(turned, grey, low, high)
            for low, high in _RANGES
            for name, grey in (("every", every), ("some", some))
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare with the levels that the images were made of, in the better of the two ranges."""
        by_range = [
            [(mine[f"{name} {low:g}"], theirs[f"{name} {low:g}"]) for name in ("every", "some")] for low, _ in _RANGES
        ]
        judged = [checks.all_of("values", *(_levels(*pair) for pair in pairs)) for pairs in by_range]
        best = by_range[1] if judged[1].passed and not judged[0].passed else by_range[0]
        yield checks.all_of("shape", *(_layout(*pair) for pair in best))
        yield checks.any_of("values", *judged)
        yield checks.all_of("type", *(_bytes(one) for one, _ in best))
        yield checks.all_of("unchanged", *(_unmoved(one) for one, _ in best))


def _as_array(result: Any) -> Any:
    return result if isinstance(result, np.ndarray) else np.asarray(result.detach().cpu())


def _orders(levels: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return images (N, 3, H, W) as the handout's code draws them, and in the order in which they came."""
    return levels.transpose(0, 2, 3, 1), levels


def _layout(mine: Experiment, theirs: Experiment) -> Outcome:
    shapes = [one.shape for one in _orders(theirs.arrays["levels"])]
    expected = f"{shapes[0]}, or {shapes[1]} where they are turned elsewhere"
    if failed := checks.absent("shape", mine, expected, "images"):
        return failed
    found = mine.arrays["images"].shape
    return checks.outcome("shape", found in shapes, expected, str(found))


def _levels(mine: Experiment, theirs: Experiment) -> Outcome:
    expected = "the grey levels that the images were made of, rounded or cut off"
    if failed := checks.absent("values", mine, expected, "images"):
        return failed
    found = mine.arrays["images"].astype(np.float64)
    wanted = [one for one in _orders(theirs.arrays["levels"]) if one.shape == found.shape]
    if not wanted:
        return checks.outcome("values", False, expected, f"shape {found.shape}")
    off = np.abs(found - wanted[0])
    at_ends = float(off[(wanted[0] == 0) | (wanted[0] == _LEVELS - 1)].max(initial=0))
    told = f"levels that are up to {off.max():.4g} away"
    if off.max() <= 1 and at_ends:
        return checks.outcome("values", False, expected, f"an end that is {at_ends:.4g} away")
    return checks.outcome("values", bool(off.max() <= 1), expected, told)


def _bytes(mine: Experiment) -> Outcome:
    expected = "a numpy array of uint8"
    if failed := checks.absent("type", mine, expected):
        return failed
    kind, own = mine.values.get("dtype"), mine.values.get("numpy") is True
    return checks.outcome("type", own and kind == "uint8", expected, f"{'an array' if own else 'no array'} of {kind}")


def _unmoved(mine: Experiment) -> Outcome:
    expected = "the images that were passed stay as they are"
    if failed := checks.absent("unchanged", mine, expected):
        return failed
    moved = float(mine.values.get("moved", np.nan))
    return checks.outcome(
        "unchanged", moved == 0, expected, "so it is" if moved == 0 else f"changed by up to {moved:.3g}"
    )


class Samples:
    """Twenty latent vectors drawn from a normal distribution of mean 0 and standard deviation 1."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return the vectors, drawn by the student's own statement."""

        def vectors() -> Any:
            value = student.definition("samples")
            value = value() if callable(value) else value
            if value is None:
                raise NotImplementedError("samples")
            return {"vectors": lab.tensor(value).numpy()}

        return {"vectors": vectors}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Check their number and their distribution; what is no table of numbers is left to a person."""
        if mine["vectors"].failure or mine["vectors"].arrays.get("vectors", np.zeros(0)).ndim < 2:
            return
        yield _twenty(mine["vectors"])
        yield checks.all_of("normal", standard_normal("normal", mine["vectors"]), _unlike(mine["vectors"]))


def _twenty(mine: Experiment) -> Outcome:
    expected = f"{_SAMPLES} latent vectors: ({_SAMPLES}, latent_dim)"
    if failed := checks.absent("number", mine, expected, "vectors"):
        return failed
    found = mine.arrays["vectors"]
    passed = found.shape[:1] == (_SAMPLES,) and found.size >= 2 * _SAMPLES
    return checks.outcome("number", passed, expected, str(found.shape))


def _unlike(mine: Experiment) -> Outcome:
    """Check that no two vectors are the same."""
    expected = "numbers that are drawn for every vector"
    if failed := checks.absent("normal", mine, expected, "vectors"):
        return failed
    found = mine.arrays["vectors"]
    different = len(np.unique(found.reshape(len(found), -1), axis=0))
    return checks.outcome("normal", different == len(found), expected, f"{different} different vectors of {len(found)}")


def standard_normal(name: str, *draws: Experiment, key: str = "vectors") -> Outcome:
    """Check that numbers were drawn from N(0, 1), by mean, deviation and shape; one draw that was is enough."""
    expected = "numbers drawn from a normal distribution of mean 0 and standard deviation 1"
    for one in draws:
        if failed := checks.absent(name, one, expected, key):
            return failed
    found = [_against(one.arrays[key].astype(np.float64).ravel()) for one in draws]
    passed = any(finding == "" for finding in found)
    return checks.outcome(name, passed, expected, "consistent with it" if passed else (found or ["none"])[0])


def _against(values: NDArray[Any]) -> str:
    """Return what speaks against values that were drawn from N(0, 1)."""
    if values.size < 40 or not checks.finite(values):
        return f"{values.size} numbers, too few to tell or not finite"
    mean, std = float(values.mean()), float(values.std())
    limit = _SIGMAS / math.sqrt(values.size)
    tails = float((((values - mean) / max(std, 1e-12)) ** 4).mean()) - 3  # its standard deviation is sqrt(24 / n)
    told = f"mean {mean:.3f}, standard deviation {std:.3f}"
    if abs(mean) > limit or abs(std - 1) > limit:
        return told
    if not -math.sqrt(24) * limit < tails < 2 * math.sqrt(24) * limit:
        return f"{told}, but not normally distributed"
    return ""


class Claim:
    """The auxiliary accuracy on the test set stands in the head of the file."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return no experiments: the evidence is read off the file."""
        return {}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the figure of an accuracy in a file's head; where there is no line for it, a person looks."""
        head = mine["heads"].values.get("lines", [])
        lines = [one for one in head if "accuracy" in one["label"].lower()]
        shares = [share for one in lines if (share := _share(one)) is not None]
        if not lines or (not shares and any(one["percent"] for one in head)):
            return
        told = f"{shares[0]:.2%}" if shares else f"no figure in '{lines[0]['label']}'"
        yield checks.outcome("accuracy", bool(shares) and 0 < shares[0] <= 1, "an accuracy of at most 100 %", told)


def _share(line: Any) -> float | None:
    """Return the figure of a line as a share of 1; 0.7 and 70 both mean 70 %."""
    value = line["value"]
    return None if value is None else value / 100 if line["percent"] or value > 1 else float(value)
