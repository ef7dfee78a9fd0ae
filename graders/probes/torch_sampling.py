"""How a model samples: the random codes that its images come from, and the operations that PyTorch executes.

Imported where student code runs, by `graders.probes.torch`. No expected value is in here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graders.probes.torch_trace import Listener

Array = NDArray[Any]
CLASSES = 10
_MOST = 2000  # operations
RANDOM = re.compile(r"^(randn|randn_like|rand|rand_like|normal|normal_functional|uniform)$")
_ELEMENTWISE = re.compile(
    r"^(mul|add|sub|rsub|div|neg|abs|pow|exp|log|sqrt|clamp|clamp_min|clamp_max|sigmoid|tanh|relu|round|sign|_to_copy)$"
)


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """Draw the same random numbers each time within the block."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def one_hot(labels: Any) -> Any:
    """Return labels (N,) as float32 (N, CLASSES)."""
    return torch.nn.functional.one_hot(labels.long(), CLASSES).float()


def tensor_of(array: Array) -> Any:
    """Return an array as a tensor of its type."""
    return torch.from_numpy(np.asarray(array))


def array_of(value: Any) -> Array:
    """Return a copy: the tensor may be changed in place later."""
    return np.array(torch.as_tensor(value).detach().to("cpu", torch.float32).numpy())


class Recorder(Listener):
    """Hands every operation that reaches ATen, and its result, to a function."""

    def __init__(self, note: Callable[[str, Any, Sequence[Any], Any], None]) -> None:
        super().__init__()
        self.note, self.count = note, 0

    def heard(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Hand an operation on, with all that it was given."""
        self.count += 1
        if self.count <= _MOST:
            self.note(str(func.overloadpacket.__name__).rstrip("_"), func, [*args, *kwargs.values()], result)


def generated(model: Any, generate: Callable[[], Any], number: int) -> dict[str, Any]:
    """Call a function that generates so many images; return them, their labels and the codes that they came from.

    `size` of the images, `outputs` (N, ...): every fourth row and column of them, `labels` (empty where there are
    none), `codes` (N, latent): the first random numbers that are drawn, with what is done to each of them before they
    are used; else what the first part of the model is called on.
    """
    follower = _Follower(number)
    handles = [part.register_forward_pre_hook(follower.called) for part in model.children()]
    try:
        with torch.no_grad(), Recorder(follower.note):
            found = generate()
    finally:
        for handle in handles:
            handle.remove()
    images, labels = (*found, None)[:2] if isinstance(found, (tuple, list)) else (found, None)
    flat = np.zeros(0) if labels is None else np.asarray(torch.as_tensor(labels).detach().cpu().numpy())
    latent = np.zeros((0, 0), np.float32) if follower.last is None else array_of(follower.last).reshape(number, -1)
    whole = array_of(images)
    some = whole[..., ::4, ::4] if whole.ndim == 4 else whole
    labelled = flat.astype(np.float64)
    return {"size": list(whole.shape), "outputs": np.ascontiguousarray(some), "labels": labelled, "codes": latent}


class _Follower:
    """Follows random numbers through the operations that change each of them by itself."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.last: Any = None

    def _fits(self, one: Any) -> bool:
        return bool(one.numel() > self.number and one.numel() % self.number == 0)

    def called(self, _: Any, given: Sequence[Any]) -> None:
        """Take what a part is called on where no random numbers of PyTorch were seen."""
        first = next((one for one in given if isinstance(one, torch.Tensor) and one.dtype.is_floating_point), None)
        if self.last is None and first is not None and len(first) == self.number and self._fits(first):
            self.last = first.clone()

    def note(self, name: str, _: Any, given: Sequence[Any], result: Any) -> None:
        """Take the first random numbers; then the result of an operation on them alone."""
        if not isinstance(result, torch.Tensor) or not result.dtype.is_floating_point:
            return
        if self.last is None:
            source = next((one for one in given if isinstance(one, torch.Tensor)), None)
            of_numpy = name == "_to_copy" and source is not None and source.dtype == torch.float64
            if (RANDOM.match(name) or of_numpy) and self._fits(result):
                self.last = result.clone()
            return
        tensors = [one for one in given if isinstance(one, torch.Tensor) and one.numel() > 1]
        if name == "normal" and result.numel() == self.last.numel():
            self.last = result.clone()  # drawn in place of what was there
        elif _ELEMENTWISE.match(name) and len(tensors) == 1 and _same(tensors[0], self.last):
            self.last = result.clone()


def _same(one: Any, other: Any) -> bool:
    return one.numel() == other.numel() and bool(torch.equal(one.reshape(-1).to(other.dtype), other.reshape(-1)))
