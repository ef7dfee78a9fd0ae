"""Distributional checks with a stated rate of false alarms: 1e-6 a draw, and only two failed draws fail."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.checks.outcomes import absent, outcome
from graders.model import Experiment, Outcome

# Two-sided, at 1e-6: the quantile of the normal distribution and the constant of the Kolmogorov-Smirnov band.
_SIGMAS = 4.9
_KOLMOGOROV = math.sqrt(math.log(2 / 1e-6) / 2)
_LEAST = 1000  # fewer numbers say too little about a distribution
_MOST, _DRAWS = 200_000, 4  # more of them, or more arrays, cost time and say no more

_erf = np.vectorize(math.erf)


def normal(name: str, experiment: Experiment, mean: float, std: float) -> Outcome:
    """Check that one of the arrays of an experiment was drawn from N(mean, std), by mean, deviation and shape."""
    expected = f"a normal distribution with the handout's mean {mean:g} and its standard deviation"
    keys = sorted(experiment.arrays)[:_DRAWS]  # a store gives them back in an order of its own
    if failed := absent(name, experiment, expected, *keys):
        return failed
    findings = [_finding(experiment.arrays[key].ravel()[:_MOST].astype(np.float64), mean, std) for key in keys]
    passed = any(finding == "" for finding in findings)
    return outcome(name, passed, expected, "consistent with it" if passed else (findings or ["no kernel at all"])[0])


def _finding(values: NDArray[Any], mean: float, std: float) -> str:
    """Return "" when the values are consistent with N(mean, std), else what they are."""
    if values.size < _LEAST or not np.isfinite(values).all():
        return f"{values.size} initial weights, too few to tell or not finite"
    found_mean, found_std = float(values.mean()), float(values.std())
    if abs(found_mean - mean) > _SIGMAS * std / math.sqrt(values.size):
        return f"mean {found_mean:.4f}"
    if abs(found_std / std - 1) > _SIGMAS / math.sqrt(2 * values.size):
        return f"standard deviation {found_std:.4f}"
    if _distance(values, mean, std) > _KOLMOGOROV / math.sqrt(values.size):
        return f"standard deviation {found_std:.4f}, but not normally distributed"
    return ""


def _distance(values: NDArray[Any], mean: float, std: float) -> float:
    """Return the Kolmogorov-Smirnov distance between the values and N(mean, std)."""
    ordered = np.sort(values.astype(np.float64))
    expected = 0.5 * (1 + _erf((ordered - mean) / (std * math.sqrt(2))))
    ranks = np.arange(ordered.size + 1) / ordered.size
    return float(max(np.abs(expected - ranks[1:]).max(), np.abs(expected - ranks[:-1]).max()))
