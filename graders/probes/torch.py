"""The instruments of the PyTorch assignments: measuring modules with canonical weights.

Imported in the zygote, the children and a student's own kernel; never in the trusted process. Nothing here touches a
GPU: a fork after that would be of no use.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from graders.probes import torch_autoencoders as torch_autoencoders
from graders.probes import torch_sampling as torch_sampling
from graders.probes import torch_stand_ins as torch_stand_ins
from graders.probes.canonical import attributes, canonical, core_shapes, counted, key_of, role_of, summed, walk
from graders.probes.draw import Draw
from graders.probes.torch_adversarial import generated as generated
from graders.probes.torch_adversarial import heads as heads
from graders.probes.torch_adversarial import reached as reached
from graders.probes.torch_adversarial import upsampled as upsampled
from graders.probes.torch_chain import chain as chain
from graders.probes.torch_devices import full_precision, without_gpu
from graders.probes.torch_duel import duel as duel
from graders.probes.torch_trace import evaluation
from graders.probes.torch_trace import operations as operations

Array = NDArray[Any]
_SEED = 0  # what a probe compares is drawn from its own seed; this one makes the rest repeatable
_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
_OF_NORMS = {"weight": "gamma", "bias": "beta"}
_RUNNING = ("mean", "variance")
Moved: TypeAlias = Mapping[str, tuple[int, int]]  # axis and places by the key of a kernel
_UNMOVED: Moved = {}


def restore() -> None:
    """Let code for a GPU run here; nothing of what the handouts' versions of PyTorch had was dropped so far."""
    without_gpu()


def adopt(namespace: MutableMapping[str, Any]) -> None:
    """Let the modules that a namespace defines behave as in those versions: they do."""


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Compute in one thread, repeatably and without warnings; a student's own kernel gets back what it had."""
    threads, exactness = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), full_precision():
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


def image_tensor(images: Array) -> Any:
    """Return images as float32, as a data set hands out its batches."""
    return torch.from_numpy(images.astype(np.float32))


def label_tensor(labels: Array) -> Any:
    """Return labels as int64, as a data set hands out its batches."""
    return torch.from_numpy(labels.astype(np.int64))


def evaluated(layer: Any, *inputs: Array) -> dict[str, Array]:
    """Return the output of a module for these inputs in evaluation mode, without dropout; its mode is left as it was.

    Its weights are its own, so only shapes can be compared; a shape says nothing without the weights, see `count`.
    """
    with evaluation(layer):
        return {"outputs": tensor(layer(*map(torch.from_numpy, inputs))).numpy()}


def variables_of(layer: Any) -> list[Any]:
    """Return every weight and running statistic of an object once, also those in plain lists and objects.

    Buffers that are no running statistics are constants of the student's: none of ours to change.
    """
    return list(_roles(layer))


def _roles(layer: Any) -> dict[Any, str]:
    """Return the role of every variable of an object; tensors are told apart by which they are, not by value."""
    roles: dict[Any, str] = {}

    def parts(thing: Any) -> list[Any]:
        if not isinstance(thing, nn.Module):
            return attributes(thing)
        roles.update((one, role) for one, role in _own_roles(thing) if one not in roles)
        return [*thing.modules(), *attributes(thing)]

    for found in walk(layer, lambda thing: isinstance(thing, torch.Tensor), parts):
        if found.requires_grad and found.is_leaf:
            roles.setdefault(found, role_of("", found.shape))
    return roles


def _own_roles(module: nn.Module) -> Iterator[tuple[Any, str]]:
    names = _OF_NORMS if isinstance(module, _NORMS) else {}
    for name, weight in module.named_parameters(recurse=False):
        yield weight, role_of(names.get(name, name), weight.shape)
    for name, buffer in module.named_buffers(recurse=False):
        if (role := role_of(name, buffer.shape)) in _RUNNING:
            yield buffer, role


def tracked_shapes(layer: Any) -> list[list[int]]:
    """Return the shapes of the parameters that training would reach, without axes of length one, sorted."""
    return core_shapes(one for one in layer.parameters() if one.requires_grad)


