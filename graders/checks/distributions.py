"""Distributional checks with a stated rate of false alarms: 1e-6 a draw, and only two failed draws fail.

A finding is "" where the numbers are consistent with what is asked, else what they are. `drawn` makes an outcome of the
findings of independent draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.checks.outcomes import absent, outcome
from graders.model import Experiment, Outcome

_ALPHA = 1e-6
# Two-sided: the quantile of the normal distribution and the constant of the Kolmogorov-Smirnov band.
_SIGMAS = 4.9
_KOLMOGOROV = math.sqrt(math.log(2 / _ALPHA) / 2)
_LEAST = 1000  # fewer numbers say too little about a distribution
_MOST, _DRAWS = 200_000, 4  # more of them, or more arrays, cost time and say no more

_erf = np.vectorize(math.erf)


def normal(name: str, experiment: Experiment, mean: float, std: float) -> Outcome:
    """Check that one of the arrays of an experiment was drawn from N(mean, std), by mean, deviation and shape."""
    expected = f"a normal distribution with the handout's mean {mean:g} and its standard deviation"
    keys = sorted(experiment.arrays)[:_DRAWS]  # a store gives them back in an order of its own
    if failed := absent(name, experiment, expected, *keys):
        return failed
    findings = [gaussian(experiment.arrays[key].ravel()[:_MOST], mean, std) for key in keys]
    return drawn(name, expected, findings or ["no kernel at all"])


def drawn(name: str, expected: str, findings: Sequence[str]) -> Outcome:
    """Return an outcome that fails when each of the independent draws failed, or when there is none."""
    passed = any(finding == "" for finding in findings)
    return outcome(name, passed, expected, "consistent with it" if passed else (list(findings) or ["none"])[0])


def gaussian(values: NDArray[Any], mean: float, std: float) -> str:
    """Return what speaks against values that were drawn from N(mean, std)."""
    if finding := deviation(values, mean, std):
        return finding
    if _distance(values, lambda x: 0.5 * (1 + _erf((x - mean) / (std * math.sqrt(2))))) > _band(values):
        return f"standard deviation {float(values.std()):.4f}, but not normally distributed"
    return ""


def deviation(values: NDArray[Any], mean: float, std: float) -> str:
    """Return what speaks against the mean and the standard deviation of normally distributed values."""
    values = values.astype(np.float64).ravel()
    if values.size < _LEAST or not np.isfinite(values).all():
        return f"{values.size} values, too few to tell or not finite"
    found_mean, found_std = float(values.mean()), float(values.std())
    if abs(found_mean - mean) > _SIGMAS * std / math.sqrt(values.size):
        return f"mean {found_mean:.4f}"
    if abs(found_std / std - 1) > _SIGMAS / math.sqrt(2 * values.size):
        return f"standard deviation {found_std:.4f}"
    return ""


def uniform(values: NDArray[Any], low: float, high: float) -> str:
    """Return what speaks against values that were drawn evenly between two bounds."""
    values = values.astype(np.float64).ravel()
    if values.size < _LEAST or not np.isfinite(values).all():
        return f"{values.size} values, too few to tell or not finite"
    if values.min() < low or values.max() > high:
        return f"values from {values.min():.3g} to {values.max():.3g}"
    if _distance(values, lambda x: (x - low) / (high - low)) > _band(values):
        return f"values of mean {values.mean():.3f}, not spread evenly"
    return ""


def even(labels: NDArray[Any], number: int) -> str:
    """Return what speaks against labels that were drawn evenly from 0 to `number`, not included (chi-square)."""
    found = labels.ravel()
    if found.size < 5 * number:
        return f"{found.size} labels, too few to tell"
    if not np.isin(found, np.arange(number)).all():
        return f"labels such as {found[~np.isin(found, np.arange(number))][0]:g}"
    counts = np.array([np.count_nonzero(found == label) for label in range(number)])
    expected = found.size / number
    if float(((counts - expected) ** 2).sum() / expected) > _chi_square(number - 1, _SIGMAS):
        return f"label {int(counts.argmax())} {counts.max()} times, label {int(counts.argmin())} {counts.min()} times"
    return ""


def binomial(counts: NDArray[Any], trials: int, share: float) -> str:
    """Return what speaks against counts of successes in `trials` independent trials each, by mean and dispersion."""
    counts = counts.astype(np.float64).ravel()
    variance = trials * share * (1 - share)
    mean = float(counts.mean())
    if abs(mean - trials * share) > _SIGMAS * math.sqrt(variance / counts.size) + 0.5 / counts.size:
        return f"{mean / trials:.1%} of them"
    dispersion = float(((counts - trials * share) ** 2).sum() / variance)
    if dispersion < _chi_square(counts.size, -_SIGMAS):
        return "a number of them that hardly varies from call to call"
    if dispersion > _chi_square(counts.size, _SIGMAS):
        return "a number of them that varies too much from call to call"
    return ""


def unrelated(rows: NDArray[Any]) -> str:
    """Return what speaks against rows (rows, values) of independent numbers: a correlation of two of them.

    Rows without any variation are related to all others.
    """
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all() or np.any(rows.std(axis=1) == 0):
        return "values that do not vary"
    correlations = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    limit = NormalDist().inv_cdf(1 - _ALPHA / 2 / max(1, len(correlations))) / math.sqrt(rows.shape[1])
    worst = float(np.abs(correlations).max(initial=0.0))
    return f"a correlation of {worst:.2f} between them" if worst > limit else ""


def _chi_square(degrees: int, sigmas: float) -> float:
    """Return a quantile of the chi-square distribution (Wilson and Hilferty), given that of the normal one."""
    return degrees * max(0.0, 1 - 2 / (9 * degrees) + sigmas * math.sqrt(2 / (9 * degrees))) ** 3


def _band(values: NDArray[Any]) -> float:
    return _KOLMOGOROV / math.sqrt(values.size)


def _distance(values: NDArray[Any], cumulative: Callable[[NDArray[Any]], NDArray[Any]]) -> float:
    """Return the Kolmogorov-Smirnov distance between the values and a distribution."""
    ordered = np.sort(values.astype(np.float64).ravel())
    expected = cumulative(ordered)
    ranks = np.arange(ordered.size + 1) / ordered.size
    return float(max(np.abs(expected - ranks[1:]).max(), np.abs(expected - ranks[:-1]).max()))
