"""One record: a call of the student's on a model, from before it to after it; how models and losses are described."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from graders.probes import recorder_notes as notes
from graders.probes.recorder_images import digest

if TYPE_CHECKING:
    from graders.probes.recorder import Recorder


class Record:
    """One call of the student's on a model, from before it to after it."""

    def __init__(self, recorder: Recorder, model: Any, method: str, details: dict[str, Any]) -> None:
        self.recorder, self.model = recorder, weakref.ref(model)
        self.notes = notes.Notes(recorder.images, recorder.stand_in)
        self.arrays: dict[str, Any] = {}
        self._before: list[str] = []
        number = recorder.models.setdefault(model, len(recorder.models))
        self.details: dict[str, Any] = {"method": method, "model": number, "finished": True, "error": "", **details}
        self.details["compiled"] = recorder.compiled.get(model, {})
        with recorder.quietly(), tf.init_scope():  # a function of the student's may just be traced
            self._before = digest(_weights(model))
            self.details["optimizer"] = optimizer_of(getattr(model, "optimizer", None))

    def close(self) -> None:
        """Complete the details and the arrays."""
        model = self.model()
        after = digest(_weights(model)) if model is not None else []
        values, self.arrays = self.notes.close()
        self.details |= values
        self.details |= {
            "before": _together(self._before),
            "after": _together(after),
            "variables": len(after),
            "changed": sum(one != other for one, other in zip(self._before, after, strict=False)),
            "settings": self._settings(model),
        }
        fresh = self.recorder.images.take()
        if len(fresh):
            self.arrays["images"] = fresh

    def _settings(self, model: Any) -> list[dict[str, Any]]:
        builds = self.recorder.shrinker.builds
        layers = model._flatten_layers(include_self=True, recursive=True) if model is not None else ()
        return [builds[layer] for layer in layers if layer in builds][:4]


def _weights(model: Any) -> list[Any]:
    return [tf.convert_to_tensor(weight).numpy() for weight in model.weights if "seed_generator" not in weight.path]


def _together(hashes: list[str]) -> str:
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()[:16] if hashes else ""


def optimizer_of(optimizer: Any) -> dict[str, Any]:
    """Return an optimizer's class and configuration, "schedule" where the learning rate is one."""
    if optimizer is None:
        return {}
    config = {key: value for key, value in optimizer.get_config().items() if key != "name"}
    if isinstance(config.get("learning_rate"), Mapping):
        config["learning_rate"] = "schedule"
    return {"class": type(optimizer).__name__, **config}


def bound_arguments(original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return a call's arguments by name; empty where they do not fit, which the call itself will say."""
    try:
        bound = inspect.signature(original).bind(model, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    return dict(bound.arguments)


def loss_of(loss: Any) -> dict[str, Any]:
    """Return a loss's name without case and underscores, and whether it takes logits."""
    if isinstance(loss, (list, tuple)) and len(loss) == 1:
        loss = loss[0]
    if isinstance(loss, Mapping) and len(loss) == 1:
        loss = next(iter(loss.values()))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    from_logits = False
    with contextlib.suppress(Exception):  # a function or a text has none
        from_logits = bool(loss.get_config().get("from_logits", False))
    return {"loss": str(name).replace("_", "").lower(), "from_logits": from_logits}
