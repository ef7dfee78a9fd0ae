"""What a script trains with Keras: which networks, and how, whatever they are called and wherever they live.

It listens at calls of networks, gradients of tapes and steps of optimizers. In a function that TensorFlow traces these
are heard once; what they were is kept with the function and holds for every call of it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format
from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function

from graders.metrics import keras2_files
from graders.probes.keras2 import adopt

_MOST_MODELS = 40  # that are remembered: the last that were called
_LEAST_BATCH = 4  # images that tell how they were prepared
_STRAY = 3  # steps of an optimizer, or one in a hundred, before which images were sampled by chance
_VARIABLES = (keras.Variable, tf.Variable)
_DROPPED = ("workers", "use_multiprocessing", "max_queue_size")  # of Keras 2: fit, evaluate and predict took them


@dataclass
class Trained:
    """A network that an optimizer changed: by how many steps, and before how many of them images were sampled.

    `before` are its weights before the last change from plain steps to those with sampling, () where none came after.
    """

    model: Any
    plain: int = 0
    sampling: int = 0
    before: tuple[Any, ...] = ()

    def was_trained(self, how: str) -> bool:
        """Return whether it was trained in a way: `plain`, `sampling`, or in any, ""."""
        return {"plain": self.plain > 0, "sampling": self.sampling > self._stray}.get(how, True)

    @property
    def _stray(self) -> int:
        return max(_STRAY, self.plain // 100) if self.plain else 0

    def step(self, sampled: bool) -> None:
        """Note one step."""
        if not sampled:
            self.before = ()
        elif self.plain and not self.before:
            self.before = tuple(np.array(weight) for weight in self.model.weights)
        self.plain, self.sampling = self.plain + (not sampled), self.sampling + sampled


@dataclass
class Effects:
    """What a traced function does: takes gradients of images, steps optimizers of networks (after sampling or not)."""

    samples: bool = False
    steps: dict[int, tuple[Any, bool]] = field(default_factory=dict)


@dataclass
class Watch:
    """What was heard so far.

    `loaded` are networks that weights were loaded into, `differentiated` says whether gradients with respect to
    variables were taken; `saved` tells, by the hash of a file of weights, which network wrote it; `batch` are the
    images (B, 32, 32, 3) that the first step was made with.
    """

    after_step: Callable[[], None] | None = None
    trained: dict[int, Trained] = field(default_factory=dict)
    saved: dict[str, int] = field(default_factory=dict)
    loaded: dict[int, Any] = field(default_factory=dict)
    differentiated: bool = False
    batch: Any = None
    latest: Any = None
    owners: dict[tuple[int, ...], Any] = field(default_factory=dict)
    called: dict[int, Any] = field(default_factory=dict)
    depth: int = 0
    hushed: int = 0
    sampled: bool = False  # images, since the last step
    tracing: list[Effects] = field(default_factory=list)
    effects: dict[int, tuple[Any, Effects]] = field(default_factory=dict)

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Hear nothing of what is done here: it is our own."""
        self.hushed += 1
        try:
            yield
        finally:
            self.hushed -= 1

    @property
    def hears(self) -> bool:
        """Whether what happens is the script's own; other threads prepare data."""
        return not self.hushed and threading.current_thread() is threading.main_thread()

    # What happens ----------------------------------------------------------------------------------------------------

    def call(self, model: Any, inputs: Any) -> None:
        """Note that the script calls a network, and how the first batch of images looks."""
        self.called.pop(id(model), None)
        self.called[id(model)] = model
        while len(self.called) > _MOST_MODELS:
            self.called.pop(next(iter(self.called)))
        self.look(inputs)

    def look(self, inputs: Any) -> None:
        """Note the latest images (B, 32, 32, 3) that have values: those of a step may follow."""
        if self.batch is None and tf.executing_eagerly() and _are_images(inputs):
            self.latest = inputs

    def _keep_batch(self) -> None:
        """Keep the images that the first step was made with."""
        values = None if self.latest is None else np.asarray(self.latest, np.float64)
        if values is not None and len(values) >= _LEAST_BATCH and values.std() > 0:
            self.batch, self.latest = values, None

    def sample(self) -> None:
        """Note that a gradient with respect to images is taken."""
        self.sampled = True
        for effects in self.tracing:
            effects.samples = True

    def step(self, variables: list[Any]) -> None:
        """Note that an optimizer steps: of the networks that were called the one whose variables these are."""
        model = self._owner(variables)
        if model is None:
            return
        for effects in self.tracing:
            effects.steps[id(model)] = model, effects.samples
        if not self.tracing:
            self._stepped(model, self.sampled)

    def _owner(self, variables: list[Any]) -> Any:
        key = tuple(map(id, variables))
        if key not in self.owners:
            shares = [(len({*key} & _ids(one)), -len(_ids(one)), one) for one in self.called.values()]
            best = max(shares, key=lambda share: share[:2], default=(0, 0, None))
            if not best[0]:
                return None
            self.owners[key] = best[2]
        return self.owners[key]

    def _stepped(self, model: Any, sampled: bool) -> None:
        self._keep_batch()
        self.trained.setdefault(id(model), Trained(model)).step(sampled)
        self.sampled = False

    def ran(self, effects: Effects) -> None:
        """Note that a traced function ran, or is part of one that is being traced."""
        for outer in self.tracing:
            outer.samples = outer.samples or effects.samples
            outer.steps |= effects.steps
        if not self.tracing:
            self.sampled = self.sampled or effects.samples
            for model, sampled in effects.steps.values():
                self._stepped(model, self.sampled or sampled)

    def stepped(self) -> None:
        """Call whom steps interest; what it raises is let go, and it is called no more."""
        if self.after_step is None or not tf.executing_eagerly():
            return
        try:
            self.after_step()
        except Exception:
            self.after_step = None


