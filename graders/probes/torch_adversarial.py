"""What a conditional generator and a discriminator with two heads do, one by one: no weights are compared.

Imported where student code runs, by `graders.probes.torch`. What they do in training is noted by `torch_duel`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from graders.probes.draw import Draw
from graders.probes.torch_effects import effective, kind
from graders.probes.torch_sampling import CLASSES, Recorder, one_hot
from graders.probes.torch_trace import SILENT, evaluation

_WIDE = 10.0  # times all weights: far enough to see whether an output has ends
_Call = Callable[[Any, Any], Any]


def generated(layer: Any, draw: Draw, latents: Sequence[int], number: int = 6) -> dict[str, Any]:
    """Return what a generator makes with its initial weights, from vectors of the first of these sizes that it takes.

    `images` (number, ...): those of different vectors and labels, in evaluation mode; `by label` (10, ...): of one
    vector and every label; `by vector` (10, ...): of different vectors and one label; in these two batch norm uses the
    batch. `low` and `high`: the ends of what it gives with weights so large that a bounded output reaches them.
    """
    latent, call = _form(layer, draw, latents)
    one = torch.from_numpy(draw.normal("one", 1, latent)).repeat(CLASSES, 1)
    many = torch.from_numpy(draw.normal("many", CLASSES, latent))
    every, same = torch.arange(CLASSES), torch.full((CLASSES,), 3)
    with _repeatable(layer):
        by_label, by_vector = _array(call(one, every)), _array(call(many, same))
    with _repeatable(layer, statistics=False):
        images = _array(call(many[:number], every[:number]))
    return {
        "images": images,
        "by label": by_label,
        "by vector": by_vector,
        "latent": latent,
        **_ends(layer, call, many),
    }


def reached(layer: Any, draw: Draw, latents: Sequence[int]) -> dict[str, Any]:
    """Return how many weights of a generator its images depend on, of how many, and the gradient of the vectors."""
    latent, call = _form(layer, draw, latents)
    z = torch.from_numpy(draw.normal("many", CLASSES, latent)).requires_grad_()
    images = call(z, torch.arange(CLASSES))
    weights = [one for one in layer.parameters() if one.requires_grad]
    found = _gradients(images, [z, *weights], draw)
    return {
        "weights": len(weights),
        "reached": sum(one is not None for one in found[1:]),
        "vectors": _array(found[0], z),
    }


def upsampled(layer: Any, draw: Draw, latents: Sequence[int]) -> dict[str, Any]:
    """Return the maps that a generator makes and its images depend on, in their order: height, and transposed (bool).

    Transposed are those that come out of a transposed convolution.
    """
    latent, call = _form(layer, draw, latents)
    z = torch.from_numpy(draw.normal("many", 2, latent))
    maps: list[dict[str, Any]] = []

    def note(name: str, func: Any, given: Sequence[Any], result: Any) -> None:
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        if isinstance(first, torch.Tensor) and first.dim() == 4 and name not in SILENT and first.is_floating_point():
            height = int(first.shape[2])
            maps.append({"number": recorder.count, "height": height, "transposed": kind(func, given)["transposed"]})

    with evaluation(layer):
        with Recorder(note) as recorder:
            call(z, torch.arange(2))
        used = effective(lambda: call(z, torch.arange(2)), [one.pop("number") for one in maps])
    return {"maps": [one for one, has in zip(maps, used, strict=True) if has]}


def _form(layer: Any, draw: Draw, latents: Sequence[int]) -> tuple[int, _Call]:
    """Return the size of the latent vectors that a generator takes, and a function that calls it.

    Vectors may be asked for as (N, L) or (N, L, 1, 1), labels as numbers or one-hot; where no form fits, the error of
    the first is raised.
    """
    labels: tuple[Callable[[Any], Any], ...] = (torch.Tensor.long, one_hot)
    first: Exception | None = None
    for latent, square, as_labels in itertools.product(latents, (False, True), labels):

        def call(z: Any, y: Any, square: bool = square, as_labels: Any = as_labels) -> Any:
            return torch.as_tensor(layer(z[:, :, None, None] if square else z, as_labels(y)))

        try:
            with torch.no_grad():
                call(torch.from_numpy(draw.normal("form", 3, latent)), torch.arange(3))
            return latent, call
        except Exception as error:  # of the student's code: it takes another form
            first = first or error
    raise first or ValueError("no size of latent vectors to try")


@contextlib.contextmanager
def _repeatable(layer: Any, statistics: bool = True) -> Iterator[None]:
    """Call a module without dropout and without a graph; batch norm uses the batch where `statistics` are wanted."""
    modes = {module: module.training for module in layer.modules()}
    kept = {name: value.clone() for name, value in layer.state_dict().items()}
    layer.eval()
    for module in layer.modules():
        if statistics and isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training
        layer.load_state_dict(kept)


def _ends(layer: Any, call: _Call, z: Any) -> dict[str, float]:
    with _repeatable(layer):  # which puts the weights back as well
        for weight in layer.parameters():
            weight.mul_(_WIDE)
        images = call(z, torch.arange(CLASSES))
        return {"low": float(images.min()), "high": float(images.max())}


def heads(layer: Any, draw: Draw, number: int = 6) -> dict[str, Any]:
    """Return what a discriminator gives for images in [0, 1], and what of it its two outputs depend on.

    `first` and `second` (number, ...): its outputs in evaluation mode, with batch norm on the batch; `input of first`,
    `input of second`: the gradients of the images; `shared`: how many weights both outputs depend on; `alike`: the
    least cosine of an image's gradients of both, without a sign.
    """
    x = torch.from_numpy(np.abs(np.sin(draw.normal("images", number, 3, 32, 32))))
    with torch.no_grad():
        layer(x)  # parameters of lazy modules have no shape before
    with _repeatable(layer):
        first, second = (_array(one) for one in _two(layer(x)))
    x.requires_grad_()
    weights = [one for one in layer.parameters() if one.requires_grad]
    found = [_gradients(one, [x, *weights], draw) for one in _two(layer(x))]
    both = [a is not None and b is not None for a, b in zip(found[0][1:], found[1][1:], strict=True)]
    inputs = {f"input of {name}": _array(one[0], x) for name, one in zip(("first", "second"), found, strict=True)}
    with evaluation(layer, graph=True):  # where no image has a part in the outputs of another
        own = [_array(_gradients(one, [x], draw)[0], x).reshape(number, -1) for one in _two(layer(x))]
    lengths = np.maximum(np.prod([np.linalg.norm(one, axis=1) for one in own], axis=0), 1e-30)
    alike = float((np.abs((own[0] * own[1]).sum(axis=1)) / lengths).min())
    return {"first": first, "second": second, **inputs, "shared": sum(both), "weights": len(weights), "alike": alike}


def _two(result: Any) -> tuple[Any, Any]:
    """Return the two outputs of a discriminator; raises TypeError for anything else."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        number = f"{len(result)} values" if isinstance(result, (tuple, list)) else type(result).__name__
        raise TypeError(f"the discriminator returns {number}, not a discrimination score and class scores")
    return torch.as_tensor(result[0]), torch.as_tensor(result[1])


def _gradients(outputs: Any, inputs: Sequence[Any], draw: Draw) -> Sequence[Any]:
    """Return the gradients of a random projection of outputs, None for what they do not depend on."""
    if not outputs.requires_grad:
        return [None] * len(inputs)
    projection = (outputs * torch.from_numpy(draw.normal("projection", *outputs.shape))).sum()
    return list(torch.autograd.grad(projection, inputs, retain_graph=True, allow_unused=True))


def _array(value: Any, instead: Any = None) -> Any:
    found = torch.zeros_like(instead) if value is None else value
    return found.detach().to("cpu", torch.float32).numpy()
