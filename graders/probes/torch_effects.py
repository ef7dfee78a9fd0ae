"""The operations that a network executes: what sort of convolution one is, and whether its result depends on it.

What nothing depends on is no layer of a network.

Imported where student code runs, by other instruments. No expected value is in here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch

from graders.probes.torch_trace import Listener

_RESIZING = re.compile(r"convolution|pool|upsample|pixel_(un)?shuffle|grid_sampler|index_select|repeat_interleave")
_REPEATING = re.compile(r"^(repeat|index|expand)$")  # as interpolation to the nearest may be written


def effective(run: Callable[[], Any], numbers: Sequence[int]) -> list[bool]:
    """Return for each operation whether the tensor that `run` returns changes with its result.

    Operations are numbered from 1 in the order in which they reach ATen. `run` must do the same in every call.
    """
    with torch.no_grad():
        unchanged = run().clone()
        return [not torch.equal(_altered(run, number), unchanged) for number in numbers]


def _altered(run: Callable[[], Any], number: int) -> Any:
    with _Altering(number):
        return run()


class _Altering(Listener):
    """Adds waves to the result of one operation, which no normalization takes back."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.count = number, 0

    def passed_on(self, func: Any, result: Any) -> Any:
        """Return an operation's result, or that of the one that is chosen with waves."""
        self.count += 1
        if self.count != self.number:
            return result
        first, *rest = result if isinstance(result, (tuple, list)) else (result,)
        waves = _waves(first)
        if func.overloadpacket.__name__.endswith("_"):
            return first.add_(waves)  # in place: what it was called on is the result
        return (first + waves, *rest) if isinstance(result, (tuple, list)) else first + waves


def _waves(like: Any) -> Any:
    size = like.std(unbiased=False)
    places = torch.arange(like.numel(), dtype=like.dtype, device=like.device).reshape(like.shape)
    return torch.sin(places) * torch.where(size > 0, size, torch.ones_like(size))


def kind(func: Any, given: Sequence[Any]) -> dict[str, bool]:
    """Return what sort of convolution an operation is; all are False for another operation."""
    if "convolution" not in func.overloadpacket.__name__:
        return {"transposed": False, "depthwise": False, "pointwise": False}
    named = dict(zip((one.name for one in func._schema.arguments), given, strict=False))
    kernel, groups = named["weight"], int(named["groups"])
    return {
        "transposed": bool(named["transposed"]),
        "depthwise": groups > 1 and groups == int(named["input"].shape[1]),
        "pointwise": all(int(size) == 1 for size in kernel.shape[2:]),
    }


def resizes(name: str, source: Any, result: Any) -> bool:
    """Return whether an operation on maps may change their size; a single pixel that is repeated is no map."""
    if _REPEATING.match(name):
        usual = result.dim() == 4 if name != "expand" else result.dim() in (5, 6)
        return usual and source.dim() == result.dim() and 1 < pixels(source) < pixels(result)
    return bool(_RESIZING.search(name)) and source.dim() == result.dim() == 4


def pixels(tensor: Any) -> int:
    """Return the number of pixels of maps (N, C, ...)."""
    return math.prod(tensor.shape[2:])
