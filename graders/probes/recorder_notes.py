"""One record of a run: what a call of the student's on a model was fed with and what came out. NumPy only."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.model import Experiment
from graders.probes.recorder_frames import Frames, StandIn
from graders.probes.recorder_images import Images, losses_of

Array = NDArray[Any]
_MOST_TEXT = 200
_MOST_NUMBERS = 400
_FEW = 0.12  # the share of pixels in which images and their targets may differ
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[-+]?\d+)?")


class Values:
    """The range and the type of the numbers of many batches."""

    def __init__(self) -> None:
        self.least, self.most, self.between, self.type = math.inf, -math.inf, False, ""

    def note(self, batch: Array) -> None:
        """Note a batch of any shape."""
        if batch.size and batch.dtype.kind in "fiub":
            self.least, self.most = min(self.least, float(batch.min())), max(self.most, float(batch.max()))
            self.between |= bool(((batch > 0) & (batch < 1)).any())
            self.type = str(batch.dtype)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values; `between`: some lie strictly between 0 and 1."""
        return {"least": self.least, "most": self.most, "between": self.between, "type": self.type}


class Notes:
    """The images of one record in the order in which the model got them, with its losses on them.

    `trained`: images of training steps; `tested`: images that were evaluated or predicted, with the binary
    cross-entropy of the model's outputs on each; `passes`: where in `tested` each evaluation began.
    """

    def __init__(self, images: Images, stand_in: StandIn | None) -> None:
        self._images = images
        self.trained: list[Array] = []
        self.tested: list[Array] = []
        self.losses: list[Array] = []
        self.passes: list[int] = []
        self._pending: list[tuple[Array, Array, int]] = []  # called on, and not yet known what for: see `call`
        self._looked: list[tuple[int, int]] = []  # place in `tested` and number of each of these calls
        self.x, self.targets = Values(), Values()
        self.same, self.logits = True, False
        self.steps = 0
        self.frames = Frames(stand_in)
        self.named_losses: dict[str, None] = {}
        self.loss_values: list[list[float]] = []

    def train(self, x: Any, y: Any) -> None:
        """Note a batch of a training step."""
        self._data(x, y)
        self.trained.append(self._images.note(x))
        self.frames.interrupt()
        self.steps += 1

    def test(self, x: Any, y: Any, outputs: Any) -> None:
        """Note a batch that was evaluated, and what the model makes of it (None when that is not known)."""
        self._data(x, y)
        self.tested.append(self._images.note(x))
        if outputs is None:
            self.losses.append(np.full(len(x), np.nan, np.float32))
        else:
            each, logits = losses_of(outputs, x if y is None else y)
            self.losses.append(each)
            self.logits |= logits

    def begin(self) -> None:
        """Note that an evaluation begins."""
        self.passes.append(sum(map(len, self.tested)))

    def begin_call(self, x: Any, outputs: Any) -> None:
        """Note a batch that begins something: it is looked at, trained on, or the first one of a generation."""
        each, logits = losses_of(outputs, x)
        self.logits |= logits
        self._data(x, None)
        self._pending.append((self._images.note(x), each, self.frames.calls - 1))

    def call(self, x: Any) -> None:
        """Note a batch whose use shows later: a training step follows, or none does."""
        self._data(x, None)
        self._pending.append((self._images.note(x), np.full(len(x), np.nan, np.float32), -1))

    def applied(self) -> None:
        """Note that gradients were applied: the model was trained on what it was called on last."""
        self.steps += 1
        self.frames.interrupt()
        self.trained += [images for images, _, _ in self._pending[-1:]]
        self._looked_at(self._pending[:-1])

    def _looked_at(self, batches: list[tuple[Array, Array, int]]) -> None:
        """Put the batches that no training step followed with those that were evaluated."""
        for images, losses, call in batches:
            self._looked.append((len(self.tested), call))
            self.tested.append(images)
            self.losses.append(losses)
        self._pending = []

    def _leave_out(self, calls: Sequence[range]) -> list[Array]:
        """Take out the batches with which a generation began, and return them: they are no evaluation."""
        generated = {place for place, call in self._looked if any(call in each for each in calls)}
        begun = [self.tested[place] for place in sorted(generated)]
        for batches in (self.tested, self.losses):
            batches[:] = [batch for place, batch in enumerate(batches) if place not in generated]
        return begun

    def _data(self, x: Any, y: Any) -> None:
        x = np.asarray(x)
        self.x.note(x)
        if y is not None:
            y = np.asarray(y)
            self.targets.note(y)
            self.same &= x.size == y.size and _alike(x.ravel(), y.ravel())

    def close(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return all of it as JSON values and arrays."""
        self._looked_at(self._pending)
        runs, arrays = self.frames.close()
        begun = self._leave_out(self.frames.generations())
        values = {
            "steps": self.steps,
            "trained sizes": [len(batch) for batch in self.trained][:1000],
            "tested sizes": [len(batch) for batch in self.tested][:1000],
            "passes": self.passes,
            "x": self.x.document(),
            "targets": self.targets.document(),
            "same": self.same,
            "logits": self.logits,
            "runs": runs[:40],
            "jumps": self.frames.jumps,
            "left out": self.frames.left_out,
            "losses named": list(self.named_losses)[:20],
            "loss values": self.loss_values[:_MOST_NUMBERS],
        }
        found = {"trained": self.trained, "tested": self.tested, "losses": self.losses, "begun": begun}
        for name, batches in found.items():
            if batches:
                arrays[name] = np.concatenate(batches)
        return values, arrays


def _alike(x: Array, y: Array) -> bool:
    """Return whether images and targets are black and white in the same pixels but for a few, however scaled."""
    white = [one > one.max(initial=0) / 2 for one in (x, y)]
    return bool(np.mean(white[0] != white[1]) <= _FEW) if x.size else True


def clean(value: Any) -> Any:
    """Return a value as JSON can carry it: numbers that are not finite become None, what is unknown its text."""
    if value is None or isinstance(value, (bool, str)):
        return value[:_MOST_TEXT] if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(key)[:_MOST_TEXT]: clean(each) for key, each in list(value.items())[:_MOST_NUMBERS]}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value[:1000]]
    try:
        number = float(value)
    except Exception:
        return str(type(value).__name__)
    if not math.isfinite(number):
        return None
    return int(number) if isinstance(value, (int, np.integer)) else number


def experiment(cell: int, details: Mapping[str, Any], arrays: Mapping[str, Array]) -> Experiment:
    """Return a record as an experiment; its details are one JSON text, so that all records have one form."""
    values = {"cell": cell, "method": str(details["method"]), "details": json.dumps(clean(details))}
    return Experiment(values, dict(arrays))


def numbers_in(parts: tuple[Any, ...]) -> list[float]:
    """Return the decimal numbers in what was printed.

    >>> numbers_in(("loss: 0.6931", 0.25))
    [0.6931, 0.25]
    """
    found: list[float] = []
    for part in parts:
        with_text = part if isinstance(part, str) else str(part)
        found += [float(text) for text in _NUMBER.findall(with_text[:2000])]
    return found
