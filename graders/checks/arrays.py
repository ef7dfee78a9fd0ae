"""Shapes, values, gradients and weights of the student's object against the reference's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.checks.outcomes import absent, all_of, outcome, shape_text
from graders.model import Experiment, Outcome

# Two right float32 implementations differ by about 1e-6 of the scale; the wrong ones that were tried by more than 1e-2.
TOLERANCE = 1e-4
GRADIENT = "gradient of "
# Batch norm before and after upsampling keeps variances that differ by n / (n - 1), another momentum by far more.
STATISTICS_TOLERANCE = 1e-2


def finite(array: NDArray[Any]) -> bool:
    """Return whether an array has elements and all of them are finite numbers."""
    return array.size > 0 and bool(np.isfinite(array.astype(np.float64)).all())


def difference(mine: NDArray[Any], theirs: NDArray[Any], least: float = 1e-12) -> float:
    """Return the largest difference of two arrays of one shape as a share of the scale of the second, or of `least`.

    >>> difference(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    0.5
    """
    return float(np.abs(mine.astype(np.float64) - theirs.astype(np.float64)).max()) / _scale(theirs, least)


def _scale(array: NDArray[Any], least: float) -> float:
    return max(float(np.abs(array.astype(np.float64)).max(initial=0.0)), least)


def shape(name: str, mine: Experiment, theirs: Experiment, key: str = "outputs") -> Outcome:
    """Check that the output has the reference's shape, and that it comes from an object that has weights at all."""
    expected = shape_text(theirs.arrays[key])
    if failed := absent(name, mine, expected, key):
        return failed
    if theirs.values.get("shapes") and not mine.values.get("shapes"):
        return outcome(name, False, expected, "no trainable weight that Keras keeps track of takes part in the output")
    found = shape_text(mine.arrays[key])
    return outcome(name, found == expected, expected, found)


def close(
    name: str,
    mine: Experiment,
    theirs: Experiment,
    key: str = "outputs",
    tolerance: float = TOLERANCE,
    least: float = 1e-12,
) -> Outcome:
    """Check that an array equals the reference's to rounding, on the scale of that one or of `least`."""
    expected = (
        f"the values of the specification, given equal inputs and weights, in shape {shape_text(theirs.arrays[key])}"
    )
    if failed := absent(name, mine, expected, key):
        return failed
    found, wanted = mine.arrays[key], theirs.arrays[key]
    if found.shape != wanted.shape:
        return outcome(name, False, expected, f"shape {shape_text(found)}")
    if not finite(found):
        return outcome(name, False, expected, "values that are not finite (NaN or infinity)")
    off = difference(found, wanted, least)
    if off <= tolerance:
        return outcome(name, True, expected, "equal to rounding")
    return outcome(name, False, expected, _where(found, wanted, off, tolerance * _scale(wanted, least)))


def _where(found: NDArray[Any], wanted: NDArray[Any], off: float, limit: float) -> str:
    wrong = np.abs(found.astype(np.float64) - wanted.astype(np.float64)) > limit
    first = tuple(int(index) for index in np.argwhere(wrong)[0])
    size = f"{off:.0%}" if off >= 0.01 else f"{off:.2%}"
    return f"{wrong.mean():.0%} of the values differ, by up to {size} of the largest; the first at index {first}"


def values(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check that the outputs equal the reference's, during training too: no noise or dropout is asked for."""
    outputs = close(name, mine, theirs)
    if not outputs.passed:
        return outputs
    training = close(name, mine, theirs, "outputs in training")
    return training if training.passed else outcome(name, False, training.expected, f"{training.actual} (in training)")


def training(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check the outputs in training mode, and the running statistics that batch norm keeps of what it has seen."""
    kept = sorted(key for key in theirs.arrays if key.startswith("statistics "))
    return all_of(
        name,
        close(name, mine, theirs, "outputs in training"),
        *(close(name, mine, theirs, key, STATISTICS_TOLERANCE) for key in kept),
    )


def training_gradients(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check the gradients in training mode, all on one scale: batch norm makes some of them vanish but for rounding."""
    wanted = {key: array for key, array in theirs.arrays.items() if key.startswith(f"training {GRADIENT}")}
    least = max((float(np.abs(array).max(initial=0.0)) for array in wanted.values()), default=0.0)
    return all_of(name, *(close(name, mine, theirs, key, least=max(least, 1e-12)) for key in sorted(wanted)))


def any_batch(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check the outputs of a layer that was traced without knowing the size of the batch, as inside a Keras model."""
    expected = "outputs also where the size of the batch is not known beforehand, as in a model built on keras.Input"
    for key in ("whole batch", "one image"):
        if failed := absent(name, mine, expected, key, f"{key} untraced"):
            return failed
        found, wanted = mine.arrays[key], theirs.arrays[key]
        if found.shape != wanted.shape:
            return outcome(name, False, expected, f"{key}: shape {shape_text(found)}, expected {shape_text(wanted)}")
        # The values are compared with the layer's own: whether they are right is the business of other criteria.
        own = Experiment(arrays={key: mine.arrays[f"{key} untraced"]})
        one = close(name, mine, own, key)
        if not one.passed:
            return outcome(name, False, expected, f"other values there than elsewhere: {one.actual}")
    return outcome(name, True, expected, "equal to rounding")


def gradients(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    """Check the gradients of the input and of the weights, the latter summed over weights of one role and shape."""
    keys = sorted(key for key in theirs.arrays if key.startswith(GRADIENT))
    expected = "the gradients of the specification for the input and for every weight"
    if mine.failure:
        return outcome(name, False, expected, mine.failure)
    unreached = mine.values.get("unreached", 0) - theirs.values.get("unreached", 0)
    if unreached > 0:
        return outcome(name, False, expected, f"{unreached} weights get no gradient: what they compute is not used")
    for key in keys:
        if key not in mine.arrays:
            return outcome(name, False, expected, "a weight of the specification is missing or has another shape")
        if failed := absent(name, mine, expected, key):
            return failed
        one = close(name, mine, theirs, key)
        if not one.passed:
            dead = not np.any(mine.arrays[key])
            return outcome(name, False, expected, f"{key}: {'zero everywhere' if dead else one.actual}")
    return outcome(name, bool(keys), expected, "equal to rounding" if keys else "nothing to compare")


def parameters(name: str, *pairs: tuple[Experiment, Experiment]) -> Outcome:
    """Check that the trainable weights have the reference's number and shapes, axes of length one left out."""
    return all_of(name, *(_same_weights(name, *pair) for pair in pairs))


def _same_weights(name: str, mine: Experiment, theirs: Experiment) -> Outcome:
    expected = f"{theirs.values['count']} trainable parameters in {len(theirs.values['shapes'])} weights"
    if failed := absent(name, mine, expected):
        return failed
    found, count = mine.values.get("shapes"), mine.values.get("count")
    if found and found == theirs.values["shapes"]:
        return outcome(name, True, expected, "as expected")
    other = ", of other shapes" if count == theirs.values["count"] else ""
    return outcome(name, False, expected, f"{count} in {len(found or [])} weights{other}")
