"""Instruments for variational auto-encoders: what they execute, what their codes pass on, how they sample and train.

A model is called as handout E's skeleton says: `forward(x, y)` gives (reconstruction, mean, log-variance, codes).
Imported where student code runs, by `graders.probes.torch`. No expected value is in here.
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
from torch.utils._python_dispatch import TorchDispatchMode

from graders.probes.binding import parameters_of

Array = NDArray[Any]
_MOST = 2000  # operations
_RESIZING = re.compile(r"convolution|pool|upsample|pixel_(un)?shuffle|grid_sampler|index_select|repeat_interleave")
_RANDOM = re.compile(r"^(randn|randn_like|rand|rand_like|normal|normal_functional|uniform)$")
_ELEMENTWISE = re.compile(
    r"^(mul|add|sub|rsub|div|neg|abs|pow|exp|log|sqrt|clamp|clamp_min|clamp_max|sigmoid|tanh|relu|round|sign|_to_copy)$"
)
_FIXING = re.compile(r"repar|sample_z|sample_latent|latent_sample", re.IGNORECASE)


# Calling --------------------------------------------------------------------------------------------------------------


def called(model: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """Call a model on images and labels; return reconstruction, mean, log-variance and codes, None where it has none.

    A model that takes images alone gets no labels. Raises ValueError where no such tuple comes back.
    """
    takes = [
        one for one in parameters_of(model.forward) if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    open_ended = any(one.kind is one.VAR_POSITIONAL for one in parameters_of(model.forward))
    found = model(x, y) if len(takes) > 1 or open_ended else model(x)
    if not isinstance(found, (tuple, list)) or len(found) < 3:
        raise ValueError("forward must return the reconstruction, mu, log_var and z")
    return found[0], found[1], found[2], found[3] if len(found) > 3 else None


@contextlib.contextmanager
def mode(model: Any, training: bool) -> Iterator[None]:
    """Put a module into a mode; the modes and the running statistics of its parts are left as they were."""
    modes = {module: module.training for module in model.modules()}
    buffers = {name: one.clone() for name, one in model.named_buffers()}
    try:
        model.train(training)
        yield
    finally:
        for module, before in modes.items():
            module.training = before
        with torch.no_grad():
            for name, one in model.named_buffers():
                if name in buffers:
                    one.copy_(buffers[name])


def apart(model: Any) -> None:
    """Turn the values of every weight by another number of places: mean and log-variance are of one shape."""
    with torch.no_grad():
        for place, one in enumerate(model.parameters()):
            one.copy_(one.reshape(-1).roll(1 + 7 * place).reshape(one.shape))


def reconstructed(model: Any, x: Array, y: Array) -> dict[str, Array]:
    """Return the reconstruction of images in evaluation mode."""
    with mode(model, False), torch.no_grad():
        return {"outputs": _array(called(model, torch.from_numpy(x), torch.from_numpy(y))[0])}


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """Draw the same random numbers each time within the block."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def tensor_of(array: Array) -> Any:
    """Return an array as a tensor of its type."""
    return torch.from_numpy(np.asarray(array))


def _array(value: Any) -> Array:
    """Return a copy: the tensor may be changed in place later."""
    return np.array(torch.as_tensor(value).detach().to("cpu", torch.float32).numpy())


# What is executed -----------------------------------------------------------------------------------------------------


class _Recorder(TorchDispatchMode):  # type: ignore[misc] # of PyTorch, whose types are not read
    """Hands every operation that reaches ATen, and its result, to a function."""

    def __init__(self, note: Callable[[str, Any, Sequence[Any], Any], None]) -> None:
        super().__init__()
        self.note, self.count = note, 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # as in torch_trace

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.count += 1
        if self.count <= _MOST:
            given = [*args, *(kwargs or {}).values()]
            self.note(str(func.overloadpacket.__name__).rstrip("_"), func, given, result)
        return result


