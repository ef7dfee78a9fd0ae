"""Comparisons used by judges: pure functions of two experiments that return one outcome each. NumPy only.

One rule for all: what is absent, empty, of another shape or not finite never passes.
"""

from graders.checks.arrays import (
    any_batch,
    close,
    finite,
    gradients,
    parameters,
    shape,
    training,
    training_gradients,
    values,
)
from graders.checks.chains import bent, pointwise, rectified
from graders.checks.distributions import normal
from graders.checks.layers import convolutions
from graders.checks.outcomes import absent, all_of, any_of, outcome
from graders.checks.supports import agreement, causal, same_support, window

__all__ = [
    "absent",
    "agreement",
    "all_of",
    "any_batch",
    "any_of",
    "bent",
    "causal",
    "close",
    "convolutions",
    "finite",
    "gradients",
    "normal",
    "outcome",
    "parameters",
    "pointwise",
    "rectified",
    "same_support",
    "shape",
    "training",
    "training_gradients",
    "values",
    "window",
]
