"""Code that asks for a GPU by name runs on the processor where there is none.

Imported where student code runs, by `graders.probes.torch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


def without_gpu() -> None:
    """From now on take cuda for cpu in all that PyTorch is asked for, where no GPU is; `torch.load` too."""
    if torch.cuda.is_available():
        return
    _Here().__enter__()
    for part in (torch.Tensor, torch.nn.Module):
        part.cuda = _stay


def _stay(self: Any, *_: Any, **__: Any) -> Any:
    return self


class _Here(TorchFunctionMode):  # type: ignore[misc] # PyTorch's types are not read
    """Replaces devices among the arguments."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return func(*map(_here, args), **{name: _here(value) for name, value in (kwargs or {}).items()})


def _here(value: Any) -> Any:
    """Return a device that is here for one that is not, and everything else as it is.

    >>> _here("cuda:0"), _here("cumsum"), _here(torch.device("cuda"))
    (device(type='cpu'), 'cumsum', device(type='cpu'))
    """
    named = isinstance(value, torch.device) or (isinstance(value, str) and value.startswith("cuda"))
    return torch.device("cpu") if named and str(value).startswith("cuda") else value