def resizing(model: Any, x: Array, y: Array) -> dict[str, Any]:
    """Return what a model executes to change sizes or to convolve: `encoder` and `decoder`, each in its order.

    The decoder begins where the last random numbers are drawn in training mode, else behind the last operation that
    gives a matrix, else behind the smallest map. An entry has name, before and after (pixels of a map), transposed,
    depthwise and pointwise.
    """
    steps: list[dict[str, Any]] = []
    marks: dict[str, int] = {}

    def note(name: str, func: Any, given: Sequence[Any], result: Any) -> None:
        if not isinstance(result, torch.Tensor):
            result = result[0] if isinstance(result, (tuple, list)) and result else None
        if not isinstance(result, torch.Tensor):
            return
        if _RANDOM.match(name):
            marks["random"] = len(steps)
        elif result.dim() == 2 and name in ("addmm", "mm", "cat", "linear"):
            marks["matrix"] = len(steps)
        source = next((one for one in given if isinstance(one, torch.Tensor)), None)
        if _RESIZING.search(name) and result.dim() == 4 and source is not None and source.dim() == 4:
            steps.append({"name": name, "before": _pixels(source), "after": _pixels(result), **_kind(func, given)})

    with mode(model, True), torch.no_grad(), _Recorder(note):
        called(model, torch.from_numpy(x), torch.from_numpy(y))
    smallest = min(range(len(steps)), key=lambda at: steps[at]["after"], default=-1) + 1
    at = marks.get("random", marks.get("matrix", smallest))
    return {"encoder": steps[:at], "decoder": steps[at:]}


def _pixels(tensor: Any) -> int:
    return int(tensor.shape[-1]) * int(tensor.shape[-2])


def _kind(func: Any, given: Sequence[Any]) -> dict[str, bool]:
    """Return what sort of convolution an operation is; all are False for another operation."""
    if "convolution" not in func.overloadpacket.__name__:
        return {"transposed": False, "depthwise": False, "pointwise": False}
    named = dict(zip((one.name for one in func._schema.arguments), given, strict=False))
    kernel, groups = named["weight"], int(named["groups"])
    return {
        "transposed": bool(named["transposed"]),
        "depthwise": groups > 1 and groups == int(named["input"].shape[1]),
        "pointwise": all(int(size) == 1 for size in kernel.shape[2:]),
    }


# What the codes pass on -----------------------------------------------------------------------------------------------


def paths(model: Any, x: Array, y: Array, projection: Callable[..., Array]) -> dict[str, Array]:
    """Return the gradient of a projection of the reconstruction with respect to the images, on two ways.

    `total` is all of it, `through codes` what passes through mean and log-variance. In evaluation mode.
    """
    with mode(model, False):
        leaf = torch.from_numpy(x).requires_grad_()
        image, mu, log_var, _ = _seeded(model, leaf.clone(), torch.from_numpy(y))
        value = (image * torch.from_numpy(projection(*image.shape))).sum()
        codes = [one for one in (mu, log_var) if one.requires_grad]
        total, *inner = torch.autograd.grad(value, [leaf, *codes], retain_graph=True, allow_unused=True)
        used = [(one, grad) for one, grad in zip(codes, inner, strict=True) if grad is not None]
        through = torch.autograd.grad([one for one, _ in used], [leaf], [g for _, g in used], allow_unused=True)[0]
    zero = np.zeros_like(x)
    return {
        "total": zero if total is None else _array(total),
        "through codes": zero if through is None else _array(through),
    }


def held(model: Any, first: tuple[Array, Array], second: tuple[Array, Array]) -> dict[str, Any]:
    """Reconstruct `second`, images and labels, from the codes of `first`; return both reconstructions.

    `known` is False where no way was found to hold the codes: then `held` is that of the second with its own codes.
    """
    with mode(model, False), torch.no_grad():
        one, two = (tuple(torch.from_numpy(part) for part in pair) for pair in (first, second))
        codes = _Codes(model)
        with codes.watched():
            reconstruction = _seeded(model, *one)
        for way in (codes.outputs_held, codes.methods_held):
            with way() as known:
                again = _seeded(model, *two)
            if known():
                break
        return {"first": _array(reconstruction[0]), "held": _array(again[0]), "known": known()}


