"""Handout B: whether what was added to images is Gaussian noise, drawn anew. A draw is an array (images, values)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.checks import distributions
from graders.model import Outcome

Array = NDArray[Any]
_LAGS = (1, 3, 7)  # the next channel, the next pixel, and one that is neither


def fresh(name: str, *draws: Array | None) -> Outcome:
    """Check that the draws are normal, whatever their deviation, and that no image's noise is that of another."""
    expected = "Gaussian noise of mean 0, drawn anew for every value of every call"
    known = [draw for draw in draws if draw is not None and draw.ndim == 2]
    if len(known) < len(draws) or not known or len({draw.shape for draw in known}) > 1:
        return checks.outcome(name, False, expected, "no images of the right number and size to tell by")
    rows = np.concatenate(known)
    halves = rows[:, : rows.shape[1] // 2], rows[:, rows.shape[1] // 2 :]  # two draws to tell whether rows are related
    return checks.all_of(
        name,
        distributions.drawn(name, expected, [_alone(draw) for draw in known]),
        distributions.drawn(name, expected, [distributions.unrelated(half) for half in halves]),
    )


def _alone(draw: Array) -> str:
    """Return what speaks against one draw: its shape, its mean, or values that follow from their neighbours."""
    spread = float(draw.std())
    if not 1e-6 < spread < np.inf:
        return "no noise at all"
    if finding := distributions.gaussian(draw, 0.0, spread):
        return finding
    flat = draw.ravel()
    pairs = [distributions.unrelated(np.stack([flat[:-lag], flat[lag:]])) for lag in _LAGS]
    return next(filter(None, pairs), "")


def spread(name: str, std: float, *draws: Array | None) -> Outcome:
    """Check the standard deviation of draws."""
    expected = "noise of the standard deviation that is asked for"
    known = [draw for draw in draws if draw is not None and draw.ndim == 2]
    if len(known) < len(draws):
        return checks.outcome(name, False, expected, "no images of the right number and size to tell by")
    return distributions.drawn(name, expected, [distributions.deviation(draw, 0.0, std) for draw in known])
