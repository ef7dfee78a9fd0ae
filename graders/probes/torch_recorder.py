"""The recorder for PyTorch: which networks a whole notebook's own code trains, written down while it runs.

It sits beside the student's code and contains no expected value. It listens where PyTorch lets anybody listen: calls of
modules, `backward`, steps of optimizers; and to what matplotlib draws. In a rehearsal the CPU stands for every GPU,
with one thread; nothing else is changed.

Evidence: experiments `call 000`, `call 001`, ... in the notebook's order, at most `_MOST_RECORDS`, then `call end`.
All have the values `cell`, `method` and `details`, a JSON text; so all have one form. `method` is one of

- `training`: what one optimizer did in one cell. `optimizer` (a number), `class` (its), `rate`; `steps`; `models`: the
  modules that hold most of what it trains, each with `model` (a number), `class`, `given` and `parameters` (how many of
  its parameters the optimizer has, how many there are), `changed` (how many are others than before its first step) and
  `kernels` (sizes of its kernels). Arrays: `losses` (steps,), the mean of what `backward` was called on last; `sizes`
  (steps,), images of each step; `modes` (steps,), 1 where the model was in training mode; `trained`, `tested`,
  `watched` (k,): numbers of the images that steps followed, that the models were called on in evaluation mode, and in
  training mode without a step;
- `plots`: how often the cell drew `plot` (curves of two finite points and more) and `imshow` (pictures, none blank);
- `end`: `faults` (our own), `dropped` records, `unfollowed` (models whose weights change without a step that is seen).
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.axes
import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as hooks_of_modules
from torch.optim import optimizer as hooks_of_optimizers

from graders.probes import torch as instruments
from graders.probes.recorder_post import Emit, Face, Post
from graders.probes.torch_trainings import Images, Training, digest_of

_MOST_RECORDS = 900


class Recorder:
    """The state of one run."""

    def __init__(self, emit: Emit) -> None:
        self.post = Post(emit, _MOST_RECORDS)
        self.images = Images()
        self.cell = self.unfollowed = 0
        self.depth = 0  # of modules that call modules
        self.called: list[tuple[nn.Module, list[int], bool]] = []  # on images, and not yet known what for
        self.followed: list[int] = []  # images of which a loss was taken, for the next step
        self.loss, self.mode = float("nan"), False
        self.modules: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self.known: weakref.WeakKeyDictionary[nn.Module, bytes] = weakref.WeakKeyDictionary()
        self.trainings: weakref.WeakKeyDictionary[Any, Training] = weakref.WeakKeyDictionary()
        self.all: list[Training] = []
        self.models: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
        self.drawn: dict[str, int] = {}

    def number_of(self, model: nn.Module) -> int:
        """Return the number of a model."""
        return self.models.setdefault(model, len(self.models))

    # What PyTorch tells ----------------------------------------------------------------------------------------------

    def enter(self, module: nn.Module, args: Any) -> None:
        """Note that a module is called."""
        self.depth += 1

    def leave(self, module: nn.Module, args: Any, *rest: Any) -> None:
        """Note that a module has answered; the outermost is the student's own call.

        `rest` are keywords and output; where the call raised, PyTorch leaves the keywords out.
        """
        kwargs: Mapping[str, Any] = rest[0] if len(rest) > 1 else {}
        self.depth = max(self.depth - 1, 0)
        if self.depth or next(module.parameters(), None) is None:
            return
        with self.post.quietly():
            if images := [number for x in (*args, *kwargs.values()) for number in self.images.note(x)]:
                self.look()
                self.modules.add(module)
                self.known.setdefault(module, digest_of(module.parameters()))
                self.called.append((module, images, module.training))

    def backward(self, losses: Any) -> None:
        """Note that a loss of what was called last is differentiated."""
        for _, images, mode in self.called:
            self.followed += images
            self.mode = mode
        self.called = []
        first = losses if isinstance(losses, torch.Tensor) else losses[0]
        self.loss = float(first.detach().mean())

    def begin(self, optimizer: Any) -> None:
        """Note that an optimizer is about to make a step: with the first one its training begins."""
        if optimizer not in self.trainings:
            training = Training(len(self.all), optimizer, self.models_of(optimizer))
            self.trainings[optimizer] = training
            self.all.append(training)

    def step(self, optimizer: Any) -> None:
        """Note that an optimizer has made a step; what it called for that, a closure, has come to an end."""
        self.trainings[optimizer].step(self.followed, self.loss, self.mode)
        self.followed, self.loss = [], float("nan")

    def models_of(self, optimizer: Any) -> list[nn.Module]:
        """Return the modules that hold most of the parameters of an optimizer: one, and what is wrapped around it."""
        ids = {id(one) for group in optimizer.param_groups for one in group["params"]}
        shares = [(sum(id(one) in ids for one in module.parameters()), module) for module in self.modules]
        most = max((share for share, _ in shares), default=0)
        return [module for share, module in shares if share == most > 0]

    def look(self) -> None:
        """Put what was called and not followed by a loss with what the latest training of that model looked at."""
        for module, images, training in self.called:
            ids = {id(one) for one in module.parameters()}
            last = next((one for one in reversed(self.all) if one.ids & ids), None)
            if last is not None:
                last.images["watched" if training else "tested"] += images
        self.called = []

    # What is sent ----------------------------------------------------------------------------------------------------

    def flush(self, number: int) -> None:
        """Send the records of the cell of that number."""
        self.depth = 0
        self.look()
        self.followed = []
        stepped = {id(model) for one in self.all if one.losses for model in one.models}
        for model, digest in list(self.known.items()):
            now = digest_of(model.parameters())
            self.unfollowed += now != digest and id(model) not in stepped
            self.known[model] = now
        if self.drawn:
            self.post.send(number, {"method": "plots", "drawn": self.drawn}, {})
        for training in self.all:
            if training.losses or any(training.images.values()):
                self.post.send(number, training.document(self.number_of), training.arrays())
                training.clear()
        self.drawn = {}

    def after_cell(self, number: int) -> None:
        """Send what the cell of that number did."""
        with self.post.quietly():
            self.flush(number)
        self.cell = number + 1

    def finish(self) -> None:
        """Send the rest, also of a training that is still going on."""
        with self.post.quietly():
            self.flush(self.cell)
        self.post.end(self.cell, {"unfollowed": self.unfollowed}, {})


# The hooks ------------------------------------------------------------------------------------------------------------

_face = Face()
after_cell, finish, uninstall = _face.after_cell, _face.finish, _face.uninstall


def install(namespace: dict[str, Any], shrink: Mapping[str, int] | None, emit: Emit, seed: int) -> None:
    """Begin to record what trains; `emit` sends one experiment. `shrink` is None in a run that is no rehearsal."""
    uninstall()
    _face.recorder = recorder = Recorder(emit)
    replace = _face.patches.replace
    if shrink is not None:
        instruments.restore()
        for name in ("set_num_threads", "set_num_interop_threads"):
            replace(torch, name, lambda *_: None)  # more threads than there are processors stand in each other's way
    replace(torch.autograd, "backward", _hearing(recorder, torch.autograd.backward))
    replace(matplotlib.axes.Axes, "plot", _drawing(recorder, "plot", matplotlib.axes.Axes.plot, _is_curve))
    replace(matplotlib.axes.Axes, "imshow", _drawing(recorder, "imshow", matplotlib.axes.Axes.imshow, _is_picture))
    for handle in (
        hooks_of_modules.register_module_module_registration_hook(lambda module, *_: recorder.modules.add(module)),
        hooks_of_modules.register_module_forward_pre_hook(recorder.enter),
        hooks_of_modules.register_module_forward_hook(recorder.leave, with_kwargs=True, always_call=True),
        hooks_of_optimizers.register_optimizer_step_pre_hook(_quiet(recorder, recorder.begin)),
        hooks_of_optimizers.register_optimizer_step_post_hook(_quiet(recorder, recorder.step)),
    ):
        _face.patches.later(handle.remove)


def _quiet(recorder: Recorder, note: Callable[[Any], None]) -> Callable[..., None]:
    def stepping(optimizer: Any, *_: Any) -> None:
        with recorder.post.quietly():
            note(optimizer)

    return stepping


def _hearing(recorder: Recorder, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        with recorder.post.quietly():
            recorder.backward(tensors)
        return original(tensors, *args, **kwargs)

    return backward


def _drawing(
    recorder: Recorder, name: str, original: Callable[..., Any], shows: Callable[[Any], bool]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        with recorder.post.quietly():
            recorder.drawn[name] = recorder.drawn.get(name, 0) + shows(made)
        return made

    return draw


def _is_curve(lines: Any) -> bool:
    return any(np.isfinite(np.asarray(line.get_ydata(), np.float64)).sum() > 1 for line in lines)


def _is_picture(image: Any) -> bool:
    pixels = np.asarray(image.get_array(), np.float64)
    return bool(pixels.size and np.isfinite(pixels).all() and np.ptp(pixels) > 0)
