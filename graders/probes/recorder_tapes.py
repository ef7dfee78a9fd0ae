"""The recorder of handout B: what a notebook's own training loops do with tapes, optimizers and the sample buffer.

It sits beside the student's code and contains no expected value. `install` listens at gradients of tapes, steps of
optimizers and batches of data sets, and, once a cell has defined them, at the function of C4 and the class of C8. In a
function that TensorFlow traces, what is heard is tied into the graph, so that it is noted when it happens. What a
rehearsal makes small stands in `recorder_cifar`, the evidence in `recorder_steps`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.data.ops.iterator_ops import OwnedIterator

from graders.probes import binding, recorder_cifar
from graders.probes.recorder_patches import Original, Replace, around
from graders.probes.recorder_post import Emit, Face
from graders.probes.recorder_records import optimizer_of
from graders.probes.recorder_steps import Recorder, Training

_ACCURACY = ("evaluate_accuracy", "eval_accuracy", "compute_accuracy", "test_accuracy")
_BUFFER = ("SampleBuffer", "ReplayBuffer", "SamplesBuffer", "SampleReplayBuffer")
_SIDE, _COLOURS = 32, 3


_face = Face()
finish, uninstall = _face.finish, _face.uninstall


def install(namespace: dict[str, Any], shrink: Mapping[str, int] | None, emit: Emit, seed: int) -> None:
    """Begin to record the loops of the code that runs in `namespace`; `emit` sends one experiment.

    CIFAR-10 is read from the working folder. With `shrink` = {"channels": n} every convolution gets an n-th of the
    channels that it is asked for; None: the whole thing, unchanged.
    """
    uninstall()
    channels = (shrink or {}).get("channels", 1)
    images = recorder_cifar.attach(_face.patches.replace)
    if channels > 1:
        recorder_cifar.narrow(_face.patches.replace, channels)
    _face.recorder = recorder = Recorder(namespace, emit, {"channels": channels, "images": images})
    _attach(recorder, _face.patches.replace)


def after_cell(number: int) -> None:
    """Note that the cell of that number has run, well or not."""
    if isinstance(_face.recorder, Recorder):
        with _face.recorder.post.quietly():
            _listen(_face.recorder)
    _face.after_cell(number)


def _attach(recorder: Recorder, replace: Replace) -> None:
    """Wrap what the recorder listens to; `replace(owner, name, value)` sets an attribute."""
    for owner, name, hook in (
        (tf.GradientTape, "gradient", _gradient),
        (keras.optimizers.Optimizer, "apply", _apply),
        (OwnedIterator, "__next__", _next),
        (keras.Model, "compile", _compile),
        (keras.layers.Layer, "__call__", _call),
    ):
        replace(owner, name, around(recorder, hook, getattr(owner, name)))
    replace(tf, "function", functools.partial(_function, tf.function))


# Tapes ----------------------------------------------------------------------------------------------------------------


def _gradient(
    recorder: Recorder, original: Original, tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any
) -> Any:
    """Note what a gradient was taken of, and whether with respect to weights or to images."""
    found = original(tape, target, sources, *args, **kwargs)
    with recorder.post.quietly():
        note = _noting(recorder, tf.nest.flatten(sources))
        if note is not None:
            said = tf.add_n([tf.reduce_mean(tf.cast(one, tf.float32)) for one in tf.nest.flatten(target)])
            if tf.executing_eagerly():
                note(said.numpy())
            else:
                found = _tied(found, tf.numpy_function(note, [said], tf.bool))
    return found


def _noting(recorder: Recorder, sources: list[Any]) -> Callable[[Any], Any] | None:
    """Return what is to be called with the value of a gradient's target, None for no gradient of interest."""
    if sources and all(map(are_images, sources)):
        return functools.partial(_sampled, recorder)
    if any(isinstance(one, (tf.Variable, keras.Variable)) for one in sources):
        return functools.partial(_lost, recorder)
    return None


def are_images(value: Any) -> bool:
    """Return whether a thing is a tensor or variable of images (B, 32, 32, 3), as far as is known of its shape."""
    shape = tf.TensorShape(getattr(value, "shape", None))
    return shape.rank == 4 and shape[1] in (_SIDE, None) and shape[2] in (_SIDE, None) and shape[3] == _COLOURS


def _sampled(recorder: Recorder, energy: Any) -> Any:
    recorder.sampled += 1
    return np.True_


