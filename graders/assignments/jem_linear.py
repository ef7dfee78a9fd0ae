"""The stand-in model of handout B's functions in closed form: logits, losses and gradients in NumPy, for judges.

Features of an image are sums of its values, each with a sign; logits are linear in them, so every gradient that the
handout asks for can be written down. `drawn` makes the weights, which probes hand to `lab.LinearModel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.model import Experiment

Array = NDArray[Any]
CLASSES = 10  # the handout's: students may write the number down
SHAPE = (32, 32, 3)
_FEATURES = 8
_PIXELS = 32 * 32 * 3
_MOST_ROWS = 600  # no honest step shows the model more images


def drawn(draw: Any, scale: float = 1.0) -> dict[str, Array]:
    """Return weights for `lab.LinearModel`; `scale` is that of the kernel, and of gradients with respect to images."""
    return {
        "signs": draw.signs("signs", _PIXELS) / np.float32(np.sqrt(_PIXELS / _FEATURES)),
        "kernel": draw.normal("kernel", _FEATURES, CLASSES) * np.float32(scale),
        "bias": draw.normal("bias", CLASSES),
        "frozen": draw.normal("frozen", CLASSES),
    }


def two_tones(draw: Any, name: str, number: int, low: float, high: float) -> Array:
    """Return images (number, 32, 32, 3) of two values, far enough from 0 and 1 for noise to stay within them."""
    half, middle = np.float32((high - low) / 2), np.float32((high + low) / 2)
    return np.asarray(draw.signs(name, number, *SHAPE) * half + middle)


@dataclass(frozen=True)
class Linear:
    """The stand-in model: weights as in `drawn`, in float64."""

    signs: Array
    kernel: Array
    bias: Array
    frozen: Array

    def features(self, images: Array) -> Array:
        """Return the features (N, features) of images (N, 32, 32, 3)."""
        rows = images.reshape(len(images), -1).astype(np.float64) * self.signs
        return np.asarray(rows.reshape(len(images), -1, len(self.kernel)).sum(axis=1))

    def logits(self, features: Array) -> Array:
        """Return the logits (N, classes) of features (N, features)."""
        return np.asarray(features @ self.kernel + self.bias + self.frozen)

    def of_weights(self, features: Array, of_logits: Array) -> Array:
        """Return the gradients of kernel and bias, one below the other, given those of the logits (N, classes)."""
        return np.vstack([features.T @ of_logits, of_logits.sum(axis=0)])

    def of_images(self, of_logits: Array) -> Array:
        """Return the gradients of the images (N, 32, 32, 3), given those of the logits (N, classes)."""
        of_features = of_logits @ self.kernel.T  # (N, features)
        return np.asarray((np.tile(of_features, len(self.signs) // len(self.kernel)) * self.signs).reshape(-1, *SHAPE))


def of(experiment: Experiment) -> Linear:
    """Return the stand-in model of an experiment of the reference that returned its weights."""
    return _of(experiment.arrays)


def _of(weights: Mapping[str, Array]) -> Linear:
    return Linear(*(weights[name].astype(np.float64) for name in ("signs", "kernel", "bias", "frozen")))


def logits_of(weights: Mapping[str, Array], images: Array) -> Array:
    """Return the logits (N, classes) of images (N, 32, 32, 3), given weights as in `drawn`."""
    model = _of(weights)
    return model.logits(model.features(images))


def rows(experiment: Experiment) -> Array:
    """Return the features (N, features) of all images that the model saw, one after another; none where in doubt."""
    found = experiment.arrays.get("features", np.zeros(0))
    sound = not experiment.failure and found.ndim == 2 and found.shape[1] == _FEATURES and checks.finite(found)
    return found[:_MOST_ROWS].astype(np.float64) if sound else np.zeros((0, _FEATURES))


def patches(experiment: Experiment) -> Array:
    """Return what was kept of all images that the model saw, (N, values); none where in doubt."""
    found = experiment.arrays.get("patches", np.zeros(0))
    sound = found.ndim == 2 and len(found) <= _MOST_ROWS and checks.finite(found)
    return found.astype(np.float64) if sound else np.zeros((0, 0))


def softmax(logits: Array) -> Array:
    """Return the probabilities (N, classes) of logits (N, classes)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def one_hot(labels: Array) -> Array:
    """Return labels (N,) as rows of zeros and a one, (N, classes)."""
    return np.eye(CLASSES)[labels]


def energies(logits: Array, labels: Array | None = None) -> Array:
    """Return the energies (N,) of logits (N, classes): of the images, or of the images with labels (N,)."""
    if labels is not None:
        return np.asarray(-logits[np.arange(len(labels)), labels])
    most = logits.max(axis=1)
    return np.asarray(-(most + np.log(np.exp(logits - most[:, None]).sum(axis=1))))


def energy_gradients(logits: Array, labels: Array | None = None) -> Array:
    """Return the gradients of the energies with respect to the logits, both (N, classes)."""
    return np.asarray(-one_hot(labels) if labels is not None else -softmax(logits))


def cross_entropies(logits: Array, labels: Array) -> Array:
    """Return the cross-entropy (N,) of logits (N, classes) and labels (N,)."""
    return np.asarray(energies(logits, labels) - energies(logits))


def weight_gradients(experiment: Experiment) -> Array | None:
    """Return the gradients that an optimizer got for kernel and bias, one below the other; None where they are not."""
    kernel, bias = (experiment.arrays.get(f"gradient of {name}") for name in ("kernel", "bias"))
    if (
        experiment.failure
        or kernel is None
        or bias is None
        or kernel.shape != (_FEATURES, CLASSES)
        or bias.shape != (CLASSES,)
    ):
        return None
    found = np.vstack([kernel, bias]).astype(np.float64)
    return found if np.isfinite(found).all() else None


def reported(result: Any) -> Mapping[str, Any]:
    """Return what a training step returned: its type, and its loss where it is a dictionary that holds one."""
    found: dict[str, Any] = {"returned": type(result).__name__}
    if isinstance(result, Mapping) and "loss" in result:
        found["loss"] = np.asarray(result["loss"])
    return found
