"""The instruments of the PyTorch assignments: calling modules and counting their parameters.

Imported in the zygote, the children and a student's own kernel; never in the trusted process. Nothing here touches a
GPU: a fork after that would be of no use.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[Any]
_SEED = 0  # what a probe compares is drawn from its own seed; this one makes the rest repeatable


def restore() -> None:
    """Bring back what code for the handouts' versions of PyTorch relies on: so far, nothing of that was dropped."""


def adopt(namespace: MutableMapping[str, Any]) -> None:
    """Let the modules that a namespace defines behave as in those versions: they do."""


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Compute in one thread, repeatably and without warnings; a student's own kernel gets back what it had."""
    threads, exactness = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(_SEED)
        torch.set_num_threads(1)
        torch.set_deterministic_debug_mode("warn")  # use_deterministic_algorithms would import the compiler: a second
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_deterministic_debug_mode(exactness)


def function(name: str) -> Callable[[Any], Any]:
    """Return PyTorch's function of that name, to be passed where a student's code takes a function."""
    return getattr(torch.nn.functional, name, None) or getattr(torch, name)  # type: ignore[no-any-return]


def tensor(value: Any) -> Any:
    """Return a float32 tensor, cut off from its graph, of what a student's code returned."""
    return torch.as_tensor(value).detach().to("cpu", torch.float32)


def evaluated(layer: Any, *inputs: Array) -> dict[str, Array]:
    """Return the output of a module for these inputs in evaluation mode, without dropout; its mode is left as it was.

    Its weights are its own, so only shapes can be compared; a shape says nothing without the weights, see `count`.
    """
    modes = {module: module.training for module in layer.modules()}
    try:
        layer.eval()
        with torch.no_grad():
            return {"outputs": tensor(layer(*map(torch.from_numpy, inputs))).numpy()}
    finally:
        for module, training in modes.items():
            module.training = training


def variables_of(layer: Any) -> list[Any]:
    """Return every parameter of a module once, also those that are shared or frozen."""
    return list(layer.parameters())


def tracked_shapes(layer: Any) -> list[list[int]]:
    """Return the shapes of the parameters that training would reach, without axes of length one, sorted."""
    return _shapes(one for one in variables_of(layer) if one.requires_grad)


def _shapes(variables: Any) -> list[list[int]]:
    return sorted([int(size) for size in one.shape if size != 1] for one in variables)


def count(layer: Any) -> dict[str, Any]:
    """Return the number and the shapes of a module's trainable parameters, and the number of all."""
    shapes = tracked_shapes(layer)
    return {"shapes": shapes, "count": _numbers(shapes), "count of all": _numbers(_shapes(variables_of(layer)))}


def _numbers(shapes: list[list[int]]) -> int:
    return int(sum(np.prod(shape, dtype=int) for shape in shapes))
