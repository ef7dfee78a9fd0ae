"""Where the recorder listens: the methods of Keras that it wraps. See `recorder`."""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeGuard

import h5py
import keras
import matplotlib.axes
import numpy as np
import tensorflow as tf

from graders.probes.recorder import Recorder, loss_of, optimizer_of
from graders.probes.recorder_images import SIDE, frames_of
from graders.probes.recorder_notes import numbers_in

Replace = Callable[[Any, str, Any], None]
Original = Callable[..., Any]
_FEW = 64  # images that a generation loop may draw at once
_DRAWING = ("plot", "bar", "scatter", "imshow")
_LOSS_FUNCTIONS = ("binary_crossentropy", "binary_focal_crossentropy", "mean_absolute_error", "mean_squared_error")
_MOST_NUMBERS = 400


def attach(recorder: Recorder, replace: Replace) -> None:
    """Wrap what the recorder listens to; `replace(owner, name, value)` sets an attribute."""
    hooks: dict[str, Callable[..., Any]] = {
        "compile": _compile,
        "fit": _fit,
        "evaluate": _evaluate,
        "predict": _predict,
        "predict_on_batch": _predict,
        "train_on_batch": _train_on_batch,
        "test_on_batch": _test_on_batch,
        "load_weights": _load_weights,
        "save_weights": _save_weights,
        "__call__": _call,
        "make_train_function": functools.partial(_make_function, kind="train"),
        "make_test_function": functools.partial(_make_function, kind="test"),
        "make_predict_function": functools.partial(_make_function, kind="predict"),
    }
    for name, hook in hooks.items():
        replace(keras.Model, name, _around(recorder, hook, getattr(keras.Model, name)))
    replace(keras.optimizers.Optimizer, "apply_gradients", _around(recorder, _apply, _own(keras.optimizers.Optimizer)))
    replace(keras.layers.Layer, "__init_subclass__", classmethod(functools.partial(_created, recorder)))
    replace(keras.losses.Loss, "__call__", _around(recorder, _loss, keras.losses.Loss.__call__))
    for module in (keras.losses, keras.metrics, tf.keras.losses, tf.keras.metrics):
        for name in _LOSS_FUNCTIONS:
            if hasattr(module, name):
                replace(module, name, _loss_function(recorder, getattr(module, name), name))
    for name in _DRAWING:
        replace(matplotlib.axes.Axes, name, _drawing(recorder, getattr(matplotlib.axes.Axes, name), name))
    replace(builtins, "print", _printing(recorder, builtins.print))


def _own(optimizer: Any) -> Original:
    return optimizer.apply_gradients  # type: ignore[no-any-return]


def _around(recorder: Recorder, hook: Callable[..., Any], original: Original) -> Original:
    @functools.wraps(original)
    def method(model: Any, *args: Any, **kwargs: Any) -> Any:
        return hook(recorder, original, model, *args, **kwargs)

    return method


def _created(recorder: Recorder, cls: type, **kwargs: Any) -> None:
    """Look at every class of layers that is defined: one may be defined and built in the same cell."""
    super(keras.layers.Layer, cls).__init_subclass__(**kwargs)
    with recorder.quietly():
        recorder.shrinker.take(cls)