def _seeded(model: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    with seeded():
        return called(model, x, y)


class _Codes:
    """The outputs of the parts of a model in one run, among them its codes, and ways to hold these in another run."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.outputs: dict[Any, list[Any]] = {}
        self.final: tuple[Any, ...] = ()
        self.drawn: list[Any] = []
        self.methods = [
            name for name in dir(type(model)) if _FIXING.search(name) and callable(getattr(type(model), name, None))
        ]

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Keep what every part gives, and what methods that draw codes return."""

        def keep(module: Any, _: Any, output: Any) -> None:
            if module is self.model:
                self.final = tuple(output)
            else:
                self.outputs.setdefault(module, []).append(output)

        with self._hooked(keep), self._patched(self._drawing):
            yield

    def _drawing(self, own: Any) -> Any:
        def draw(*args: Any, **kwargs: Any) -> Any:
            self.drawn.append(own(*args, **kwargs))
            return self.drawn[-1]

        return draw

    @contextlib.contextmanager
    def _hooked(self, hook: Any) -> Iterator[None]:
        handles = [module.register_forward_hook(hook) for module in self.model.modules()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextlib.contextmanager
    def _patched(self, replaced: Callable[[Any], Any]) -> Iterator[None]:
        for name in self.methods:
            object.__setattr__(self.model, name, replaced(getattr(self.model, name)))
        try:
            yield
        finally:
            for name in self.methods:
                object.__delattr__(self.model, name)

    @contextlib.contextmanager
    def outputs_held(self) -> Iterator[Callable[[], bool]]:
        """Let the parts whose outputs are mean or log-variance give those of the first run again."""
        mu, log_var = self.final[1], self.final[2]
        both = torch.cat([mu, log_var], dim=1) if mu.shape == log_var.shape else None
        reached: set[str] = set()

        def match(value: Any) -> Any:
            for name, wanted in (("mu", mu), ("log_var", log_var), ("both", both)):
                if isinstance(value, torch.Tensor) and wanted is not None and torch.equal(value, wanted):
                    return name, wanted
            return None

        def hook(module: Any, _: Any, output: Any) -> Any:
            earlier = self.outputs.get(module, [])
            parts = output if isinstance(output, (tuple, list)) else (output,)
            before = earlier[0] if len(earlier) == 1 else ()
            was = before if isinstance(before, (tuple, list)) else (before,)
            if len(was) != len(parts):
                return None
            found = [match(one) for one in was]
            reached.update(one[0] for one in found if one)
            changed = [one[1] if one else part for one, part in zip(found, parts, strict=True)]
            if not any(found):
                return None
            return type(output)(changed) if isinstance(output, (tuple, list)) else changed[0]

        with self._hooked(hook):
            yield lambda: "both" in reached or {"mu", "log_var"} <= reached

    @contextlib.contextmanager
    def methods_held(self) -> Iterator[Callable[[], bool]]:
        """Let a method that draws codes return those of the first run."""
        again = list(self.drawn)
        with self._patched(lambda own: lambda *args, **kwargs: again.pop(0) if again else own(*args, **kwargs)):
            yield lambda: bool(self.drawn) and not again


# How codes are drawn --------------------------------------------------------------------------------------------------


def codes(model: Any, x: Array, y: Array, projection: Callable[..., Array]) -> dict[str, Any]:
    """Draw codes in training mode; return mean, log-variance and codes (N, latent) and gradients of a projection.

    `of mu` and `of log_var` are its gradients with respect to both, `projection` the factors of the codes. `reached`
    is whether both come into the codes at all.
    """
    with mode(model, True):
        _image, mu, log_var, z = called(model, torch.from_numpy(x), torch.from_numpy(y))
        if z is None:
            raise ValueError("forward must return the reconstruction, mu, log_var and z")
        factors = torch.from_numpy(projection(*z.shape))
        grads = (None, None)
        if z.requires_grad and mu.requires_grad and log_var.requires_grad:
            grads = torch.autograd.grad((z * factors).sum(), [mu, log_var], allow_unused=True)
    found = {"mu": _array(mu), "log_var": _array(log_var), "z": _array(z), "projection": _array(factors)}
    for name, one in zip(("mu", "log_var"), grads, strict=True):
        found[f"of {name}"] = _array(torch.zeros_like(mu) if one is None else one)
    return {
        **{name: one.reshape(len(one), -1) for name, one in found.items()},
        "reached": all(one is not None for one in grads),
    }


# Generation -----------------------------------------------------------------------------------------------------------


def generated(model: Any, generate: Callable[[], Any], number: int) -> dict[str, Any]:
    """Call a function that generates so many images; return them, their labels and the codes that they came from.

    `size` of the images, `outputs` (N, ...): every fourth row and column of them, `labels` (empty where there are
    none), `codes` (N, latent): the first random numbers that are drawn, with what is done to each of them before they
    are used; else what the first part of the model is called on.
    """
    follower = _Follower(number)
    handles = [part.register_forward_pre_hook(follower.called) for part in model.children()]
    try:
        with torch.no_grad(), _Recorder(follower.note):
            found = generate()
    finally:
        for handle in handles:
            handle.remove()
    images, labels = (*found, None)[:2] if isinstance(found, (tuple, list)) else (found, None)
    flat = np.zeros(0) if labels is None else np.asarray(torch.as_tensor(labels).detach().cpu().numpy())
    latent = np.zeros((0, 0), np.float32) if follower.last is None else _array(follower.last).reshape(number, -1)
    whole = _array(images)
    some = whole[..., ::4, ::4] if whole.ndim == 4 else whole
    labelled = flat.astype(np.float64)
    return {"size": list(whole.shape), "outputs": np.ascontiguousarray(some), "labels": labelled, "codes": latent}


class _Follower:
    """Follows random numbers through the operations that change each of them by itself."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.last: Any = None

    def _fits(self, one: Any) -> bool:
        return one.numel() > self.number and one.numel() % self.number == 0

    def called(self, _: Any, given: Sequence[Any]) -> None:
        """Take what a part is called on where no random numbers of PyTorch were seen."""
        first = next((one for one in given if isinstance(one, torch.Tensor) and one.dtype.is_floating_point), None)
        if self.last is None and first is not None and len(first) == self.number and self._fits(first):
            self.last = first.clone()

    def note(self, name: str, _: Any, given: Sequence[Any], result: Any) -> None:
        """Take the first random numbers; then the result of an operation on them alone."""
        if not isinstance(result, torch.Tensor) or not result.dtype.is_floating_point:
            return
        if self.last is None:
            source = next((one for one in given if isinstance(one, torch.Tensor)), None)
            of_numpy = name == "_to_copy" and source is not None and source.dtype == torch.float64
            if (_RANDOM.match(name) or of_numpy) and self._fits(result):
                self.last = result.clone()
            return
        tensors = [one for one in given if isinstance(one, torch.Tensor) and one.numel() > 1]
        if name == "normal" and result.numel() == self.last.numel():
            self.last = result.clone()  # drawn in place of what was there
        elif _ELEMENTWISE.match(name) and len(tensors) == 1 and _same(tensors[0], self.last):
            self.last = result.clone()


def _same(one: Any, other: Any) -> bool:
    return one.numel() == other.numel() and bool(torch.equal(one.reshape(-1).to(other.dtype), other.reshape(-1)))


# Stand-ins for a training step ----------------------------------------------------------------------------------------


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
        self.steps.append({name: _array(one.grad) for name, one in named if one.grad is not None})
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
    """Return what stands in for the models that have weights, and for the optimizers, of a namespace."""
    found: dict[str, Any] = {}
    for name, value in namespace.items():
        if isinstance(value, torch.optim.Optimizer):
            found[name] = optimizer
        elif isinstance(value, nn.Module) and any(True for _ in value.parameters()):
            found[name] = model
    return found


_SCALAR = re.compile(r"kl|lambd|beta|anneal|weight|scal|ratio|coef", re.IGNORECASE)


def scales(namespace: Mapping[str, Any], used: Collection[str], scale: float, epoch: int) -> dict[str, Any]:
    """Return what makes a training step scale its divergence by `scale`, or as it does in an epoch, by name.

    Criteria with an attribute `lambd` are replaced by copies; so are numbers that the step uses and that go by such a
    name, and the number of the epoch.
    """
    found: dict[str, Any] = {}
    for name, value in namespace.items():
        if isinstance(value, nn.Module) and isinstance(getattr(value, "lambd", None), (int, float)):
            found[name] = copy.copy(value)
            found[name].lambd = scale
        elif name in used and type(value) in (int, float) and _SCALAR.search(name):
            found[name] = scale
    if "epoch" in used:
        found["epoch"] = epoch
    return found


def returned(result: Any) -> dict[str, Any]:
    """Return the numbers that a training step returned, and whether one of them still holds a graph."""
    parts = list(result.values()) if isinstance(result, Mapping) else result
    parts = list(parts) if isinstance(parts, (tuple, list)) else [parts]
    tensors = [one for one in parts if isinstance(one, torch.Tensor)]
    numbers = [
        float(one) if np.ndim(one.detach() if isinstance(one, torch.Tensor) else one) == 0 else np.nan for one in parts
    ]
    return {"returned": np.asarray(numbers, np.float64), "graph": any(one.requires_grad for one in tensors)}


def stepped(
    function: Any, step: Callable[..., Any], values: Mapping[str, Array], scale: float, epoch: int
) -> dict[str, Any]:
    """Take two steps on a stand-in made of `values`, in place of the models and optimizers that a function knows.

    `step` takes model and optimizer too. Returns what `returned` tells of the first step, the gradients of each update
    as `step 0 image`, ..., how many updates each step made, and the model's modes.
    """
    model = StandIn(values).train()
    optimizer = RecordingOptimizer(model)
    own = namespace_of(function)
    replacing = {**scales(own, names_in(function), scale, epoch), **stand_ins(own, model, optimizer)}
    updates: list[int] = []
    with replaced(own, replacing):
        told = returned(step(model=model, optimizer=optimizer))
        updates.append(len(optimizer.steps))
        step(model=model, optimizer=optimizer)
        updates.append(len(optimizer.steps) - updates[0])
    gradients = {f"step {at} {key}": one for at, found in enumerate(optimizer.steps[:4]) for key, one in found.items()}
    return {**told, **gradients, "updates": updates, "training": model.modes}


def namespace_of(function: Any) -> dict[str, Any]:
    """Return the namespace in which a function looks up its names."""
    inner = inspect.unwrap(function)
    return dict_of if isinstance(dict_of := getattr(inner, "__globals__", None), dict) else {}


def names_in(function: Any) -> set[str]:
    """Return the names that a function, or one inside it, looks up."""
    todo, names = [getattr(inspect.unwrap(function), "__code__", None)], set[str]()
    while todo:
        if code := todo.pop():
            names |= set(code.co_names)
            todo += [one for one in code.co_consts if hasattr(one, "co_names")]
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
    return {"reached": len(with_gradient), "moved": sum(with_gradient), "astray": sum(changed) - sum(with_gradient)}


def _reaching(reached: set[int], key: int) -> Any:
    def hook(gradient: Any) -> None:
        if bool(torch.any(gradient != 0)):
            reached.add(key)

    return hook
