"""How a script prepares its images: told by the arrays that it made of them, and by what its networks were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Scale: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]  # of each channel: factor and offset
_EXACT = 1e-3  # of a value's deviation, by which float32 may be off
_FAR = 0.5  # in deviations: further off is no usual way to prepare images
_SOME = 64  # images that a scale is read off


class Unprepared(Exception):  # noqa: N818 - no error of the student's: we do not understand the script
    """It cannot be told how a script prepares its images."""


def as_the_script_does(
    images: NDArray[Any], own: Mapping[str, NDArray[Any]], values: Iterable[Any], batch: NDArray[Any] | None
) -> NDArray[np.float32]:
    """Return images (N, H, W, 3) of 0 to 255, with each channel scaled as a script scales its `own` x_train or x_test.

    `values` are those of its names; `batch` (B, H, W, 3) is the first that a network was given. Without either, images
    are in [0, 1], as handout B hands them out. Raises Unprepared.
    """
    scales = [*_made(own, values), *_usual(own["x_train"])]
    scale = scales[0] if batch is None else _nearest(scales, own["x_train"], batch)
    return np.asarray(images * scale[0] + scale[1], np.float32)


def _made(own: Mapping[str, NDArray[Any]], values: Iterable[Any]) -> Iterator[Scale]:
    """Yield the scales of the floats that a script made of its images."""
    for value in list(values):
        for name in ("x_test", "x_train"):
            raw = own[name]
            if getattr(value, "shape", None) != raw.shape or "float" not in str(getattr(value, "dtype", "")):
                continue
            if (scale := _scale(raw[:_SOME], np.asarray(value[:_SOME], np.float64))) is not None:
                yield scale


def _scale(raw: NDArray[Any], made: NDArray[np.float64]) -> Scale | None:
    """Return the scale of each channel that makes these of those; None where there is none."""
    x, y = raw.reshape(-1, raw.shape[-1]).astype(np.float64), made.reshape(-1, raw.shape[-1])
    spread = np.maximum(x.var(axis=0), 1e-12)
    factor = ((x - x.mean(axis=0)) * (y - y.mean(axis=0))).mean(axis=0) / spread
    offset = y.mean(axis=0) - factor * x.mean(axis=0)
    close = np.abs(x * factor + offset - y).max(axis=0) <= _EXACT * np.maximum(y.std(axis=0), 1e-12)
    return (factor, offset) if close.all() and np.all(factor > 0) else None


def _usual(raw: NDArray[Any]) -> Iterator[Scale]:
    """Yield [0, 1], [-1, 1], [-0.5, 0.5], 0 to 255, and mean 0 with deviation 1 of each channel, and of all."""
    one = np.ones(raw.shape[-1])
    for least, most in ((0.0, 1.0), (-1.0, 1.0), (-0.5, 0.5), (0.0, 255.0)):
        yield one * (most - least) / 255, one * least
    flat = raw.reshape(-1, raw.shape[-1])
    means, deviations = flat.mean(axis=0), flat.std(axis=0)
    yield 1 / deviations, -means / deviations
    yield one / flat.std(), -one * flat.mean() / flat.std()


def _nearest(scales: list[Scale], raw: NDArray[Any], batch: NDArray[Any]) -> Scale:
    """Return the scale after which images are most like a batch in the mean and the deviation of their values."""
    flat = raw.reshape(-1, raw.shape[-1])
    means, variances = flat.mean(axis=0), flat.var(axis=0)

    def distance(scale: Scale) -> float:
        factor, offset = scale
        mean = means * factor + offset
        deviation = float(np.sqrt((variances * factor**2).mean() + mean.var()))
        off = abs(float(mean.mean()) - float(batch.mean())) / deviation
        return off + abs(float(np.log(batch.std() / deviation)))

    best = min(scales, key=distance)
    if not distance(best) <= _FAR:
        raise Unprepared(
            f"images of mean {batch.mean():.3g} and deviation {batch.std():.3g} are prepared in no known way"
        )
    return best
