"""Stand-ins that a training step finds in place of its model and its optimizer, and the schedules of trainings.

The model's outputs are its parameters, so a judge knows every gradient. Imported where student code runs, by
`graders.probes.torch`. No expected value is in here.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from graders.probes import binding
from graders.probes.torch_sampling import array_of

Array = NDArray[Any]


class StandIn(nn.Module):  # type: ignore[misc] # as above
    """A model whose outputs are its parameters: whatever it is called on, `forward` returns them.

    So the gradients that reach a reconstruction, a mean, a log-variance and codes are those of the parameters. Made
    from the arrays image (B, 3, H, W), mu, log_var and z (B, latent).
    """

    def __init__(self, values: Mapping[str, Array]) -> None:
        super().__init__()
        for name in ("image", "mu", "log_var", "z"):
            setattr(self, name, nn.Parameter(torch.from_numpy(values[name].copy())))
        self.latent_dim, self.num_classes, self.img_size = values["mu"].shape[1], 10, values["image"].shape[-1]
        self.modes: list[bool] = []

    def forward(self, x: Any, *_: Any, **__: Any) -> tuple[Any, Any, Any, Any]:
        """Return reconstruction, mean, log-variance and codes, where the images are."""
        self.modes.append(self.training)
        image, mu, log_var, z = (one.to(x.device) * 1.0 for one in (self.image, self.mu, self.log_var, self.z))
        return image, mu, log_var, z

    def encode(self, x: Any, *_: Any) -> tuple[Any, Any]:
        """Return mean and log-variance."""
        _image, mu, log_var, _codes = self.forward(x)
        return mu, log_var

    def reparameterize(self, mu: Any, *_: Any) -> Any:
        """Return the codes."""
        return self.z.to(mu.device) * 1.0

    def decode(self, z: Any, *_: Any) -> Any:
        """Return the reconstruction."""
        return self.image.to(z.device) * 1.0


class RecordingOptimizer(torch.optim.SGD):  # type: ignore[misc] # as above
    """Notes the gradients that it is to apply, and applies nothing."""

    def __init__(self, model: StandIn) -> None:
        super().__init__(model.parameters(), lr=0.0)
        self.model = model
        self.steps: list[dict[str, Array]] = []

    def step(self, closure: Any = None) -> Any:
        """Note the gradients by the model's names."""
        loss = closure() if callable(closure) else None
        named = self.model.named_parameters()
        self.steps.append({name: array_of(one.grad) for name, one in named if one.grad is not None})
        return loss


@contextlib.contextmanager
def replaced(namespace: dict[str, Any], values: Mapping[str, Any]) -> Iterator[None]:
    """Let names of a namespace mean other values for a while."""
    before = {name: namespace[name] for name in values if name in namespace}
    namespace.update(values)
    try:
        yield
    finally:
        for name in values:
            namespace.pop(name, None)
        namespace.update(before)


def stand_ins(namespace: Mapping[str, Any], model: StandIn, optimizer: Any) -> dict[str, Any]:
    """Return what stands in for the models that have weights to train, and for the optimizers, of a namespace."""
    found = {name: _stand_in(value, model, optimizer) for name, value in namespace.items()}
    return {name: one for name, one in found.items() if one is not None}


_SCALAR = re.compile(r"kl|lambd|beta|anneal|weight|scal|ratio|coef", re.IGNORECASE)
_OF_OTHERS = re.compile(r"ssim|bce|mse|l2|rec|decay", re.IGNORECASE)


def scales(namespace: Mapping[str, Any], used: Collection[str], scale: float, epoch: int) -> dict[str, Any]:
    """Return what makes a training step scale its divergence by `scale`, or as it does in an epoch, by name.

    Criteria with an attribute `lambd` are replaced by copies; so are numbers that the step uses and that go by such a
    name, and the number of the epoch.
    """
    found: dict[str, Any] = {}
    for name, value in namespace.items():
        if _scaled(value):
            found[name] = _with_scale(value, scale)
        elif name in used and type(value) in (int, float) and _SCALAR.search(name) and not _OF_OTHERS.search(name):
            found[name] = scale
    if "epoch" in used:
        found["epoch"] = epoch
    return found


