"""Where the recorder hears of calls on single batches: loops of the student's own that train, evaluate or generate.

Inside a `tf.function` it listens when the function runs. What it hears there is tied into the graph: a call is noted
before its outputs are used, and gradients before they are applied. Else TensorFlow is free to do the one after the
other, and the weights that are noted as those of before a training may be those of after its first step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from graders.probes.recorder import Recorder
from graders.probes.recorder_images import SIDE, padded
from graders.probes.recorder_notes import Notes
from graders.probes.recorder_records import bound_arguments, optimizer_of

Original = Callable[..., Any]
_FEW = 128  # images that a generation loop may draw at once
_MANY = 16  # calls that make a loop; as many count for one in a function that is traced
_VARIABLES = (tf.Variable, keras.Variable)


def train_on_batch(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Note a step of training by hand."""
    if not recorder.inside:
        with recorder.quietly():
            given = bound_arguments(original, model, args, kwargs)
            record = recorder.direct_of(model)
            y = given.get("y")
            record.notes.train(np.asarray(given["x"]), None if y is None else np.asarray(y))
    with recorder.within():
        return original(model, *args, **kwargs)


def test_on_batch(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Note an evaluation by hand, with the loss that it reports."""
    with recorder.within():
        result = original(model, *args, **kwargs)
    if not recorder.inside:
        with recorder.quietly():
            given = bound_arguments(original, model, args, kwargs)
            x, y = np.asarray(given["x"]), given.get("y")
            notes = recorder.direct_of(model).notes
            notes.test(x, None if y is None else np.asarray(y), recorder.forward(model, x).numpy())
            value: Any = result.get("loss") if isinstance(result, dict) else np.ravel(result)[0]
            notes.loss_values.append([len(x), float(value)])
    return result


def predict(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Note a prediction: of few images in the record of direct calls, any other as one of its own."""
    x: Any = args[0] if args else kwargs.get("x")
    if recorder.inside:
        return original(model, *args, **kwargs)
    if has_values(x) and padded(x) is not None and 0 < len(x) <= _FEW:
        return _asked(recorder, model, np.asarray(x), lambda: _within(recorder, original, model, *args, **kwargs))
    recorder.unfollowed += has_values(x) and padded(x) is None
    with recorder.recording(model, "direct"):
        return original(model, *args, **kwargs)


def call(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Note a call of a model on images, now or whenever the function runs that is being traced."""
    x: Any = args[0] if args else kwargs.get("inputs")
    if isinstance(x, keras.KerasTensor):  # a model is put together, and nothing runs
        return _within(recorder, original, model, *args, **kwargs)
    if recorder.inside:
        return original(model, *args, **kwargs)
    if not _are_images(x):
        recorder.unfollowed += 1 if tf.executing_eagerly() else _MANY
        return original(model, *args, **kwargs)
    rest, kwargs = args[1:], {name: value for name, value in kwargs.items() if name != "inputs"}
    if isinstance(x, _VARIABLES):
        x = tf.convert_to_tensor(x)
    ask = functools.partial(_within, recorder, original, model)
    training = bool(kwargs.get("training") or (rest and rest[0] is True))
    if not tf.executing_eagerly():
        return _traced(recorder, model, tf.convert_to_tensor(x), training, lambda given: ask(given, *rest, **kwargs))
    if training or len(x) > _FEW:
        with recorder.quietly():
            recorder.direct_of(model).notes.call(np.asarray(x))
        return ask(x, *rest, **kwargs)
    return _asked(recorder, model, np.asarray(x), lambda: ask(x, *rest, **kwargs), tensor=True)


def _within(recorder: Recorder, function: Original, *args: Any, **kwargs: Any) -> Any:
    with recorder.within():
        return function(*args, **kwargs)


def has_values(x: Any) -> bool:
    """Return whether a thing is an array of numbers now."""
    return isinstance(x, (np.ndarray, *_VARIABLES)) or (isinstance(x, tf.Tensor) and hasattr(x, "numpy"))


def _are_images(x: Any) -> bool:
    """Return whether an array, perhaps without values yet, may hold images of the handout's size, or their upper rows.

    What it does not know of a shape shows when it runs.
    """
    if not isinstance(x, (np.ndarray, tf.Tensor, *_VARIABLES)):
        return False
    shape = tf.TensorShape(x.shape)
    if shape.rank not in (3, 4) or (shape.rank == 4 and shape[3] not in (1, None)):
        return False
    return shape[2] in (SIDE, None) and (shape[1] is None or 0 < shape[1] <= SIDE)


# In a function that is traced -----------------------------------------------------------------------------------------


def _traced(recorder: Recorder, model: Any, x: Any, training: bool, ask: Callable[[Any], Any]) -> Any:
    with recorder.quietly():
        recorder.direct_of(model)  # nothing has run yet: the weights are those of before
    outputs = ask(x)
    if training or not isinstance(outputs, tf.Tensor) or not _are_images(outputs):
        heard = tf.numpy_function(functools.partial(_heard, recorder, model), [x], tf.bool)
        with tf.control_dependencies([heard]):
            return tf.nest.map_structure(tf.identity, outputs)
    hear = functools.partial(_overheard, recorder, model)
    said, stands_in = tf.numpy_function(hear, [x, tf.cast(outputs, tf.float32)], [tf.float32, tf.bool])
    said.set_shape(outputs.shape)
    return tf.where(stands_in, tf.cast(said, outputs.dtype), outputs)  # the model's own can be differentiated


def _heard(recorder: Recorder, model: Any, x: Any) -> Any:
    with recorder.quietly():
        recorder.direct_of(model).notes.call(x)
    return np.True_


def _overheard(recorder: Recorder, model: Any, x: Any, outputs: Any) -> tuple[Any, Any]:
    """Note a call that has run; return its outputs, or the stand-in's instead, and which of the two they are."""
    if padded(x) is None or len(x) > _FEW:
        _heard(recorder, model, x)
        return outputs, np.False_
    notes, begins, answer = _before(recorder, model, x)
    if answer is not None:
        return answer.reshape(-1, SIDE, SIDE)[:, : x.shape[1]].reshape(outputs.shape), np.True_
    _after(recorder, notes, begins, x, outputs)
    return outputs, np.False_


# Calls on a few images ------------------------------------------------------------------------------------------------


def _asked(recorder: Recorder, model: Any, x: Any, original: Callable[[], Any], tensor: bool = False) -> Any:
    """Answer a call on a few images: by the stand-in in a generation of a rehearsal, else by the model."""
    notes, begins, answer = _before(recorder, model, x)
    if answer is not None:
        outputs: Any = answer.reshape(-1, SIDE, SIDE, 1)[:, : x.shape[1]]
        return tf.constant(outputs) if tensor else outputs.copy()
    if recorder.rehearsal and x.shape[1] == SIDE:
        outputs = recorder.forward(model, x)
        outputs = outputs if tensor or not isinstance(outputs, tf.Tensor) else outputs.numpy()
    else:
        outputs = original()
    _after(recorder, notes, begins, x, outputs)
    return outputs


def _before(recorder: Recorder, model: Any, x: Any) -> tuple[Notes | None, bool, Any]:
    """Note a call; return where, whether something new begins with it, and the stand-in's answer (n, 1024) if any."""
    with recorder.quietly():
        notes = recorder.direct_of(model).notes
        if (frames := padded(x)) is not None:
            return notes, *notes.frames.see(frames)
    return None, True, None


def _after(recorder: Recorder, notes: Notes | None, begins: bool, x: Any, outputs: Any) -> None:
    """Note what the model itself answered."""
    if notes is not None:
        with recorder.quietly():
            notes.frames.note(padded(outputs))
            if begins:
                notes.begin_call(x, np.asarray(outputs))


# Steps of an optimizer ------------------------------------------------------------------------------------------------


def apply(recorder: Recorder, original: Original, optimizer: Any, grads: Any, *args: Any, **kwargs: Any) -> Any:
    """Note that gradients are applied."""
    if recorder.inside:
        return original(optimizer, grads, *args, **kwargs)
    if tf.executing_eagerly():
        _applied(recorder, optimizer)
    else:
        grads = list(grads)
        with tf.control_dependencies([grad for grad in grads if isinstance(grad, tf.Tensor)]):
            noted = tf.numpy_function(functools.partial(_applied, recorder, optimizer), [], tf.bool)
        with tf.control_dependencies([noted]):
            grads = [tf.identity(grad) if isinstance(grad, tf.Tensor) else grad for grad in grads]
    return _within(recorder, original, optimizer, grads, *args, **kwargs)


def _applied(recorder: Recorder, optimizer: Any) -> Any:
    with recorder.quietly():
        if recorder.direct is not None:
            recorder.direct.notes.applied()
            recorder.direct.details["optimizer"] = optimizer_of(optimizer)
    return np.True_


# What nothing else notes ----------------------------------------------------------------------------------------------


def layer_call(recorder: Recorder, original: Original, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Count the calls of the class of C7 that come from no model of which a record tells."""
    if (
        not recorder.inside
        and args
        and layer in recorder.shrinker.builds
        and not isinstance(args[0], keras.KerasTensor)
    ):
        recorder.unfollowed += 1 if tf.executing_eagerly() else _MANY
    return original(layer, *args, **kwargs)


def function(recorder: Recorder, original: Original, *args: Any, **kwargs: Any) -> Any:
    """Make a `tf.function` that is not compiled by XLA, in which nothing could be heard."""
    if not recorder.inside:
        kwargs.pop("jit_compile", None)
    return original(*args, **kwargs)