def _ids(model: Any) -> set[int]:
    return {id(variable) for variable in model.trainable_variables}


def _are_images(value: Any) -> bool:
    """Return whether a thing is a tensor or a variable of images (B, H, W, 3) of a known size."""
    shape = tf.TensorShape(getattr(value, "shape", None))
    return bool(shape.rank == 4 and shape[3] == 3 and shape[1] is not None and shape[1] == shape[2] != 3)


# Where it listens -----------------------------------------------------------------------------------------------------


def listen(watch: Watch) -> None:
    """Wrap what a script trains with; what was written for Keras 2 goes on to work."""
    for owner, name, hook in (
        (keras.layers.Layer, "__call__", _call),
        (tf.GradientTape, "gradient", _gradient),
        (keras.optimizers.Optimizer, "apply", _apply),
        (Function, "__call__", _traced),
        (keras.Model, "save_weights", keras2_files.save_weights),
        (keras.Model, "save", keras2_files.save),
        (keras.Model, "load_weights", keras2_files.load_weights),
        (keras.callbacks.ModelCheckpoint, "__init__", keras2_files.checkpoint),
        (keras.Model, "fit", _undemanding),
        (keras.Model, "evaluate", _undemanding),
        (keras.Model, "predict", _undemanding),
        (keras.utils.PyDataset, "__init__", _alone),
        (legacy_h5_format, "_set_weights", keras2_files.ordered),
    ):
        setattr(owner, name, _around(watch, hook, getattr(owner, name)))
    keras.layers.Layer.__init_subclass__ = classmethod(_created)  # type: ignore[arg-type] # a class is what it gets


def _around(watch: Watch, hook: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(owner: Any, *args: Any, **kwargs: Any) -> Any:
        return hook(watch, original, owner, *args, **kwargs) if watch.hears else original(owner, *args, **kwargs)

    return method


def _call(watch: Watch, original: Any, layer: Any, *args: Any, **kwargs: Any) -> Any:
    if watch.depth == 0 and isinstance(layer, keras.Model):
        watch.call(layer, args[0] if args else None)
    watch.depth += isinstance(layer, keras.Model)
    try:
        return original(layer, *args, **kwargs)
    finally:
        watch.depth -= isinstance(layer, keras.Model)


def _gradient(watch: Watch, original: Any, tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
    flat = tf.nest.flatten(sources)
    if flat and all(map(_are_images, flat)):
        watch.sample()
    watch.differentiated = watch.differentiated or any(isinstance(one, _VARIABLES) for one in flat)
    return original(tape, target, sources, *args, **kwargs)


def _apply(watch: Watch, original: Any, optimizer: Any, grads: Any, variables: Any = None, **kwargs: Any) -> Any:
    grads = list(grads)
    changed = list(optimizer._trainable_variables if variables is None else variables)
    if changed and all(map(_are_images, changed)):
        watch.sample()  # an optimizer that moves images trains no network
        return original(optimizer, grads, variables, **kwargs)
    watch.step(changed)
    returned = original(optimizer, grads, variables, **kwargs)
    watch.stepped()
    return returned


def _traced(watch: Watch, original: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Note what a function does while it is traced, and that it does so whenever it is called."""
    if not watch.tracing:
        watch.latest = None
    for value in (*args, *kwargs.values()):
        watch.look(value)
    _, effects = watch.effects.setdefault(id(function), (function, Effects()))
    watch.tracing.append(effects)
    try:
        returned = original(function, *args, **kwargs)
    finally:
        watch.tracing.pop()
    watch.ran(effects)
    if effects.steps:
        watch.stepped()
    return returned


def _undemanding(watch: Watch, original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    return original(model, *args, **{name: value for name, value in kwargs.items() if name not in _DROPPED})


def _alone(watch: Watch, original: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
    """Make a data set that reads in this process alone: others would need sockets, which are not to be had here."""
    return original(data, *args[:1], **{**kwargs, "use_multiprocessing": False} if kwargs else kwargs)


def _created(cls: type, **kwargs: Any) -> None:
    """Let a class of layers that is defined behave as in Keras 2."""
    super(keras.layers.Layer, cls).__init_subclass__(**kwargs)
    adopt({cls.__name__: cls})
