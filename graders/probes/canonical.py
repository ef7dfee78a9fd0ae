"""Canonical weights: every variable is overwritten by a pure function of its role, its shape and a seed.

Variables of one key get the same values, so any order, naming or nesting of layers gives the same network and a dense
layer equals a 1x1 convolution; two right implementations agree to rounding. NumPy only.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ROLES = {
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "mean",
    "moving_variance": "variance",
}


def role_of(name: str, shape: Sequence[int]) -> str:
    """Return what a variable is for: its name says so for normalisation, its shape for all else.

    A bias has one axis that is longer than one; a kernel has more, in the sizes that the probes draw.

    >>> role_of("conv2d_7/kernel", (2, 3, 4, 5)), role_of("b", (1, 1, 1, 5)), role_of("gamma", (5,))
    ('kernel', 'bias', 'gamma')
    """
    last = name.rsplit("/", 1)[-1].split(":")[0].lower()
    return _ROLES.get(last, "kernel" if sum(size != 1 for size in shape) > 1 else "bias")


def key_of(role: str, shape: Sequence[int]) -> str:
    """Return the key of a variable: its role and its shape without axes of length one.

    >>> key_of("kernel", (1, 1, 4, 5))
    'kernel 4x5'
    """
    return f"{role} {'x'.join(str(size) for size in shape if size != 1) or '1'}"


def canonical(role: str, shape: Sequence[int], seed: int) -> NDArray[np.float32]:
    """Return the canonical value of a variable of that role and shape.

    Kernels keep the scale of what passes through them; gammas have both signs; variances are positive.
    """
    core = tuple(size for size in shape if size != 1)
    generator = np.random.default_rng([seed, zlib.crc32(key_of(role, shape).encode())])
    if role == "kernel":
        fan_in = max(1, int(np.prod(core[:-1])))
        value = generator.standard_normal(core) * 1.2 / np.sqrt(fan_in)
    elif role == "gamma":
        value = generator.uniform(0.5, 1.5, core) * np.where(generator.random(core) < 0.5, -1, 1)
    elif role == "variance":
        value = generator.uniform(0.5, 2.0, core)
    else:
        value = generator.standard_normal(core) * 0.4
    return np.asarray(value, np.float32).reshape(tuple(shape))
