"""The recorder: what a whole notebook's own code does with Keras models, written down while it runs.

It sits beside the student's code and contains no expected value. `install` wraps methods of `keras.Model` once, for all
subclasses; what Keras calls from inside itself (`fit` evaluates) belongs to the call of the student's. With `shrink`,
the arguments of a *rehearsal*, the class of C7 is built small, small inputs are answered by a compiled forward pass,
and generation loops by a stand-in (see `recorder_frames`). Without, it records and changes nothing.

Evidence: experiments `call 000`, `call 001`, ... in the notebook's order, at most `_MOST_RECORDS`, then `call end`.
All have the values `cell`, `method` and `details`, a JSON text; so all have one form. `method` is one of

- `load_weights`, `save_weights`: `path`; `error`; where loading failed, `has` and `wants`: the shapes of the variables
  in the order in which they were created and in the file;
- `fit`: `epochs`, `ran`, `initial_epoch`, `batch_size`, `callbacks`, `history`; `evaluate`: `results` by metric;
- `direct`: the calls by `model(x)`, `predict`, `train_on_batch`, `apply_gradients` in one cell, with no other between:
  own loops, generation. `numbers`: decimal numbers that the cell printed or left in names;
- `plots`: how often the cell drew `plot`, `bar`, `scatter`, `imshow`;
- `end`: `builds`, `faults` (our own), `dropped` records; `unfollowed`: in the cell with most of them, the calls of
  models and of the class of C7 that no record tells of; array `unseen` (k, 32, 32): images that the notebook never saw.

Those of a model have also `model` (a number), `settings` (what each C7 in it was asked to be), `compiled` (`loss`,
`from_logits`, `metrics`), `optimizer` (class and configuration), `before` and `after` (digests of all weights, whatever
their order), `variables`, `changed` (how many of them changed) and the fields of `recorder_notes.Notes.close`: `steps`,
`trained sizes`, `tested sizes`, `passes`, `x`, `targets`, `same` (targets are the inputs), `logits`, `runs`, ...
Arrays: `images` (k, 128), the images that are new in this record, bits packed; `trained`, `tested`, `begun` (with which
generations began): numbers of images over all records; `losses`: the binary cross-entropy of each tested image,
recomputed; of generations `pixel` (calls,), `drawn` and `probability` (calls, n): which pixel each call drew, what it
became, what the model had said of it; of the last record in a cell that trained or loaded a model `unseen`
(k, 32, 32), what it then said of the unseen images.
"""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from graders.probes.recorder_frames import StandIn
from graders.probes.recorder_images import Images, unseen_images
from graders.probes.recorder_post import Emit, Face, Post
from graders.probes.recorder_records import Record
from graders.probes.recorder_shrink import Shrinker

ARGUMENTS = ("n_resnet", "n_filters", "n_block", "n_output")  # of the class of C7
_MOST_RECORDS = 900
_SENT_NUMBERS = 50  # that a cell prints, or leaves in names: more would report every number there is
MOST_NUMBERS = 400  # that are kept until then
_NUMBERS = (float, np.floating, np.ndarray, tf.Tensor, list)  # what may hold a loss