def _scaled(value: Any) -> bool:
    return isinstance(value, nn.Module) and isinstance(getattr(value, "lambd", None), (int, float))


def _with_scale(criterion: Any, scale: float) -> Any:
    found = copy.copy(criterion)
    found.lambd = scale
    return found


def _stand_in(value: Any, model: StandIn, optimizer: Any) -> Any:
    """Return what stands in for a model that has weights to train or for an optimizer, None for anything else."""
    if isinstance(value, torch.optim.Optimizer):
        return optimizer
    trained = isinstance(value, nn.Module) and any(one.requires_grad for one in value.parameters())
    return model if trained else None


@contextlib.contextmanager
def defaults_replaced(function: Any, stand_in: Callable[[Any], Any]) -> Iterator[None]:
    """Let the defaults of a function's parameters be what stands in for them, where there is such a thing."""
    inner = inspect.unwrap(function)
    positional, named = getattr(inner, "__defaults__", None), getattr(inner, "__kwdefaults__", None)
    try:
        if positional:
            inner.__defaults__ = tuple(one if (new := stand_in(one)) is None else new for one in positional)
        if named:
            inner.__kwdefaults__ = {name: one if (new := stand_in(one)) is None else new for name, one in named.items()}
        yield
    finally:
        if positional or named:
            inner.__defaults__, inner.__kwdefaults__ = positional, named


def returned(result: Any) -> dict[str, Any]:
    """Return the numbers that a training step returned, and whether one of them still holds a graph."""
    parts = list(result.values()) if isinstance(result, Mapping) else result
    several = isinstance(parts, (tuple, list)) or (isinstance(parts, (np.ndarray, torch.Tensor)) and parts.ndim == 1)
    parts = list(parts) if several else [parts]
    tensors = [one for one in parts if isinstance(one, torch.Tensor)]
    numbers = [
        float(one) if np.ndim(one.detach() if isinstance(one, torch.Tensor) else one) == 0 else np.nan for one in parts
    ]
    return {"returned": np.asarray(numbers, np.float64), "graph": any(one.requires_grad for one in tensors)}


def stepped(
    function: Any, step: Callable[..., Any], values: Mapping[str, Array], scale: float, epoch: int
) -> dict[str, Any]:
    """Take two steps on a stand-in made of `values`, in place of the models and optimizers that a function knows.

    `step` takes model and optimizer too. Returns what `returned` tells of the first step, the gradients that reach the
    stand-in in it as `pulled image`, ..., those of each update as `step 0 image`, ..., how many updates each step made,
    the model's modes, and which `factors` can have come from us: the powers of the scale, none where the function
    knows the epoch.
    """
    model = StandIn(values).train()
    optimizer = RecordingOptimizer(model)
    own, used = namespace_of(function), names_in(function)
    set_scales = scales(own, used, scale, epoch)
    updates: list[int] = []
    with (
        replaced(own, {**set_scales, **stand_ins(own, model, optimizer)}),
        defaults_replaced(function, lambda one: _stand_in(one, model, optimizer)),
    ):
        with _pulled(model) as pulled:
            told = returned(step(model=model, optimizer=optimizer))
        updates.append(len(optimizer.steps))
        step(model=model, optimizer=optimizer)
        updates.append(len(optimizer.steps) - updates[0])
    gradients = {f"step {at} {key}": one for at, found in enumerate(optimizer.steps[:4]) for key, one in found.items()}
    handed = {binding.argument_of(one.name, ("epoch", "lambd")) for one in binding.parameters_of(function)}
    most = 0 if "epoch" in {*set_scales, *handed} else len(set_scales) + ("lambd" in handed)
    factors = [scale**power for power in range(1, most + 1)]
    return {**told, **pulled, **gradients, "updates": updates, "training": model.modes, "factors": factors}