def count(layer: Any) -> dict[str, Any]:
    """Return the number and the shapes of a module's trainable parameters."""
    return counted(tracked_shapes(layer))


def set_weights(layer: Any, seed: int, moved: Moved = _UNMOVED) -> None:
    """Overwrite every variable of a module by its canonical value.

    PyTorch has the outputs on the first axis of a kernel, the canonical values have them on the last. The values of a
    kernel whose key is in `moved` are rolled along an axis by a number of places: its inputs come in another order.
    """
    with torch.no_grad():
        for variable, role in _roles(layer).items():
            core = [int(size) for size in variable.shape if size != 1]
            value = canonical(role, [*core[1:], *core[:1]], seed)
            first = np.moveaxis(value, -1, 0) if core else value
            axis, places = moved.get(key_of(role, core), (0, 0))
            first = np.roll(first, places, axis) if places else np.ascontiguousarray(first)
            variable.copy_(torch.from_numpy(first).reshape(variable.shape))


def outputs(layer: Any, x: Array, seed: int) -> dict[str, Any]:
    """Call a module on x, set its weights, call it again; return the second output, in evaluation mode."""
    evaluated(layer, x)  # parameters of lazy modules have no shape before
    set_weights(layer, seed)
    return evaluated(layer, x)


def measure(layer: Any, x: Array, draw: Draw, moved: Moved = _UNMOVED) -> dict[str, Any]:
    """Return outputs, parameter counts and the gradients of a random projection of the outputs.

    Gradients are those of the input and of the weights, the latter summed per key of `canonical`. All is there twice,
    in evaluation and in training mode, where batch norm uses the batch; `statistics ...` are those that it leaves.
    `moved` is for `set_weights`; the gradients of such kernels are moved back.
    """
    evaluated(layer, x)

    def passes(dtype: torch.dtype) -> dict[str, Any]:
        found = _passed(layer.eval(), x, draw, dtype, moved)
        training = {f"training {name}": value for name, value in _passed(layer.train(), x, draw, dtype, moved).items()}
        return {**found, "outputs in training": training.pop("training outputs"), **training, **_statistics(layer)}

    try:  # in double precision no rectifier is switched by rounding
        layer.double()
        found = passes(torch.float64)
    except Exception:  # the student's code asks for another precision, or fails in any
        layer.float()
        found = passes(torch.float32)
    finally:
        layer.float()
    return {**found, **count(layer)}


def _passed(layer: Any, x: Array, draw: Draw, dtype: torch.dtype, moved: Moved) -> dict[str, Any]:
    """Return what one pass forth and back through a module with canonical weights gives."""
    set_weights(layer, draw.seed, moved)
    weights = {one: role for one, role in _roles(layer).items() if role not in _RUNNING}
    leaf = torch.from_numpy(x).to(dtype).requires_grad_()
    y = torch.as_tensor(layer(leaf.clone()))  # a copy: the first operation may be in place
    projection = (y * torch.from_numpy(draw.normal("projection", *y.shape))).sum()
    reached = [one for one in (leaf, *weights) if one.requires_grad] if y.requires_grad else []
    found = torch.autograd.grad(projection, reached, allow_unused=True) if reached else ()
    arrays = {one: _array(gradient) for one, gradient in zip(reached, found, strict=True) if gradient is not None}
    by_key = summed((role, one.shape, arrays.get(one)) for one, role in weights.items())
    for key, (axis, places) in moved.items():
        if (name := f"gradient of {key}") in by_key:
            by_key[name] = np.roll(by_key[name], -places, axis)
    return {
        "outputs": _array(y),
        "gradient of the input": arrays.get(leaf, np.zeros_like(x)),
        "unreached": sum(one not in arrays for one in weights),
        **by_key,
    }


def _array(value: Any) -> Array:
    return np.asarray(value.detach().to("cpu", torch.float32).numpy())


def _statistics(layer: Any) -> dict[str, Array]:
    """Return the running statistics of a module, summed per key of `canonical`."""
    found: dict[str, Array] = {}
    for one, role in _roles(layer).items():
        if role in _RUNNING:
            name = f"statistics {key_of(role, one.shape)}"
            found[name] = found.get(name, np.float32(0)) + _array(one)
    return found
