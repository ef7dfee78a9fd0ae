"""Handout E, Part 2: losses of scores and of class scores, known by their gradients with respect to these.

Scores and their gradients are (n,), class scores and theirs (n, CLASSES). NumPy only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
CLASSES = 10
_OFF = 1e-3  # of a gradient, as a share of its largest value: float32 and one more pass through a sigmoid
_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 1 / 3, 0.1, 10.0)  # of a loss, where its targets are drawn and cannot be fitted


def linear(value: Array, pull: Array, targets: tuple[float, float]) -> bool:
    """Return whether pull = c (value - t) for one c > 0 and one target t in a range."""
    slope, shift = np.linalg.lstsq(np.stack([value, np.ones_like(value)], axis=1), pull, rcond=None)[0]
    if slope <= 0 or np.ptp(value) < 1e-6:
        return False
    off = np.abs(slope * value + shift - pull).max()
    return bool(off <= _OFF * max(np.abs(pull).max(), abs(slope)) and targets[0] <= -shift / slope <= targets[1])


def drawn_targets(chance: Array, pull: Array, targets: tuple[float, float], number: int) -> bool:
    """Return whether pull = c (chance - t) for a usual c and targets t, one per row, in a range."""
    found = [chance - pull * number / weight for weight in _WEIGHTS]
    return any(bool(np.all((t >= targets[0]) & (t <= targets[1]))) for t in found)


def proportional(one: Array, other: Array) -> bool:
    """Return whether one = c other for one c > 0."""
    scale = float(one @ other) / max(float(other @ other), 1e-300)
    return scale > 0 and bool(np.abs(one - scale * other).max() <= _OFF * np.abs(one).max())


def hinge(pull: Array, sign: int) -> bool:
    """Return whether scores are pulled this way, all alike, or not at all: a hinge or its linear part."""
    pulled = sign * pull[pull != 0]
    return bool(len(pulled) and pulled.min() > 0 and np.ptp(pulled) <= _OFF * pulled.max())


def cross_entropy(scores: Array, pulls: Array, labels: Array, form: str) -> bool:
    """Return whether gradients of class scores are those of cross-entropy with these labels, smoothed or not.

    They are w p - u d - v for the probabilities p of the scores and the labels d as one-hot vectors; in sum zero for
    logits, and u d / p for probabilities whose logarithm is taken.
    """
    hot = np.eye(CLASSES)[labels.astype(int)]
    size = np.abs(pulls).max()
    shares = {"softmax": scores, "log_softmax": np.exp(scores)}.get(form)
    if shares is not None and np.abs(shares.sum(axis=1) - 1).max() > 1e-3:
        return False  # of another axis than that of the classes
    if form == "softmax":
        return proportional(-pulls.ravel(), (hot / np.maximum(scores, 1e-12)).ravel())
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chance = powers / powers.sum(axis=1, keepdims=True)
    columns = np.stack([chance.ravel(), -hot.ravel(), -np.ones(hot.size)], axis=1)
    (w, u, v), *_ = np.linalg.lstsq(columns, pulls.ravel(), rcond=None)
    off = np.abs(columns @ (w, u, v) - pulls.ravel()).max()
    balanced = form == "log_softmax" or abs(w - u - CLASSES * v) <= 1e-2 * u
    return bool(off <= _OFF * size and u > 0 and w >= -1e-2 * u and balanced and -1e-2 * u <= v <= 0.1 * u)
