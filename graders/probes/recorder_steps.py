"""What the recorder of handout B notes of a notebook's own training loops, and the records that it makes. NumPy only.

Evidence: experiments `call 000`, `call 001`, ... in the notebook's order, at most `_MOST_RECORDS`, then `call end`.
All have the values `cell`, `method` and `details`, a JSON text. `method` is one of

- `direct`: the steps of one optimizer in one cell: `model` (a number) and `name` of it, `optimizer` (class and
  configuration), `steps`, `variables`, `changed` (how many of them changed); arrays with a value for each step: `loss`,
  what the gradient was taken of (NaN where none was, infinite where it is not finite), and `sampled`, how many
  gradients by images came before it;
- `cell`: `batches`, how many each data set handed out, by its name; `accuracies`, rows of the model's name, the data
  set's name and the value; `added` and `handed`, images that went into buffers and came out;
- `end`: `images`, how many there were for training and for the test; `channels`; `faults` (our own), `dropped` records;
  `misfit`, the kind of error of the first network that raised when it was called.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graders.probes.recorder_images import digest
from graders.probes.recorder_post import Emit, Post

_MOST_RECORDS = 300
_MOST_STEPS = 20_000  # of one record; of later ones only the number is kept
_MOST_ACCURACIES = 200  # of one cell


class Training:
    """The steps of one optimizer in one cell, on variables whose values `read` returns as arrays."""

    def __init__(self, optimizer: Mapping[str, Any], variables: list[Any], read: Callable[[Any], Any]) -> None:
        self.optimizer, self.variables, self._read = optimizer, variables, read
        self._before = self._digests()
        self.steps = 0
        self._losses: list[float] = []
        self._sampled: list[int] = []

    def _digests(self) -> list[str]:
        return digest([self._read(variable) for variable in self.variables])

    def step(self, loss: float, sampled: int) -> None:
        """Note one step."""
        self.steps += 1
        if self.steps <= _MOST_STEPS:
            self._losses.append(loss)
            self._sampled.append(sampled)

    def close(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return details and arrays."""
        changed = sum(one != other for one, other in zip(self._before, self._digests(), strict=True))
        details = {"method": "direct", "optimizer": self.optimizer, "steps": self.steps}
        details |= {"variables": len(self.variables), "changed": changed}
        arrays = {"loss": np.array(self._losses, np.float32), "sampled": np.array(self._sampled, np.int32)}
        return details, arrays


class Recorder:
    """The state of one run."""

    def __init__(self, namespace: dict[str, Any], emit: Emit, about: dict[str, Any]) -> None:
        self.namespace, self.post = namespace, Post(emit, _MOST_RECORDS)
        self._about = about  # what `call end` tells besides
        self.cell = 0
        self.misfit = ""  # the error of the first network that raised when it was called
        self.models: list[Any] = []  # the first variable of each, which tells them apart
        self._begin()

    def _begin(self) -> None:
        self.trainings: dict[int, tuple[Any, Training]] = {}  # by optimizer, which is kept: no other gets its id
        self.loss, self.sampled = float("nan"), 0
        self.batches: Counter[int] = Counter()
        self.datasets: dict[int, Any] = {}
        self.accuracies: list[tuple[str, str, float]] = []
        self.added = self.handed = 0

    def step(self, optimizer: Any, training: Callable[[], Training]) -> None:
        """Note that an optimizer is about to make a step; `training` makes the record of a new one."""
        loss, sampled, self.loss, self.sampled = self.loss, self.sampled, float("nan"), 0
        if id(optimizer) not in self.trainings:
            if self.post.sent + len(self.trainings) >= _MOST_RECORDS:
                self.post.dropped += 1
                return
            self.trainings[id(optimizer)] = optimizer, training()
        self.trainings[id(optimizer)][1].step(loss, sampled)

    def batch(self, dataset: Any) -> None:
        """Note that a data set handed out a batch."""
        self.batches[id(dataset)] += 1
        self.datasets[id(dataset)] = dataset

    def accuracy(self, model: Any, dataset: Any, value: float) -> None:
        """Note what the function of C4 returned."""
        if len(self.accuracies) < _MOST_ACCURACIES:
            self.accuracies.append((self._name_of(model), self._name_of(dataset), value))

    def _name_of(self, thing: Any) -> str:
        """Return the name that the notebook has for a thing, "" for none."""
        found = (name for name, value in self.namespace.items() if value is thing and not name.startswith("_"))
        return next(found, "")

    def _model_of(self, variables: list[Any]) -> tuple[int, str]:
        """Return the number and the name of the model that these are the variables of."""
        first = variables[0] if variables else None
        if not any(one is first for one in self.models):
            self.models.append(first)
        number = next(at for at, one in enumerate(self.models) if one is first)
        for name, value in self.namespace.items():
            with contextlib.suppress(Exception):  # whatever it is, it need not be a model
                if not name.startswith("_") and any(one is first for one in value.trainable_variables):
                    return number, name
        return number, ""

    def flush(self, number: int) -> None:
        """Send what the cell of that number did."""
        for _, training in self.trainings.values():
            details, arrays = training.close()
            details["model"], details["name"] = self._model_of(training.variables)
            self.post.send(number, details, arrays)
        if self.batches or self.accuracies or self.added or self.handed:
            batches: Counter[str] = Counter()
            for key, count in self.batches.items():
                batches[self._name_of(self.datasets[key])] += count
            details = {"method": "cell", "batches": batches, "accuracies": self.accuracies}
            self.post.send(number, {**details, "added": self.added, "handed": self.handed}, {})
        self._begin()

    def after_cell(self, number: int) -> None:
        """Send what the cell of that number did."""
        with self.post.quietly():
            self.flush(number)
        self.cell = number + 1

    def finish(self) -> None:
        """Send the rest, also of a cell that is still going on."""
        with self.post.quietly():
            self.flush(self.cell)
        self.post.end(self.cell, {"misfit": self.misfit, **self._about}, {})
