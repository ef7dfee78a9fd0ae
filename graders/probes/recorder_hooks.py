"""Where the recorder listens: the methods of Keras that it wraps. See `recorder`."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.axes
import numpy as np
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format
from keras.src.models import Functional

from graders.probes import recorder_calls as calls
from graders.probes import recorder_loading as loading
from graders.probes import recorder_losses as losses
from graders.probes.recorder import Recorder
from graders.probes.recorder_patches import Original, Replace, around
from graders.probes.recorder_records import bound_arguments, loss_of

_DRAWING = ("plot", "bar", "scatter", "imshow")
_LOSS_FUNCTIONS = ("binary_crossentropy", "binary_focal_crossentropy", "mean_absolute_error", "mean_squared_error")


def attach(recorder: Recorder, replace: Replace) -> None:
    """Wrap what the recorder listens to; `replace(owner, name, value)` sets an attribute."""
    hooks: dict[str, Callable[..., Any]] = {
        "compile": _compile,
        "fit": _fit,
        "evaluate": _evaluate,
        "predict": calls.predict,
        "predict_on_batch": calls.predict,
        "train_on_batch": calls.train_on_batch,
        "test_on_batch": calls.test_on_batch,
        "load_weights": loading.load_weights,
        "save_weights": loading.save_weights,
        "__call__": calls.call,
        "make_train_function": functools.partial(_make_function, kind="train"),
        "make_test_function": functools.partial(_make_function, kind="test"),
        "make_predict_function": functools.partial(_make_function, kind="predict"),
    }
    for name, hook in hooks.items():
        replace(keras.Model, name, around(recorder, hook, getattr(keras.Model, name)))
    replace(keras.layers.Layer, "__call__", around(recorder, calls.layer_call, keras.layers.Layer.__call__))
    for cls in (Functional, keras.Sequential):
        replace(cls, "call", around(recorder, calls.call, cls.call))
    replace(keras.layers.Layer, "__init_subclass__", classmethod(functools.partial(_created, recorder)))
    replace(keras.optimizers.Optimizer, "apply", around(recorder, calls.apply, keras.optimizers.Optimizer.apply))
    replace(legacy_h5_format, "_set_weights", around(recorder, loading.assign, legacy_h5_format._set_weights))
    replace(tf, "function", functools.partial(calls.function, recorder, tf.function))
    _attach_losses(recorder, replace)


def _attach_losses(recorder: Recorder, replace: Replace) -> None:
    replace(keras.losses.Loss, "__call__", around(recorder, losses.losing, keras.losses.Loss.__call__))
    for module in (keras.losses, keras.metrics, tf.keras.losses, tf.keras.metrics):
        for name in _LOSS_FUNCTIONS:
            if hasattr(module, name):
                replace(module, name, losses.loss_function(recorder, getattr(module, name), name))
    for name in _DRAWING:
        replace(matplotlib.axes.Axes, name, losses.drawing(recorder, getattr(matplotlib.axes.Axes, name), name))
    replace(builtins, "print", losses.printing(recorder, builtins.print))


def _created(recorder: Recorder, cls: type, **kwargs: Any) -> None:
    """Look at every class of layers that is defined: one may be defined and built in the same cell."""
    super(keras.layers.Layer, cls).__init_subclass__(**kwargs)
    with recorder.quietly():
        recorder.shrinker.take(cls)
        if issubclass(cls, keras.Model) and "__call__" in vars(cls):
            setattr(cls, "__call__", around(recorder, calls.call, cls.__call__))  # noqa: B010 - mypy forbids the other


# Whole calls ----------------------------------------------------------------------------------------------------------


def _compile(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.rehearsal and kwargs.get("jit_compile", "auto") == "auto":
        kwargs["jit_compile"] = False  # to compile a small model takes longer than to train it
    result = original(model, *args, **kwargs)
    if not recorder.inside:
        with recorder.quietly():
            given = bound_arguments(original, model, args, kwargs)
            metrics = [loss_of(metric)["loss"] for metric in given.get("metrics") or []]
            recorder.compiled[model] = {**loss_of(given.get("loss")), "metrics": metrics}
    return result


def _fit(recorder: Recorder, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
    if recorder.inside:
        return original(model, *args, **kwargs)
    given = bound_arguments(original, model, args, kwargs)
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
    x, y = (np.asarray(part) if calls.has_values(part) else None for part in (*parts, None)[:2])
    if x is None:
        return
    if kind == "train":
        record.notes.train(x, y)
    elif record.details["method"] != "train_on_batch":
        record.notes.test(x, y, recorder.forward(model, x).numpy())
