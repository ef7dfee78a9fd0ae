"""What stands around an experiment on live networks: their calls pass through us, and all is put back afterwards.

Imported where student code runs, by `graders.probes.torch_duel`.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn


@contextlib.contextmanager
def undone(namespace: Mapping[str, Any]) -> Iterator[None]:
    """Put networks and optimizers back as they were: in a student's own kernel they may be trained ones."""
    kept = [one for one in namespace.values() if isinstance(one, (nn.Module, torch.optim.Optimizer))]
    states = [copy.deepcopy(one.state_dict()) for one in kept]
    modes = {part: part.training for one in kept if isinstance(one, nn.Module) for part in one.modules()}
    try:
        for one in kept:
            if isinstance(one, nn.Module):
                one.train()
        yield
    finally:
        for part, training in modes.items():
            part.training = training
        for one, state in zip(kept, states, strict=True):
            one.load_state_dict(state)


@contextlib.contextmanager
def batches_of(size: int, namespace: dict[str, Any]) -> Iterator[None]:
    """Let the size of a batch be another one where the student's code has a name for it."""
    names = [name for name, value in namespace.items() if _is_size(name) and type(value) is int]
    kept = {name: namespace[name] for name in names}
    namespace.update(dict.fromkeys(names, size))
    try:
        yield
    finally:
        namespace.update(kept)


def _is_size(name: str) -> bool:
    return name.replace("_", "").lower() in ("batchsize", "bs", "batch", "trainbatchsize", "batchsz")


@contextlib.contextmanager
def wrapped(cls: Any, note: Callable[[Any, tuple[Any, ...], Any], Any]) -> Iterator[None]:
    """Let all calls of a class's `forward` pass through a function of ours, which may change the result."""
    original, own = cls.forward, "forward" in vars(cls)

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        return note(self, (*args, *kwargs.values()), original(self, *args, **kwargs))

    cls.forward = forward
    try:
        yield
    finally:
        if own:
            cls.forward = original
        else:
            del cls.forward
