"""The operations that a module really executes, in their order, whatever it is made of.

Imported where student code runs, by `graders.probes.torch`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

_MOST = 1000  # operations; a deep network has a hundred
_CONVOLUTION = ("convolution", "_convolution", "convolution_overrideable", "mkldnn_convolution")
# Bookkeeping that says nothing of what is computed.
SILENT = frozenset("detach alias view _unsafe_view t transpose permute expand clone _to_copy lift_fresh empty".split())


@contextlib.contextmanager
def evaluation(layer: Any, graph: bool = False) -> Iterator[None]:
    """Put a module into evaluation mode, by default without a graph; the modes of its parts are left as they were."""
    modes = {module: module.training for module in layer.modules()}
    try:
        layer.eval()
        with torch.set_grad_enabled(graph):
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def operations(layer: Any, x: NDArray[Any] | Callable[[], Any]) -> dict[str, Any]:
    """Call a module on x in evaluation mode; return the operations and the modules that were executed, in order.

    In place of x there may be a function that calls the module.

    Lists of entries of one form each, cut after a thousand. `operations`: name (that of ATen, without the underscore of
    one in place) and size (of the output). `convolutions`: those among them, with at (the place there), size, kernel,
    stride, padding, dilation, output_padding (lists), transposed, groups, inputs and outputs (channels); padding by
    `F.pad` or a module is an operation of its own. `modules`: name (the class of PyTorch that a module without parts
    is, or is derived from) and size.
    """
    modules: list[dict[str, Any]] = []
    handles = [part.register_forward_hook(_noting(modules)) for part in _leaves(layer)]
    try:
        with evaluation(layer), _Recorder() as recorder:
            x() if callable(x) else layer(torch.from_numpy(x))
    finally:
        for handle in handles:
            handle.remove()
    return {"operations": recorder.found, "convolutions": recorder.convolutions, "modules": modules}


def _leaves(layer: Any) -> list[nn.Module]:
    return [module for module in layer.modules() if not any(module.children())]


def _noting(found: list[dict[str, Any]]) -> Any:
    def hook(module: nn.Module, _: Any, output: Any) -> None:
        if len(found) < _MOST:
            found.append({"name": _class_of(module), "size": _size(output)})

    return hook


def _class_of(module: nn.Module) -> str:
    """Return the name of the class of PyTorch that a module is or is derived from."""
    return next(one.__name__ for one in type(module).__mro__ if one.__module__.startswith("torch."))


def _size(output: Any) -> list[int]:
    first = output[0] if isinstance(output, (list, tuple)) and output else output
    return [int(size) for size in first.shape] if isinstance(first, torch.Tensor) else []


class Listener(TorchDispatchMode):  # type: ignore[misc] # of PyTorch, whose types are not read
    """Hears of every operation that reaches ATen while it is active."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and to keep the compiler out would import it: a second

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.heard(func, args, kwargs or {}, result)
        return self.passed_on(func, result)

    def heard(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Note an operation."""

    def passed_on(self, func: Any, result: Any) -> Any:
        """Return what takes the place of an operation's result: itself."""
        return result


class _Recorder(Listener):
    """Notes every operation but bookkeeping."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.convolutions: list[dict[str, Any]] = []

    def heard(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Note an operation, and the details of a convolution."""
        name = str(func.overloadpacket.__name__).rstrip("_")
        if name not in SILENT and len(self.found) < _MOST:
            if name in _CONVOLUTION:
                name = "convolution"
                details = _convolution(func, args, kwargs)
                self.convolutions.append({"at": len(self.found), "size": _size(result), **details})
            self.found.append({"name": name, "size": _size(result)})


def _convolution(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a convolution; a transposed one has its inputs on the first axis of the kernel."""
    given = dict(zip((one.name for one in func._schema.arguments), args, strict=False)) | dict(kwargs)
    first, second, *kernel = (int(size) for size in given["weight"].shape)
    groups, transposed = int(given["groups"]), bool(given["transposed"])
    lists = {name: _per_axis(given[name], len(kernel)) for name in ("stride", "padding", "dilation", "output_padding")}
    channels = (
        {"inputs": first, "outputs": second * groups} if transposed else {"inputs": second * groups, "outputs": first}
    )
    return {"kernel": kernel, **lists, "transposed": transposed, "groups": groups, **channels}


def _per_axis(value: Sequence[int], axes: int) -> list[int]:
    return [int(one) for one in value] * (axes if len(value) == 1 else 1)
