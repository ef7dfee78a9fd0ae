"""The instruments of PyTorch for trained models, in the confined child."""

from __future__ import annotations

import copy
import functools
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.optimizer import register_optimizer_step_post_hook

from graders.metrics.torch_networks import WRAPPED, found, inner, remember
from graders.probes import torch_devices

__all__ = ["after_steps", "asked", "begin", "copied", "found", "joined", "with_weights"]

_NOT_ALONE = ("prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout")  # want workers
_DEEPEST, _MOST_STATES = 3, 50  # of dictionaries in a file of weights
_hook: Any = None


def begin(seed: int, share: float, threads: int, device: str) -> None:
    """Seed everything, take a share of the GPU's memory or some threads, and load data in this process alone.

    Without a GPU, what asks for one runs on the processor. Networks are remembered from now on. Nothing is compiled.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    if device == "cuda":
        torch.cuda.set_per_process_memory_fraction(share)
    else:
        torch.set_num_threads(threads)
        torch_devices.without_gpu()
    if hasattr(torch.compiler, "set_stance"):
        torch.compiler.set_stance("force_eager")  # there may be no C compiler here
    torch.utils.data.DataLoader.__init__ = _alone(torch.utils.data.DataLoader.__init__)
    remember()


def _alone(made: Callable[..., None]) -> Callable[..., None]:
    """Return DataLoader's constructor without workers: those would need sockets, which are not to be had here."""

    @functools.wraps(made)
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807 - as what it takes the place of
        arguments = (*arguments[:5], 0, *arguments[6:]) if len(arguments) > 5 else arguments
        kept = {name: value for name, value in named.items() if name not in _NOT_ALONE}
        made(self, *arguments, **(kept | {"num_workers": 0} if len(arguments) <= 5 else kept))

    return __init__


def after_steps(function: Callable[[], None] | None) -> None:
    """Have a function called after every step of any optimizer, None no longer; what it raises is let go."""
    global _hook
    if _hook is not None:
        _hook.remove()
        _hook = None
    if function is None:
        return

    def quietly(*_: Any) -> None:
        try:
            function()
        except Exception:
            after_steps(None)

    _hook = register_optimizer_step_post_hook(quietly)


def joined(models: Sequence[Any]) -> Any:
    """Return networks as one that hands what each returns on to the next."""
    return _Chain(*models)


class _Chain(torch.nn.Sequential):  # type: ignore[misc] # PyTorch is untyped here
    """An encoder and a decoder: codes (N, z) become (N, z, 1, 1), as the handed-out training has it."""

    def forward(self, inputs: Any) -> Any:
        for number, network in enumerate(self):
            inputs = network(inputs.reshape(len(inputs), -1, 1, 1) if number else inputs)
        return inputs


# Asking them ----------------------------------------------------------------------------------------------------------


def copied(model: Any) -> Any:
    """Return a network of the same make, for other weights; one that cannot be copied itself: its script is over."""
    try:
        return copy.deepcopy(model)
    except Exception:  # it holds what a forward pass left in it
        return model


def with_weights(model: Any, content: bytes, device: str) -> Any:
    """Return a network with the weights of a file, all of them; raises where they are those of another."""
    loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)
    problems: list[Exception] = []
    for one in _held(loaded):
        try:
            return _filled(model, one).to(device)
        except Exception as error:
            problems.append(error)
    raise problems[0] if problems else TypeError("it holds no weights")


def _filled(model: Any, weights: Any) -> Any:
    """Return a network with weights: those of a dictionary, or what was saved as a whole."""
    if not isinstance(weights, torch.nn.Module):
        model.load_state_dict({_plain(str(name)): value for name, value in weights.items()})
        return model
    if type(held := inner(weights)) is not type(model):
        raise TypeError(f"it holds a {type(held).__name__}, no {type(model).__name__}")
    return held


