"""Code that asks for a GPU by name runs on the processor where there is none, in full precision where there is one.

Imported where student code runs, by `graders.probes.torch`. Functions are replaced one by one: a `TorchFunctionMode`
would see more of them, and make every operation of every probe slower.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.jit import _builtins

_FUNCTIONS = (
    "arange as_tensor asarray empty empty_like eye full full_like linspace load logspace normal ones ones_like rand "
    "rand_like randint randint_like randn randn_like randperm scalar_tensor set_default_device tensor zeros zeros_like"
).split()
_METHODS = "to new_empty new_full new_ones new_tensor new_zeros".split()


def without_gpu() -> None:
    """From now on take cuda for cpu wherever PyTorch is asked for a device, `torch.load` too, where no GPU is."""
    if torch.cuda.is_available():
        return
    for owner, names in ((torch, _FUNCTIONS), (torch.Tensor, _METHODS), (torch.nn.Module, ["to", "to_empty"])):
        for name in names:
            setattr(owner, name, _moved(getattr(owner, name)))
    for owner in (torch.Tensor, torch.nn.Module):
        owner.cuda = _stay
    # Weights of lazy modules allow of a few functions alone, by which they are.
    torch.nn.parameter.UninitializedTensorMixin._allowed_methods.append(torch.Tensor.to)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Keep a GPU from rounding float32 to ten bits (TF32) for a while: right solutions would differ by a thousandth."""
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    off: Any = False
    try:
        switches = [(one, "allow_tf32", one.allow_tf32) for one in (cuda, cudnn)]
    except RuntimeError:  # the student has set them by their newer names, which cannot be mixed with the older
        off = "ieee"
        switches = [(one, "fp32_precision", one.fp32_precision) for one in (cuda, cudnn.conv, cudnn.rnn)]
    try:
        for owner, name, _ in switches:
            setattr(owner, name, off)
        yield
    finally:
        for owner, name, before in switches:
            setattr(owner, name, before)


def _stay(self: Any, *_: Any, **__: Any) -> Any:
    return self


def _moved(own: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that asks for a device which is here."""

    @functools.wraps(own)
    def moved(*args: Any, **kwargs: Any) -> Any:
        return own(*map(_here, args), **{name: _here(value) for name, value in kwargs.items()})

    if operation := _builtins._find_builtin(own):
        _builtins._register_builtin(moved, operation)  # torch.jit.script knows functions by which they are
    return moved


def _here(value: Any) -> Any:
    """Return a device that is here for one that is not, and everything else as it is.

    >>> _here("cuda:0"), _here("cumsum"), _here(torch.device("cuda"))
    ('cpu', 'cumsum', 'cpu')
    """
    named = isinstance(value, (str, torch.device)) and str(value).partition(":")[0] == "cuda"
    return "cpu" if named else value
