"""Instruments for variational auto-encoders: what they execute, what their codes pass on, how codes are drawn.

A model is called as handout E's skeleton says: `forward(x, y)` gives (reconstruction, mean, log-variance, codes).
Imported where student code runs, by `graders.probes.torch`. No expected value is in here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from graders.probes.binding import parameters_of
from graders.probes.torch_effects import effective, kind, pixels, resizes
from graders.probes.torch_sampling import RANDOM, Recorder, array_of, one_hot, seeded

Array = NDArray[Any]
_FIXING = re.compile(r"repar|sample_z|sample_latent|latent_sample", re.IGNORECASE)


# Calling --------------------------------------------------------------------------------------------------------------


def called(model: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """Call a model on images and labels; return reconstruction, mean, log-variance and codes, None where it has none.

    A model that takes images alone gets no labels, one that takes no numbers gets one-hot vectors. Raises ValueError
    where no such tuple comes back.
    """
    takes = [
        one for one in parameters_of(model.forward) if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    open_ended = any(one.kind is one.VAR_POSITIONAL for one in parameters_of(model.forward))
    found = _labelled(model, x, y) if len(takes) > 1 or open_ended else model(x)
    if not isinstance(found, (tuple, list)) or len(found) < 3:
        raise ValueError("forward must return the reconstruction, mu, log_var and z")
    return found[0], found[1], found[2], found[3] if len(found) > 3 else None


def _labelled(model: Any, x: Any, y: Any) -> Any:
    try:
        return model(x, y)
    except Exception:  # of the student's code: it may take other labels
        with contextlib.suppress(Exception):
            return model(x, one_hot(y))
        raise


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


def shaped(model: Any, x: Array, y: Array) -> None:
    """Call a model that has lazy modules once: before that their weights have no shape."""
    if any(nn.parameter.is_lazy(one) for one in model.parameters()):
        reconstructed(model, x, y)


def apart(model: Any) -> None:
    """Turn the values of every weight by another number of places: mean and log-variance are of one shape."""
    with torch.no_grad():
        for place, one in enumerate(model.parameters()):
            one.copy_(one.reshape(-1).roll(1 + 7 * place).reshape(one.shape))


def reconstructed(model: Any, x: Array, y: Array) -> dict[str, Array]:
    """Return the reconstruction of images in evaluation mode."""
    with mode(model, False), torch.no_grad():
        return {"outputs": array_of(called(model, torch.from_numpy(x), torch.from_numpy(y))[0])}


# What is executed -----------------------------------------------------------------------------------------------------


def resizing(model: Any, x: Array, y: Array) -> dict[str, Any]:
    """Return what a model executes to change sizes or to convolve: `encoder` and `decoder`, each in its order.

    What none of the results depends on is left out. The decoder begins where the last random numbers are drawn
    in training mode, else behind the last operation that gives a matrix, else behind the smallest map. An entry has
    name, before and after (pixels of a map), transposed, depthwise and pointwise.
    """
    steps: list[dict[str, Any]] = []
    marks: dict[str, int] = {}

    def note(name: str, func: Any, given: Sequence[Any], result: Any) -> None:
        if not isinstance(result, torch.Tensor):
            result = result[0] if isinstance(result, (tuple, list)) and result else None
        if not isinstance(result, torch.Tensor):
            return
        if RANDOM.match(name):
            marks["random"] = len(steps)
        elif result.dim() == 2 and name in ("addmm", "mm", "cat", "linear"):
            marks["matrix"] = len(steps)
        source = next((one for one in given if isinstance(one, torch.Tensor)), None)
        if source is not None and resizes(name, source, result):
            sizes = {"before": pixels(source), "after": pixels(result)}
            steps.append({"name": name, "number": recorder.count, **sizes, **kind(func, given)})

    def run() -> Any:
        found = _seeded(model, torch.from_numpy(x), torch.from_numpy(y))
        return torch.cat([one.flatten() for one in found if one is not None])

    with mode(model, True), torch.no_grad():
        with Recorder(note) as recorder:
            run()
        used = effective(run, [step.pop("number") for step in steps])
    smallest = min(range(len(steps)), key=lambda at: steps[at]["after"], default=-1) + 1
    at = marks.get("random", marks.get("matrix", smallest))
    parts = {"encoder": slice(at), "decoder": slice(at, None)}
    return {name: [step for step, has in zip(steps[one], used[one], strict=True) if has] for name, one in parts.items()}


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
        "total": zero if total is None else array_of(total),
        "through codes": zero if through is None else array_of(through),
    }


def held(model: Any, first: tuple[Array, Array], second: tuple[Array, Array]) -> dict[str, Any]:
    """Reconstruct `second`, images and labels, from the codes of `first`; return both reconstructions.

    `own` is that of the second with its own codes. `known` is False where no way was found to hold the codes: then
    `held` is the same.
    """
    with mode(model, False), torch.no_grad():
        one, two = (tuple(torch.from_numpy(part) for part in pair) for pair in (first, second))
        codes = _Codes(model)
        with codes.watched():
            reconstruction = _seeded(model, *one)
        own = _seeded(model, *two)[0]
        for way in (codes.outputs_held, codes.methods_held):
            with way() as known:
                again = _seeded(model, *two)
            if known():
                break
        images = {"first": reconstruction[0], "own": own, "held": again[0]}
        return {**{name: array_of(image) for name, image in images.items()}, "known": known()}


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
    is whether both come into the codes at all. `image` (N, values) are some values of the reconstruction, without
    dropout.
    """
    with mode(model, True):
        for part in model.modules():
            part.training = part.training and not isinstance(part, nn.modules.dropout._DropoutNd)
        image, mu, log_var, z = called(model, torch.from_numpy(x), torch.from_numpy(y))
        if z is None:
            raise ValueError("forward must return the reconstruction, mu, log_var and z")
        factors = torch.from_numpy(projection(*z.shape))
        grads = (None, None)
        if z.requires_grad and mu.requires_grad and log_var.requires_grad:
            grads = torch.autograd.grad((z * factors).sum(), [mu, log_var], allow_unused=True)
    found = {"mu": array_of(mu), "log_var": array_of(log_var), "z": array_of(z), "projection": array_of(factors)}
    for name, one in zip(("mu", "log_var"), grads, strict=True):
        found[f"of {name}"] = array_of(torch.zeros_like(mu) if one is None else one)
    return {
        **{name: one.reshape(len(one), -1) for name, one in found.items()},
        "image": array_of(image[..., ::4, ::4]).reshape(len(image), -1),
        "reached": all(one is not None for one in grads),
    }
