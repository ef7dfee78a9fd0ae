"""The one form of a check's result, and how results are put together."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from graders.model import Experiment, Outcome


def outcome(name: str, passed: bool, expected: object, actual: object) -> Outcome:
    """Return what a judge says of one criterion."""
    return Outcome(name, bool(passed), str(expected), str(actual))


def absent(name: str, experiment: Experiment, expected: object, *arrays: str) -> Outcome | None:
    """Return a failed outcome when an experiment failed or lacks one of these numeric, non-empty arrays; else None."""
    if experiment.failure:
        return outcome(name, False, expected, experiment.failure)
    for key in arrays:
        found = experiment.arrays.get(key)
        if found is None:
            return outcome(name, False, expected, f"no {key}")
        if found.dtype.kind not in "fiub":
            return outcome(name, False, expected, f"{key} of type {found.dtype}")
        if found.size == 0:
            return outcome(name, False, expected, f"{key} without a single element")
    return None


def all_of(name: str, *outcomes: Outcome) -> Outcome:
    """Return an outcome that passes when all of at least one pass, with the words of the first that does not."""
    failed = [one for one in outcomes if not one.passed]
    shown = (failed or list(outcomes) or [outcome(name, False, "a check", "none")])[0]
    return outcome(name, bool(outcomes) and not failed, shown.expected, shown.actual)


def any_of(name: str, *outcomes: Outcome) -> Outcome:
    """Return an outcome that passes when one passes, with its words; else with the words of the first."""
    passed = [one for one in outcomes if one.passed]
    shown = (passed or list(outcomes) or [outcome(name, False, "a check", "none")])[0]
    return outcome(name, bool(passed), shown.expected, shown.actual)


def shape_text(array: NDArray[Any]) -> str:
    """Return a shape as a person writes it.

    >>> import numpy as np
    >>> shape_text(np.zeros((2, 3)))
    '(2, 3)'
    """
    return str(tuple(int(size) for size in array.shape))