def _bound(original: Original, model: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return a call's arguments by name; empty where they do not fit, which the call itself will say."""
    try:
        bound = inspect.signature(original).bind(model, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    return dict(bound.arguments)


def _eager(x: Any) -> TypeGuard[Any]:
    """Return whether a thing is an array of numbers now."""
    if isinstance(x, tf.Tensor):
        return hasattr(x, "numpy")
    return isinstance(x, np.ndarray)


# Whole calls ----------------------------------------------------------------------------------------------------------


def _compile(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.rehearsal and kwargs.get("jit_compile", "auto") == "auto":
        kwargs["jit_compile"] = False  # to compile a small model takes longer than to train it
    result = original(model, *args, **kwargs)
    if not recorder.inside:
        with recorder.quietly():
            given = _bound(original, model, args, kwargs)
            metrics = [loss_of(metric)["loss"] for metric in given.get("metrics") or []]
            recorder.compiled[model] = {**loss_of(given.get("loss")), "metrics": metrics}
    return result


def _fit(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        return original(model, *args, **kwargs)
    given = _bound(original, model, args, kwargs)
    callbacks = given.get("callbacks") or []
    asked = {key: given.get(key) for key in ("epochs", "initial_epoch", "batch_size", "validation_split")}
    asked["callbacks"] = [type(one).__name__ for one in callbacks] if isinstance(callbacks, (list, tuple)) else []
    with recorder.recording(model, "fit", **asked, ran=0, history={}) as record:
        history = original(model, *args, **kwargs)
        with recorder.quietly():
            record.details["history"] = {name: list(values) for name, values in history.history.items()}
            record.details["ran"] = len(history.epoch)
    return history


def _evaluate(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        if recorder.open and recorder.open[-1].model() is model:
            recorder.open[-1].notes.begin()
        return original(model, *args, **kwargs)
    with recorder.recording(model, "evaluate", results={}) as record:
        record.notes.begin()
        result = original(model, *args, **kwargs)
        with recorder.quietly():
            first = result if isinstance(result, dict) else {"loss": np.ravel(result)[0]}
            record.details["results"] = {**model.get_metrics_result(), **first}
    return result


def _load_weights(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        return original(model, *args, **kwargs)
    path = str(_bound(original, model, args, kwargs).get("filepath", ""))
    with recorder.recording(model, "load_weights", path=path[-100:]) as record:
        with recorder.quietly():
            record.details["has"] = [list(weight.shape) for weight in model.weights]
            with contextlib.suppress(OSError, KeyError):  # loading itself will say what is wrong with the file
                record.details["wants"] = _shapes_in(path)
        return original(model, *args, **kwargs)


def _shapes_in(path: str) -> list[list[int]]:
    """Return the shapes of the variables in a weights file of Keras 2, in the order in which they were created."""
    with h5py.File(path, "r") as file:
        layers = [file[name] for name in file.attrs.get("layer_names", ())]
        return [list(layer[name].shape) for layer in layers for name in layer.attrs.get("weight_names", ())]


def _save_weights(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        return original(model, *args, **kwargs)
    path = str(_bound(original, model, args, kwargs).get("filepath", ""))
    with recorder.recording(model, "save_weights", path=path[-100:]):
        return original(model, *args, **kwargs)


def _make_function(recorder: Recorder, original: Original, model: Any, *args: Any, kind: str, **kwargs: Any) -> Any:
    """Let Keras make its function of one step, then take each batch by hand on its way into it."""
    result = original(model, *args, **kwargs)
    name = f"{kind}_function"
    function = getattr(model, name)
    if function is None or hasattr(function, "_recorded"):
        return result

    def listening(batches: Any) -> Any:
        if kind != "predict":
            batches = [batch for _, batch in zip(range(model.steps_per_execution), batches, strict=False)]
            if not batches:
                raise StopIteration
        with recorder.quietly():
            for batch in batches:
                _note(recorder, model, kind, batch)
        return function(iter(batches) if kind != "predict" else batches)

    listening._recorded = True  # type: ignore[attr-defined]
    setattr(model, name, listening)
    return result


def _note(recorder: Recorder, model: Any, kind: str, batch: Any) -> None:
    """Note a batch (x, y, sample weights), of which only x must be there, in the record that is open."""
    record = recorder.open[-1] if recorder.open else None
    if record is None or record.model() is not model:
        return
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    x, y = (np.asarray(part) if _eager(part) else None for part in (*parts, None)[:2])
    if x is None:
        return
    if kind == "train":
        record.notes.train(x, y)
    elif record.details["method"] != "train_on_batch":
        record.notes.test(x, y, recorder.forward(model, x).numpy())


# Calls on single batches ----------------------------------------------------------------------------------------------


def _train_on_batch(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if not recorder.inside:
        with recorder.quietly():
            given = _bound(original, model, args, kwargs)
            record = recorder.direct_of(model)
            y = given.get("y")
            record.notes.train(np.asarray(given["x"]), None if y is None else np.asarray(y))
    with recorder.within():
        return original(model, *args, **kwargs)


def _test_on_batch(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    with recorder.within():
        result = original(model, *args, **kwargs)
    if not recorder.inside:
        with recorder.quietly():
            given = _bound(original, model, args, kwargs)
            x, y = np.asarray(given["x"]), given.get("y")
            notes = recorder.direct_of(model).notes
            notes.test(x, None if y is None else np.asarray(y), recorder.forward(model, x).numpy())
            value: Any = result.get("loss") if isinstance(result, dict) else np.ravel(result)[0]
            notes.loss_values.append([len(x), float(value)])
    return result


def _predict(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        return original(model, *args, **kwargs)
    x: Any = args[0] if args else kwargs.get("x")
    if _eager(x) and frames_of(x) is not None and 0 < len(x) <= _FEW:
        return _asked(recorder, model, np.asarray(x), lambda: _inside(recorder, original, model, args, kwargs))
    with recorder.recording(model, "direct"):
        return original(model, *args, **kwargs)


def _inside(recorder: Recorder, original: Original, model: Any, args: Any, kwargs: Any) -> Any:
    with recorder.within():
        return original(model, *args, **kwargs)


def _call(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    x = args[0] if args else kwargs.get("inputs")
    if recorder.inside or not isinstance(x, (tf.Tensor, np.ndarray)) or not _are_images(x):
        return original(model, *args, **kwargs)
    if not _eager(x):  # a function of the student's is traced: listen when it runs
        tf.numpy_function(functools.partial(_ran, recorder, model), [x], [])
        return _inside(recorder, original, model, args, kwargs)
    if kwargs.get("training") or len(x) > _FEW:
        with recorder.quietly():
            recorder.direct_of(model).notes.call(np.asarray(x))
        return _inside(recorder, original, model, args, kwargs)
    return _asked(recorder, model, np.asarray(x), lambda: _inside(recorder, original, model, args, kwargs), True)


def _are_images(x: Any) -> bool:
    """Return whether a tensor, perhaps without values yet, holds images of the handout's size."""
    shape = tuple(x.shape)
    return len(shape) == 4 and shape[1:] == (SIDE, SIDE, 1)


def _ran(recorder: Recorder, model: Any, x: Any) -> None:
    with recorder.quietly():
        recorder.direct_of(model).notes.call(x)


def _asked(recorder: Recorder, model: Any, x: Any, original: Callable[[], Any], tensor: bool = False) -> Any:
    """Answer a call on a few images: by the stand-in in a generation of a rehearsal, else by the model."""
    notes, begins, answer = None, True, None
    with recorder.quietly():
        notes = recorder.direct_of(model).notes
        begins, answer = notes.frames.see(x.reshape(len(x), -1))
    if answer is not None:
        outputs: Any = answer.reshape(len(x), SIDE, SIDE, 1)
        outputs = tf.constant(outputs) if tensor else outputs.copy()
    elif recorder.rehearsal:
        outputs = recorder.forward(model, x)
        outputs = outputs if tensor else outputs.numpy()
    else:
        outputs = original()
    with recorder.quietly():
        if notes is not None:
            now = np.asarray(outputs)
            notes.frames.note(now.reshape(len(x), -1))
            if begins:
                notes.begin_call(x, now)
    return outputs


def _apply(recorder: Recorder, original: Original, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        return original(optimizer, *args, **kwargs)
    if tf.executing_eagerly():
        _applied(recorder, optimizer)
    else:
        tf.numpy_function(functools.partial(_applied, recorder, optimizer), [], [])
    return original(optimizer, *args, **kwargs)


def _applied(recorder: Recorder, optimizer: Any) -> None:
    with recorder.quietly():
        if recorder.direct is not None:
            recorder.direct.notes.applied()
            recorder.direct.details["optimizer"] = optimizer_of(optimizer)


# Losses, what is printed and drawn ------------------------------------------------------------------------------------


def _loss(recorder: Recorder, original: Original, loss: Any, *args: Any, **kwargs: Any) -> Any:
    with recorder.within():
        value = original(loss, *args, **kwargs)
    if not recorder.inside:
        _lost(recorder, loss_of(loss)["loss"], args, value)
    return value


def _loss_function(recorder: Recorder, original: Original, name: str) -> Original:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        if not recorder.inside:
            _lost(recorder, name.replace("_", ""), args, value)
        return value

    return function


def _lost(recorder: Recorder, name: str, args: Any, value: Any) -> None:
    """Note which loss the student's own loop computes, and the mean of its values where it has any by now."""
    with recorder.quietly():
        if recorder.direct is not None:
            notes = recorder.direct.notes
            notes.named_losses[name] = None
            if _eager(value) and len(notes.loss_values) < _MOST_NUMBERS:
                notes.loss_values.append([len(args[0]) if args else 0, float(np.mean(value))])


def _drawing(recorder: Recorder, original: Original, name: str) -> Original:
    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        recorder.drawn[name] = recorder.drawn.get(name, 0) + 1
        return original(*args, **kwargs)

    return draw


def _printing(recorder: Recorder, original: Original) -> Original:
    @functools.wraps(original)
    def write(*args: Any, **kwargs: Any) -> None:
        if len(recorder.numbers) < _MOST_NUMBERS:
            with recorder.quietly():
                recorder.numbers += numbers_in(args)
        original(*args, **kwargs)

    return write
