"""Canonical weights: every variable is overwritten by a pure function of its role, its shape and a seed.

Variables of one key get the same values, so any order, naming or nesting of layers gives the same network and a dense
layer equals a 1x1 convolution; two right implementations agree to rounding. What the instruments of both frameworks
do with variables, and need no framework for, is here too. NumPy only.
"""

from __future__ import annotations

import types
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROLES = {
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "mean",
    "moving_variance": "variance",
    "running_mean": "mean",
    "running_var": "variance",
}
_DEPTH = 8  # how deep layers may hide in lists, dicts and plain objects
_NO_HOLDERS = (type, types.ModuleType, types.FunctionType, types.MethodType, str, bytes, int, float, np.ndarray)


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


def walk(root: Any, is_variable: Callable[[Any], bool], parts: Callable[[Any], list[Any]]) -> Iterator[Any]:
    """Yield the variables in an object, in the lists, tuples and dicts that it holds, and in the `parts` of the rest.

    What is near is visited first, so that a long way round does not hide what a short way would have reached.
    """
    seen: set[int] = set()
    ring = [root]
    for _ in range(_DEPTH):
        fresh = {id(thing): thing for thing in ring if id(thing) not in seen and not isinstance(thing, _NO_HOLDERS)}
        seen |= set(fresh)
        ring = []
        for thing in fresh.values():
            if is_variable(thing):
                yield thing
            elif isinstance(thing, (list, tuple, set)):
                ring += thing
            else:
                ring += thing.values() if isinstance(thing, dict) else parts(thing)


def attributes(thing: Any) -> list[Any]:
    """Return what an object holds in attributes of its own."""
    return list(getattr(thing, "__dict__", {}).values())


def core_shapes(variables: Iterable[Any]) -> list[list[int]]:
    """Return the shapes of variables without axes of length one, sorted."""
    return sorted([int(size) for size in one.shape if size != 1] for one in variables)


def counted(shapes: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return the shapes of trainable weights and how many numbers they hold.

    >>> counted([[2, 3], [3]])
    {'shapes': [[2, 3], [3]], 'count': 9}
    """
    return {"shapes": shapes, "count": int(sum(np.prod(shape, dtype=int) for shape in shapes))}


def summed(gradients: Iterable[tuple[str, Sequence[int], NDArray[Any] | None]]) -> dict[str, NDArray[Any]]:
    """Return the gradients of variables, given as (role, shape, gradient), summed over those of one key.

    A gradient that does not flow is None, and counts as zero.
    """
    found: dict[str, NDArray[Any]] = {}
    for role, shape, gradient in gradients:
        key = f"gradient of {key_of(role, shape)}"
        dense = np.squeeze(np.zeros(tuple(shape), np.float32) if gradient is None else gradient)
        found[key] = found[key] + dense if key in found else dense
    return found
