"""Which networks a script has, where no name at its top level leads to them: in the confined child."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

WRAPPED = ("module", "_orig_mod")  # where DataParallel and torch.compile hold what they wrap
_WRAPPERS = ("DataParallel", "DistributedDataParallel", "OptimizedModule")
_LATEST = 2  # trained networks of one class that are kept, whatever the script lets go
# Every network that lives, in the order of its making; and by its class's name those that an optimizer moved last.
_alive: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_trained: dict[str, list[Any]] = {}
_seen: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()  # the optimizers
_folder = ""  # of the script


def remember() -> None:
    """Remember networks from now on; the script's own modules lie in the folder that this process is in."""
    global _folder
    _folder = f"{os.getcwd()}/"
    for name in ("__init__", "__setstate__"):  # made anew; copied or read from a file
        setattr(torch.nn.Module, name, _remembered(getattr(torch.nn.Module, name)))
    register_optimizer_step_post_hook(_moved)


def _remembered(own: Callable[..., None]) -> Callable[..., None]:
    """Return a method of Module that remembers the network besides: names inside functions are gone when they end."""

    @functools.wraps(own)
    def made(self: Any, *arguments: Any, **named: Any) -> None:
        own(self, *arguments, **named)
        _alive.pop(id(self), None)  # made twice: it counts from now
        _alive[id(self)] = self

    return made


def _moved(optimizer: Any, *_: Any) -> None:
    """Keep the networks whose weights an optimizer moves, from its first step on: the latest of each class."""
    if _seen.get(id(optimizer)) is optimizer:
        return
    _seen[id(optimizer)] = optimizer
    with contextlib.suppress(Exception):  # a class may have odd ideas of its parameters
        weights = {id(one) for group in optimizer.param_groups for one in group["params"]}
        for network in list(_alive.values()):
            if any(id(one) in weights for one in torch.nn.Module.parameters(network)):
                latest = [one for one in _trained.get(type(network).__name__, []) if one is not network]
                _trained[type(network).__name__] = [*latest, network][-_LATEST:]


def found(namespace: Mapping[str, Any], target: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the networks of a target's class with the names that a script has for them, "" for none.

    Those that were trained come first, then those with a name, each the last first.
    """
    classes = list(_classes(namespace, target["class"]))
    names = {id(inner(value)): name for name, value in list(namespace.items())}
    trained = [id(one) for one in _trained.get(target["class"], [])]
    at = {id(one): number for number, one in enumerate(list(_alive.values()))}
    own = [one for one in list(_alive.values()) if type(one) in classes]
    order = {name: number for number, name in enumerate(names)}

    def rank(one: Any) -> tuple[int, int, int]:
        place = trained.index(id(one)) if id(one) in trained else -1
        return place, order.get(id(one), -1), at[id(one)]

    return [(names.get(id(one), ""), one) for one in sorted(own, key=rank, reverse=True)]


def _classes(namespace: Mapping[str, Any], name: str) -> Iterator[type]:
    """Yield what the script and its modules call by a name: a class that only says so of itself is none of these."""
    modules = [vars(module) for module in list(sys.modules.values()) if _is_own(module)]
    for value in (one.get(name) for one in (namespace, *modules)):
        if isinstance(value, type) and issubclass(value, torch.nn.Module):
            yield value


def _is_own(module: Any) -> bool:
    """Return whether a module is the script's, not a library's."""
    return str(getattr(module, "__dict__", {}).get("__file__", "")).startswith(_folder)


def inner(value: Any) -> Any:
    """Return what a wrapper wraps."""
    for name in WRAPPED:
        if type(value).__name__ in _WRAPPERS:
            value = getattr(value, name, value)
    return value
