"""Links of a chain of layers: what one gives beside what the next one takes, as arrays (channels, points)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graders.checks.arrays import finite

# How far a function of one number goes up and down, in its whole range: a rectifier once, a smooth one not three times.
_TURNS = 4.0
_BENT = 1e-3  # of the range: rounding bends a line less
_LEAST = 8  # points that tell anything
_MOST = 1e100  # beyond, sums are no numbers


def _rows(before: NDArray[np.float64], after: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], ...]]:
    """Return the channels of a link, each in the order of what came before; none when there is nothing to compare."""
    if before.ndim != 2 or before.shape != after.shape or before.shape[1] < _LEAST:
        return []
    if not (finite(before) and finite(after)):
        return []
    before, after = np.clip(before, -_MOST, _MOST), np.clip(after, -_MOST, _MOST)
    order = np.argsort(before, axis=1, kind="stable")
    return list(zip(np.take_along_axis(before, order, 1), np.take_along_axis(after, order, 1), strict=True))


def pointwise(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Return whether each channel is a function of what it was before: no other pixel, channel or layer has a say.

    >>> x = np.linspace(-1, 1, 50)[np.newaxis]
    >>> pointwise(x, np.maximum(0, 2 - 3 * x)), pointwise(x, np.maximum(0, x) + np.cos(99 * x))
    (True, False)
    """
    rows = _rows(before, after)
    return bool(rows) and all(_travelled(a) <= _TURNS * np.ptp(a) + 1e-6 * np.abs(a).max() for _, a in rows)


def _travelled(values: NDArray[np.float64]) -> float:
    return float(np.abs(np.diff(values)).sum())


def bent(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Return whether a channel is no straight line of what it was before.

    >>> x = np.linspace(-1, 1, 50)[np.newaxis]
    >>> bent(x, np.maximum(0, x)), bent(x, 2 - 3 * x)
    (True, False)
    """
    return any(_off_line(b, a) > _BENT * np.ptp(a) for b, a in _rows(before, after) if np.ptp(a) > 0 and np.ptp(b) > 0)


def _off_line(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    scaled = (before - before.mean()) / np.ptp(before)
    slope = float((scaled * (after - after.mean())).sum() / np.square(scaled).sum())
    return float(np.abs(after - after.mean() - slope * scaled).max())


def rectified(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Return whether all negative numbers of a channel become one, and the large ones stay apart, as after a ReLU.

    >>> x = np.linspace(-3, 3, 50)[np.newaxis]
    >>> rectified(x, np.maximum(0, x)), rectified(x, np.clip(x, -1, 1)), rectified(x, np.tanh(x))
    (True, False, False)
    """
    return any(_flat(a[b < 0]) and np.ptp(a[b > 1]) > 0 for b, a in _rows(before, after) if (b > 1).sum() > 1)


def _flat(values: NDArray[np.float64]) -> bool:
    return values.size > 2 and bool(np.ptp(values) == 0)
