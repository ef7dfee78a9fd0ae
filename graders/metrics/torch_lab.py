"""The instruments of PyTorch for trained models, in the confined child."""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.optimizer import register_optimizer_step_post_hook

_PARTS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
_hook: Any = None


def begin(seed: int, share: float, threads: int, device: str) -> None:
    """Seed everything, take a share of the GPU's memory or some threads, and load data in this process alone."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    if device == "cuda":
        torch.cuda.set_per_process_memory_fraction(share)
    else:
        torch.set_num_threads(threads)
    torch.utils.data.DataLoader.__init__ = _alone(torch.utils.data.DataLoader.__init__)


def _alone(made: Callable[..., None]) -> Callable[..., None]:
    """Return DataLoader's constructor without workers: those would need sockets, which are not to be had here."""

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807 - as what it takes the place of
        arguments = (*arguments[:5], 0, *arguments[6:]) if len(arguments) > 5 else arguments
        kept = {name: value for name, value in named.items() if name not in ("prefetch_factor", "persistent_workers")}
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


def found(namespace: Mapping[str, Any], target: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the networks of a target's class that a script's names lead to, with the names, the last bound first."""
    networks: dict[int, tuple[str, Any]] = {}
    for name, value in list(namespace.items()):
        inner = value.module if type(value).__name__ == "DataParallel" else value
        if type(inner).__name__ == target["class"] and isinstance(inner, torch.nn.Module):
            networks[id(inner)] = (name, inner)
    return list(reversed(networks.values()))


def copied(model: Any) -> Any:
    """Return a network of the same make, for other weights."""
    return copy.deepcopy(model)


def with_weights(model: Any, content: bytes, device: str) -> Any:
    """Return a network with the weights of a file, all of them; raises where they are those of another."""
    loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)
    if isinstance(loaded, torch.nn.Module):
        if type(loaded).__name__ != type(model).__name__:
            raise TypeError(f"it holds a {type(loaded).__name__}, no {type(model).__name__}")
        return loaded.to(device)
    inner = [loaded[part] for part in _PARTS if isinstance(loaded, Mapping) and part in loaded]
    states = [one for one in (*inner, loaded) if isinstance(one, Mapping)]
    problem: Exception = TypeError("it holds no weights")
    for state in states:
        try:
            model.load_state_dict({str(name).removeprefix("module."): value for name, value in state.items()})
        except Exception as error:
            problem = error
            continue
        return model.to(device)
    raise problem


def asked(
    score: str, model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, order: Mapping[str, Any]
) -> NDArray[Any]:
    """Return the raw outputs of a network in evaluation mode for inputs (N, ...); its mode and all noise stay."""
    where = next(model.parameters()).device
    training, devices = model.training, [where.index or 0] if where.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices):
        model.eval()
        try:
            return _ANSWERS[score](model, inputs, hints, data, where)
        finally:
            model.train(training)


def _images(inputs: NDArray[Any], data: Any, where: Any) -> Any:
    """Return images (N, H, W, 3) of 0 to 255 as the script prepares those that it tests on: (N, 3, H, W)."""
    if data.transform is None:
        return (torch.from_numpy(inputs.transpose(0, 3, 1, 2).copy()).float() / 255).to(where)
    from PIL import Image

    return torch.stack([data.transform(Image.fromarray(image)) for image in inputs]).to(where)


def _reconstructed(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, where: Any) -> NDArray[Any]:
    images, labels = _images(inputs, data, where), torch.from_numpy(hints.astype(np.int64)).to(where)
    try:
        returned = model(images, labels)
    except TypeError:
        returned = model(images)
    outputs = returned if isinstance(returned, tuple | list) else (returned,)
    found = next((one for one in outputs if torch.is_tensor(one) and one.shape == images.shape), outputs[0])
    return _array(found)


def _classified(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, where: Any) -> NDArray[Any]:
    """Return the class scores: of several outputs the one with a column for each class."""
    returned = model(_images(inputs, data, where))
    outputs = returned if isinstance(returned, tuple | list) else (returned,)
    found = next((one for one in outputs if torch.is_tensor(one) and one.ndim == 2 and one.shape[1] > 1), outputs[-1])
    return _array(found)


def _coloured(model: Any, inputs: NDArray[Any], hints: NDArray[Any], data: Any, where: Any) -> NDArray[Any]:
    """Return the scores of colours (N, K, H, W) of grey images (N, 1, H, W)."""
    return _array(model(torch.from_numpy(inputs).to(where)))


def _array(found: Any) -> NDArray[Any]:
    if not torch.is_tensor(found):
        raise TypeError(f"the network returned a {type(found).__name__}, no tensor")
    return np.ascontiguousarray(found.detach().float().cpu().numpy())


_ANSWERS: Mapping[str, Callable[..., NDArray[Any]]] = {
    "reconstruction": _reconstructed,
    "accuracy": _classified,
    "colours": _coloured,
}