def _held(loaded: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the networks and the dictionaries of tensors that a file holds, however it names them, whole ones first."""
    if isinstance(loaded, torch.nn.Module):
        yield loaded
    elif isinstance(loaded, Mapping):
        if any(torch.is_tensor(value) for value in loaded.values()):
            yield loaded
            yield from _below(loaded)
        for value in list(loaded.values())[:_MOST_STATES] if depth < _DEEPEST else ():
            yield from _held(value, depth + 1)


def _below(weights: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the weights of each network inside another: of `encoder.layer.weight` those below `encoder`."""
    names = [_plain(str(name)).partition(".") for name in weights]
    for top in list(dict.fromkeys(name for name, _, below in names if below))[:_MOST_STATES]:
        pairs = zip(names, weights.values(), strict=True)
        yield {below: value for (name, _, below), value in pairs if name == top and below}


def _plain(name: str) -> str:
    """Return the name of a weight without what wrappers put before it.

    >>> _plain("module._orig_mod.layer.weight")
    'layer.weight'
    """
    for prefix in WRAPPED * 2:
        name = name.removeprefix(f"{prefix}.")
    return name


def asked(
    score: str, model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, order: Mapping[str, Any]
) -> NDArray[Any]:
    """Return the raw outputs of a network in evaluation mode for inputs (N, ...); its modes and all noise stay."""
    first = next(one for one in model.parameters() if one.is_floating_point())
    where, modes, noise = (
        first.device,
        [(one, one.training) for one in model.modules()],
        (
            random.getstate(),
            np.random.get_state(),
        ),
    )
    # No autocast: what it rounds without gradients it would hand to the training that goes on.
    with (
        torch.no_grad(),
        torch.random.fork_rng([where.index or 0] if where.type == "cuda" else []),
        torch.autocast(where.type, enabled=False),
    ):
        model.eval()
        try:
            return _ANSWERS[score](model, inputs, hints, data, first)
        finally:
            for one, mode in modes:
                one.training = mode
            random.setstate(noise[0])
            np.random.set_state(noise[1])


def _images(inputs: NDArray[Any], data: Any, like: Any) -> Any:
    """Return images (N, H, W, 3) of 0 to 255 as the script prepares those that it tests on: (N, 3, H, W)."""
    if data.transform is None:
        return (torch.from_numpy(inputs.transpose(0, 3, 1, 2).copy()).float() / 255).to(like)
    from PIL import Image

    return torch.stack([data.transform(Image.fromarray(image)) for image in inputs]).to(like)


def _reconstructed(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, like: Any) -> NDArray[Any]:
    images, labels = _images(inputs, data, like), torch.from_numpy(hints.astype(np.int64)).to(like.device)
    try:
        returned = model(images, labels)
    except TypeError:
        returned = model(images)
    outputs = returned if isinstance(returned, tuple | list) else (returned,)
    found = next((one for one in outputs if torch.is_tensor(one) and one.shape == images.shape), outputs[0])
    return _array(found)


def _classified(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, like: Any) -> NDArray[Any]:
    """Return the class scores: of several outputs the one with a column for each class."""
    returned = model(_images(inputs, data, like))
    outputs = returned if isinstance(returned, tuple | list) else (returned,)
    found = next((one for one in outputs if torch.is_tensor(one) and one.ndim == 2 and one.shape[1] > 1), outputs[-1])
    return _array(found)


def _coloured(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, like: Any) -> NDArray[Any]:
    """Return the scores of colours (N, K, H, W) of grey images (N, 1, H, W)."""
    return _array(model(torch.from_numpy(inputs).to(like)))


def _denoised(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, like: Any) -> NDArray[Any]:
    """Return images (N, 3, H, W) in [-1, 1] for noisy ones."""
    return _array(model(torch.from_numpy(inputs).to(like)))


def _array(found: Any) -> NDArray[Any]:
    if not torch.is_tensor(found):
        raise TypeError(f"the network returned a {type(found).__name__}, no tensor")
    return np.ascontiguousarray(found.detach().float().cpu().numpy())


_ANSWERS: Mapping[str, Callable[..., NDArray[Any]]] = {
    "reconstruction": _reconstructed,
    "accuracy": _classified,
    "colours": _coloured,
    "denoised": _denoised,
}
