"""What lies between the convolutions of a chain: each one's output beside the next one's input.

Imported where student code runs, by `graders.probes.torch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from graders.probes.draw import Draw
from graders.probes.torch_trace import Listener, evaluation

_CHANNELS, _POINTS = 6, 400  # of each link: enough to tell a function from none
_MOST = 100  # convolutions
_WIDE = 30.0  # times the inputs, for the last link: far enough to see where an activation is flat


def chain(layer: Any, x: NDArray[Any], draw: Draw) -> dict[str, Any]:
    """Call a module with the weights that it has on x, in evaluation mode; return what lies between its convolutions.

    `before 0`, `after 0`, ...: the output of a convolution and the input of the next one, as pairs of numbers at the
    same places: (channels, points), some channels of the first image. `before last` and `after last`: the same of the
    last convolution and the module's output, for inputs in a wide range, with values of both signs put into the last
    convolution's output: what follows it shows on both sides of zero whatever the weights are. `broken` are the links
    whose two ends have other sizes, padding around the second one aside; the last one is -1. `convolutions` is how many
    were executed, `parameters` how many there are to train, `unreached` how many of them get no gradient.
    """
    inputs = torch.from_numpy(x)
    with evaluation(layer), _Recorder() as near:
        layer(inputs)
    with evaluation(layer), _Signed(len(near.outputs), draw) as far:
        final = torch.as_tensor(layer(inputs * _WIDE))
    links = [(str(at), near.outputs[at], near.inputs[at + 1]) for at in range(len(near.inputs) - 1)]
    links += [("last", far.outputs[-1], final)] if far.outputs else []
    found: dict[str, Any] = {}
    broken = []
    for name, before, after in links:
        inner = _inner(after, before.shape)
        if inner is None:
            broken.append(-1 if name == "last" else int(name))
        else:
            found |= {f"before {name}": _some(before, name, draw), f"after {name}": _some(inner, name, draw)}
    numbers = {"convolutions": len(near.inputs), "parameters": sum(1 for _ in layer.parameters())}
    return {**found, "broken": broken, **numbers, "unreached": _unreached(layer, inputs)}


def _inner(tensor: Any, shape: Sequence[int]) -> Any | None:
    """Return a tensor without equal padding on all sides, None where its size does not come from that."""
    if tensor.dim() != 4 or len(shape) != 4 or tuple(tensor.shape[:2]) != tuple(shape[:2]):
        return None
    extra = [int(size) - int(wanted) for size, wanted in zip(tensor.shape[2:], shape[2:], strict=True)]
    if extra[0] != extra[1] or extra[0] < 0 or extra[0] % 2:
        return None
    pad = extra[0] // 2
    return tensor[:, :, pad : pad + int(shape[2]), pad : pad + int(shape[3])]


def _some(tensor: Any, name: str, draw: Draw) -> NDArray[Any]:
    """Return (channels, points) of the first image, the same for both ends of a link."""
    flat = tensor[0].reshape(tensor.shape[1], -1)
    channels = draw.order(f"channels {name}", flat.shape[0])[:_CHANNELS]
    points = draw.order(f"points {name}", flat.shape[1])[:_POINTS]
    chosen: NDArray[Any] = flat[channels][:, points].detach().to(torch.float32).numpy()
    return chosen


def _unreached(layer: Any, inputs: Any) -> int:
    """Return how many parameters the output of a module in evaluation mode does not depend on."""
    weights = [one for one in layer.parameters() if one.requires_grad]
    with evaluation(layer, graph=True):
        output = torch.as_tensor(layer(inputs))
        if not (weights and output.requires_grad):
            return sum(1 for _ in layer.parameters())
        found = torch.autograd.grad(output.square().sum(), weights, allow_unused=True)
    return sum(one is None for one in found) + sum(not one.requires_grad for one in layer.parameters())


class _Recorder(Listener):
    """Keeps the input and the output of every convolution; copies, since what follows may be in place."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def heard(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Keep what a convolution got and gave."""
        if "convolution" in func.overloadpacket.__name__ and len(self.inputs) < _MOST:
            self.touch(result)
            self.inputs.append(args[0].detach().clone())
            self.outputs.append(result.detach().clone())

    def touch(self, result: Any) -> None:
        """Leave the output of a convolution as it is."""


class _Signed(_Recorder):
    """Turns the signs of some of the last convolution's outputs round, in place, before anything follows."""

    def __init__(self, convolutions: int, draw: Draw) -> None:
        super().__init__()
        self.last, self.draw = convolutions - 1, draw

    def touch(self, result: Any) -> None:
        """Give the values of the last one signs of their own."""
        if len(self.outputs) == self.last:
            result.mul_(torch.from_numpy(self.draw.signs("last", *result.shape)))