class Recorder:
    """The state of one run."""

    def __init__(self, namespace: dict[str, Any], shrink: Mapping[str, int] | None, emit: Emit, seed: int) -> None:
        self.namespace, self.post = namespace, Post(emit, _MOST_RECORDS)
        self.rehearsal = shrink is not None
        self.shrinker = Shrinker(ARGUMENTS, shrink or {})
        self.images = Images()
        self.stand_in = StandIn(seed) if self.rehearsal else None
        self.unseen = unseen_images(seed)
        self.inside = 0  # how deep in a recorded call we are
        self.open: list[Record] = []
        self.direct: Record | None = None
        self.cell = 0
        self.done: list[Record] = []
        self.models: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self.compiled: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()
        self.forwards: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self.numbers: list[float] = []
        self.known: dict[str, Any] = {}  # what each name meant after the last cell; kept, so that no other has its id
        self.drawn: dict[str, int] = {}
        self.reordered = 0  # layers that were loaded in the order of Keras 2
        self.unfollowed = self.most_unfollowed = 0  # calls of the class of C7, in a cell, that nothing else notes

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Take notes: what goes wrong in them is no business of the student's code."""
        with self.within(), self.post.quietly():
            yield

    @contextlib.contextmanager
    def recording(self, model: Any, method: str, **details: Any) -> Iterator[Record]:
        """Record one call of the student's; what goes wrong in it is noted and goes on to the student."""
        self.close_direct()
        record = Record(self, model, method, details)
        self.open.append(record)
        self.inside += 1
        try:
            yield record
        except BaseException as error:
            record.details["error"] = f"{type(error).__name__}: {error}"[:200]
            raise
        finally:
            self.inside -= 1
            if record in self.open:
                self.open.remove(record)
                self.end(record)

    def end(self, record: Record) -> None:
        """Put a record that is complete with those of its cell."""
        with self.quietly():
            record.close()
            self.done.append(record)

    def close_direct(self) -> None:
        """End the record of direct calls: what follows is another thing."""
        record, self.direct = self.direct, None
        if record is not None:
            self.end(record)

    def direct_of(self, model: Any) -> Record:
        """Return the record of direct calls on a model, a new one when there is none."""
        if self.direct is None or self.direct.model() is not model:
            self.close_direct()
            self.direct = Record(self, model, "direct", {})
        return self.direct

    def forward(self, model: Any, x: Any) -> Any:
        """Return a model's outputs on x by its compiled forward pass, compiled anew when it has got other variables."""
        with self.within():
            parts = [*model.weights, *model.layers]  # kept, so that no other object has the id of one
            known, function = self.forwards.get(model, ([], None))
            if list(map(id, known)) != list(map(id, parts)):
                function = tf.function(lambda inputs: model(inputs), reduce_retracing=True)
                self.forwards[model] = parts, function
            return function(tf.cast(tf.convert_to_tensor(x), model.compute_dtype))

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        """What happens here is not the student's own call."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def flush(self, number: int) -> None:
        """Send the records of the cell of that number."""
        self.close_direct()
        self._show_unseen()
        if self.drawn:
            self.post.send(number, {"method": "plots", "drawn": self.drawn}, {})
        for record in self.done:
            if record.details["method"] == "direct":
                record.details["numbers"] = [*self.numbers[-_SENT_NUMBERS:], *self._scalars()[-_SENT_NUMBERS:]]
            self.post.send(number, record.details, record.arrays)
        self.most_unfollowed = max(self.most_unfollowed, self.unfollowed)
        self.done, self.numbers, self.drawn, self.unfollowed = [], [], {}, 0
        self.known = {name: value for name, value in self.namespace.items() if isinstance(value, _NUMBERS)}

    def _show_unseen(self) -> None:
        """Let each model that the cell trained or loaded answer on images that the notebook never saw."""
        changed = [one for one in self.done if one.details["method"] == "load_weights" or one.details.get("steps")]
        for record in {one.details["model"]: one for one in changed}.values():
            model = record.model()
            with contextlib.suppress(Exception):  # a model of other sizes does not fit; then there is nothing to show
                outputs = self.forward(model, self.unseen).numpy()
                if outputs.shape == self.unseen.shape:
                    record.arrays["unseen"] = outputs[..., 0].astype(np.float32)

    def _scalars(self) -> list[float]:
        """Return the numbers that the cell left in names, and the means of its lists of numbers."""
        found: list[float] = []
        fresh = [value for name, value in self.namespace.items() if self.known.get(name) is not value]
        for value in fresh:
            with contextlib.suppress(Exception):
                if isinstance(value, _NUMBERS):
                    numbers = np.asarray(value, np.float64)
                    if 0 < numbers.size <= 2000:
                        found.append(float(numbers.mean()))
        return found

    def after_cell(self, number: int) -> None:
        """Send what the cell of that number did."""
        with self.quietly():
            for name, value in list(self.namespace.items()):
                if inspect.isclass(value):
                    self.shrinker.take(value)
                elif inspect.isfunction(value):
                    self.namespace[name] = self.shrinker.take_function(value)
        with self.quietly():
            self.flush(number)
        self.cell = number + 1

    def finish(self) -> None:
        """Send the rest, also of a call that is still going on."""
        for record in reversed(self.open):
            record.details["finished"] = False
            self.end(record)
        self.open = []
        with self.quietly():
            self.flush(self.cell)
        details = {
            "builds": list(self.shrinker.builds.values()),
            "unfollowed": max(self.unfollowed, self.most_unfollowed),
        }
        self.post.end(self.cell, details, {"unseen": self.unseen[..., 0].astype(np.uint8)})


# The hooks ------------------------------------------------------------------------------------------------------------

_face = Face()
after_cell, finish, uninstall = _face.after_cell, _face.finish, _face.uninstall


def install(namespace: dict[str, Any], shrink: Mapping[str, int] | None, emit: Emit, seed: int) -> None:
    """Begin to record the models of the code that runs in `namespace`; `emit` sends one experiment.

    `shrink` maps the arguments of the class of C7 to the sizes of a rehearsal; None: the whole thing, unchanged. From
    `seed` come the stand-in's probabilities and the unseen images.
    """
    from graders.probes import recorder_hooks  # it needs this module's words

    uninstall()
    _face.recorder = recorder = Recorder(namespace, shrink, emit, seed)
    recorder_hooks.attach(recorder, _face.patches.replace)