@contextlib.contextmanager
def _pulled(model: StandIn) -> Iterator[dict[str, Array]]:
    """Sum up the gradients that reach a stand-in, whatever is done with them afterwards."""
    found: dict[str, Array] = {}

    def adding(name: str) -> Callable[[Any], None]:
        def note(gradient: Any) -> None:
            found[name] = found.get(name, np.float32(0)) + array_of(gradient)

        return note

    handles = [one.register_hook(adding(f"pulled {name}")) for name, one in model.named_parameters()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def namespace_of(function: Any) -> dict[str, Any]:
    """Return the namespace in which a function looks up its names."""
    inner = inspect.unwrap(function)
    return dict_of if isinstance(dict_of := getattr(inner, "__globals__", None), dict) else {}


def names_in(function: Any) -> set[str]:
    """Return the names that a function looks up, or one inside it, or one of its module that it calls."""
    known = namespace_of(function)
    todo, names = [getattr(inspect.unwrap(function), "__code__", None)], set[str]()
    while todo:
        if code := todo.pop():
            called = [getattr(known.get(name), "__code__", None) for name in code.co_names if name not in names]
            names |= set(code.co_names)
            todo += [*called, *(one for one in code.co_consts if hasattr(one, "co_names"))]
    return names


def number_of(namespace: Mapping[str, Any], function: Any, names: Sequence[str], otherwise: int) -> int:
    """Return the whole number that goes by one of these names, or `otherwise`."""
    known = {**namespace, **namespace_of(function)}
    found = [known[name] for name in names if type(known.get(name)) is int]
    return int(found[0]) if found and 1 < found[0] <= 10_000 else otherwise


def schedule(found: Any, ask: Callable[[int], Any], epochs: int) -> Array:
    """Return the factors of the epochs 0 to `epochs`, of a function or a list; NaN where there is none."""
    if not callable(found):
        values = [float(one) for one in found]
        return np.array([*([np.nan] if len(values) <= epochs else []), *values], np.float64)[: epochs + 1]
    factors = []
    for epoch in range(epochs + 1):
        try:
            factors.append(float(ask(epoch)))
        except (IndexError, KeyError, ZeroDivisionError):
            factors.append(np.nan)
    return np.array(factors, np.float64)


def moved_by(function: Any, step: Callable[..., Any], values: Mapping[str, Array]) -> dict[str, Any]:
    """Take a step with what a function knows; return how many weights got a gradient, and how many of them moved.

    Models and optimizers are left as they were. A function that knows none is handed a stand-in made of `values`.
    """
    own = namespace_of(function)
    model = StandIn(values).train()
    handed = {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1)}
    known = own if any(isinstance(one, torch.optim.Optimizer) for one in own.values()) else handed
    with replaced(own, {"epoch": 2} if "epoch" in names_in(function) else {}):
        return _moved(known, lambda: step(**handed))


def _moved(namespace: Mapping[str, Any], step: Callable[[], Any]) -> dict[str, Any]:
    models = [one for one in namespace.values() if isinstance(one, nn.Module) and any(True for _ in one.parameters())]
    optimizers = [one for one in namespace.values() if isinstance(one, torch.optim.Optimizer)]
    if any(nn.parameter.is_lazy(one) for model in models for one in model.parameters()):
        step()  # weights of lazy modules have no shape before
    kept = [copy.deepcopy(one.state_dict()) for one in (*models, *optimizers)]
    weights = list({id(w): w for one in models for w in one.parameters() if w.requires_grad}.values())
    before = [one.detach().clone() for one in weights]
    reached: set[int] = set()
    handles = [one.register_hook(_reaching(reached, id(one))) for one in weights]
    try:
        step()
        changed = [not torch.equal(one.detach(), was) for one, was in zip(weights, before, strict=True)]
    finally:
        for handle in handles:
            handle.remove()
        for one, state in zip((*models, *optimizers), kept, strict=True):
            one.load_state_dict(state)
    with_gradient = [moves for one, moves in zip(weights, changed, strict=True) if id(one) in reached]
    return {"reached": len(with_gradient), "moved": sum(with_gradient)}


def _reaching(reached: set[int], key: int) -> Any:
    def hook(gradient: Any) -> None:
        if bool(torch.any(gradient != 0)):
            reached.add(key)

    return hook
