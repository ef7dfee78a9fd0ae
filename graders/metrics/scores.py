"""What raw outputs of a trained model are worth, image by image. Pure NumPy, in the trusted process.

A scorer takes what was asked (`Asked`) and the outputs for it, (N, ...) of any honest or hostile content, and returns
named float64 arrays (N,); "score" is the measure, NaN where an output is no number. It raises Unfit, in one line, for
outputs of another form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Scores = Mapping[str, Floats]

_C1, _C2 = 0.01**2, 0.03**2  # of structural similarity, for values in [0, 1]
_WINDOW, _SIGMA = 11, 1.5
_LEAST_LOG = -100.0  # as PyTorch bounds the logarithms of its binary cross-entropy
_MOST_CLASSES = 1000
_EPSILON = 1e-7  # as Keras bounds probabilities in its binary cross-entropy
_SLACK = 1e-4  # over [0, 1], by which a sigmoid in half precision may be off


class Unfit(Exception):  # noqa: N818 - no error of ours: what a model returned cannot be scored
    """Outputs that are not of the form that is asked for; the message is one line."""


@dataclass(frozen=True)
class Asked:
    """What a model is asked: inputs (N, ...) as they are sent to it, and the answers (N, ...), which are not."""

    inputs: NDArray[Any]
    answers: NDArray[Any]

    def part(self, where: NDArray[Any] | slice) -> Asked:
        """Return some of it."""
        return Asked(self.inputs[where], self.answers[where])


def reconstruction(asked: Asked, outputs: NDArray[Any]) -> Scores:
    """Score reconstructions (N, 3, H, W) of images (N, H, W, 3) of 0 to 255: MSE + BCE + 1 - SSIM, as handout E has it.

    Also returns the three by the names mse, bce and ssim, the latter the similarity itself.
    """
    truth = asked.inputs.astype(np.float64).transpose(0, 3, 1, 2) / 255
    made = _formed(outputs, truth.shape)
    if np.any((made < -_SLACK) | (made > 1 + _SLACK)):  # False for NaN, which stays
        raise Unfit(f"reconstructions with values from {np.nanmin(made):.3g} to {np.nanmax(made):.3g}, not in [0, 1]")
    made = made.clip(0, 1)
    mse = np.square(made - truth).mean(axis=(1, 2, 3))
    bce = -(truth * _log(made) + (1 - truth) * _log(1 - made)).mean(axis=(1, 2, 3))
    similarity = ssim(truth, made)
    return {"score": mse + bce + 1 - similarity, "mse": mse, "bce": bce, "ssim": similarity}


def accuracy(asked: Asked, outputs: NDArray[Any]) -> Scores:
    """Score class scores (N, K) by whether the highest is that of the label (N,): 1 or 0."""
    labels = asked.answers
    fits = np.ndim(outputs) == 2 and len(outputs) == len(labels)
    if not fits or not int(labels.max(initial=0)) < outputs.shape[1] <= _MOST_CLASSES:
        raise Unfit(f"outputs of shape {np.shape(outputs)}, not a score for each class of {len(labels)} images")
    scores = np.asarray(outputs, np.float64)
    # Of equal scores none is the highest: a model that cannot decide has not told the class.
    others = np.where(np.arange(scores.shape[1]) == labels[:, None], -np.inf, scores).max(axis=1)
    right = scores[np.arange(len(labels)), labels] > others
    return {"score": np.where(np.isfinite(scores).all(axis=1), right.astype(np.float64), np.nan)}


def colours(asked: Asked, outputs: NDArray[Any]) -> Scores:
    """Score scores of colours (N, K, H, W) by their mean cross-entropy with the colour of each pixel, (N, H, W)."""
    labels = asked.answers
    fits = np.ndim(outputs) == 4 and (len(outputs), *outputs.shape[2:]) == labels.shape
    if not fits or not int(labels.max(initial=0)) < outputs.shape[1] <= _MOST_CLASSES:
        raise Unfit(f"outputs of shape {np.shape(outputs)}, not a score for each colour of pixels {labels.shape}")
    found = np.asarray(outputs, np.float64)
    shifted = found - found.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    chosen = np.take_along_axis(logs, labels[:, None].astype(np.int64), axis=1)
    return {"score": -chosen.mean(axis=(1, 2, 3))}


def pixels(asked: Asked, outputs: NDArray[Any]) -> Scores:
    """Score probabilities of white (N, 32, 32, 1) by their mean binary cross-entropy with images of zeros and ones.

    Equal to that of Keras. Outputs with values beyond [0, 1] are logits.
    """
    truth = asked.inputs.astype(np.float64)
    made = _formed(np.reshape(outputs, truth.shape) if np.shape(outputs) == truth.shape[:3] else outputs, truth.shape)
    if np.any((made < -_SLACK) | (made > 1 + _SLACK)):  # False for NaN, which stays
        losses = np.maximum(made, 0) - made * truth + np.log1p(np.exp(-np.abs(made)))
    else:
        white = made.astype(np.float32).clip(_EPSILON, 1 - _EPSILON)  # rounds, and so decides what a sure mistake costs
        losses = -np.log(np.where(truth == 1, white, 1 - white).astype(np.float64))
    return {"score": losses.mean(axis=(1, 2, 3))}


def denoised(asked: Asked, outputs: NDArray[Any]) -> Scores:
    """Score images (N, 3, H, W) in [-1, 1] by their mean absolute difference from those without noise."""
    return {"score": np.abs(_formed(outputs, asked.answers.shape) - asked.answers).mean(axis=(1, 2, 3))}


SCORERS: Mapping[str, Callable[[Asked, NDArray[Any]], Scores]] = {
    "reconstruction": reconstruction,
    "accuracy": accuracy,
    "colours": colours,
    "pixels": pixels,
    "denoised": denoised,
}


def _formed(outputs: NDArray[Any], shape: tuple[int, ...]) -> Floats:
    if np.shape(outputs) != shape:
        raise Unfit(f"outputs of shape {np.shape(outputs)}, not {shape}")
    return np.asarray(outputs, np.float64)


def _log(values: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(values), _LEAST_LOG)


# Structural similarity ------------------------------------------------------------------------------------------------


def ssim(one: Floats, other: Floats) -> Floats:
    """Return the structural similarity (N,) of images (N, C, H, W) in [0, 1].

    The window is Gaussian, 11x11 with a standard deviation of 1.5, and zeros lie around the images.
    """
    mean_one, mean_other = _local_mean(one), _local_mean(other)
    variances = _local_mean(one * one) - mean_one**2 + _local_mean(other * other) - mean_other**2
    covariance = _local_mean(one * other) - mean_one * mean_other
    above = (2 * mean_one * mean_other + _C1) * (2 * covariance + _C2)
    found: Floats = above / ((mean_one**2 + mean_other**2 + _C1) * (variances + _C2))
    return np.asarray(found.mean(axis=(1, 2, 3)))


def _local_mean(values: Floats) -> Floats:
    height, width = values.shape[-2:]
    return _blur(height) @ values @ _blur(width)


@cache
def _blur(size: int) -> Floats:
    """Return the matrix (size, size) that averages along a line; it is symmetric."""
    distances = np.subtract.outer(np.arange(size), np.arange(size))
    weights = np.exp(-np.square(distances) / (2 * _SIGMA**2))
    whole = np.exp(-np.square(np.arange(_WINDOW) - _WINDOW // 2) / (2 * _SIGMA**2)).sum()
    return np.where(np.abs(distances) <= _WINDOW // 2, weights / whole, 0.0)


# The scale ------------------------------------------------------------------------------------------------------------


def share(value: float, full: float, none: float, tolerance: float) -> float:
    """Return which share of the points a value earns: evenly from `none` to `full`, the tolerance given to the student.

    >>> [round(share(value, full=0.69, none=0.72, tolerance=0.005), 3) for value in (0.694, 0.71, 0.73, float("nan"))]
    [1.0, 0.5, 0.0, 0.0]
    """
    if not np.isfinite(value):
        return 0.0
    better = np.sign(full - none)
    return float(np.clip((value + better * tolerance - none) / (full - none), 0.0, 1.0))
