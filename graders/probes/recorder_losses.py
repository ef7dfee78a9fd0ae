"""Where the recorder hears of losses that a notebook computes itself, of numbers that it prints and of its charts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from graders.probes.recorder import MOST_NUMBERS, Recorder
from graders.probes.recorder_notes import numbers_in
from graders.probes.recorder_records import loss_of

Original = Callable[..., Any]


def losing(recorder: Recorder, original: Original, loss: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a loss object; note which one the student's own loop computes."""
    with recorder.within():
        value = original(loss, *args, **kwargs)
    if not recorder.inside:
        _lost(recorder, loss_of(loss)["loss"], args, value)
    return value


def loss_function(recorder: Recorder, original: Original, name: str) -> Original:
    """Return a function of losses that is noted as such an object is."""

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        if not recorder.inside:
            _lost(recorder, name.replace("_", ""), args, value)
        return value

    return function


def _lost(recorder: Recorder, name: str, args: Any, value: Any) -> None:
    """Note the name of a loss, and the mean of its values where it has any by now."""
    with recorder.quietly():
        if recorder.direct is not None:
            notes = recorder.direct.notes
            notes.named_losses[name] = None
            has_values = isinstance(value, np.ndarray) or (isinstance(value, tf.Tensor) and hasattr(value, "numpy"))
            if has_values and len(notes.loss_values) < MOST_NUMBERS:
                notes.loss_values.append([len(args[0]) if args else 0, float(np.mean(value))])


def drawing(recorder: Recorder, original: Original, name: str) -> Original:
    """Return a function that draws, counted."""

    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        recorder.drawn[name] = recorder.drawn.get(name, 0) + 1
        return original(*args, **kwargs)

    return draw


def printing(recorder: Recorder, original: Original) -> Original:
    """Return `print`, with an ear for numbers."""

    @functools.wraps(original)
    def write(*args: Any, **kwargs: Any) -> None:
        if len(recorder.numbers) < MOST_NUMBERS:
            with recorder.quietly():
                recorder.numbers += numbers_in(args)
        original(*args, **kwargs)

    return write