def _lost(recorder: Recorder, loss: Any) -> Any:
    recorder.loss = float(loss) if np.isfinite(loss) else float("inf")
    return np.True_


def _tied(found: Any, noted: Any) -> Any:
    """Return the same gradients, which cannot be had before something is noted."""
    with tf.control_dependencies([noted]):
        return tf.nest.map_structure(lambda one: tf.identity(one) if isinstance(one, tf.Tensor) else one, found)


# Optimizers -----------------------------------------------------------------------------------------------------------


def _apply(
    recorder: Recorder, original: Original, optimizer: Any, grads: Any, variables: Any = None, **kwargs: Any
) -> Any:
    """Note that gradients are applied; an optimizer that moves images trains no model."""
    grads = list(grads)
    with recorder.post.quietly():
        trained = list(optimizer._trainable_variables if variables is None else variables)
        if not all(map(are_images, trained)):
            note = functools.partial(_stepped, recorder, optimizer, trained)
            if tf.executing_eagerly():
                note()
            else:
                with tf.control_dependencies([grad for grad in grads if isinstance(grad, tf.Tensor)]):
                    noted = tf.numpy_function(note, [], tf.bool)
                grads = _tied(grads, noted)
    return original(optimizer, grads, variables, **kwargs)


def _stepped(recorder: Recorder, optimizer: Any, variables: list[Any]) -> Any:
    with recorder.post.quietly():
        recorder.step(optimizer, lambda: Training(optimizer_of(optimizer), variables, _value))
    return np.True_


def _value(variable: Any) -> Any:
    return tf.convert_to_tensor(variable).numpy()


# Data sets, and what would not be heard -------------------------------------------------------------------------------


def _next(recorder: Recorder, original: Original, iterator: Any) -> Any:
    batch = original(iterator)
    with recorder.post.quietly():
        recorder.batch(iterator._dataset)
    return batch


def _call(recorder: Recorder, original: Original, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Note a network that raises: it may be the narrow one alone that does not fit together."""
    try:
        return original(layer, *args, **kwargs)
    except Exception as error:
        recorder.misfit = recorder.misfit or type(error).__name__
        raise


def _compile(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Compile a model without XLA, in which nothing could be heard."""
    return original(model, *args, **{**kwargs, "jit_compile": False})


def _function(original: Original, *args: Any, **kwargs: Any) -> Any:
    """Make a `tf.function` that is not compiled by XLA."""
    kwargs.pop("jit_compile", None)
    return original(*args, **kwargs)


# What the notebook defines --------------------------------------------------------------------------------------------


def _listen(recorder: Recorder) -> None:
    """Wrap the function of C4 and the methods of the class of C8 where a cell has defined them."""
    for name, value in list(recorder.namespace.items()):
        if inspect.isfunction(value) and _is_one_of(value, _ACCURACY) and not hasattr(value, "_heard"):
            recorder.namespace[name] = _accuracy(recorder, value)
        elif inspect.isclass(value) and _is_one_of(value, _BUFFER):
            _buffer(recorder, value)


def _is_one_of(value: Any, names: tuple[str, ...]) -> bool:
    return binding.plain(value.__name__) in map(binding.plain, names)


def _accuracy(recorder: Recorder, original: Original) -> Original:
    @functools.wraps(original)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        with recorder.post.quietly():
            model, dataset = (*args, *kwargs.values(), None, None)[:2]
            recorder.accuracy(model, dataset, float(np.ravel(found)[0]))
        return found

    evaluate._heard = True  # type: ignore[attr-defined] # not to be wrapped twice
    return evaluate


def _buffer(recorder: Recorder, cls: Any) -> None:
    for name, note in (("add_to_buffer", _added), ("sample_from_buffer", _handed)):
        method = vars(cls).get(name)
        if inspect.isfunction(method) and not hasattr(method, "_heard"):
            setattr(cls, name, _counted(recorder, method, note))


def _counted(recorder: Recorder, original: Original, note: Callable[[Recorder, Any], None]) -> Original:
    @functools.wraps(original)
    def method(buffer: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(buffer, *args, **kwargs)
        with recorder.post.quietly():
            note(recorder, (*args, *kwargs.values())[0])
        return found

    method._heard = True  # type: ignore[attr-defined] # as above
    return method


def _added(recorder: Recorder, samples: Any) -> None:
    recorder.added += len(samples)


def _handed(recorder: Recorder, samples: Any) -> None:
    recorder.handed += int(samples)
